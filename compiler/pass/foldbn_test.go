package pass

import (
	"math"
	"strings"
	"testing"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/interp"
	"rnas/internal/rng"
	"rnas/internal/tensor"
)

func TestFoldBN(t *testing.T) {
	rewrite(t, func(b op.B) {
		x := b.Input("x", ir.Float32, ir.N, 1, 5, 5)
		w := b.Const("w", values([]int64{2, 1, 1, 1}, 3, 5))
		y := b.Conv(x, w, nil, op.Same(1, 1, 1))
		y = b.BatchNorm(y, b.Const("gamma", values([]int64{2}, 2, 4)), b.Const("beta", values([]int64{2}, 1, 0)),
			b.Const("mean", values([]int64{2}, 10, 1)), b.Const("var", values([]int64{2}, 4, 16)), 0)
		b.Output("y", y)
	}, `
		input x float32[N,1,5,5]
		const w.folded float32[2,1,1,1] = [3,5]
		const Conv.bias float32[2] = [-9,-1]
		y float32[N,2,5,5] = Conv(x, w.folded, Conv.bias) kernel_shape=[1,1] pads=[0,0,0,0] strides=[1,1]
		output y`, foldBN)
}

// filled is a tensor of numbers in [0.5, 1.5).
func filled(seed uint64, shape ...int64) *tensor.Tensor {
	s := rng.New(seed, rng.Init, 0, 0, 0)
	out := tensor.Zeros(ir.Float32, shape...)
	s.FillUniform(out.Float32s(), 0.5, 1.5)
	return out
}

func norm(b op.B, x *ir.Value) *ir.Value {
	c := x.Shape[1]
	return b.BatchNorm(x, b.Const("gamma", filled(1, c)), b.Const("beta", filled(2, c)), b.Const("mean", filled(3, c)),
		b.Const("variance", filled(4, c)), 1e-3)
}

