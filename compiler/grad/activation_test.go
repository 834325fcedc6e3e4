package grad

import "rnas/compiler/ir"

func activationRows() []row {
	var rows []row
	for _, name := range []string{"Asinh", "Atan", "Cosh", "Sinh", "Gelu", "Mish", "Swish", "Celu", "Selu", "PRelu"} {
		if name == "PRelu" {
			rows = append(rows, row{op: name, in: args(x(3, 4), x(3, 4))}, row{op: name, in: args(x(2, 3, 2), x(3, 1))},
				row{op: name, in: args(x(2, 3), x())}, row{op: name, in: args(x(2, 3), number(0.25))})
			continue
		}
		rows = append(rows, row{op: name, in: args(x(3, 4))}, row{op: name, in: args(x())})
	}
	for _, name := range []string{"Asin", "Acos", "Atanh"} {
		rows = append(rows, row{op: name, in: args(between(-0.8, 0.8, 3, 4))})
	}
	return append(rows,
		row{op: "Acosh", in: args(between(1.25, 3, 3, 4))},
		row{op: "Tan", in: args(between(-1, 1, 3, 4))},
		row{op: "Celu", in: args(x(3, 4)), attrs: ir.Attrs{"alpha": float32(0.5)}},
		row{op: "Selu", in: args(x(3, 4)), attrs: ir.Attrs{"alpha": float32(0.5), "gamma": float32(2)}},
		row{op: "Gelu", in: args(x(3, 4)), attrs: ir.Attrs{"approximate": "tanh"}},
		row{op: "Swish", in: args(x(3, 4)), attrs: ir.Attrs{"alpha": float32(1.5)}},
		row{op: "ThresholdedRelu", in: args(x(3, 4))},
		row{op: "ThresholdedRelu", in: args(x(3, 4)), attrs: ir.Attrs{"alpha": float32(-0.5)}},
		row{op: "Shrink", in: args(x(3, 4))},
		row{op: "Shrink", in: args(x(3, 4)), attrs: ir.Attrs{"lambd": float32(1), "bias": float32(0.25)}},
		row{op: "Mod", in: args(between(3, 5, 3, 4), between(1.6, 1.9, 4)), attrs: ir.Attrs{"fmod": int64(1)}},
		row{op: "Mod", in: args(between(-5, -4, 3), number(1.5)), attrs: ir.Attrs{"fmod": int64(1)}},
		row{op: "CastLike", in: args(x(3, 4), number(1))},
	)
}

var activationKinks = []kink{
	// celu and selu count 0 to the negative side.
	{op: "Celu", attrs: ir.Attrs{"alpha": float32(0.5)}, in: [][]float64{{0, 2}}, want: [][]float64{{1, 1}}},
	{op: "Selu", attrs: ir.Attrs{"alpha": float32(0.5), "gamma": float32(2)}, in: [][]float64{{0, 2}}, want: [][]float64{{1, 2}}},
	// prelu: 0 takes the slope.
	{op: "PRelu", in: [][]float64{{-2, 0, 3}, {0.25}}, want: [][]float64{{0.25, 0.25, 1}, {-2}}},
	// threshold: 0 at the threshold.
	{op: "ThresholdedRelu", in: [][]float64{{0, 1, 2}}, want: [][]float64{{0, 0, 1}}},
	// hardshrink: 0 at both bounds.
	{op: "Shrink", in: [][]float64{{-1, -0.5, 0, 0.5, 1}}, want: [][]float64{{1, 0, 0, 0, 1}}},
	{op: "Mish", in: [][]float64{{0}}, want: [][]float64{{0.6}}},
	{op: "Gelu", in: [][]float64{{0}}, want: [][]float64{{0.5}}},
	{op: "Swish", in: [][]float64{{0}}, want: [][]float64{{0.5}}},
	// fmod: the quotient does not move.
	{op: "Mod", attrs: ir.Attrs{"fmod": int64(1)}, in: [][]float64{{4, 5, -5}, {2, 3, 3}}, want: [][]float64{{1, 1, 1}, {-2, -1, 1}}},
}
