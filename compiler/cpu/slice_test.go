package cpu

import (
	"testing"

	"rnas/compiler/grad"
	"rnas/compiler/graphtest"
	"rnas/compiler/ir"
	"rnas/compiler/op"
)

// TestNCHWcConcatGradient joins two tensors; the gradient is cut without leaving the layout.
func TestNCHWcConcatGradient(t *testing.T) {
	g := sameFunction(t, func(b op.B) {
		w := b.Input("w", ir.Float32, 8, 8, 1, 1)
		point := op.Conv2D{Kernel: [2]int64{1, 1}}
		x := b.Input("x", ir.Float32, 2, 8, 4, 4)
		y := b.Concat(1, b.Relu(b.Conv(x, w, nil, point)), x)
		y = b.Conv(y, b.Input("v", ir.Float32, 8, 16, 1, 1), nil, point)
		b.Output("dx", grad.Gradients(b, []*ir.Value{y}, []*ir.Value{y}, []*ir.Value{x})[0])
	})
	if in, out := graphtest.Count(g, op.NCHWc, "ReorderInput"), graphtest.Count(g, op.NCHWc, "ReorderOutput"); in != 1 || out != 1 {
		t.Errorf("expected to enter and leave the layout once, found %d and %d times\n%s", in, out, g)
	}
}
