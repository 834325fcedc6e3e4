package pass

import (
	"testing"

	"rnas/compiler/grad"
	"rnas/compiler/ir"
	"rnas/compiler/op"
)

// supernet is the training graph of a chain of mixed operations over one flat parameter vector, like the search
// networks of DARTS: mostly small operators, forward and backward.
func supernet(b op.B, edges int) (*ir.Graph, error) {
	const c, kernel = int64(4), int64(4 * 9)
	sizes := make([]int64, 4*edges)
	for i := range sizes {
		sizes[i] = kernel
	}
	x := b.Input("x", ir.Float32, 2, c, 8, 8)
	params := b.Input("params", ir.Float32, kernel*int64(len(sizes)))
	parts := b.Split(params, 0, sizes...)
	one := b.Fill(x, 1, c)
	zero := b.Fill(x, 0, c)
	statSizes := make([]int64, 8*edges)
	for i := range statSizes {
		statSizes[i] = c
	}
	stats := b.Split(b.Input("stats", ir.Float32, c*int64(len(statSizes))), 0, statSizes...)
	depthwise := func(x, w *ir.Value, dilation int64) *ir.Value {
		g := op.Same(3, 1, dilation)
		g.Group = c
		y, _, _ := b.BatchNormTrain(b.Conv(b.Relu(x), b.Reshape(w, c, 1, 3, 3), nil, g), one, zero, stats[0], stats[1], 1e-5)
		stats = stats[2:]
		return y
	}
	h := x
	for i := range edges {
		w := parts[4*i : 4*i+4]
		h = b.Sum(h,
			depthwise(depthwise(h, w[0], 1), w[1], 1),
			depthwise(depthwise(h, w[2], 2), w[3], 2),
			b.MaxPool(h, op.Same(3, 1, 1)),
			b.AveragePool(h, op.Same(3, 1, 1)),
			b.Scale(b.Identity(h), 0.5))
	}
	loss := b.ReduceMean(h, true)
	grads := grad.Gradients(b, []*ir.Value{loss}, []*ir.Value{b.Fill(loss, 1, 1, 1, 1, 1)}, parts)
	b.Output("loss", loss)
	b.Output("next", b.Sub(params, b.Scale(b.Concat(0, grads...), 0.1)))
	return b.Build()
}

// BenchmarkTraining runs the training pipeline on about 30,000 nodes.
func BenchmarkTraining(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		g, err := supernet(op.NewB("supernet"), 180)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(len(g.Nodes)), "nodes")
		b.StartTimer()
		if err := Run(g, Training()); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(len(g.Nodes)), "nodes-after")
	}
}
