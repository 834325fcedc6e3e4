//go:build cgo

package ort

import (
	"fmt"
	"runtime"
	"slices"

	onnxruntime "github.com/yalue/onnxruntime_go"

	"rnas/internal/tensor"
)

// newValue makes an ONNX Runtime value over the tensor's memory, without copying, and pins the memory: the C side
// keeps the pointer until the value is destroyed. Rank-0 tensors are the exception, see cell.
func newValue(t *tensor.Tensor, pin *runtime.Pinner) (onnxruntime.Value, error) {
	switch d := t.Data.(type) {
	case []float32:
		return dense(t.Shape, d, pin)
	case []float64:
		return dense(t.Shape, d, pin)
	case []int64:
		return dense(t.Shape, d, pin)
	case []int32:
		return dense(t.Shape, d, pin)
	case []int16:
		return dense(t.Shape, d, pin)
	case []int8:
		return dense(t.Shape, d, pin)
	case []uint64:
		return dense(t.Shape, d, pin)
	case []uint32:
		return dense(t.Shape, d, pin)
	case []uint16:
		return dense(t.Shape, d, pin)
	case []uint8:
		return dense(t.Shape, d, pin)
	case []bool:
		return dense(t.Shape, d, pin)
	case []tensor.Half, []tensor.BFloat:
		return raw(t, pin)
	}
	return nil, fmt.Errorf("element type %s not supported", t.DType())
}

func dense[T onnxruntime.TensorData](shape []int64, data []T, pin *runtime.Pinner) (onnxruntime.Value, error) {
	if len(shape) == 0 {
		s, err := onnxruntime.NewScalar(data[0])
		if err != nil {
			return nil, err
		}
		return &cell[T]{Scalar: s, data: data}, nil
	}
	if len(data) > 0 {
		pin.Pin(&data[0])
	}
	return onnxruntime.NewTensor(onnxruntime.Shape(shape), data)
}

// raw is for the element types that have no Go counterpart.
func raw(t *tensor.Tensor, pin *runtime.Pinner) (onnxruntime.Value, error) {
	if t.Rank() == 0 {
		return nil, fmt.Errorf("rank-0 %s not supported: use shape [1]", t.DType())
	}
	data := tensor.Bytes(t)
	if len(data) == 0 {
		data = make([]byte, 1) // the wrapper refuses an empty slice
	}
	pin.Pin(&data[0])
	return onnxruntime.NewCustomDataTensor(onnxruntime.Shape(t.Shape), data, onnxruntime.TensorElementDataType(t.DType()))
}

// cell is a rank-0 value. The wrapper lets scalars live only in memory of their own that cannot be written again, so
// the element is copied: load before a run, store after it.
type cell[T onnxruntime.TensorData] struct {
	*onnxruntime.Scalar[T]
	data []T
}

func (c *cell[T]) load() error {
	s, err := onnxruntime.NewScalar(c.data[0])
	if err != nil {
		return err
	}
	old := c.Scalar
	c.Scalar = s
	return old.Destroy()
}

func (c *cell[T]) store() { c.data[0] = c.GetData() }

type scalar interface {
	load() error
	store()
}

// fromValue is the tensor of a value that ONNX Runtime allocated and the wrapper copied to Go memory; the memory is
// taken over, and the caller still destroys the value.
func fromValue(v onnxruntime.Value) (*tensor.Tensor, error) {
	shape := slices.Clone(v.GetShape())
	switch t := v.(type) {
	case *onnxruntime.Tensor[float32]:
		return tensor.New(shape, t.GetData())
	case *onnxruntime.Tensor[float64]:
		return tensor.New(shape, t.GetData())
	case *onnxruntime.Tensor[int64]:
		return tensor.New(shape, t.GetData())
	case *onnxruntime.Tensor[int32]:
		return tensor.New(shape, t.GetData())
	case *onnxruntime.Tensor[int16]:
		return tensor.New(shape, t.GetData())
	case *onnxruntime.Tensor[int8]:
		return tensor.New(shape, t.GetData())
	case *onnxruntime.Tensor[uint64]:
		return tensor.New(shape, t.GetData())
	case *onnxruntime.Tensor[uint32]:
		return tensor.New(shape, t.GetData())
	case *onnxruntime.Tensor[uint16]:
		return tensor.New(shape, t.GetData())
	case *onnxruntime.Tensor[uint8]:
		return tensor.New(shape, t.GetData())
	case *onnxruntime.Tensor[bool]:
		return tensor.New(shape, t.GetData())
	}
	return nil, fmt.Errorf("element type of a %T not supported with a dynamic shape", v)
}

func destroy(values []onnxruntime.Value) {
	for _, v := range values {
		if v != nil {
			v.Destroy() // always returns nil
		}
	}
}
