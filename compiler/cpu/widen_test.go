package cpu

import (
	"math"
	"testing"

	"rnas/compiler/grad"
	"rnas/compiler/interp"
	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/compiler/pass"
	"rnas/internal/rng"
	"rnas/internal/tensor"
)

// network is a forward graph of 15 channels, which blocks of 4 fill to 16, with everything that wider tensors go through.
func network(b op.B, draw *rng.Stream) (x, y *ir.Value) {
	w := func(shape ...int64) *ir.Value {
		t := tensor.Zeros(ir.Float32, shape...)
		draw.FillUniform(t.Float32s(), -0.5, 0.5)
		return b.Const("w", t)
	}
	positive := func(n int64) *ir.Value {
		t := tensor.Zeros(ir.Float32, n)
		draw.FillUniform(t.Float32s(), 0.5, 1.5)
		return b.Const("v", t)
	}
	point, depthwise := op.Conv2D{Kernel: [2]int64{1, 1}}, op.Same(3, 1, 2)
	depthwise.Group = 15
	x = b.Input("x", ir.Float32, ir.N, 3, 8, 8)
	stem := b.Conv(x, w(15, 3, 3, 3), w(15), op.Same(3, 1, 1))
	a := b.Relu(stem)
	c := b.Conv(b.Conv(a, w(15, 1, 3, 3), nil, depthwise), w(15, 15, 1, 1), nil, point)
	c = b.BatchNorm(c, w(15), w(15), w(15), positive(15), 1e-5)
	c = b.Add(b.Mul(c, w(15, 1, 1)), b.Max(stem, w(1, 15, 1, 1)))
	pool := b.MaxPool(b.Sigmoid(c), op.Same(3, 1, 1))
	gate := b.GlobalAveragePool(pool)
	both := b.Concat(1, b.Mul(pool, gate), b.Conv(a, w(8, 15, 1, 1), nil, point), b.Sub(c, w(1)))
	even := b.Conv(b.Relu(both), w(15, 38, 1, 1), nil, op.Conv2D{Kernel: [2]int64{1, 1}, Stride: 2})
	odd := b.Conv(b.Slice(b.Relu(both), []int64{1, 1}, []int64{8, 8}, []int64{2, 3}, []int64{1, 1}), w(15, 38, 1, 1), w(15), op.Conv2D{Kernel: [2]int64{1, 1}, Stride: 2})
	last := b.AveragePool(b.Clip(b.Concat(1, even, odd), -1, 1), op.Same(3, 1, 1))
	flat := b.Flatten(b.GlobalAveragePool(b.Conv(last, w(12, 30, 3, 3), nil, op.Same(3, 1, 1))))
	deep := b.Flatten(b.GlobalAveragePool(last))
	return x, b.Add(b.Gemm(flat, w(5, 12), w(5), false, true), b.Gemm(deep, w(5, 30), nil, false, true))
}

// withGradient runs passes on the network, and then it and the gradient of its output.
func withGradient(t *testing.T, passes ...pass.Pass) (*ir.Graph, []*tensor.Tensor) {
	t.Helper()
	draw := rng.New(1, rng.Probe, 0, 0, 0)
	b := op.NewB("network")
	_, y := network(b, &draw)
	b.Output("y", y)
	g, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	if err := (pass.Runner{Check: true}).Run(g, passes); err != nil {
		t.Fatal(err)
	}
	b = op.NewB("gradient")
	x := b.Input("images", ir.Float32, 2, 3, 8, 8)
	out := op.Inline(b, g, []*ir.Value{x})
	b.Output("y", out[0])
	b.Output("dx", grad.Gradients(b, out, out, []*ir.Value{x})[0])
	whole, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	images := tensor.Zeros(ir.Float32, 2, 3, 8, 8)
	draw.FillUniform(images.Float32s(), -1, 1)
	values, err := interp.RunOrdered(whole, images)
	if err != nil {
		t.Fatal(err)
	}
	return g, values
}

