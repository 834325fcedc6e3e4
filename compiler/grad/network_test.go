package grad

import (
	"slices"
	"testing"

	"rnas/compiler/interp"
	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/tensor"
)

// classify is a small network with both kinds of batch normalisation, pools, a branch that is used twice and a
// cross-entropy against fixed labels. Inputs: images [3,2,6,6] and the parameters.
var classifyArgs = args(
	x(3, 2, 6, 6), // images
	x(4, 2, 3, 3), // dense convolution
	pos(4), x(4),  // scale and bias in training
	x(4, 1, 3, 3),              // depthwise convolution
	x(4, 4, 1, 1),              // pointwise convolution
	pos(4), x(4), x(4), pos(4), // normalisation in inference
	x(5, 4), x(5), // linear
	ints(4, 0, 2), // labels
	x(4), x(4),    // memory of the batch statistics
)

func classify(b op.B, in []*ir.Value) []*ir.Value {
	h := b.Conv(in[0], in[1], nil, op.Same(3, 1, 1))
	h, _, _ = b.BatchNormTrain(h, in[2], in[3], in[13], in[14], 1e-5)
	stem := b.Relu(h)
	depthwise := op.Same(3, 2, 1)
	depthwise.Group = 4
	h = b.Conv(b.Conv(stem, in[4], nil, depthwise), in[5], nil, op.Conv2D{Kernel: [2]int64{1, 1}})
	h = b.BatchNorm(h, in[6], in[7], in[8], in[9], 1e-5)
	h = b.Sum(h, b.MaxPool(stem, op.Same(3, 2, 1)), b.AveragePool(stem, op.Same(3, 2, 1)))
	logits := b.Gemm(b.Flatten(b.GlobalAveragePool(b.Sigmoid(h))), in[10], in[11], false, true)
	picked := b.Mul(b.LogSoftmax(logits, -1), b.OneHot(in[12], 5, logits))
	return []*ir.Value{b.Neg(b.ReduceMean(b.ReduceSum(picked, false, 1), false))}
}

func TestNetwork(t *testing.T) {
	checkDirections(t, "network", classifyArgs, classify)
	more, f := derivative(t, classifyArgs, classify)
	checkDirections(t, "gradient of the network", more, f)
}

// chains are compositions whose gradients are differentiated again.
var chains = []struct {
	name string
	args []arg
	f    function
}{
	{"many uses", args(x(2, 3)), func(b op.B, in []*ir.Value) []*ir.Value {
		v := in[0]
		return []*ir.Value{b.Add(b.Mul(v, b.Mul(v, v)), b.Sub(b.Exp(v), b.Mul(v, b.Sigmoid(b.Add(v, v)))))}
	}},
	{"several outputs", args(x(2, 3), x(3)), func(b op.B, in []*ir.Value) []*ir.Value {
		s := b.Softmax(b.Mul(in[0], in[1]), -1)
		return []*ir.Value{s, b.Mul(s, s), in[0], s}
	}},
	{"convolutions", args(x(1, 2, 5, 5), x(3, 2, 3, 3), x(2, 3, 2, 2)), func(b op.B, in []*ir.Value) []*ir.Value {
		h := b.Sigmoid(b.Conv(in[0], in[1], nil, op.Same(3, 2, 1)))
		return []*ir.Value{b.Relu(b.Conv(h, in[2], nil, op.Conv2D{Kernel: [2]int64{2, 2}}))}
	}},
	{"attention", args(x(2, 3, 2), x(2, 3, 2), x(2, 3, 2)), func(b op.B, in []*ir.Value) []*ir.Value {
		return []*ir.Value{b.MatMul(b.Softmax(b.MatMul(in[0], b.Transpose(in[1], 0, 2, 1)), -1), in[2])}
	}},
	{"normalisation", args(x(3, 2, 2, 2), pos(2), x(2), x(2), x(2)), func(b op.B, in []*ir.Value) []*ir.Value {
		y, mean, variance := b.BatchNormTrain(in[0], in[1], in[2], in[3], in[4], 0.125)
		return []*ir.Value{b.Sigmoid(y), b.Mul(mean, b.Sqrt(variance))}
	}},
	{"piecewise constant factors", args(x(3, 4)), func(b op.B, in []*ir.Value) []*ir.Value {
		v := in[0]
		return []*ir.Value{b.Mul(v, b.Mul(b.Sign(v), b.One("Floor", nil, v)))}
	}},
	{"integers in between", args(x(3, 4)), func(b op.B, in []*ir.Value) []*ir.Value {
		v := in[0]
		return []*ir.Value{b.Mul(v, b.Cast(b.Cast(b.Scale(v, 3), ir.Int64), ir.Float64))}
	}},
}