// Every weight layout gives the numbers of the graph before the pass, from one node.
func TestFoldBNLayouts(t *testing.T) {
	image := func(b op.B) *ir.Value { return b.Input("x", ir.Float32, 2, 4, 5, 5) }
	matrix := func(b op.B) *ir.Value { return b.Input("x", ir.Float32, 2, 4) }
	for name, f := range map[string]func(b op.B) *ir.Value{
		"Conv": func(b op.B) *ir.Value {
			return norm(b, b.Conv(image(b), b.Const("w", filled(9, 6, 4, 3, 3)), b.Const("b", filled(8, 6)), op.Same(3, 1, 1)))
		},
		"group": func(b op.B) *ir.Value {
			g := op.Same(3, 2, 1)
			g.Group = 2
			return norm(b, b.Conv(image(b), b.Const("w", filled(9, 6, 2, 3, 3)), nil, g))
		},
		"ConvTranspose": func(b op.B) *ir.Value {
			return norm(b, b.One("ConvTranspose", nil, image(b), b.Const("w", filled(9, 4, 6, 2, 3))))
		},
		"ConvTranspose group": func(b op.B) *ir.Value {
			return norm(b, b.One("ConvTranspose", ir.Attrs{"group": int64(2)}, image(b), b.Const("w", filled(9, 4, 3, 2, 2)), b.Const("b", filled(7, 6))))
		},
		"Gemm": func(b op.B) *ir.Value {
			return norm(b, b.Gemm(matrix(b), b.Const("w", filled(9, 3, 4)), b.Const("b", filled(8, 3)), false, true))
		},
		"Gemm scaled": func(b op.B) *ir.Value {
			return norm(b, b.One("Gemm", ir.Attrs{"alpha": float32(0.5), "beta": float32(2)}, matrix(b), b.Const("w", filled(9, 4, 3)), b.Const("b", filled(8, 1))))
		},
		"arithmetic": func(b op.B) *ir.Value {
			y := b.Conv(image(b), b.Const("w", filled(9, 3, 4, 1, 1)), nil, op.Same(1, 1, 1))
			y = b.Div(b.Add(b.Mul(y, b.Const("m", filled(1, 3, 1, 1))), b.Const("a", filled(2, 1, 3, 1, 1))), b.Float(y, 3))
			return b.Sub(b.Float(y, 1), b.Sub(norm(b, y), b.Float(y, 2)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			build := func(b op.B) { b.Output("y", f(b)) }
			before, after := apply(t, build), apply(t, build, foldBN)
			if len(after.Nodes) != 1 {
				t.Errorf("expected one node, found\n%s", after)
			}
			compare(t, before, after, 2e-6)
		})
	}
}

// compare runs both graphs on the same numbers; tolerance is relative to the largest entry of each output.
func compare(t *testing.T, before, after *ir.Graph, tolerance float64) {
	t.Helper()
	in := map[string]*tensor.Tensor{}
	for i, v := range before.Inputs {
		in[v.Name] = filled(uint64(100+i), v.Shape...)
	}
	want, err := interp.Run(before, in)
	if err != nil {
		t.Fatal(err)
	}
	got, err := interp.Run(after, in)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range before.Outputs {
		a, b := want[v.Name], got[v.Name]
		if b == nil || !ir.Shape(a.Shape).Equal(b.Shape) {
			t.Fatalf("output %s: shapes differ", v)
		}
		largest := 0.0
		for i := range a.Len() {
			largest = max(largest, math.Abs(a.Float64At(i)))
		}
		for i := range a.Len() {
			if d := math.Abs(a.Float64At(i) - b.Float64At(i)); !(d <= tolerance*largest) {
				t.Fatalf("output %s element %d: expected %g, found %g\nbefore\n%s\nafter\n%s",
					v, i, a.Float64At(i), b.Float64At(i), before, after)
			}
		}
	}
}

func TestFoldBNKeeps(t *testing.T) {
	conv := func(b op.B) *ir.Value {
		return b.Conv(b.Input("x", ir.Float32, 2, 4, 5, 5), b.Const("w", filled(9, 4, 4, 1, 1)), nil, op.Same(1, 1, 1))
	}
	for name, build := range map[string]func(b op.B){
		"used elsewhere": func(b op.B) {
			y := conv(b)
			b.Output("y", norm(b, y))
			b.Output("z", b.Relu(y))
		},
		"is an output": func(b op.B) {
			y := conv(b)
			b.Output("conv", y)
			b.Output("y", norm(b, y))
		},
		"weight is an input": func(b op.B) {
			x := b.Input("x", ir.Float32, 2, 4, 5, 5)
			b.Output("y", norm(b, b.Conv(x, b.Input("w", ir.Float32, 4, 4, 1, 1), nil, op.Same(1, 1, 1))))
		},
		"before": func(b op.B) {
			x := norm(b, b.Input("x", ir.Float32, 2, 4, 5, 5))
			b.Output("y", b.Conv(x, b.Const("w", filled(9, 4, 4, 1, 1)), nil, op.Same(1, 1, 1)))
		},
		"varies in space": func(b op.B) {
			b.Output("y", b.Mul(conv(b), b.Const("map", filled(1, 5, 5))))
		},
		"broadens": func(b op.B) {
			b.Output("y", b.Mul(conv(b), b.Const("map", filled(1, 1, 1, 1, 1, 1))))
		},
		"not finite": func(b op.B) {
			b.Output("y", b.Mul(conv(b), b.Const("c", values(nil, float32(math.Inf(1))))))
		},
	} {
		t.Run(name, func(t *testing.T) {
			if before, after := apply(t, build).String(), apply(t, build, foldBN).String(); before != after {
				t.Errorf("got\n%swant\n%s", after, before)
			}
		})
	}
}

func TestFoldBNInLoop(t *testing.T) {
	build := func(b op.B) {
		x := b.Input("x", ir.Float32, 2, 4, 5, 5)
		out := b.Loop("loop", 2, []*ir.Value{x}, func(b op.B, _ *ir.Value, c []*ir.Value) []*ir.Value {
			return []*ir.Value{norm(b, b.Conv(c[0], b.Const("w", filled(9, 4, 4, 1, 1)), nil, op.Same(1, 1, 1)))}
		})
		b.Output("y", out[0])
	}
	before, after := apply(t, build), apply(t, build, foldBN)
	if strings.Contains(after.String(), "BatchNormalization") {
		t.Errorf("found\n%s", after)
	}
	compare(t, before, after, 2e-6)
}
