package export

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"

	"rnas/internal/tensor"
)

// sparseInitializer is a sparse tensor that is not decoded beyond its name, the name of its values.
type sparseInitializer struct {
	name string
	field
}

func (d *decoder) sparseName(f field) (sparseInitializer, error) {
	init := sparseInitializer{field: f}
	err := f.span().each(func(f field) error {
		if f.num != sparseValues {
			return nil
		}
		if err := f.want(protowire.BytesType); err != nil {
			return err
		}
		return f.span().each(func(f field) error {
			if f.num == tensorName {
				return f.toString(&init.name)
			}
			return nil
		})
	})
	if err == nil {
		err = d.memory.take(tensorMemory)
	}
	return init, err
}

// sparse decodes a SparseTensorProto into a dense tensor: values [K] at indices [K], positions in the flat tensor, or
// [K,rank].
func (d *decoder) sparse(f field) (*tensor.Tensor, error) {
	var values, indices *tensor.Tensor
	var dims []int64
	err := f.span().each(func(f field) (err error) {
		switch f.num {
		case sparseValues, sparseIndices:
			if err := f.want(protowire.BytesType); err != nil {
				return err
			}
			if f.num == sparseValues {
				values, err = d.tensor(f.span())
			} else {
				indices, err = d.tensor(f.span())
			}
			return err
		case sparseDims:
			return f.varints(func(v uint64) { dims = append(dims, int64(v)) })
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if values == nil || indices == nil || values.DType() == tensor.String {
		return nil, f.errorf("sparse tensor: expected numbers and indices")
	}
	at, ok := indices.Data.([]int64)
	k := values.Len()
	if !ok || values.Rank() != 1 || len(at) != k && len(at) != k*len(dims) {
		return nil, f.errorf("sparse tensor: %s%v at %s%v does not fit %v", values.DType(), values.Shape, indices.DType(), indices.Shape, dims)
	}
	n, err := tensor.Numel(dims)
	if err == nil {
		err = d.memory.take(int64(n) * int64(values.DType().Size()))
	}
	if err != nil {
		return nil, f.errorf("sparse tensor: %w", err)
	}
	t := tensor.Zeros(values.DType(), dims...)
	to, from := tensor.Bytes(t), tensor.Bytes(values)
	size := values.DType().Size()
	for i := range k {
		p, err := flatIndex(at, i, k, dims, n)
		if err != nil {
			return nil, f.errorf("sparse tensor: %w", err)
		}
		copy(to[p*size:(p+1)*size], from[i*size:])
	}
	return t, nil
}

// flatIndex is the position of value i of k in a tensor of n elements.
func flatIndex(at []int64, i, k int, dims []int64, n int) (int, error) {
	if len(at) == k {
		if at[i] < 0 || at[i] >= int64(n) {
			return 0, fmt.Errorf("index %d is outside %v", at[i], dims)
		}
		return int(at[i]), nil
	}
	p := int64(0)
	for j, d := range dims {
		index := at[i*len(dims)+j]
		if index < 0 || index >= d {
			return 0, fmt.Errorf("index %d is outside dimension %d of %v", index, j, dims)
		}
		p = p*d + index
	}
	return int(p), nil
}
