package grad

import (
	"testing"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/tensor"
)

func lossRows() []row {
	var rows []row
	for _, name := range []string{"NegativeLogLikelihoodLoss", "SoftmaxCrossEntropyLoss"} {
		for _, reduction := range []string{"none", "sum", "mean"} {
			attrs := ir.Attrs{"reduction": reduction}
			ignore := with(attrs, "ignore_index", int64(-1))
			rows = append(rows,
				row{op: name, in: args(x(3, 4), ints(0, 3, 1)), attrs: attrs},
				row{op: name, in: args(x(3, 4), ints(0, 3, 1), pos(4)), attrs: attrs},
				row{op: name, in: args(x(3, 4), ints(0, -1, 1)), attrs: ignore},
				row{op: name, in: args(x(2, 4, 3), indices2(2, 3, 0, -1, 1, 3, 2, 2), pos(4)), attrs: ignore})
		}
	}
	return append(rows,
		row{op: "SoftmaxCrossEntropyLoss", in: args(x(3, 4), ints(0, 3, 1)), outs: 2},
		row{op: "SoftmaxCrossEntropyLoss", in: args(x(3, 4), ints(0, 3, 1), pos(4)), outs: 2, loss: []int{1}})
}

// chosen is y = x*x+z or exp(x), by a condition that depends on data, and x or z as it is; the condition is nested once
// more in the second branch.
func chosen(condition float64) function {
	return func(b op.B, in []*ir.Value) []*ir.Value {
		x, z := b.Neg(in[0]), in[1]
		yes := b.Greater(b.ReduceMax(b.Const("data", tensor.Scalar(condition)), false), b.Float(x, 0))
		then, otherwise := op.B{Builder: b.Nested("then")}, op.B{Builder: b.Nested("else")}
		then.Output("then.y", then.Add(then.Mul(x, x), z))
		then.Output("then.x", x)
		inner, last := op.B{Builder: otherwise.Nested("inner")}, op.B{Builder: otherwise.Nested("last")}
		inner.Output("inner.y", inner.Exp(x))
		last.Output("last.y", last.Sigmoid(z))
		exp := otherwise.One("If", ir.Attrs{"then_branch": inner.Graph(), "else_branch": last.Graph()}, otherwise.One("Not", nil, yes))
		otherwise.Output("else.y", exp)
		otherwise.Output("else.x", z)
		return b.Node("If", ir.Attrs{"then_branch": then.Graph(), "else_branch": otherwise.Graph()}, 2, yes)
	}
}

// TestIf: the gradient of both branches, to second order.
func TestIf(t *testing.T) {
	for _, condition := range []float64{1, -1} {
		in, f := args(x(2, 3), x(2, 3)), chosen(condition)
		checkEvery(t, "if", in, f)
		in, f = derivative(t, in, f)
		checkDirections(t, "if, again", in, f)
	}
}
