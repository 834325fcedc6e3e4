package op

import (
	"testing"

	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

var lossCases = []inferCase{
	{op: "NegativeLogLikelihoodLoss", in: list(f32(n, 10), i64(n)), want: "float32[]"},
	{op: "NegativeLogLikelihoodLoss", in: list(f32(n, 10, 4), i64(n, 4), f32(10)), attrs: ir.Attrs{"reduction": "none"}, want: "float32[N,4]"},
	{op: "SoftmaxCrossEntropyLoss", in: list(f32(n, 10), i64(n), nil), want: "float32[] float32[N,10]"},
	{op: "SoftmaxCrossEntropyLoss", in: list(f32(n, 10), i64(n, 10)), err: "labels: expected shape [N], found [N,10]"},
	{op: "SoftmaxCrossEntropyLoss", in: list(f32(n, 10), f32(n)), err: "labels: expected int32 or int64, found float32"},
	{op: "SoftmaxCrossEntropyLoss", in: list(f32(n, 10), i64(n), f32(9)), err: "weights: expected shape [10], found [9]"},
	{op: "SoftmaxCrossEntropyLoss", in: list(f32(n, 10), i64(n)), attrs: ir.Attrs{"reduction": "max"}, err: `attribute reduction: "max" is not known`},
	{op: "SoftmaxCrossEntropyLoss", in: list(f32(10), i64()), err: "scores: expected floating-point numbers of shape [N,C,...]"},
}

var randomCases = []inferCase{
	{op: "RandomNormal", in: list(), attrs: ir.Attrs{"shape": []int64{2, 3}}, want: "float32[2,3]"},
	{op: "RandomUniform", in: list(), attrs: ir.Attrs{"shape": []int64{2}, "dtype": int64(ir.Float64)}, want: "float64[2]"},
	{op: "RandomUniform", in: list(), attrs: ir.Attrs{"shape": []int64{2}, "dtype": int64(ir.Int64)}, err: "attribute dtype: expected a floating-point type, found 7"},
	{op: "RandomUniform", in: list(), attrs: ir.Attrs{"shape": []int64{-1}}, err: "attribute shape: [-1] has a negative dimension"},
	{op: "RandomNormalLike", in: list(f64(n, 2)), want: "float64[N,2]"},
	{op: "RandomUniformLike", in: list(i64(n, 2)), attrs: ir.Attrs{"dtype": int64(ir.Float32)}, want: "float32[N,2]"},
	{op: "Bernoulli", in: list(f32(n)), attrs: ir.Attrs{"dtype": int64(ir.Bool)}, want: "bool[N]"},
	{op: "Multinomial", in: list(f32(n, 5)), attrs: ir.Attrs{"sample_size": int64(3)}, want: "int32[N,3]"},
	{op: "Multinomial", in: list(f32(5)), err: "expected [N,classes] and a sample size"},
	{op: "Multinomial", in: list(f32(n, 5)), attrs: ir.Attrs{"dtype": int64(ir.Float32)}, err: "attribute dtype: expected int32 or int64, found 1"},
}

func TestRandom(t *testing.T) {
	training := func(v bool) *ir.Value { return constant(tensor.Scalar(v)) }
	for _, c := range []struct {
		n    *ir.Node
		want bool
	}{
		{&ir.Node{Op: "RandomNormalLike", In: list(f32(2))}, true},
		{&ir.Node{Op: "Bernoulli", In: list(f32(2))}, true},
		{&ir.Node{Op: "Dropout", In: list(f32(2), nil, training(true))}, true},
		{&ir.Node{Op: "Dropout", In: list(f32(2), nil, boo())}, true},
		{&ir.Node{Op: "Dropout", In: list(f32(2), nil, training(false))}, false},
		{&ir.Node{Op: "Dropout", In: list(f32(2))}, false},
		{&ir.Node{Op: "Bernoulli", Domain: "com.example"}, false},
		{&ir.Node{Op: "Relu"}, false},
	} {
		if got := Random(c.n); got != c.want {
			t.Errorf("%s: expected %v, found %v", c.n.Op, c.want, got)
		}
	}
}

func branchGraph(name string, outputs ...*ir.Value) *ir.Graph {
	return &ir.Graph{Name: name, Outputs: outputs}
}

func TestIf(t *testing.T) {
	attrs := func(then, otherwise *ir.Graph) ir.Attrs {
		return ir.Attrs{"then_branch": then, "else_branch": otherwise}
	}
	for _, c := range []inferCase{
		{op: "If", in: list(boo()), attrs: attrs(branchGraph("a", f32(n, 2), i64()), branchGraph("b", f32(n, 2), i64())), want: "float32[N,2] int64[]"},
		{op: "If", in: list(boo(2)), attrs: attrs(branchGraph("a", f32()), branchGraph("b", f32())), err: "expected one bool as condition"},
		{op: "If", in: list(boo()), attrs: attrs(branchGraph("a", f32(2)), branchGraph("b", f32(3))), err: "output 0 is float32[2] in one branch and float32[3] in the other"},
		{op: "If", in: list(boo()), attrs: attrs(branchGraph("a", f32(2)), branchGraph("b")), err: "branch b: expected 0 inputs and 1 outputs, found 0 and 0"},
	} {
		c.run(t)
	}
}
