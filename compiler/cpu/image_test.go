package cpu

import (
	"testing"

	"rnas/compiler/grad"
	"rnas/compiler/ir"
	"rnas/compiler/op"
)

// TestNCHWcImageGradient takes the gradient of the weights that read images. Where patches are small, images and channels are
// not exchanged for it.
func TestNCHWcImageGradient(t *testing.T) {
	for _, c := range []struct {
		channels, kernel, stride int64
		exchanged                bool
	}{{3, 3, 1, false}, {1, 5, 1, false}, {3, 7, 1, true}, {3, 3, 2, true}} {
		g := sameFunction(t, func(b op.B) {
			x, w := b.Input("x", ir.Float32, 3, c.channels, 9, 8), b.Input("w", ir.Float32, 2*testBlock, c.channels, c.kernel, c.kernel)
			y := b.MaxPool(b.Conv(x, w, nil, op.Same(c.kernel, c.stride, 1)), op.Same(3, 1, 1))
			b.Output("dw", grad.Gradients(b, []*ir.Value{y}, []*ir.Value{b.Tanh(y)}, []*ir.Value{w})[0])
		})
		exchanged := false
		g.Walk(func(n *ir.Node) { exchanged = exchanged || n.Op == "Transpose" && n.In[0] == g.Inputs[0] })
		if exchanged != c.exchanged {
			t.Errorf("%+v: exchanges images and channels: %v\n%s", c, exchanged, g)
		}
	}
}
