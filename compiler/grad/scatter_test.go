package grad

import (
	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

func indices3(a, b, c int64, v ...int64) arg {
	return arg{fixed: tensor.Of([]int64{a, b, c}, v...)}
}

func scatterRows() []row {
	var rows []row
	for _, reduction := range []string{"none", "add", "mul", "max", "min"} {
		attrs := ir.Attrs{"reduction": reduction}
		rows = append(rows,
			row{op: "ScatterElements", in: args(x(3, 4), indices2(2, 3, 0, 1, 2, 2, -3, 0), x(2, 3)), attrs: with(axis(0), "reduction", reduction)},
			row{op: "ScatterND", in: args(x(4), indices2(2, 1, 2, 0), x(2)), attrs: attrs},
			row{op: "ScatterND", in: args(x(3, 4), indices2(2, 2, 0, 1, -1, 3), x(2)), attrs: attrs},
			row{op: "ScatterND", in: args(x(3, 2, 2), indices2(2, 1, 2, 0), x(2, 2, 2)), attrs: attrs})
		if reduction != "none" { // equal indices
			rows = append(rows,
				row{op: "ScatterElements", in: args(x(3, 4), indices2(3, 3, 0, 0, 0, 1, 1, -1, 3, 2, 3), x(3, 3)), attrs: with(axis(-1), "reduction", reduction)},
				row{op: "ScatterND", in: args(x(3, 2), indices2(3, 1, 2, 0, 2), x(3, 2)), attrs: attrs})
		}
	}
	batch := ir.Attrs{"batch_dims": int64(1)}
	return append(rows,
		row{op: "GatherND", in: args(x(3, 4), indices2(3, 2, 0, 1, 2, 3, 0, 1))},
		row{op: "GatherND", in: args(x(3, 4), indices2(3, 1, 0, -1, 0))},
		row{op: "GatherND", in: args(x(2, 3, 2), indices2(2, 1, 1, 0)), attrs: batch},
		row{op: "GatherND", in: args(x(2, 3, 2), indices3(2, 2, 1, 1, 0, 1, 1)), attrs: batch},
		row{op: "GatherND", in: args(x(2, 2, 3), indices3(2, 2, 1, 1, 0, 2, -1)), attrs: ir.Attrs{"batch_dims": int64(2)}},
		row{op: "TensorScatter", in: args(x(2, 4, 3), x(2, 2, 3), ints(1, 2))},
		row{op: "TensorScatter", in: args(x(2, 3, 4), x(2, 3, 2)), attrs: axis(2)},
		row{op: "TensorScatter", in: args(x(2, 2, 4, 3), x(2, 2, 2, 3), ints(3, 2)), attrs: ir.Attrs{"mode": "circular"}},
		row{op: "Compress", in: args(x(2, 3), flags(true, false, false, true))},
		row{op: "Compress", in: args(x(2, 3), flags(false, true)), attrs: axis(0)},
		row{op: "Compress", in: args(x(2, 3, 2), flags(true, false, true)), attrs: axis(-2)},
		row{op: "OneHot", in: args(ints(1, 0, -1, 7), scalarIndex(3), x(2))},
		row{op: "OneHot", in: args(indices2(1, 2, 1, 0), scalarIndex(2), x(2)), attrs: axis(0)},
	)
}