// TestWiden computes a network and its gradient with channels as they are and filled up to blocks of 4.
func TestWiden(t *testing.T) {
	plain, want := withGradient(t)
	g, got := withGradient(t, Widen(testBlock))
	for i := range want {
		for k, v := range want[i].Float64s() {
			if d := math.Abs(got[i].Float64At(k) - v); !(d < 1e-9) {
				t.Fatalf("output %d, element %d: expected %g, found %g", i, k, v, got[i].Float64At(k))
			}
		}
	}
	wide, convolutions := 0, 0
	for i, n := range g.Nodes {
		if n.Op == "Conv" {
			convolutions++
			if n.Out[0].Shape[1]%testBlock == 0 && n.In[0].Shape[1]%testBlock == 0 || i == 0 {
				wide++
			}
		}
		if n.Op == "Gather" && !pixelless(n.In[0]) {
			t.Errorf("%s takes channels out of images", n.Name)
		}
	}
	if wide != convolutions || convolutions != 7 {
		t.Errorf("%d of %d convolutions have whole blocks\n%s", wide, convolutions, g)
	}
	if len(plain.Nodes) != len(g.Nodes)-1 { // one Gather before the classifier
		t.Errorf("expected one more node than %d, found %d", len(plain.Nodes), len(g.Nodes))
	}
}

// TestWidenLeaves checks that a graph is left alone where filling up costs too much or something else reads the channels.
func TestWidenLeaves(t *testing.T) {
	weight := func(b op.B, out, in int64) *ir.Value { return b.Const("w", tensor.Zeros(ir.Float32, out, in, 1, 1)) }
	point := op.Conv2D{Kernel: [2]int64{1, 1}}
	for name, build := range map[string]func(b op.B, x *ir.Value) *ir.Value{
		"much more": func(b op.B, x *ir.Value) *ir.Value { return b.Relu(b.Conv(x, weight(b, 5, 8), nil, point)) },
		"output":    func(b op.B, x *ir.Value) *ir.Value { return b.Conv(x, weight(b, 15, 8), nil, point) },
		"shuffled": func(b op.B, x *ir.Value) *ir.Value {
			y := b.Relu(b.Conv(x, weight(b, 15, 8), nil, point))
			y = b.Reshape(b.Transpose(b.Reshape(y, 2, 3, 5, 4, 4), 0, 2, 1, 3, 4), 2, 15, 4, 4)
			return b.GlobalAveragePool(y)
		},
		"other operand": func(b op.B, x *ir.Value) *ir.Value {
			y := b.Conv(x, weight(b, 15, 8), nil, point)
			return b.GlobalAveragePool(b.Add(y, b.Input("z", ir.Float32, 2, 15, 4, 4)))
		},
		"computed weight": func(b op.B, x *ir.Value) *ir.Value {
			y := b.Conv(x, weight(b, 15, 8), nil, point)
			return b.Conv(y, b.Input("computed", ir.Float32, 8, 15, 1, 1), nil, point)
		},
		"loop": func(b op.B, x *ir.Value) *ir.Value {
			y := b.Relu(b.Conv(x, weight(b, 15, 8), nil, point))
			return b.Loop("loop", 2, []*ir.Value{b.GlobalAveragePool(y)}, func(b op.B, _ *ir.Value, v []*ir.Value) []*ir.Value {
				return []*ir.Value{b.Add(v[0], b.GlobalAveragePool(y))}
			})[0]
		},
	} {
		b := op.NewB(name)
		b.Output("y", build(b, b.Input("x", ir.Float32, 2, 8, 4, 4)))
		g, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		before := g.String()
		if err := (pass.Runner{Check: true}).Run(g, []pass.Pass{Widen(testBlock)}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if after := g.String(); after != before {
			t.Errorf("%s: changed\n%s\n%s", name, before, after)
		}
	}
}
