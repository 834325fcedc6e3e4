package cpu

import (
	"testing"

	"rnas/compiler/grad"
	"rnas/compiler/graphtest"
	"rnas/compiler/ir"
	"rnas/compiler/op"
)

// normed is a pointwise convolution of x, normalised by batch statistics, and its gradients. Its constants are exact in float32.
func normed(b op.B, in int64, affine bool) {
	out := int64(2 * testBlock)
	x, w := b.Input("x", ir.Float32, 2, in, 8, 8), b.Input("w", ir.Float32, out, in, 1, 1)
	scale, bias := b.Fill(x, 1, out), b.Fill(x, 0, out)
	xs := []*ir.Value{x, w}
	if affine {
		scale, bias = b.Input("scale", ir.Float32, out), b.Input("bias", ir.Float32, out)
		xs = append(xs, scale, bias)
	}
	y := b.Conv(b.Relu(b.Add(x, x)), w, nil, op.Conv2D{Kernel: [2]int64{1, 1}})
	y, mean, variance := b.BatchNormTrain(y, scale, bias, b.Fill(x, 0, out), b.Exp(b.Fill(x, 0, out)), 0x1p-7)
	b.Output("mean", mean)
	b.Output("variance", variance)
	y = b.Mul(y, b.Sigmoid(y))
	for i, g := range grad.Gradients(b, []*ir.Value{y}, []*ir.Value{y}, xs) {
		b.Output([]string{"dx", "dw", "dscale", "dbias"}[i], g)
	}
}

// TestNCHWcNormOfPointwise: the mean of a pointwise convolution is made before it, and the factor of the gradient of its
// normalisation goes into the weights, so that no pass over the tensor is left for either.
func TestNCHWcNormOfPointwise(t *testing.T) {
	for _, affine := range []bool{false, true} {
		for _, in := range []int64{3, 2 * testBlock} {
			g := sameFunction(t, func(b op.B) { normed(b, in, affine) })
			channelwise := 0
			g.Walk(func(n *ir.Node) {
				if n.Domain == op.NCHWc && n.Op == "Conv" && n.Int("group", 1) == 2*testBlock && n.In[1].Shape.Numel() == 2*testBlock {
					channelwise++
				}
			})
			// The normalised tensor, the sum of its gradient with the centred one, and where the convolution reads an image, the
			// centred tensor and the gradient times its factor.
			want := 2
			if in == 3 {
				want = 4
			}
			if channelwise != want {
				t.Errorf("%d channels, affine %v: expected %d passes by channel, found %d\n%s", in, affine, want, channelwise, g)
			}
		}
	}
}

// TestNCHWcColumns counts what is reshaped around a normalisation: views of tensors, and vectors that come from outside.
func TestNCHWcColumns(t *testing.T) {
	g := sameFunction(t, func(b op.B) { normed(b, 2*testBlock, false) })
	g.Walk(func(n *ir.Node) {
		if n.Op == "Reshape" && n.In[0].Rank() == 4 && n.In[0].Shape.Numel() == 2*testBlock && n.Out[0].Rank() == 4 {
			t.Errorf("%s: a column is reshaped to %s", n.Name, n.Out[0].Shape)
		}
	})
	if n := graphtest.Count(g, "", "Sqrt"); n != 1 {
		t.Errorf("expected one square root, found %d", n)
	}
}

// TestNCHWcTotal sums products over everything at once.
func TestNCHWcTotal(t *testing.T) {
	g := sameFunction(t, func(b op.B) {
		x, gain := b.Input("x", ir.Float32, 2, 2*testBlock, 6, 6), b.Input("gain", ir.Float32, 1)
		pool := b.AveragePool(x, op.Same(3, 1, 1))
		y := b.Mul(pool, b.Reshape(b.Expand(gain, 2*testBlock), 1, -1, 1, 1))
		b.Output("dgain", grad.Gradients(b, []*ir.Value{y}, []*ir.Value{b.AveragePool(pool, op.Same(3, 1, 1))}, []*ir.Value{gain})[0])
	})
	if n := graphtest.Count(g, "", "ReduceSum"); n != 1 {
		t.Errorf("expected one sum, found %d\n%s", n, g)
	}
}

// TestNCHWcDecimation: both halves of a factorized reduction and their weight gradients read every second pixel, picked once each.
func TestNCHWcDecimation(t *testing.T) {
	g := sameFunction(t, func(b op.B) {
		c := int64(2 * testBlock)
		half := op.Conv2D{Kernel: [2]int64{1, 1}, Stride: 2}
		in, v, w := b.Input("x", ir.Float32, 2, c, 8, 8), b.Input("v", ir.Float32, c, c, 1, 1), b.Input("w", ir.Float32, c, c, 1, 1)
		x := b.Relu(b.Conv(in, b.Input("u", ir.Float32, c, c, 1, 1), nil, op.Conv2D{Kernel: [2]int64{1, 1}}))
		shifted := b.Slice(x, []int64{1, 1}, []int64{8, 8}, []int64{2, 3}, []int64{1, 1})
		y := b.Concat(1, b.Conv(x, v, nil, half), b.Conv(shifted, w, nil, half))
		for i, g := range grad.Gradients(b, []*ir.Value{y}, []*ir.Value{b.Mul(y, y)}, []*ir.Value{in, v, w}) {
			b.Output([]string{"dx", "dv", "dw"}[i], g)
		}
	})
	picks := 0
	g.Walk(func(n *ir.Node) {
		if n.Op == "Conv" && n.Int("group", 1) > 1 && n.Ints("strides", []int64{1, 1})[0] == 2 {
			picks++
		}
		if n.Op == "Slice" && n.In[0].Rank() == 5 {
			t.Errorf("%s cuts pixels", n.Name)
		}
	})
	if picks != 2 {
		t.Errorf("expected two decimations, found %d\n%s", picks, g)
	}
}

// TestNCHWcProducts takes the gradient of a pointwise weight of many channels by a convolution over pixels.
func TestNCHWcProducts(t *testing.T) {
	for _, c := range []struct {
		in, side int64
		products bool
	}{{wideProducts, 4, true}, {wideProducts, 3, false}, {wideProducts / 2, 4, false}} {
		g := sameFunction(t, func(b op.B) { wide(b, c.in, c.side) })
		if n := graphtest.Count(g, "", "MatMul"); (n == 0) != c.products {
			t.Errorf("%+v: found %d MatMul\n%s", c, n, g)
		}
	}
}

func wide(b op.B, in, side int64) {
	x, w := b.Input("x", ir.Float32, 3, in, side, side), b.Input("w", ir.Float32, 2*testBlock, in, 1, 1)
	y := b.MaxPool(b.Conv(b.MaxPool(x, op.Same(3, 1, 1)), w, nil, op.Conv2D{Kernel: [2]int64{1, 1}}), op.Same(3, 1, 1))
	b.Output("dw", grad.Gradients(b, []*ir.Value{y}, []*ir.Value{b.Tanh(y)}, []*ir.Value{w})[0])
}
