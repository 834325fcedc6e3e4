package cpu

import (
	"fmt"
	"testing"

	"rnas/compiler/grad"
	"rnas/compiler/graphtest"
	"rnas/compiler/ir"
	"rnas/compiler/op"
)

// TestNCHWcWinograd covers images of whole and of cut tiles of both sizes with and without bias, a sum and Relu after it, and the input gradient, of
// weights that stay the same in a loop.
func TestNCHWcWinograd(t *testing.T) {
	for _, size := range [][2]int64{{8, 8}, {11, 12}, {16, 16}, {13, 15}} {
		for _, biased := range []bool{false, true} {
			t.Run(fmt.Sprint(size, biased), func(t *testing.T) {
				g := sameFunction(t, func(b op.B) {
					x, w := b.Input("x", ir.Float32, 1, 128, size[0], size[1]), b.Input("w", ir.Float32, 128, 128, 3, 3)
					var bias *ir.Value
					if biased {
						bias = b.Input("bias", ir.Float32, 128)
					}
					y := b.Loop("loop", 2, []*ir.Value{x}, func(b op.B, _ *ir.Value, in []*ir.Value) []*ir.Value {
						x := b.Relu(in[0])
						conv := b.Conv(x, w, bias, op.Same(3, 1, 1))
						y := b.Relu(b.Add(conv, b.Conv(x, w, nil, op.Same(3, 1, 1))))
						return grad.Gradients(b, []*ir.Value{y}, []*ir.Value{y}, in)
					})
					b.Output("y", y[0])
				})
				if k := graphtest.Count(g, op.NCHWc, "Conv"); k < 2*36 {
					t.Errorf("%d convolutions", k)
				}
			})
		}
	}
}
