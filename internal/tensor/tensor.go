// Package tensor holds dense host tensors in row-major order. It is the common currency between the graph
// representation, the file formats, the interpreter and the runtime.
package tensor

import (
	"fmt"
	"math"
	"reflect"
	"slices"
)

// Tensor is a dense row-major array. Data is one of the slice types listed at DType and has exactly Numel(Shape)
// elements; a nil or empty Shape is a scalar with one element. Float16 and BFloat16 keep their bit patterns.
type Tensor struct {
	Shape []int64
	Data  any
}

// New makes a tensor over data without copying. It is an error if the number of elements does not match shape.
func New[T Element](shape []int64, data []T) (*Tensor, error) {
	t := &Tensor{Shape: slices.Clone(shape), Data: data}
	return t, t.Check()
}

// Check reports an error when the data does not match the shape or is of no type that a tensor holds.
func (t *Tensor) Check() error {
	n, err := Numel(t.Shape)
	if err != nil {
		return err
	}
	if t.DType() == 0 {
		return fmt.Errorf("a tensor cannot hold %T", t.Data)
	}
	if found := reflect.ValueOf(t.Data).Len(); found != n {
		return fmt.Errorf("shape %v needs %d elements, found %d", t.Shape, n, found)
	}
	return nil
}

// Of makes a tensor over data without copying. A shape that does not match is a broken invariant and panics.
func Of[T Element](shape []int64, data ...T) *Tensor {
	t, err := New(shape, data)
	if err != nil {
		panic(err)
	}
	return t
}

// Scalar makes a rank-0 tensor.
func Scalar[T Element](v T) *Tensor { return &Tensor{Data: []T{v}} }

// Vector makes a rank-1 tensor over data without copying.
func Vector[T Element](data ...T) *Tensor {
	return &Tensor{Shape: []int64{int64(len(data))}, Data: data}
}

// Zeros makes a zero-filled tensor; an unknown type or an invalid shape is a broken invariant and panics.
func Zeros(t DType, shape ...int64) *Tensor {
	n, err := Numel(shape)
	if err != nil {
		panic(err)
	}
	data := t.make(n)
	if data == nil {
		panic(fmt.Sprintf("tensor: no storage for %s", t))
	}
	return &Tensor{Shape: slices.Clone(shape), Data: data}
}

// Numel is the number of elements of a shape; negative dimensions and products over 2^40 are errors.
func Numel(shape []int64) (int, error) {
	n := int64(1)
	for _, d := range shape {
		if d < 0 {
			return 0, fmt.Errorf("shape %v has a negative dimension", shape)
		}
		if d > 0 && n > (1<<40)/d {
			return 0, fmt.Errorf("shape %v has too many elements", shape)
		}
		n *= d
	}
	return int(n), nil
}

// Rows returns the rows [from,to) of the first dimension, which share the memory of t. Rows that t does not have are a
// broken invariant and panic.
func (t *Tensor) Rows(from, to int64) *Tensor {
	shape := slices.Clone(t.Shape)
	row := 1
	for _, d := range shape[1:] {
		row *= int(d)
	}
	shape[0] = to - from
	return &Tensor{Shape: shape, Data: reflect.ValueOf(t.Data).Slice3(int(from)*row, int(to)*row, int(to)*row).Interface()}
}

// DType is the element type of Data.
func (t *Tensor) DType() DType { return TypeOf(t.Data) }

// Len is the number of elements.
func (t *Tensor) Len() int {
	n := 1
	for _, d := range t.Shape {
		n *= int(d)
	}
	return n
}

// Rank is the number of dimensions.
func (t *Tensor) Rank() int { return len(t.Shape) }

// Float32s returns the elements of a Float32 tensor; any other type is a broken invariant and panics.
func (t *Tensor) Float32s() []float32 { return t.Data.([]float32) }

// Int64s returns the elements of an Int64 tensor; any other type is a broken invariant and panics.
func (t *Tensor) Int64s() []int64 { return t.Data.([]int64) }

// Float64At is element i converted to float64; bools are 0 and 1.
func (t *Tensor) Float64At(i int) float64 {
	switch d := t.Data.(type) {
	case []float32:
		return float64(d[i])
	case []float64:
		return d[i]
	case []int64:
		return float64(d[i])
	case []int32:
		return float64(d[i])
	case []int16:
		return float64(d[i])
	case []int8:
		return float64(d[i])
	case []uint8:
		return float64(d[i])
	case []uint16:
		return float64(d[i])
	case []uint32:
		return float64(d[i])
	case []uint64:
		return float64(d[i])
	case []bool:
		if d[i] {
			return 1
		}
		return 0
	case []Half:
		return float64(d[i].Float32())
	case []BFloat:
		return float64(d[i].Float32())
	case []E4M3FN:
		return smallValue(Float8E4M3FN, d[i])
	case []E4M3FNUZ:
		return smallValue(Float8E4M3FNUZ, d[i])
	case []E5M2:
		return smallValue(Float8E5M2, d[i])
	case []E5M2FNUZ:
		return smallValue(Float8E5M2FNUZ, d[i])
	case []U4:
		return float64(d[i])
	case []I4:
		return float64(d[i])
	case []E2M1:
		return smallValue(Float4E2M1, d[i])
	case []E8M0:
		return smallValue(Float8E8M0, d[i])
	case []U2:
		return float64(d[i])
	case []I2:
		return float64(d[i])
	}
	panic(fmt.Sprintf("tensor: no numbers in %T", t.Data))
}

