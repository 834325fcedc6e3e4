package cpu

import (
	"fmt"
	"testing"

	"rnas/compiler/grad"
	"rnas/compiler/ir"
	"rnas/compiler/op"
)

// TestNCHWcFrame takes weight gradients of separable convolutions of several kernels. From a width on, the gradient between the
// two convolutions is made with its padding, and nothing but that is read.
func TestNCHWcFrame(t *testing.T) {
	for _, c := range []struct {
		k, dilation, wide int64
		framed            bool
	}{{3, 1, 16, true}, {5, 1, 16, true}, {5, 2, 18, true}, {3, 2, 8, false}, {1, 1, 16, false}} {
		t.Run(fmt.Sprint(c.k, c.dilation, c.wide), func(t *testing.T) {
			g := sameFunction(t, func(b op.B) {
				channels := int64(2 * testBlock)
				x := b.Input("x", ir.Float32, 2, channels, 5, c.wide)
				v, w := b.Input("v", ir.Float32, channels, 1, c.k, c.k), b.Input("w", ir.Float32, channels, channels, 1, 1)
				depthwise := op.Same(c.k, 1, c.dilation)
				depthwise.Group = channels
				y := b.Conv(b.Conv(b.Relu(b.MaxPool(x, op.Same(3, 1, 1))), v, nil, depthwise), w, nil, op.Conv2D{Kernel: [2]int64{1, 1}})
				y = b.MaxPool(y, op.Same(3, 1, 1))
				for i, g := range grad.Gradients(b, []*ir.Value{y}, []*ir.Value{b.Tanh(y)}, []*ir.Value{x, v, w}) {
					b.Output([]string{"dx", "dv", "dw"}[i], g)
				}
			})
			framed := 0
			g.Walk(func(n *ir.Node) {
				if n.Domain == op.NCHWc && n.Op == "Conv" && n.Out[0].Shape[3] > c.wide {
					framed++
				}
			})
			if framed != map[bool]int{true: 1}[c.framed] {
				t.Errorf("found %d framed tensors\n%s", framed, g)
			}
		})
	}
}
