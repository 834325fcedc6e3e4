package tensor

import (
	"math"
	"testing"
)

var smallTypes = []DType{Float8E4M3FN, Float8E4M3FNUZ, Float8E5M2, Float8E5M2FNUZ, Float4E2M1, Float8E8M0}

// Largest and smallest positive numbers as in the papers named at the types.
func TestSmallRange(t *testing.T) {
	for i, want := range [][2]float64{
		{448, 0x1p-9}, {240, 0x1p-10}, {57344, 0x1p-16}, {57344, 0x1p-17}, {6, 0.5}, {0x1p127, 0x1p-127},
	} {
		d := smallTypes[i]
		if got := Round(d, 1e300, true, RoundUp); got != want[0] {
			t.Errorf("%s: largest number %v, want %v", d, got, want[0])
		}
		if got := Round(d, want[1], true, RoundUp); got != want[1] {
			t.Errorf("%s: %v became %v", d, want[1], got)
		}
		if got := Round(d, want[1]*0.5, true, RoundDown); got != 0 && d != Float8E8M0 {
			t.Errorf("%s: half of the smallest number became %v", d, got)
		}
	}
}

// TestSmallEveryPattern rounds every number of every type, the middle to the next one, and points beside the middle.
func TestSmallEveryPattern(t *testing.T) {
	for _, d := range smallTypes[:5] {
		values := smalls[d].values
		for i, v := range values[:len(values)-1] {
			next := values[i+1]
			middle := (v + next) / 2
			even := v
			if i%2 == 1 {
				even = next
			}
			for in, want := range map[float64]float64{
				v: v, middle: even, math.Nextafter(middle, 0): v, math.Nextafter(middle, 1e300): next,
			} {
				if got := Round(d, in, true, RoundUp); got != want {
					t.Errorf("%s: %v became %v, want %v", d, in, got, want)
				}
				if got := Round(d, -in, true, RoundUp); got != -want {
					t.Errorf("%s: %v became %v, want %v", d, -in, got, -want)
				}
			}
		}
	}
}

// TestSmallOutside follows the tables of ONNX's Cast.
func TestSmallOutside(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	for _, c := range []struct {
		d        DType
		in       float64
		saturate bool
		mode     RoundMode
		want     float64
	}{
		{Float8E4M3FN, inf, true, 0, 448},
		{Float8E4M3FN, -inf, true, 0, -448},
		{Float8E4M3FN, inf, false, 0, nan},
		{Float8E4M3FN, 464, false, 0, 448},
		{Float8E4M3FN, 465, false, 0, nan},
		{Float8E4M3FNUZ, 240, false, 0, 240},
		{Float8E4M3FNUZ, 248, false, 0, nan},
		{Float8E4M3FNUZ, -1e-9, false, 0, 0},
		{Float8E5M2, inf, false, 0, inf},
		{Float8E5M2, -1e6, false, 0, -inf},
		{Float8E5M2, 1e6, true, 0, 57344},
		{Float8E5M2FNUZ, inf, false, 0, nan},
		{Float8E5M2FNUZ, nan, true, 0, nan},
		{Float4E2M1, -inf, true, 0, -6},
		{Float4E2M1, 2.5, true, 0, 2},
		{Float4E2M1, 3.5, true, 0, 4},
		{Float8E8M0, 0, true, RoundUp, 0x1p-127},
		{Float8E8M0, 0, false, RoundNearest, nan},
		{Float8E8M0, inf, true, RoundUp, 0x1p127},
		{Float8E8M0, inf, false, RoundNearest, nan},
		{Float8E8M0, 5, true, RoundUp, 8},
		{Float8E8M0, 5, true, RoundDown, 4},
		{Float8E8M0, 5, true, RoundNearest, 4},
		{Float8E8M0, 6, true, RoundNearest, 8},
		{Int4, 9, true, 0, -7},
		{Uint4, 18, true, 0, 2},
		{Int2, 2, true, 0, -2},
		{Uint2, 7, true, 0, 3},
	} {
		got := Round(c.d, c.in, c.saturate, c.mode)
		if got != c.want && !(math.IsNaN(got) && math.IsNaN(c.want)) {
			t.Errorf("%s(%v), saturate %v, mode %d: got %v, want %v", c.d, c.in, c.saturate, c.mode, got, c.want)
		}
	}
	if z := Round(Float8E4M3FNUZ, math.Copysign(0, -1), true, 0); math.Signbit(z) {
		t.Error("a type without negative zero has one")
	}
}

func TestPack(t *testing.T) {
	for _, c := range []struct {
		in   *Tensor
		want string
	}{
		{Vector[I4](-8, 7, -1), "\x78\x0f"},
		{Vector[U4](1, 15), "\xf1"},
		{Vector[I2](-2, 1, -1, 0, 1), "\x36\x01"},
		{Vector[U2](3, 0, 1), "\x13"},
		{Vector[E2M1](2, 15), "\xf2"},
		{Vector[E5M2](1, 0x80), "\x01\x80"},
		{Vector[int16](-2), "\xfe\xff"},
	} {
		packed := Pack(c.in)
		if string(packed) != c.want {
			t.Errorf("%s: packed as %x, want %x", c.in.DType(), packed, c.want)
		}
		back, err := Unpack(c.in.DType(), c.in.Shape, packed)
		if err != nil || !Equal(back, c.in) {
			t.Errorf("%s: unpacked as %v, %v", c.in.DType(), back, err)
		}
	}
	if _, err := Unpack(Int4, []int64{3}, []byte{0}); err == nil || err.Error() != "int4[3] needs 2 bytes, found 1" {
		t.Errorf("got %v", err)
	}
	if _, err := Unpack(String, []int64{1}, nil); err == nil {
		t.Error("strings have no packed form")
	}
}
