package pass

import (
	"math"
	"strings"
	"testing"

	"rnas/compiler/graphtest"
	"rnas/compiler/ir"
	"rnas/compiler/op"
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
		output y`, FoldBN)
}

// Every weight layout gives the numbers of the graph before the pass, from one node.
func TestFoldBNLayouts(t *testing.T) {
	image := func(b op.B) *ir.Value { return b.Input("x", ir.Float32, 2, 4, 5, 5) }
	matrix := func(b op.B) *ir.Value { return b.Input("x", ir.Float32, 2, 4) }
	for name, f := range map[string]func(b op.B) *ir.Value{
		"Conv": func(b op.B) *ir.Value {
			return graphtest.Norm(b, b.Conv(image(b), b.Const("w", graphtest.Filled(9, 6, 4, 3, 3)), b.Const("b", graphtest.Filled(8, 6)), op.Same(3, 1, 1)))
		},
		"group": func(b op.B) *ir.Value {
			g := op.Same(3, 2, 1)
			g.Group = 2
			return graphtest.Norm(b, b.Conv(image(b), b.Const("w", graphtest.Filled(9, 6, 2, 3, 3)), nil, g))
		},
		"ConvTranspose": func(b op.B) *ir.Value {
			return graphtest.Norm(b, b.One("ConvTranspose", nil, image(b), b.Const("w", graphtest.Filled(9, 4, 6, 2, 3))))
		},
		"ConvTranspose group": func(b op.B) *ir.Value {
			return graphtest.Norm(b, b.One("ConvTranspose", ir.Attrs{"group": int64(2)}, image(b), b.Const("w", graphtest.Filled(9, 4, 3, 2, 2)), b.Const("b", graphtest.Filled(7, 6))))
		},
		"Gemm": func(b op.B) *ir.Value {
			return graphtest.Norm(b, b.Gemm(matrix(b), b.Const("w", graphtest.Filled(9, 3, 4)), b.Const("b", graphtest.Filled(8, 3)), false, true))
		},
		"Gemm scaled": func(b op.B) *ir.Value {
			return graphtest.Norm(b, b.One("Gemm", ir.Attrs{"alpha": float32(0.5), "beta": float32(2)}, matrix(b), b.Const("w", graphtest.Filled(9, 4, 3)), b.Const("b", graphtest.Filled(8, 1))))
		},
		"arithmetic": func(b op.B) *ir.Value {
			y := b.Conv(image(b), b.Const("w", graphtest.Filled(9, 3, 4, 1, 1)), nil, op.Same(1, 1, 1))
			y = b.Div(b.Add(b.Mul(y, b.Const("m", graphtest.Filled(1, 3, 1, 1))), b.Const("a", graphtest.Filled(2, 1, 3, 1, 1))), b.Float(y, 3))
			return b.Sub(b.Float(y, 1), b.Sub(graphtest.Norm(b, y), b.Float(y, 2)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			build := func(b op.B) { b.Output("y", f(b)) }
			before, after := apply(t, build), apply(t, build, FoldBN)
			if len(after.Nodes) != 1 {
				t.Errorf("expected one node, found\n%s", after)
			}
			graphtest.Close(t, before, after, 2e-6)
		})
	}
}

func TestFoldBNKeeps(t *testing.T) {
	conv := func(b op.B) *ir.Value {
		return b.Conv(b.Input("x", ir.Float32, 2, 4, 5, 5), b.Const("w", graphtest.Filled(9, 4, 4, 1, 1)), nil, op.Same(1, 1, 1))
	}
	for name, build := range map[string]func(b op.B){
		"used elsewhere": func(b op.B) {
			y := conv(b)
			b.Output("y", graphtest.Norm(b, y))
			b.Output("z", b.Relu(y))
		},
		"is an output": func(b op.B) {
			y := conv(b)
			b.Output("conv", y)
			b.Output("y", graphtest.Norm(b, y))
		},
		"weight is an input": func(b op.B) {
			x := b.Input("x", ir.Float32, 2, 4, 5, 5)
			b.Output("y", graphtest.Norm(b, b.Conv(x, b.Input("w", ir.Float32, 4, 4, 1, 1), nil, op.Same(1, 1, 1))))
		},
		"before": func(b op.B) {
			x := graphtest.Norm(b, b.Input("x", ir.Float32, 2, 4, 5, 5))
			b.Output("y", b.Conv(x, b.Const("w", graphtest.Filled(9, 4, 4, 1, 1)), nil, op.Same(1, 1, 1)))
		},
		"varies in space": func(b op.B) {
			b.Output("y", b.Mul(conv(b), b.Const("map", graphtest.Filled(1, 5, 5))))
		},
		"broadens": func(b op.B) {
			b.Output("y", b.Mul(conv(b), b.Const("map", graphtest.Filled(1, 1, 1, 1, 1, 1))))
		},
		"not finite": func(b op.B) {
			b.Output("y", b.Mul(conv(b), b.Const("c", values(nil, float32(math.Inf(1))))))
		},
	} {
		t.Run(name, func(t *testing.T) {
			if before, after := apply(t, build).String(), apply(t, build, FoldBN).String(); before != after {
				t.Errorf("got\n%swant\n%s", after, before)
			}
		})
	}
}

func TestFoldBNInLoop(t *testing.T) {
	build := func(b op.B) {
		x := b.Input("x", ir.Float32, 2, 4, 5, 5)
		out := b.Loop("loop", 2, []*ir.Value{x}, func(b op.B, _ *ir.Value, c []*ir.Value) []*ir.Value {
			return []*ir.Value{graphtest.Norm(b, b.Conv(c[0], b.Const("w", graphtest.Filled(9, 4, 4, 1, 1)), nil, op.Same(1, 1, 1)))}
		})
		b.Output("y", out[0])
	}
	before, after := apply(t, build), apply(t, build, FoldBN)
	if strings.Contains(after.String(), "BatchNormalization") {
		t.Errorf("found\n%s", after)
	}
	graphtest.Close(t, before, after, 2e-6)
}
