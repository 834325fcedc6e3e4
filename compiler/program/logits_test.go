package program_test

import (
	"math"
	"strings"
	"testing"

	"rnas/compiler/interp"
	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/compiler/program"
	"rnas/internal/tensor"
)

// ended is a linear model [N,4] to [N,K] with an end.
func ended(t *testing.T, k int64, end func(b op.B, z *ir.Value) *ir.Value) *ir.Graph {
	t.Helper()
	b := op.NewB("model")
	x := b.Input("x", ir.Float32, ir.N, 1, 2, 2)
	w := make([]float32, 4*k)
	for i := range w {
		w[i] = float32(i%5) - 2
	}
	b.Output("y", end(b, b.MatMul(b.Flatten(x), b.Const("w", tensor.Of([]int64{4, k}, w...)))))
	g, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// Outputs as exporters write them, what is left out of them, and how many logits they give.
func TestLogitForm(t *testing.T) {
	same := func(_ op.B, z *ir.Value) *ir.Value { return z }
	for _, c := range []struct {
		name  string
		k     int64
		end   func(b op.B, z *ir.Value) *ir.Value
		left  string // operator that is left out
		shape string // of the logits
	}{
		{"logits", 3, same, "", "[N,3]"},
		{"pooled", 3, func(b op.B, z *ir.Value) *ir.Value { return b.Reshape(z, 0, 3, 1, 1) }, "", "[N,3]"},
		{"softmax", 3, func(b op.B, z *ir.Value) *ir.Value { return b.Softmax(z, -1) }, "Softmax", "[N,3]"},
		{"softmax of [N,K,1,1]", 3, func(b op.B, z *ir.Value) *ir.Value {
			return b.Flatten(b.Softmax(b.Reshape(z, 0, 3, 1, 1), 1))
		}, "Softmax", "[N,3]"},
		{"softmax of a dimension of 1", 3, func(b op.B, z *ir.Value) *ir.Value { return b.Softmax(b.Reshape(z, 0, 3, 1), 2) }, "", "[N,3]"},
		{"sigmoids", 3, func(b op.B, z *ir.Value) *ir.Value { return b.Sigmoid(z) }, "Sigmoid", "[N,3]"},
		{"one logit", 1, same, "", "[N,2]"},
		{"one probability", 1, func(b op.B, z *ir.Value) *ir.Value { return b.Squeeze(b.Sigmoid(z), 1) }, "Sigmoid", "[N,2]"},
	} {
		g := ended(t, c.k, c.end)
		form, err := program.LogitFormOf(g.Outputs[0])
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		b := op.Extend(g)
		logits := form.Logits(b)
		left := ""
		if form.End != nil {
			left = form.End.Op
		}
		if left != c.left || b.Err() != nil || logits.Shape.String() != c.shape || form.Binary != (c.k == 1) {
			t.Errorf("%s: found %q left out, %s, %v", c.name, left, logits, b.Err())
		}
	}
	b := op.NewB("map")
	x := b.Input("x", ir.Float32, ir.N, 3, 4, 4)
	if _, err := program.LogitFormOf(x); err == nil || !strings.Contains(err.Error(), "logits [N,K], found x float32[N,3,4,4]") {
		t.Errorf("found %v", err)
	}
}

// The loss of one probability p is the binary cross-entropy, whose gradient of the logit is p - y.
func TestBinaryCrossEntropy(t *testing.T) {
	g := ended(t, 1, func(b op.B, z *ir.Value) *ir.Value { return b.Sigmoid(z) })
	if err := (program.Derivative{Loss: "ce"}).Append(g); err != nil {
		t.Fatal(err)
	}
	x := []float64{0.5, 0.25, 1, 0.75}
	w := []float64{-2, -1, 0, 1}
	for _, label := range []int64{0, 1} {
		out, err := interp.RunOrdered(g, tensor.FromFloat64s(ir.Float32, []int64{1, 1, 2, 2}, x), tensor.Vector(label))
		if err != nil {
			t.Fatal(err)
		}
		z := 0.0
		for i := range x {
			z += x[i] * w[i]
		}
		p := 1 / (1 + math.Exp(-z))
		loss := -math.Log(1 - p)
		if label == 1 {
			loss = -math.Log(p)
		}
		if d := out[1].Float64s()[0] - loss; math.Abs(d) > 1e-9 {
			t.Errorf("label %d: the loss is %g off", label, d)
		}
		for i, v := range out[2].Float64s() {
			if want := (p - float64(label)) * w[i]; math.Abs(v-want) > 1e-9 {
				t.Errorf("label %d: gradient %d: expected %v, found %v", label, i, want, v)
			}
		}
	}
}

// Regular keeps every value, and gives the gradient of the ways on which it is finite.
func TestRegular(t *testing.T) {
	b := op.NewB("root")
	x := b.Input("x", ir.Float32, ir.N, 1, 2, 2)
	f := b.Flatten(x)
	w := b.Const("w", tensor.Of([]int64{4, 2}, 1, 2, 3, 4, 5, 6, 7, float32(8)))
	over := b.Relu(b.Sub(f, b.Float(f, 0.5)))
	b.Output("y", b.Add(b.MatMul(f, w), b.Sqrt(b.ReduceSum(b.Mul(over, over), true, 1))))
	g, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	c, err := program.NewClassifier(g)
	if err != nil {
		t.Fatal(err)
	}
	regular, err := c.Regular()
	if err != nil {
		t.Fatal(err)
	}
	for _, top := range []float64{0.25, 1} { // below the threshold, where the root is 0, and above
		images := tensor.FromFloat64s(ir.Float32, []int64{1, 1, 2, 2}, []float64{0.125, top, 0.25, 0.5})
		var results [2][]*tensor.Tensor
		for i, c := range []program.Classifier{c, regular} {
			p, err := c.Gradient(1)
			if err != nil {
				t.Fatal(err)
			}
			if results[i], err = interp.RunOrdered(p.Graph, images, tensor.Vector(int64(0))); err != nil {
				t.Fatal(err)
			}
		}
		lost := false
		for i, v := range results[0][2].Float64s() {
			u := results[1][2].Float64s()[i]
			lost = lost || math.IsNaN(v)
			if math.IsNaN(u) || math.IsInf(u, 0) || !math.IsNaN(v) && v != u {
				t.Errorf("top %v: gradients %v and %v", top, v, u)
			}
		}
		if lost != (top < 0.5) {
			t.Errorf("top %v: numbers lost: %v", top, lost)
		}
		for i, v := range results[0][0].Float64s() {
			if v != results[1][0].Float64s()[i] {
				t.Errorf("top %v: logits %v and %v", top, v, results[1][0].Float64s()[i])
			}
		}
	}
}