// Float64s converts all elements to a fresh []float64.
func (t *Tensor) Float64s() []float64 {
	out := make([]float64, t.Len())
	switch d := t.Data.(type) {
	case []float32:
		for i, v := range d {
			out[i] = float64(v)
		}
	case []float64:
		copy(out, d)
	default:
		for i := range out {
			out[i] = t.Float64At(i)
		}
	}
	return out
}

// FromFloat64s converts values to the type t, rounding floats to nearest and truncating to integers.
func FromFloat64s(t DType, shape []int64, values []float64) *Tensor {
	out := Zeros(t, shape...)
	switch d := out.Data.(type) {
	case []float32:
		for i, v := range values {
			d[i] = float32(v)
		}
		return out
	case []float64:
		copy(d, values)
		return out
	}
	for i, v := range values {
		switch d := out.Data.(type) {
		case []int64:
			d[i] = Truncate(v)
		case []int32:
			d[i] = int32(Truncate(v))
		case []int16:
			d[i] = int16(Truncate(v))
		case []int8:
			d[i] = int8(Truncate(v))
		case []uint8:
			d[i] = uint8(Truncate(v))
		case []uint16:
			d[i] = uint16(Truncate(v))
		case []uint32:
			d[i] = uint32(Truncate(v))
		case []uint64:
			d[i] = uint64(v)
		case []bool:
			d[i] = v != 0
		case []Half:
			d[i] = HalfOf(float32(v))
		case []BFloat:
			d[i] = BFloatOf(float32(v))
		case []E4M3FN:
			d[i] = smallOf[E4M3FN](Float8E4M3FN, v)
		case []E4M3FNUZ:
			d[i] = smallOf[E4M3FNUZ](Float8E4M3FNUZ, v)
		case []E5M2:
			d[i] = smallOf[E5M2](Float8E5M2, v)
		case []E5M2FNUZ:
			d[i] = smallOf[E5M2FNUZ](Float8E5M2FNUZ, v)
		case []U4:
			d[i] = U4(Truncate(v) & 15)
		case []I4:
			d[i] = I4(signed(Truncate(v), 4))
		case []E2M1:
			d[i] = smallOf[E2M1](Float4E2M1, v)
		case []E8M0:
			d[i] = smallOf[E8M0](Float8E8M0, v)
		case []U2:
			d[i] = U2(Truncate(v) & 3)
		case []I2:
			d[i] = I2(signed(Truncate(v), 2))
		}
	}
	return out
}

// AsInt64s copies the elements of an integer or boolean tensor; uint64 numbers from 2^63 up come out negative.
func (t *Tensor) AsInt64s() []int64 {
	switch d := t.Data.(type) {
	case []int64:
		return slices.Clone(d)
	case []uint64:
		return converted[int64](d)
	}
	return converted[int64](t.Float64s()) // at most 32 bits, exact
}

// FromInt64s converts values, which must be in the range of the integer or boolean type t; uint64 numbers from 2^63 up
// are given as negative ones.
func FromInt64s(t DType, shape, values []int64) *Tensor {
	switch t {
	case Int64:
		return &Tensor{Shape: slices.Clone(shape), Data: slices.Clone(values)}
	case Uint64:
		return &Tensor{Shape: slices.Clone(shape), Data: converted[uint64](values)}
	}
	return FromFloat64s(t, shape, converted[float64](values))
}

func converted[T, S int64 | uint64 | float64](src []S) []T {
	out := make([]T, len(src))
	for i, v := range src {
		out[i] = T(v)
	}
	return out
}

// Truncate rounds towards zero, saturating at the ends of the range and mapping NaN to 0, so that the result is the same on
// every processor.
func Truncate(v float64) int64 {
	switch {
	case math.IsNaN(v):
		return 0
	case v >= math.MaxInt64:
		return math.MaxInt64
	case v <= math.MinInt64:
		return math.MinInt64
	}
	return int64(v)
}

// Clone copies shape and data.
func (t *Tensor) Clone() *Tensor {
	out := Zeros(t.DType(), t.Shape...)
	switch d := t.Data.(type) {
	case []string:
		copy(out.Data.([]string), d)
	default:
		copy(Bytes(out), Bytes(t))
	}
	return out
}

// Equal reports whether type, shape and every element are equal bit for bit.
func Equal(a, b *Tensor) bool {
	if a.DType() != b.DType() || !slices.Equal(a.Shape, b.Shape) {
		return false
	}
	if s, ok := a.Data.([]string); ok {
		return slices.Equal(s, b.Data.([]string))
	}
	return string(Bytes(a)) == string(Bytes(b))
}
