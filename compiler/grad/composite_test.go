package grad

import (
	"fmt"
	"testing"

	"rnas/compiler/interp"
	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/tensor"
)

// TestComposite: a rule made by composition is right also where one input of the node depends on another one, or is given
// twice.
func TestComposite(t *testing.T) {
	rule := composite(func(c *Ctx) []*ir.Value {
		return []*ir.Value{c.Mul(c.Exp(c.In(0)), c.One("Sin", nil, c.In(1)))}
	})
	use := func(b op.B, x, y *ir.Value) []*ir.Value {
		out := b.Add(x, y) // stands for an operator of two inputs
		c := &Ctx{B: b, N: out.Def, Dy: []*ir.Value{b.Exp(x)}, need: []bool{true, true}}
		var parts []*ir.Value
		for _, g := range rule(c) {
			if g != nil {
				parts = append(parts, g)
			}
		}
		return parts
	}
	// The gradients are e^x e^x sin(y) and e^x e^x cos(y); for y = x the two add up.
	for _, c := range []struct {
		name string
		f    func(b op.B, x *ir.Value) []*ir.Value
		want func(b op.B, x *ir.Value) []*ir.Value
	}{
		{"dependent", func(b op.B, x *ir.Value) []*ir.Value { return use(b, x, b.Tanh(x)) }, func(b op.B, x *ir.Value) []*ir.Value {
			e, y := b.Mul(b.Exp(x), b.Exp(x)), b.Tanh(x)
			return []*ir.Value{b.Mul(e, b.One("Sin", nil, y)), b.Mul(e, b.One("Cos", nil, y))}
		}},
		{"twice", func(b op.B, x *ir.Value) []*ir.Value { return use(b, x, x) }, func(b op.B, x *ir.Value) []*ir.Value {
			e := b.Mul(b.Exp(x), b.Exp(x))
			return []*ir.Value{b.Mul(e, b.Add(b.One("Sin", nil, x), b.One("Cos", nil, x)))}
		}},
	} {
		b := op.NewB("g")
		v := b.Input("x", ir.Float64, 3)
		got, want := c.f(b, v), c.want(b, v)
		if len(got) != len(want) {
			t.Fatalf("%s: expected %d gradients, found %d", c.name, len(want), len(got))
		}
		for i := range got {
			b.Output(fmt.Sprint("difference", i), b.Sub(got[i], want[i]))
		}
		g, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		out, err := interp.RunOrdered(g, tensor.Vector(-1, 0.5, 2.0))
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range out {
			for _, v := range d.Float64s() {
				if !near(v, 0) {
					t.Errorf("%s: the gradient is off by %g", c.name, v)
				}
			}
		}
	}
}
