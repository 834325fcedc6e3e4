package grad

import (
	"fmt"
	"slices"
	"testing"

	"rnas/compiler/interp"
	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/tensor"
)

// deployed is an inference network over constant weights: convolutions of stride 1 and 2, normalisation, all pools,
// Split, Concat, Slice, Pad and a linear layer.
func deployed(b op.B, images *ir.Value) *ir.Value {
	s := draw("weights")
	constant := func(shape ...int64) *ir.Value {
		return b.Const("w", sample(&s, 0.25, 1, shape...))
	}
	h := b.Conv(images, constant(4, 2, 3, 3), constant(4), op.Same(3, 1, 1))
	h = b.Relu(b.BatchNorm(b.Sub(h, b.Float(h, 1)), constant(4), constant(4), constant(4), constant(4), 1e-5))
	depthwise := op.Same(3, 2, 1)
	depthwise.Group = 4
	h = b.Concat(1,
		b.MaxPool(h, op.Same(3, 2, 1)), b.AveragePool(h, op.Same(3, 2, 1)), b.Conv(h, constant(4, 1, 3, 3), nil, depthwise))
	parts := b.Split(h, 1, 4, 4, 4)
	h = b.Add(b.Mul(parts[0], parts[2]), b.AveragePool(parts[2], op.Same(3, 1, 1)))
	h = b.Sum(h, b.MaxPool(h, op.Same(3, 1, 1)), b.Slice(b.Pad(h, 0, 0, 1, 0, 0, 0, 0, 1), dims(0, 1), dims(3, 4), dims(2, 3), dims(1, 1)))
	pooled := b.Add(b.GlobalAveragePool(h), b.One("GlobalMaxPool", nil, h))
	logits := b.Gemm(b.Flatten(pooled), constant(4, 5), constant(5), false, false)
	return b.Softmax(b.Add(logits, b.MatMul(b.Reshape(h, 0, -1), constant(36, 5))), -1)
}

func imageGradient(t *testing.T, batch int64) *ir.Graph {
	t.Helper()
	b := op.NewB("deployed")
	images := b.Input("images", ir.Float64, batch, 2, 6, 6)
	weight := b.Input("weight", ir.Float64, batch, 5)
	y := deployed(b, images)
	g := Gradients(b, []*ir.Value{y}, []*ir.Value{weight}, []*ir.Value{images})
	b.Output("gradient", g[0])
	graph, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return graph
}

// TestSymbolicBatch: one gradient graph serves every batch size and equals the graph made for that size.
func TestSymbolicBatch(t *testing.T) {
	symbolic := imageGradient(t, ir.N)
	for _, batch := range []int64{1, 3} {
		s := draw(fmt.Sprint("batch ", batch))
		in := []*tensor.Tensor{sample(&s, -1, 1, batch, 2, 6, 6), sample(&s, -1, 1, batch, 5)}
		got, err := interp.RunOrdered(symbolic, in...)
		if err != nil {
			t.Fatal(err)
		}
		want, err := interp.RunOrdered(imageGradient(t, batch), in...)
		if err != nil {
			t.Fatal(err)
		}
		if !tensor.Equal(got[0], want[0]) {
			t.Errorf("batch %d: the gradients differ", batch)
		}
		if !slices.ContainsFunc(got[0].Float64s(), func(v float64) bool { return v != 0 }) {
			t.Errorf("batch %d: the gradient is zero", batch)
		}
	}
}

// TestSymbolicNetworkIsRight compares the same network with a static batch with finite differences.
func TestSymbolicNetworkIsRight(t *testing.T) {
	checkEvery(t, "deployed", args(between(-1, 1, 1, 2, 6, 6)), func(b op.B, in []*ir.Value) []*ir.Value {
		return []*ir.Value{deployed(b, in[0])}
	})
}

// TestSymbolicRules runs rules that treat a symbolic batch differently from a static one.
func TestSymbolicRules(t *testing.T) {
	for _, c := range []struct {
		name  string
		shape []int64 // after the batch
		f     func(b op.B, v *ir.Value) *ir.Value
	}{
		{"steps before the batch", dims(7), func(b op.B, v *ir.Value) *ir.Value {
			return b.Slice(b.Transpose(v, 1, 0), dims(5), dims(0), dims(0), dims(-2))
		}},
		{"steps after the batch", dims(7), func(b op.B, v *ir.Value) *ir.Value {
			return b.Slice(v, dims(1), dims(7), dims(1), dims(3))
		}},
		{"unused parts", dims(6), func(b op.B, v *ir.Value) *ir.Value { return b.Split(v, 1, 1, 3, 2)[1] }},
		{"unwanted parts", dims(6), func(b op.B, v *ir.Value) *ir.Value {
			parts := b.Split(v, 1, 1, 3, 2)
			parts[1].Def.Out[0] = nil
			return parts[1]
		}},
		{"broadcast over the batch", dims(3), func(b op.B, v *ir.Value) *ir.Value {
			return b.Mul(b.ReduceSum(v, true, 0), v)
		}},
		{"maximum over the batch", dims(3), func(b op.B, v *ir.Value) *ir.Value { return b.ReduceMax(v, false, 0) }},
		{"overlapping maxima", dims(2, 5), func(b op.B, v *ir.Value) *ir.Value {
			return b.One("MaxPool", window(dims(3), nil, dims(1, 1), nil, 1), v)
		}},
		{"largest", dims(5), func(b op.B, v *ir.Value) *ir.Value {
			largest, _ := b.TopK(v, 2, 1)
			return largest
		}},
		{"matrices", dims(3, 2), func(b op.B, v *ir.Value) *ir.Value { return b.MatMul(v, b.Transpose(v, 0, 2, 1)) }},
	} {
		build := func(batch int64) *ir.Graph {
			b := op.NewB("g")
			v := b.Input("v", ir.Float64, append(dims(batch), c.shape...)...)
			y := b.Exp(c.f(b, v))
			g := Gradients(b, []*ir.Value{y}, []*ir.Value{b.ExpandLike(b.Float(y, 1), y)}, []*ir.Value{v})
			b.Output("gradient", g[0])
			graph, err := b.Build()
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			return graph
		}
		symbolic := build(ir.N)
		for _, batch := range []int64{1, 3} {
			s := draw(c.name)
			v := sample(&s, -1, 1, append(dims(batch), c.shape...)...)
			got, err := interp.RunOrdered(symbolic, v)
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			want, err := interp.RunOrdered(build(batch), v)
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			if !tensor.Equal(got[0], want[0]) {
				t.Errorf("%s, batch %d: expected %v, found %v", c.name, batch, want[0].Data, got[0].Data)
			}
		}
	}
}
