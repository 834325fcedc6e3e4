package interp

import (
	"fmt"
	"slices"

	"rnas/compiler/op"
	"rnas/internal/tensor"
)

// maxElements bounds one array (2 GiB), so that a small graph cannot ask for all memory.
const maxElements = 1 << 28

// array is a value at run time. f holds the elements of floating-point types, i those of all others, with bool as 0 and 1.
type array struct {
	dtype tensor.DType
	shape []int64
	f     []float64
	i     []int64
}

// numel is the checked number of elements of a shape.
func numel(shape []int64) (int, error) {
	n, err := tensor.Numel(shape)
	if err != nil {
		return 0, err
	}
	if n > maxElements {
		return 0, fmt.Errorf("shape %v has more than %d elements", shape, maxElements)
	}
	return n, nil
}

// zeros allocates an array.
func zeros(t tensor.DType, shape []int64) (*array, error) {
	n, err := numel(shape)
	if err != nil {
		return nil, err
	}
	a := &array{dtype: t, shape: slices.Clone(shape)}
	if t.IsFloat() {
		a.f = make([]float64, n)
	} else {
		a.i = make([]int64, n)
	}
	return a, nil
}

func (a *array) len() int { return len(a.f) + len(a.i) }

// common allocates the array of the shape that a and b broadcast to.
func common(t tensor.DType, a, b *array) (*array, error) {
	shape, err := op.Broadcast(a.shape, b.shape)
	if err != nil {
		return nil, err
	}
	return zeros(t, shape)
}

// view is a with another shape of as many elements.
func (a *array) view(shape []int64) *array {
	return &array{dtype: a.dtype, shape: slices.Clone(shape), f: a.f, i: a.i}
}

// take is the array whose element j is element at[j] of a, or the element of fill where at[j] < 0.
func (a *array) take(shape []int64, at []int, fill *array) *array {
	out := &array{dtype: a.dtype, shape: slices.Clone(shape)}
	if a.dtype.IsFloat() {
		out.f = pick(a.f, at, fill.float(0))
	} else {
		out.i = pick(a.i, at, fill.int(0))
	}
	return out
}

func pick[T any](data []T, at []int, fill T) []T {
	out := make([]T, len(at))
	for j, k := range at {
		if k >= 0 {
			out[j] = data[k]
		} else {
			out[j] = fill
		}
	}
	return out
}

// float is element k as a floating-point number, or 0 if a is nil.
func (a *array) float(k int) float64 {
	switch {
	case a == nil:
		return 0
	case a.dtype.IsFloat():
		return a.f[k]
	}
	return float64(a.i[k])
}

// int is element k truncated to an integer, or 0 if a is nil.
func (a *array) int(k int) int64 {
	switch {
	case a == nil:
		return 0
	case !a.dtype.IsFloat():
		return a.i[k]
	}
	return tensor.Truncate(a.f[k])
}

// scalar reads an input of exactly one element.
func (a *array) scalar() (int64, error) {
	if a.len() != 1 {
		return 0, fmt.Errorf("expected one number, found shape %v", a.shape)
	}
	return a.int(0), nil
}

// wrap reduces v to the width of t in two's complement.
func wrap(t tensor.DType, v int64) int64 {
	switch t {
	case tensor.Int32:
		return int64(int32(v))
	case tensor.Int16:
		return int64(int16(v))
	case tensor.Int8:
		return int64(int8(v))
	case tensor.Uint8:
		return int64(uint8(v))
	case tensor.Uint16:
		return int64(uint16(v))
	case tensor.Uint32:
		return int64(uint32(v))
	case tensor.Int4:
		return v << 60 >> 60
	case tensor.Int2:
		return v << 62 >> 62
	case tensor.Uint4:
		return v & 15
	case tensor.Uint2:
		return v & 3
	}
	return v
}

// fromTensor converts a tensor. Element count and shape must match, and unsigned numbers must stay below 2^63.
func fromTensor(t *tensor.Tensor) (*array, error) {
	if _, err := numel(t.Shape); err != nil {
		return nil, err
	}
	if err := t.Check(); err != nil {
		return nil, err
	}
	a := &array{dtype: t.DType(), shape: slices.Clone(t.Shape)}
	switch {
	case a.dtype.Bits() == 0:
		return nil, fmt.Errorf("elements of type %s are not supported", a.dtype)
	case a.dtype.IsFloat():
		a.f = t.Float64s()
	default:
		a.i = t.AsInt64s()
	}
	if d, ok := t.Data.([]uint64); ok {
		if k := slices.IndexFunc(a.i, func(v int64) bool { return v < 0 }); k >= 0 {
			return nil, fmt.Errorf("element %d is %d, expected less than 2^63", k, d[k])
		}
	}
	return a, nil
}

func truth(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// asFloats converts integers to floating-point numbers.
func asFloats(src []int64) []float64 {
	out := make([]float64, len(src))
	for i, v := range src {
		out[i] = float64(v)
	}
	return out
}

// tensor converts a to Float64 if its type is a floating-point type, and to its declared type otherwise.
func (a *array) tensor() *tensor.Tensor {
	if a.dtype.IsFloat() {
		return tensor.FromFloat64s(tensor.Float64, a.shape, a.f)
	}
	return tensor.FromInt64s(a.dtype, a.shape, a.i)
}