func TestChains(t *testing.T) {
	for _, c := range chains {
		checkEvery(t, c.name, c.args, c.f)
		more, f := derivative(t, c.args, c.f)
		checkDirections(t, c.name, more, f)
		third, g := derivative(t, more, f)
		checkDirections(t, c.name+", third order", third, g)
	}
}

// TestInsideValue: the gradient with respect to a value inside the graph is the part that flows through it, and the
// gradient of an input still holds all paths.
func TestInsideValue(t *testing.T) {
	b := op.NewB("g")
	v := b.Input("v", ir.Float64, 2)
	h := b.Mul(v, v)
	y := b.Add(b.Mul(h, v), h)
	g := Gradients(b, []*ir.Value{y}, []*ir.Value{b.Fill(y, 1, 2)}, []*ir.Value{h, v, y})
	want := [][]float64{{3, -4}, {16, 65}, {1, 1}} // v+1; 3v^2+2v; 1
	check(t, b, g, want, tensor.Vector(2.0, -5.0))
}

// TestStop: no gradient passes a stopped value, on any path behind it.
func TestStop(t *testing.T) {
	b := op.NewB("g")
	v := b.Input("v", ir.Float64, 2)
	h := b.Mul(v, v)
	y := b.Mul(b.Exp(h), v)
	g := Gradients(b, []*ir.Value{y}, []*ir.Value{b.Fill(y, 1, 2)}, []*ir.Value{v}, h)
	check(t, b, g, [][]float64{{1, 1}}, tensor.Vector(0.0, 0.0))
	b = op.NewB("g")
	v = b.Input("v", ir.Float64, 2)
	h = b.Scale(v, 3)
	y = b.Mul(h, v)
	g = Gradients(b, []*ir.Value{y}, []*ir.Value{b.Fill(y, 1, 2)}, []*ir.Value{v}, h)
	check(t, b, g, [][]float64{{6, -15}}, tensor.Vector(2.0, -5.0))
}

// check runs the graph of b with the values g as outputs.
func check(t *testing.T, b op.B, g []*ir.Value, want [][]float64, in ...*tensor.Tensor) {
	t.Helper()
	for i, v := range g {
		b.Output("gradient"+string(rune('0'+i)), v)
	}
	graph, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	got, err := interp.RunOrdered(graph, in...)
	if err != nil {
		t.Fatal(err)
	}
	for i := range want {
		if !slices.Equal(got[i].Float64s(), want[i]) {
			t.Errorf("gradient %d: expected %v, found %v", i, want[i], got[i].Data)
		}
	}
}

// TestUnreachable: a value that the outputs do not depend on, or only through piecewise constant operators, has no
// gradient, and no nodes are made for it.
func TestUnreachable(t *testing.T) {
	b := op.NewB("g")
	v := b.Input("v", ir.Float64, 2)
	w := b.Input("w", ir.Float64, 2)
	unused := b.Exp(w)
	y := b.Mul(b.Sign(v), w)
	nodes := len(b.Graph().Nodes)
	dy := b.Fill(y, 1, 2)
	g := Gradients(b, []*ir.Value{y}, []*ir.Value{dy}, []*ir.Value{v, unused})
	if g[0] != nil || g[1] != nil || len(b.Graph().Nodes) != nodes {
		t.Errorf("found gradients %v and %v, %d new nodes", g[0], g[1], len(b.Graph().Nodes)-nodes)
	}
	// w reaches y: one Mul is enough, nothing for the path to v.
	if g = Gradients(b, []*ir.Value{y}, []*ir.Value{dy}, []*ir.Value{w}); g[0] == nil || len(b.Graph().Nodes) != nodes+1 {
		t.Errorf("found gradient %v, %d new nodes", g[0], len(b.Graph().Nodes)-nodes)
	}
	if b.Err() != nil {
		t.Error(b.Err())
	}
}

// TestInsideLoop: the body of a loop can differentiate what it computes, with values from around it.
func TestInsideLoop(t *testing.T) {
	b := op.NewB("g")
	v := b.Input("v", ir.Float64, 2)
	curvature := b.Mul(v, v)
	out := b.Loop("descent", 3, []*ir.Value{v}, func(b op.B, _ *ir.Value, c []*ir.Value) []*ir.Value {
		y := b.Mul(curvature, b.Mul(c[0], c[0]))
		g := Gradients(b, []*ir.Value{y}, []*ir.Value{b.Fill(y, 1, 2)}, c)
		return []*ir.Value{b.Sub(c[0], b.Scale(g[0], 0.25))}
	})
	// Each step multiplies by 1 - v^2/2.
	check(t, b, out, [][]float64{{1 * 0.125, 2 * -1}}, tensor.Vector(1.0, 2.0))
}
