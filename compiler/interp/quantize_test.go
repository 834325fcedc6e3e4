package interp

import (
	"math"
	"slices"
	"testing"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/tensor"
)

func TestQuantizeRoundsHalfToEvenAndSaturates(t *testing.T) {
	b := op.NewB("q")
	x := b.Const("x", tensor.Vector[float32](-1000, -1.5, -0.5, 0.5, 1.5, 2.5, 1000, float32(math.NaN())))
	s := b.Const("s", tensor.Scalar(float32(1)))
	b.Output("u", b.One("QuantizeLinear", nil, x, s, b.Const("z", tensor.Scalar(uint8(3)))))
	b.Output("i", b.One("QuantizeLinear", nil, x, s, b.Const("z", tensor.Scalar(int8(0)))))
	g, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	out, err := RunOrdered(g)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := out[0].Data.([]uint8), []uint8{0, 1, 3, 3, 5, 5, 255, 3}; !slices.Equal(got, want) {
		t.Errorf("uint8: found %v, expected %v", got, want)
	}
	if got, want := out[1].Data.([]int8), []int8{-128, -2, 0, 0, 2, 2, 127, 0}; !slices.Equal(got, want) {
		t.Errorf("int8: found %v, expected %v", got, want)
	}
}

// The quotient is rounded to the type of the scale before it is rounded to an integer.
func TestQuantizeDividesInTheTypeOfTheScale(t *testing.T) {
	const x, s = 0.0025000002, 0.001 // as float32 numbers: x/s is 2.5 in float32 and 2.500000058 in float64
	for kind, want := range map[ir.DType]int8{ir.Float32: 2, ir.Float64: 3} {
		b := op.NewB("q")
		number := func(v float32) *ir.Value { return b.Float(&ir.Value{Type: kind}, float64(v)) }
		b.Output("y", b.One("QuantizeLinear", nil, number(x), number(s), b.Const("z", tensor.Scalar(int8(0)))))
		g, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		out, err := RunOrdered(g)
		if err != nil {
			t.Fatal(err)
		}
		if got := out[0].Data.([]int8)[0]; got != want {
			t.Errorf("%s: found %d, expected %d", kind, got, want)
		}
	}
}
