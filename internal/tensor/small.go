package tensor

import (
	"math"
	"slices"
)

// Bit patterns of floating-point types of 8 and 4 bits. The first four follow "FP8 Formats for Deep Learning"
// (Micikevicius et al., 2022) and "8-bit Numerical Formats for Deep Neural Networks" (Noune et al., 2022), the last two
// the OCP Microscaling Formats specification 1.0. FN: no infinities; UZ: no negative zero.
type (
	E4M3FN   uint8 // exponent bias 7, to 448
	E4M3FNUZ uint8 // exponent bias 8, to 240
	E5M2     uint8 // exponent bias 15, to 57344, with infinities
	E5M2FNUZ uint8 // exponent bias 16, to 57344
	E8M0     uint8 // a power of two, 2^-127 to 2^127; neither zero nor sign
	E2M1     uint8 // exponent bias 1, to 6, in the low 4 bits; neither infinities nor NaN
)

// Integers of 4 and 2 bits, one in each byte of host storage; in files they are packed.
type (
	I4 int8
	U4 uint8
	I2 int8
	U2 uint8
)

// RoundMode says how Round rounds a number between two powers of two to E8M0. The other types always round to nearest,
// ties to even.
type RoundMode int

// The rounding modes of ONNX's Cast.
const (
	RoundUp RoundMode = iota
	RoundDown
	RoundNearest // ties up
)

// small describes a floating-point type of at most 8 bits. values are the non-negative finite numbers by bit pattern.
type small struct {
	values   []float64
	sign     uint8 // 0: no negative numbers
	nan, inf int   // bit patterns, -1: none; with a sign bit of nan itself when unsigned zero
	unsigned bool  // the pattern of -0 is NaN
}

func newSmall(bias, mantissa, largest int, s small) small {
	for code := range largest + 1 {
		exponent, fraction := code>>mantissa, float64(code&(1<<mantissa-1))/float64(int(1)<<mantissa)
		if exponent == 0 {
			s.values = append(s.values, math.Ldexp(fraction, 1-bias))
			continue
		}
		s.values = append(s.values, math.Ldexp(1+fraction, exponent-bias))
	}
	return s
}

var smalls = map[DType]small{
	Float8E4M3FN:   newSmall(7, 3, 0x7e, small{sign: 0x80, nan: 0x7f, inf: -1}),
	Float8E4M3FNUZ: newSmall(8, 3, 0x7f, small{sign: 0x80, nan: 0x80, inf: -1, unsigned: true}),
	Float8E5M2:     newSmall(15, 2, 0x7b, small{sign: 0x80, nan: 0x7f, inf: 0x7c}),
	Float8E5M2FNUZ: newSmall(16, 2, 0x7f, small{sign: 0x80, nan: 0x80, inf: -1, unsigned: true}),
	Float4E2M1:     newSmall(1, 1, 0x7, small{sign: 0x8, nan: -1, inf: -1}),
	Float8E8M0:     powers(),
}

func powers() small {
	s := small{nan: 0xff, inf: -1}
	for code := range 0xff {
		s.values = append(s.values, math.Ldexp(1, code-127))
	}
	return s
}

func (s *small) decode(code uint8) float64 {
	magnitude := code &^ s.sign
	switch {
	case s.unsigned && code == s.sign:
		return math.NaN()
	case int(magnitude) == s.inf:
		return math.Copysign(math.Inf(1), 1-2*float64(code>>7))
	case int(magnitude) >= len(s.values):
		return math.NaN()
	case code&s.sign != 0:
		return -s.values[magnitude]
	}
	return s.values[magnitude]
}

// encode rounds v. Beyond the range, saturate gives the largest number, and otherwise infinity or NaN come out, where
// the type has them. The type without NaN has zero for it.
func (s *small) encode(v float64, saturate bool, mode RoundMode) uint8 {
	nan := uint8(max(s.nan, 0))
	if math.IsNaN(v) {
		return nan
	}
	sign := uint8(0)
	if math.Signbit(v) {
		sign = s.sign
	}
	top := len(s.values) - 1
	code, outside := s.nearest(math.Abs(v), mode)
	switch {
	case !outside:
	case saturate || s.nan < 0:
		code = min(max(code, 0), top)
	case s.inf >= 0:
		code = s.inf
	case s.unsigned:
		return nan
	default:
		code = s.nan
	}
	if s.unsigned && code == 0 {
		sign = 0
	}
	return sign | uint8(code)
}

// nearest is the code of the number of the type closest to v >= 0, and whether v rounds to a number that would lie
// outside the type.
func (s *small) nearest(v float64, mode RoundMode) (code int, outside bool) {
	top := len(s.values) - 1
	above, exact := slices.BinarySearch(s.values, v)
	switch {
	case exact:
		return above, false
	case s.sign == 0:
		return s.power(v, above, mode)
	case above > top:
		step := s.values[top] - s.values[top-1]
		half := s.values[top] + step/2
		return top, v > half || v == half && top%2 == 1
	}
	low, high := s.values[above-1], s.values[above]
	if up := high - v; up < v-low || up == v-low && above%2 == 0 {
		return above, false
	}
	return above - 1, false
}

// power is nearest for powers of two. above is the code of the first one larger than v.
func (s *small) power(v float64, above int, mode RoundMode) (code int, outside bool) {
	top := len(s.values) - 1
	switch {
	case above > top:
		inside := mode == RoundDown && !math.IsInf(v, 1) || mode == RoundNearest && v < 1.5*s.values[top]
		return top, !inside
	case above == 0:
		return 0, mode == RoundDown || v == 0 || mode == RoundNearest && v < s.values[0]/2
	case mode == RoundUp, mode == RoundNearest && v >= 1.5*s.values[above-1]:
		return above, false
	}
	return above - 1, false
}

// Round is the number of type t that v is converted to. For floating-point types of 8 bits, saturate says that numbers
// beyond the range become the largest of the type instead of infinity or NaN. Integers are truncated and, for 4 and 2
// bits, reduced to the width in two's complement. Types from 16 bits up ignore saturate and mode.
func Round(t DType, v float64, saturate bool, mode RoundMode) float64 {
	if s, ok := smalls[t]; ok {
		return s.decode(s.encode(v, saturate, mode))
	}
	return FromFloat64s(t, nil, []float64{v}).Float64At(0)
}

// IsSmall reports whether t is a floating-point type of at most 8 bits.
func (t DType) IsSmall() bool { _, ok := smalls[t]; return ok }

// smallOf is the default conversion: saturating, E8M0 upwards.
func smallOf[T ~uint8](t DType, v float64) T {
	s := smalls[t]
	return T(s.encode(v, true, RoundUp))
}

func smallValue[T ~uint8](t DType, code T) float64 {
	s := smalls[t]
	return s.decode(uint8(code))
}

// signed keeps the low bits of v as a number in two's complement.
func signed(v int64, bits int) int8 { return int8(v << (64 - bits) >> (64 - bits)) }
