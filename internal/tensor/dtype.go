package tensor

import (
	"fmt"
	"math"
	"unsafe"
)

// DType is an element type; the values are those of ONNX's TensorProto.DataType.
type DType uint8

// Element types and their Go storage.
const (
	Undefined DType = 0
	Float32   DType = 1  // []float32
	Uint8     DType = 2  // []uint8
	Int8      DType = 3  // []int8
	Uint16    DType = 4  // []uint16
	Int16     DType = 5  // []int16
	Int32     DType = 6  // []int32
	Int64     DType = 7  // []int64
	String    DType = 8  // []string
	Bool      DType = 9  // []bool
	Float16   DType = 10 // []Half
	Float64   DType = 11 // []float64
	Uint32    DType = 12 // []uint32
	Uint64    DType = 13 // []uint64
	BFloat16  DType = 16 // []BFloat

	Float8E4M3FN   DType = 17 // []E4M3FN
	Float8E4M3FNUZ DType = 18 // []E4M3FNUZ
	Float8E5M2     DType = 19 // []E5M2
	Float8E5M2FNUZ DType = 20 // []E5M2FNUZ
	Uint4          DType = 21 // []U4
	Int4           DType = 22 // []I4
	Float4E2M1     DType = 23 // []E2M1
	Float8E8M0     DType = 24 // []E8M0
	Uint2          DType = 25 // []U2
	Int2           DType = 26 // []I2
)

// Half is an IEEE 754 binary16 bit pattern.
type Half uint16

// BFloat is a bfloat16 bit pattern.
type BFloat uint16

// Element is the set of storage types.
type Element interface {
	float32 | float64 | int64 | int32 | int16 | int8 | uint64 | uint32 | uint16 | uint8 | bool | string | Half | BFloat |
		E4M3FN | E4M3FNUZ | E5M2 | E5M2FNUZ | U4 | I4 | E2M1 | E8M0 | U2 | I2
}

var dtypes = map[DType]struct {
	name string
	size int
	make func(n int) any
}{
	Float32:  {"float32", 4, func(n int) any { return make([]float32, n) }},
	Uint8:    {"uint8", 1, func(n int) any { return make([]uint8, n) }},
	Int8:     {"int8", 1, func(n int) any { return make([]int8, n) }},
	Uint16:   {"uint16", 2, func(n int) any { return make([]uint16, n) }},
	Int16:    {"int16", 2, func(n int) any { return make([]int16, n) }},
	Int32:    {"int32", 4, func(n int) any { return make([]int32, n) }},
	Int64:    {"int64", 8, func(n int) any { return make([]int64, n) }},
	String:   {"string", 0, func(n int) any { return make([]string, n) }},
	Bool:     {"bool", 1, func(n int) any { return make([]bool, n) }},
	Float16:  {"float16", 2, func(n int) any { return make([]Half, n) }},
	Float64:  {"float64", 8, func(n int) any { return make([]float64, n) }},
	Uint32:   {"uint32", 4, func(n int) any { return make([]uint32, n) }},
	Uint64:   {"uint64", 8, func(n int) any { return make([]uint64, n) }},
	BFloat16: {"bfloat16", 2, func(n int) any { return make([]BFloat, n) }},

	Float8E4M3FN:   {"float8e4m3fn", 1, func(n int) any { return make([]E4M3FN, n) }},
	Float8E4M3FNUZ: {"float8e4m3fnuz", 1, func(n int) any { return make([]E4M3FNUZ, n) }},
	Float8E5M2:     {"float8e5m2", 1, func(n int) any { return make([]E5M2, n) }},
	Float8E5M2FNUZ: {"float8e5m2fnuz", 1, func(n int) any { return make([]E5M2FNUZ, n) }},
	Uint4:          {"uint4", 1, func(n int) any { return make([]U4, n) }},
	Int4:           {"int4", 1, func(n int) any { return make([]I4, n) }},
	Float4E2M1:     {"float4e2m1", 1, func(n int) any { return make([]E2M1, n) }},
	Float8E8M0:     {"float8e8m0", 1, func(n int) any { return make([]E8M0, n) }},
	Uint2:          {"uint2", 1, func(n int) any { return make([]U2, n) }},
	Int2:           {"int2", 1, func(n int) any { return make([]I2, n) }},
}

// String is the ONNX name in lower case.
func (t DType) String() string {
	if d, ok := dtypes[t]; ok {
		return d.name
	}
	return fmt.Sprintf("dtype(%d)", uint8(t))
}

// Size is the number of bytes of one element in host storage; 0 for strings and unknown types.
func (t DType) Size() int { return dtypes[t].size }

// Bits is the number of bits of one element in files, where elements of less than 8 bits are packed.
func (t DType) Bits() int {
	switch t {
	case Float4E2M1, Int4, Uint4:
		return 4
	case Int2, Uint2:
		return 2
	}
	return 8 * t.Size()
}

