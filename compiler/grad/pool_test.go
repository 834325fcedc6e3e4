package grad

import "rnas/compiler/ir"

func ceil(a ir.Attrs) ir.Attrs     { return with(a, "ceil_mode", int64(1)) }
func countPad(a ir.Attrs) ir.Attrs { return with(a, "count_include_pad", int64(1)) }

var poolRows = []row{
	{op: "MaxPool", in: args(x(2, 2, 4, 5)), attrs: window(dims(3, 3), nil, dims(1, 1, 1, 1), nil, 1)},
	{op: "MaxPool", in: args(x(2, 2, 5, 6)), attrs: window(dims(3, 3), dims(2, 2), dims(1, 1, 1, 1), nil, 1)},
	{op: "MaxPool", in: args(x(2, 2, 6, 5)), attrs: window(dims(2, 2), dims(2, 3), nil, nil, 1)},
	{op: "MaxPool", in: args(x(1, 2, 6, 6)), attrs: window(dims(2, 3), nil, dims(1, 0, 0, 2), dims(2, 2), 1)},
	{op: "MaxPool", in: args(x(1, 2, 6, 5)), attrs: ceil(window(dims(3, 3), dims(2, 2), nil, nil, 1))},
	{op: "MaxPool", in: args(x(2, 2, 5, 5)), attrs: window(dims(3, 3), dims(2, 2), nil, nil, 1), outs: 2},
	{op: "MaxPool", in: args(x(2, 1, 7)), attrs: window(dims(3), dims(2), dims(1, 0), nil, 1)},
	{op: "MaxPool", in: args(x(2, 1, 7)), attrs: with(window(dims(3), dims(2), nil, nil, 1), "auto_pad", "SAME_UPPER")},

	{op: "AveragePool", in: args(x(2, 2, 4, 5)), attrs: window(dims(3, 3), nil, dims(1, 1, 1, 1), nil, 1)},
	{op: "AveragePool", in: args(x(2, 2, 4, 5)), attrs: countPad(window(dims(3, 3), nil, dims(1, 1, 1, 1), nil, 1))},
	{op: "AveragePool", in: args(x(1, 2, 6, 6)), attrs: window(dims(5, 3), nil, dims(2, 1, 2, 1), nil, 1)},
	{op: "AveragePool", in: args(x(2, 2, 4, 5)), attrs: window(dims(3, 3), nil, nil, nil, 1)},
	{op: "AveragePool", in: args(x(2, 2, 4, 5)), attrs: window(dims(2, 2), nil, dims(1, 0, 0, 1), nil, 1)},
	{op: "AveragePool", in: args(x(1, 2, 4, 5)), attrs: window(dims(3, 3), nil, dims(1, 1, 0, 2), nil, 1)},
	{op: "AveragePool", in: args(x(2, 2, 4, 5)), attrs: countPad(window(dims(2, 3), nil, dims(1, 0, 0, 2), nil, 1))},
	{op: "AveragePool", in: args(x(2, 2, 4, 5)), attrs: window(dims(3, 3), dims(2, 2), dims(1, 1, 1, 1), nil, 1)},
	{op: "AveragePool", in: args(x(2, 2, 5, 6)), attrs: countPad(window(dims(3, 3), dims(2, 2), dims(1, 1, 1, 1), nil, 1))},
	{op: "AveragePool", in: args(x(2, 2, 6, 7)), attrs: window(dims(2, 2), dims(2, 3), nil, nil, 1)},
	{op: "AveragePool", in: args(x(1, 2, 7, 6)), attrs: ceil(window(dims(2, 2), dims(2, 2), nil, nil, 1))},
	{op: "AveragePool", in: args(x(1, 2, 6, 7)), attrs: ceil(window(dims(3, 3), dims(2, 2), dims(1, 0, 0, 1), nil, 1))},
	{op: "AveragePool", in: args(x(1, 2, 6, 7)), attrs: ceil(countPad(window(dims(3, 3), dims(2, 2), dims(1, 0, 0, 1), nil, 1)))},
	{op: "AveragePool", in: args(x(1, 1, 5)), attrs: ceil(window(dims(2), dims(3), dims(1, 1), nil, 1))},
	{op: "AveragePool", in: args(x(1, 1, 8)), attrs: ceil(window(dims(3), dims(4), nil, nil, 1))},
	{op: "AveragePool", in: args(x(2, 1, 6)), attrs: with(window(dims(4), nil, nil, nil, 1), "auto_pad", "SAME_LOWER")},
	{op: "AveragePool", in: args(x(1, 1, 3, 4, 3)), attrs: window(dims(2, 3, 1), dims(1, 2, 1), dims(1, 1, 0, 0, 1, 0), nil, 1)},

	{op: "GlobalAveragePool", in: args(x(2, 3, 2, 2))},
	{op: "GlobalAveragePool", in: args(x(2, 2, 3))},
	{op: "GlobalMaxPool", in: args(x(2, 3, 2, 2))},
	{op: "GlobalMaxPool", in: args(x(2, 2, 3))},
}
