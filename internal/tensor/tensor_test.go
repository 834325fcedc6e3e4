package tensor

import (
	"math"
	"slices"
	"testing"
)

func TestHalfRoundTrip(t *testing.T) {
	for i := 0; i < 1<<16; i++ {
		h := Half(i)
		f := h.Float32()
		if f != f {
			if g := HalfOf(f).Float32(); g == g {
				t.Fatalf("%#x: NaN became %v", i, g)
			}
			continue
		}
		if back := HalfOf(f); back != h {
			t.Fatalf("%#x -> %v -> %#x", i, f, uint16(back))
		}
	}
}

func TestHalfRounding(t *testing.T) {
	for _, c := range []struct {
		in   float32
		want Half
	}{
		{1, 0x3c00},
		{1 + 1.0/2048, 0x3c00}, // tie to even
		{1 + 3.0/2048, 0x3c02},
		{65504, 0x7bff},
		{65519.9, 0x7bff},
		{65520, 0x7c00},
		{float32(math.Pow(2, -24)), 1},
		{float32(math.Pow(2, -25)), 0},
		{-2, 0xc000},
	} {
		if got := HalfOf(c.in); got != c.want {
			t.Errorf("%v: got %#x, want %#x", c.in, uint16(got), uint16(c.want))
		}
	}
}

func TestNewChecksShape(t *testing.T) {
	if _, err := New([]int64{2, 3}, make([]float32, 5)); err == nil || err.Error() != "shape [2 3] needs 6 elements, found 5" {
		t.Errorf("got %v", err)
	}
	if _, err := New([]int64{1 << 30, 1 << 30}, []float32{}); err == nil {
		t.Error("huge shape accepted")
	}
	if _, err := New([]int64{-1}, []float32{}); err == nil {
		t.Error("negative dimension accepted")
	}
}

func TestConvertAndClone(t *testing.T) {
	want := []float64{0, 1, 3, 100}
	for _, dt := range []DType{Float32, Float64, Float16, BFloat16, Int64, Int32, Int16, Int8, Uint8, Uint16, Uint32, Uint64} {
		a := FromFloat64s(dt, []int64{2, 2}, want)
		b := a.Clone()
		if !Equal(a, b) {
			t.Errorf("%s: clone differs", dt)
		}
		for i, v := range b.Float64s() {
			if v != want[i] {
				t.Errorf("%s[%d] = %v, want %v", dt, i, v, want[i])
			}
		}
	}
	if d := FromFloat64s(Int64, nil, []float64{math.NaN()}).Int64s()[0]; d != 0 {
		t.Errorf("NaN became %d", d)
	}
}

// Integers of every type and booleans come back as they were.
func TestInt64s(t *testing.T) {
	for _, c := range []struct {
		dtype  DType
		values []int64
	}{
		{Int64, []int64{math.MinInt64, math.MaxInt64, 1<<53 + 1}},
		{Uint64, []int64{0, math.MaxInt64, -1}},
		{Int32, []int64{math.MinInt32, math.MaxInt32}},
		{Uint32, []int64{0, math.MaxUint32}},
		{Int16, []int64{math.MinInt16, math.MaxInt16}},
		{Uint16, []int64{0, math.MaxUint16}},
		{Int8, []int64{-128, 127}},
		{Uint8, []int64{0, 255}},
		{Int4, []int64{-8, 7}},
		{Uint4, []int64{0, 15}},
		{Int2, []int64{-2, 1}},
		{Uint2, []int64{0, 3}},
		{Bool, []int64{0, 1}},
	} {
		x := FromInt64s(c.dtype, []int64{int64(len(c.values))}, c.values)
		if x.DType() != c.dtype || !slices.Equal(x.AsInt64s(), c.values) {
			t.Errorf("%s: expected %v, found %v", c.dtype, c.values, x.AsInt64s())
		}
	}
}
