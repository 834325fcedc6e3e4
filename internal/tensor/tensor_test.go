package tensor

import (
	"math"
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
