package conformance

import (
	"math"
	"strings"
	"testing"

	"rnas/compiler/interp"
	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/tensor"
)

// TestProbe checks functions of one vector with a gradient that is right or wrong.
func TestProbe(t *testing.T) {
	one := func(b op.B, x *ir.Value) *ir.Value { return b.ExpandLike(b.Float(x, 1), x) }
	for _, c := range []struct {
		name           string
		at             []float64
		loss, gradient func(b op.B, x *ir.Value) *ir.Value
		kinks          int
		want           string // part of the error
	}{
		{
			"square",
			[]float64{1, -2, 0},
			func(b op.B, x *ir.Value) *ir.Value { return b.Mul(x, x) },
			func(b op.B, x *ir.Value) *ir.Value { return b.Scale(x, 2) }, 0, "",
		},
		{
			"square, gradient 1e-5 too large",
			[]float64{1, -2, 0},
			func(b op.B, x *ir.Value) *ir.Value { return b.Mul(x, x) },
			func(b op.B, x *ir.Value) *ir.Value { return b.Scale(x, 2.00002) }, 0, "input x, element 0: gradient 2.00002, central difference 2",
		},
		{"magnitude", []float64{1, 0}, op.B.Abs, op.B.Sign, 1, ""},
		{"magnitude, outside the subgradients", []float64{0, 1}, op.B.Abs, func(b op.B, x *ir.Value) *ir.Value {
			return b.Add(b.Sign(x), b.Scale(b.Sub(one(b, x), b.Mul(b.Sign(x), b.Sign(x))), 1.5))
		}, 0, "gradient 1.5, central difference 0, one-sided -"},
		{"magnitude, wrong beside the kink", []float64{0, 0}, op.B.Abs, func(b op.B, x *ir.Value) *ir.Value {
			return b.Scale(x, 0)
		}, 2, "gradient 0, central difference 1"},
		{"sign, a jump", []float64{0, 3}, op.B.Sign, func(b op.B, x *ir.Value) *ir.Value { return b.Scale(x, 0) }, 1, ""},
		{"logarithm at the end of its domain", []float64{0, 1}, func(b op.B, x *ir.Value) *ir.Value {
			return b.Sqrt(x)
		}, func(b op.B, x *ir.Value) *ir.Value { return b.Div(b.Scale(one(b, x), 0.5), b.Sqrt(x)) }, 1, ""},
	} {
		n := int64(len(c.at))
		p := probe{
			inputs: map[string]*tensor.Tensor{"x": tensor.Vector(c.at...)}, names: []string{"x"}, depends: []bool{true},
			outs: []string{"y"}, weights: [][]float64{make([]float64, n)},
		}
		for i := range p.weights[0] {
			p.weights[0][i] = 1
		}
		program := func(output string, f func(b op.B, x *ir.Value) *ir.Value) *interp.Program {
			b := op.NewB(c.name)
			b.Output(output, f(b, b.Input("x", ir.Float64, n)))
			g, err := b.Build()
			if err != nil {
				t.Fatal(err)
			}
			out, err := interp.Compile(g)
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		p.loss, p.gradient = program("y", c.loss), program("gradient.x", c.gradient)
		s := draw(c.name)
		got := p.check(&s)
		if got.Kinks != c.kinks {
			t.Errorf("%s: %d kinks, want %d", c.name, got.Kinks, c.kinks)
		}
		if c.want == "" && got.Err != nil || c.want != "" && (got.Err == nil || !strings.Contains(got.Err.Error(), c.want)) {
			t.Errorf("%s: got %v, want %q", c.name, got.Err, c.want)
		}
	}
}

func TestNear(t *testing.T) {
	for _, c := range []struct {
		got, want *tensor.Tensor
		rel       float64
		err       string
	}{
		{tensor.Vector(1.0), tensor.Vector[float32](1), 0, ""},
		{tensor.Vector(1.0), tensor.Vector[float32](1.0001), 1e-5, "element 0 is 1, want"},
		{tensor.Vector(1.0), tensor.Vector[float32](1.0001), 1e-3, ""},
		{tensor.Vector(math.NaN(), math.Inf(1)), tensor.Vector(float32(math.NaN()), float32(math.Inf(1))), 0, ""},
		{tensor.Vector(1.0, 2), tensor.Vector[float32](1), 1e-5, "got shape [2], want [1]"},
		{tensor.Vector[int64](3), tensor.Vector[int64](4), 0, "element 0 is 3, want 4"},
	} {
		err := near(c.got, c.want, c.rel)
		if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("got %v, want %q", err, c.err)
		}
	}
}
