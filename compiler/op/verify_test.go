package op

import (
	"testing"

	"rnas/compiler/ir"
)

func TestVerifyInfersAgain(t *testing.T) {
	build := func() (*ir.Graph, *ir.Value) {
		b := NewB("g")
		x := b.Input("x", ir.Float32, n, 4)
		h := b.MatMul(x, b.Fill(x, 1, 4, 3))
		b.Output("y", b.Relu(h))
		g, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		return g, h
	}
	for _, c := range []struct {
		name   string
		damage func(g *ir.Graph, h *ir.Value)
		want   string
	}{
		{"sound", func(*ir.Graph, *ir.Value) {}, ""},
		{"shape", func(_ *ir.Graph, h *ir.Value) { h.Shape[1] = 5 }, "graph g: node MatMul: output MatMul.out float32[N,5] is inferred as float32[N,3]"},
		{"type", func(_ *ir.Graph, h *ir.Value) { h.Type = ir.Float64 }, "graph g: node MatMul: output MatMul.out float64[N,3] is inferred as float32[N,3]"},
		{"operator", func(g *ir.Graph, _ *ir.Value) { g.Nodes[1].Op = "Mystery" }, "node Relu: operator Mystery is not known"},
		{"structure", func(g *ir.Graph, _ *ir.Value) { g.Nodes = g.Nodes[1:] }, "graph g: node Relu (Relu): value MatMul.out float32[N,3] is used before it is defined"},
	} {
		g, h := build()
		c.damage(g, h)
		got := ""
		if err := Verify(g); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: expected %q, found %q", c.name, c.want, got)
		}
	}
}

func TestVerifyLooksIntoBodies(t *testing.T) {
	b := NewB("g")
	x := b.Input("x", ir.Float32, 2)
	var inner *ir.Value
	out := b.Loop("l", 2, list(x), func(b B, _ *ir.Value, v []*ir.Value) []*ir.Value {
		inner = b.Exp(v[0])
		return list(b.Log(inner))
	})
	b.Output("y", out[0])
	g, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	inner.Shape = ir.Shape{3}
	want := "graph g: node Exp: output Exp.out float32[3] is inferred as float32[2]"
	if err := Verify(g); err == nil || err.Error() != want {
		t.Errorf("expected %q, found %v", want, err)
	}
}
