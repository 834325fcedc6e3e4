package cpu

import (
	"fmt"
	"testing"

	"rnas/compiler/grad"
	"rnas/compiler/graphtest"
	"rnas/compiler/ir"
	"rnas/compiler/op"
)

// TestNCHWcPhases takes the gradient of dense convolutions of stride 2, of images with odd and even sides.
func TestNCHWcPhases(t *testing.T) {
	for _, c := range []op.Conv2D{
		op.Same(3, 2, 1), op.Same(5, 2, 1), {Kernel: [2]int64{2, 2}, Stride: 2}, {Kernel: [2]int64{3, 3}, Stride: 2}, {Kernel: [2]int64{4, 4}, Stride: 2, Pads: [4]int64{1, 1, 1, 1}},
	} {
		for _, size := range [][2]int64{{8, 8}, {7, 9}} {
			t.Run(fmt.Sprint(c, size), func(t *testing.T) {
				g := sameFunction(t, func(b op.B) {
					x, w := b.Input("x", ir.Float32, 2, 4, size[0], size[1]), b.Input("w", ir.Float32, 8, 4, c.Kernel[0], c.Kernel[1])
					y := b.Conv(b.Relu(x), w, nil, c)
					b.Output("dx", grad.Gradients(b, []*ir.Value{y}, []*ir.Value{b.Input("dy", ir.Float32, y.Shape...)}, []*ir.Value{x})[0])
				})
				if k := graphtest.Count(g, "", "ConvTranspose"); k > 0 {
					t.Errorf("%d gradients are not computed by phases\n%s", k, g)
				}
			})
		}
	}
}

// TestNCHWcPhasesOfSum takes the gradient of a block that halves the image along two ways: the one of the 1x1 convolution is added to
// a quarter of the other, by the convolution that computes it.
func TestNCHWcPhasesOfSum(t *testing.T) {
	for _, size := range [][2]int64{{8, 6}, {7, 9}} {
		g := sameFunction(t, func(b op.B) {
			x := b.Input("x", ir.Float32, 2, 4, size[0], size[1])
			long := b.Conv(x, b.Input("w", ir.Float32, 8, 4, 3, 3), nil, op.Same(3, 2, 1))
			short := b.Conv(x, b.Input("v", ir.Float32, 8, 4, 1, 1), nil, op.Conv2D{Kernel: [2]int64{1, 1}, Stride: 2})
			y := b.Add(long, b.Relu(short))
			b.Output("dx", grad.Gradients(b, []*ir.Value{y}, []*ir.Value{b.Input("dy", ir.Float32, y.Shape...)}, []*ir.Value{x})[0])
		})
		if adds, joins := graphtest.Count(g, "", "Add"), graphtest.Count(g, "", "Concat"); adds != 0 || joins != 3 {
			t.Errorf("%v: expected no addition and 3 concatenations, found %d and %d\n%s", size, adds, joins, g)
		}
	}
}
