package cpu

import (
	"testing"

	"rnas/compiler/grad"
	"rnas/compiler/graphtest"
	"rnas/compiler/ir"
	"rnas/compiler/op"
)

// The gradient of a normalisation uses the centred tensor that the forward pass has computed, and nothing else of its size.
func TestNCHWcNormGradientSharesCentred(t *testing.T) {
	build := func() *ir.Graph {
		b := op.NewB("norm")
		x, scale := b.Input("x", ir.Float32, 2, 2*testBlock, 3, 3), b.Input("scale", ir.Float32, 2*testBlock)
		running := b.Input("stats", ir.Float32, 2*testBlock)
		image := b.Relu(b.Pad(b.Conv(x, b.Input("w", ir.Float32, 2*testBlock, 2*testBlock, 1, 1), nil, op.Same(1, 1, 1)), 0, 0, 0, 0, 0, 0, 1, 1))
		y, _, _ := b.BatchNormTrain(image, scale, scale, b.Neg(running), b.Exp(running), 1e-5)
		loss := b.ReduceSum(b.Mul(y, y), true, 0, 1, 2, 3)
		b.Output("dx", grad.Gradients(b, []*ir.Value{loss}, []*ir.Value{b.Fill(loss, 1, 1, 1, 1, 1)}, []*ir.Value{x})[0])
		g, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	g := sameGraphs(t, build(), build())
	// One Neg for the mean, one for the statistics fed in, which are dead.
	if n := graphtest.Count(g, "", "Neg"); n != 1 {
		t.Errorf("expected one centred tensor, found %d Neg in\n%s", n, g)
	}
	if n := graphtest.Count(g, "", "Sub"); n != 0 {
		t.Errorf("expected no Sub, found %d in\n%s", n, g)
	}
}
