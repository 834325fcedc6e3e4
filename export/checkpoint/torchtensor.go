package checkpoint

import (
	"fmt"
	"math/bits"

	"rnas/internal/pickle"
	"rnas/internal/tensor"
)

// Bounds of what a checkpoint of n bytes may take while it is read: its objects, and its tensors, which may share or
// repeat what is stored. Together with one storage at a time they stay below 4n + 64 MiB.
const (
	objectAllowance = 24 << 20
	tensorAllowance = 16 << 20
)

func objectLimit(n int64) *pickle.Limit { return &pickle.Limit{Left: n + objectAllowance} }

func tensorLimit(n int64) int64 { return 2*n + tensorAllowance }

// check compares the extent of the view with the storage.
func (t *torchTensor) check() error {
	if len(t.shape) != len(t.stride) {
		return fmt.Errorf("shape %v has strides %v", t.shape, t.stride)
	}
	n, err := tensor.Numel(t.shape)
	if err != nil {
		return err
	}
	if t.offset < 0 {
		return fmt.Errorf("offset %d", t.offset)
	}
	if n == 0 {
		return nil
	}
	last, size := uint64(t.offset), t.storage.size
	if t.storage.dtype == untyped {
		size /= int64(t.dtype.Size())
	}
	for i, d := range t.shape {
		hi, step := bits.Mul64(uint64(d-1), uint64(t.stride[i]))
		sum, carry := bits.Add64(last, step, 0)
		if hi != 0 || carry != 0 {
			return fmt.Errorf("shape %v with strides %v is out of range", t.shape, t.stride)
		}
		last = sum
	}
	if last >= uint64(size) {
		return fmt.Errorf("shape %v with strides %v from %d needs %d elements, the storage has %d", t.shape, t.stride, t.offset, last+1, size)
	}
	return nil
}

// bytes is the size of the tensor without gaps.
func (t *torchTensor) bytes() int64 {
	n, err := tensor.Numel(t.shape)
	if err != nil {
		panic(err) // seen by check
	}
	return int64(n) * int64(t.dtype.Size())
}

// contiguous reports whether the elements follow each other in row-major order.
func (t *torchTensor) contiguous() bool {
	step := int64(1)
	for i := len(t.shape) - 1; i >= 0; i-- {
		if t.shape[i] != 1 && t.stride[i] != step {
			return false
		}
		step *= t.shape[i]
	}
	return true
}

// materialise copies the view out of the bytes of its storage.
func (t *torchTensor) materialise(data []byte) *tensor.Tensor {
	out := tensor.Zeros(t.dtype, t.shape...)
	if out.Len() == 0 {
		return out
	}
	size := int64(t.dtype.Size())
	to := tensor.Bytes(out)
	if t.contiguous() {
		copy(to, data[t.offset*size:])
	} else {
		t.gather(to, data, size)
	}
	if t.dtype == tensor.Bool {
		// Only 0 and 1 are values of a Go bool.
		for i, b := range tensor.Bytes(out) {
			tensor.Bytes(out)[i] = min(b, 1)
		}
	}
	return out
}

// gather copies the elements, of size bytes each, one by one.
func (t *torchTensor) gather(to, data []byte, size int64) {
	// Dimensions of 1 would make a step as long as the rank.
	var shape, stride []int64
	for i, d := range t.shape {
		if d > 1 {
			shape, stride = append(shape, d), append(stride, t.stride[i])
		}
	}
	index := make([]int64, len(shape))
	for at := t.offset; len(to) > 0; to = to[size:] {
		copy(to[:size], data[at*size:])
		for d := len(index) - 1; d >= 0; d-- {
			index[d]++
			at += stride[d]
			if index[d] < shape[d] {
				break
			}
			at -= index[d] * stride[d]
			index[d] = 0
		}
	}
}
