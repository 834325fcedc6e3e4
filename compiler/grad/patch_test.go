package grad

import (
	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

func placed(shape []int64, v ...int64) arg { return arg{fixed: tensor.Of(shape, v...)} }

func gridded(mode, padding string, align int64) ir.Attrs {
	return ir.Attrs{"mode": mode, "padding_mode": padding, "align_corners": align}
}

var sampleRows = []row{
	{op: "GridSample", in: args(x(1, 2, 3, 4), between(-1.4, 1.4, 1, 2, 3, 2))},
	{op: "GridSample", in: args(x(2, 1, 3, 3), between(-1.6, 1.6, 2, 2, 2, 2)), attrs: gridded("linear", "border", 1)},
	{op: "GridSample", in: args(x(1, 2, 3, 4), between(-2.5, 2.5, 1, 3, 2, 2)), attrs: gridded("linear", "reflection", 0)},
	{op: "GridSample", in: args(x(1, 1, 4, 4), between(-2, 2, 1, 2, 2, 2)), attrs: gridded("cubic", "reflection", 1)},
	{op: "GridSample", in: args(x(1, 1, 3, 3), between(-1.2, 1.2, 1, 2, 2, 2)), attrs: gridded("cubic", "zeros", 0)},
	{op: "GridSample", in: args(x(1, 2, 3, 3), between(-1.2, 1.2, 1, 2, 2, 2)), attrs: gridded("nearest", "zeros", 0)},
	{op: "GridSample", in: args(x(1, 1, 2, 3, 2), between(-1.2, 1.2, 1, 2, 1, 2, 3))},
	{op: "AffineGrid", in: args(x(2, 2, 3), ints(2, 1, 3, 2))},
	{op: "AffineGrid", in: args(x(1, 3, 4), ints(1, 2, 2, 1, 3)), attrs: ir.Attrs{"align_corners": int64(1)}},
}

var patchRows = []row{
	{op: "Col2Im", in: args(x(2, 8, 4), ints(3, 3), ints(2, 2))},
	{op: "Col2Im", in: args(x(1, 4, 9), ints(5, 6), ints(2, 2)), attrs: ir.Attrs{"strides": dims(2, 2), "dilations": dims(1, 2), "pads": dims(0, 0, 1, 1)}},
	{op: "CenterCropPad", in: args(x(2, 5, 3), ints(2, 2, 6))},
	{op: "CenterCropPad", in: args(x(2, 5, 3), ints(3)), attrs: ir.Attrs{"axes": dims(-2)}},
	{op: "LpPool", in: args(x(1, 2, 5, 5)), attrs: window(dims(3, 2), dims(2, 2), dims(1, 0, 1, 1), nil, 1)},
	{op: "LpPool", in: args(x(1, 2, 7)), attrs: with(ceil(window(dims(3), dims(3), nil, nil, 1)), "p", int64(3))},
	{op: "LpPool", in: args(x(1, 1, 6, 6)), attrs: with(window(dims(2, 2), nil, nil, dims(2, 2), 1), "p", int64(1))},
	{op: "GlobalLpPool", in: args(x(2, 2, 3, 2))},
	{op: "GlobalLpPool", in: args(x(1, 2, 4)), attrs: ir.Attrs{"p": int64(3)}},
	{op: "MaxUnpool", in: args(x(1, 1, 2), placed(dims(1, 1, 2), 1, 2)), attrs: window(dims(2), dims(2), nil, nil, 1)},
	{op: "MaxUnpool", in: args(x(1, 2, 2), placed(dims(1, 2, 2), 1, 2, 4, 7), ints(1, 2, 5)), attrs: window(dims(2), dims(2), nil, nil, 1)},
	{op: "MaxPool", in: args(x(2, 2, 4, 5)), attrs: with(window(dims(2, 2), nil, nil, dims(2, 1), 1), "storage_order", int64(1)), outs: 2},
	{op: "AveragePool", in: args(x(1, 2, 6, 6)), attrs: window(dims(2, 2), dims(2, 1), dims(1, 0, 0, 1), dims(2, 2), 1)},
}
