package grad

import "rnas/compiler/ir"

func reduceRows() []row {
	var rows []row
	for _, name := range []string{
		"ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceLogSum",
		"ReduceLogSumExp", "ReduceProd",
	} {
		values := x
		if name == "ReduceLogSum" {
			values = pos
		}
		for _, axes := range [][]int64{{0}, {1}, {-1}, {0, 2}, {2, -2}, {0, 1, 2}} {
			for keep := range int64(2) {
				rows = append(rows, row{op: name, in: args(values(2, 3, 2), ints(axes...)), attrs: ir.Attrs{"keepdims": keep}})
			}
		}
		rows = append(rows,
			row{op: name, in: args(values(2, 3))},
			row{op: name, in: args(values(2, 3)), attrs: ir.Attrs{"keepdims": int64(0)}},
			row{op: name, in: args(values(2, 3), ints()), attrs: ir.Attrs{"keepdims": int64(0)}},
			row{op: name, in: args(values(2, 3)), attrs: ir.Attrs{"noop_with_empty_axes": int64(1), "keepdims": int64(0)}},
			row{op: name, in: args(values())},
		)
	}
	return append(rows,
		row{op: "TopK", in: args(x(3, 5), ints(2)), outs: 2},
		row{op: "TopK", in: args(x(3, 5), ints(2)), attrs: ir.Attrs{"largest": int64(0)}, outs: 2},
		row{op: "TopK", in: args(x(5, 3), ints(3)), attrs: axis(0), outs: 2},
		row{op: "TopK", in: args(x(2, 4, 2), ints(4)), attrs: axis(-2), outs: 2},
	)
}
