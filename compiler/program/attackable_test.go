package program_test

import (
	"strings"
	"testing"

	"rnas/compiler/grad"
	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/compiler/program"
	"rnas/internal/tensor"
)

// Models that can be attacked, with doubts or without, and models that cannot.
func TestExamine(t *testing.T) {
	for _, c := range []struct {
		name   string
		layer  func(b op.B, x *ir.Value) *ir.Value
		reason string // "" where an attack is possible
		kinds  []grad.Kind
	}{
		{"smooth", func(b op.B, x *ir.Value) *ir.Value { return b.Sigmoid(x) }, "", nil},
		{"steps", func(b op.B, x *ir.Value) *ir.Value { return b.Add(x, b.One("Round", nil, x)) }, "", []grad.Kind{grad.Cut}},
		{"thresholds", func(b op.B, x *ir.Value) *ir.Value {
			return b.Cast(b.Greater(x, b.Float(x, 0.5)), ir.Float32)
		}, "no gradient passes from logits to input", []grad.Kind{grad.Cut}},
		{"loop", func(b op.B, x *ir.Value) *ir.Value {
			return b.Loop("l", 2, []*ir.Value{x}, func(b op.B, _ *ir.Value, c []*ir.Value) []*ir.Value { return []*ir.Value{b.Neg(c[0])} })[0]
		}, "no gradient: node Loop: Loop: differentiate inside the body", []grad.Kind{grad.NoRule}},
	} {
		b := op.NewB("model")
		x := b.Input("input", ir.Float32, ir.N, 1, 2, 2)
		w := b.Const("w", tensor.Of([]int64{4, 3}, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, float32(12)))
		b.Output("logits", b.MatMul(b.Flatten(c.layer(b, x)), w))
		g, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		a := program.Examine(g)
		ok := a.Possible == (c.reason == "") && strings.Contains(a.Reason, c.reason) && len(a.Findings) == len(c.kinds)
		for i := range c.kinds {
			ok = ok && a.Findings[i].Kind == c.kinds[i]
		}
		if !ok {
			t.Errorf("%s: found %+v", c.name, a)
		}
	}
	b := op.NewB("double")
	x := b.Input("x", ir.Float32, ir.N, 3)
	b.Output("y", b.Softmax(b.Scale(x, 2), 1))
	g, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	a := program.Examine(g)
	if a.Possible || !strings.Contains(a.Reason, "expected one floating-point input [N,C,H,W]") || len(a.Findings) != 0 {
		t.Errorf("found %+v", a)
	}
	if a := program.Examine(&ir.Graph{Name: "empty"}); a.Possible || a.Reason == "" {
		t.Errorf("found %+v", a)
	}
}