// Known reports whether the package can store elements of this type.
func (t DType) Known() bool { _, ok := dtypes[t]; return ok }

// IsFloat reports whether t is a floating-point type.
func (t DType) IsFloat() bool {
	return t == Float32 || t == Float64 || t == Float16 || t == BFloat16 || t.IsSmall()
}

func (t DType) make(n int) any {
	if d, ok := dtypes[t]; ok {
		return d.make(n)
	}
	return nil
}

// TypeOf is the element type of a storage slice; Undefined for anything else.
func TypeOf(data any) DType {
	switch data.(type) {
	case []float32:
		return Float32
	case []float64:
		return Float64
	case []int64:
		return Int64
	case []int32:
		return Int32
	case []int16:
		return Int16
	case []int8:
		return Int8
	case []uint8:
		return Uint8
	case []uint16:
		return Uint16
	case []uint32:
		return Uint32
	case []uint64:
		return Uint64
	case []bool:
		return Bool
	case []string:
		return String
	case []Half:
		return Float16
	case []BFloat:
		return BFloat16
	case []E4M3FN:
		return Float8E4M3FN
	case []E4M3FNUZ:
		return Float8E4M3FNUZ
	case []E5M2:
		return Float8E5M2
	case []E5M2FNUZ:
		return Float8E5M2FNUZ
	case []U4:
		return Uint4
	case []I4:
		return Int4
	case []E2M1:
		return Float4E2M1
	case []E8M0:
		return Float8E8M0
	case []U2:
		return Uint2
	case []I2:
		return Int2
	}
	return Undefined
}

// Bytes is the memory of a numeric tensor, shared, in the byte order of the machine (little-endian on every platform
// that ONNX Runtime supports). Strings are a broken invariant and panic.
func Bytes(t *Tensor) []byte {
	switch d := t.Data.(type) {
	case []float32:
		return raw(d)
	case []float64:
		return raw(d)
	case []int64:
		return raw(d)
	case []int32:
		return raw(d)
	case []int16:
		return raw(d)
	case []int8:
		return raw(d)
	case []uint8:
		return d
	case []uint16:
		return raw(d)
	case []uint32:
		return raw(d)
	case []uint64:
		return raw(d)
	case []bool:
		return raw(d)
	case []Half:
		return raw(d)
	case []BFloat:
		return raw(d)
	case []E4M3FN:
		return raw(d)
	case []E4M3FNUZ:
		return raw(d)
	case []E5M2:
		return raw(d)
	case []E5M2FNUZ:
		return raw(d)
	case []U4:
		return raw(d)
	case []I4:
		return raw(d)
	case []E2M1:
		return raw(d)
	case []E8M0:
		return raw(d)
	case []U2:
		return raw(d)
	case []I2:
		return raw(d)
	}
	panic(fmt.Sprintf("tensor: no bytes in %T", t.Data))
}

func raw[T any](d []T) []byte {
	if len(d) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&d[0])), len(d)*int(unsafe.Sizeof(d[0])))
}

// Float32 widens a half-precision number.
func (h Half) Float32() float32 {
	sign := uint32(h>>15) << 31
	exp := uint32(h >> 10 & 0x1f)
	frac := uint32(h & 0x3ff)
	switch exp {
	case 0:
		f := float32(frac) / (1 << 24)
		if sign != 0 {
			f = -f
		}
		if frac == 0 {
			return math.Float32frombits(sign)
		}
		return f
	case 31:
		return math.Float32frombits(sign | 0xff<<23 | frac<<13)
	}
	return math.Float32frombits(sign | (exp+112)<<23 | frac<<13)
}

// HalfOf rounds to the nearest half-precision number, ties to even; overflow gives infinity.
func HalfOf(f float32) Half {
	b := math.Float32bits(f)
	sign := Half(b >> 16 & 0x8000)
	abs := b &^ (1 << 31)
	switch {
	case abs > 0x7f800000:
		return sign | 0x7e00
	case abs >= 0x47800000:
		return sign | 0x7c00
	case abs < 0x38800000: // below the smallest normal number: scale so that the float unit rounds for us
		r := math.Float32frombits(abs) + math.Float32frombits(0x3f000000)
		return sign | Half(math.Float32bits(r)-0x3f000000)
	}
	odd := abs >> 13 & 1
	abs += 0xfff + odd
	return sign | Half((abs-(112<<23))>>13)
}

// Float32 widens a bfloat16 number.
func (b BFloat) Float32() float32 { return math.Float32frombits(uint32(b) << 16) }

// BFloatOf rounds to the nearest bfloat16 number, ties to even.
func BFloatOf(f float32) BFloat {
	b := math.Float32bits(f)
	if b&0x7fffffff > 0x7f800000 {
		return BFloat(b>>16 | 0x40)
	}
	return BFloat((b + 0x7fff + b>>16&1) >> 16)
}
