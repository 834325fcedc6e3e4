package interp

import (
	"math"
	"strings"
	"testing"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/tensor"
)

func TestLosses(t *testing.T) {
	want := func(v ...*tensor.Tensor) []*tensor.Tensor { return v }
	labels := func(v ...int64) *tensor.Tensor { return tensor.Vector(v...) }
	scores := matrix(2, 2, 0, math.Log(3), 0, 0)
	logs := matrix(2, 2, -math.Log(4), math.Log(0.75), -math.Ln2, -math.Ln2)
	runCases(t, []opCase{
		{op: "NegativeLogLikelihoodLoss", operands: []any{logs, labels(0, 1)}, want: want(tensor.Scalar(1.5 * math.Ln2))},
		{op: "NegativeLogLikelihoodLoss", name: "weights", operands: []any{logs, labels(0, 1), floats(3, 1)}, want: want(tensor.Scalar(1.75 * math.Ln2))},
		{
			op: "NegativeLogLikelihoodLoss", name: "ignore", attrs: ir.Attrs{"reduction": "none", "ignore_index": int64(7)},
			operands: []any{logs, labels(7, 1)}, want: want(floats(0, math.Ln2)),
		},
		{op: "SoftmaxCrossEntropyLoss", attrs: ir.Attrs{"reduction": "sum"}, operands: []any{scores, labels(0, 1)}, want: want(tensor.Scalar(3*math.Ln2), logs)},
	})
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		opCase
		want string
	}{
		{opCase{op: "NegativeLogLikelihoodLoss", operands: []any{matrix(1, 2, 0, 0), ints(2)}}, "label 2 is outside 2 classes"},
		{opCase{op: "RandomNormalLike", operands: []any{floats(1)}}, "random numbers are not supported"},
		{opCase{op: "RandomUniform", attrs: ir.Attrs{"shape": []int64{1}}}, "random numbers are not supported"},
		{opCase{op: "Bernoulli", operands: []any{floats(1)}}, "random numbers are not supported"},
	} {
		g, data, err := single(c.op, c.attrs, 1, c.operands...)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := RunOrdered(g, data...); err == nil || !strings.HasSuffix(err.Error(), c.want) {
			t.Errorf("%s: expected %q, found %v", c.op, c.want, err)
		}
	}
}

func TestIf(t *testing.T) {
	b := op.NewB("choice")
	x := b.Input("x", ir.Float64, 2)
	yes := b.Greater(b.ReduceMax(x, false), b.Float(x, 0))
	then, otherwise := op.B{Builder: b.Nested("then")}, op.B{Builder: b.Nested("else")}
	then.Output("a", then.Neg(x))
	otherwise.Output("b", otherwise.Exp(x))
	b.Output("y", b.One("If", ir.Attrs{"then_branch": then.Graph(), "else_branch": otherwise.Graph()}, yes))
	g, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ in, want []float64 }{
		{[]float64{-1, 2}, []float64{1, -2}},
		{[]float64{0, -math.Ln2}, []float64{1, 0.5}},
	} {
		out, err := RunOrdered(g, floats(c.in...))
		if err != nil {
			t.Fatal(err)
		}
		expect(t, "y", out[0], floats(c.want...), 1e-12, 0)
	}
}
