package grad

import "rnas/compiler/ir"

func block(b int64) ir.Attrs { return ir.Attrs{"blocksize": b} }

func padMode(mode string) ir.Attrs { return ir.Attrs{"mode": mode} }

var tileRows = []row{
	{op: "Tile", in: args(x(2, 3), ints(2, 1))},
	{op: "Tile", in: args(x(2, 3), ints(2, 3))},
	{op: "Tile", in: args(x(2, 3), ints(1, 1))},
	{op: "Tile", in: args(x(2), ints(0))},
	{op: "DepthToSpace", in: args(x(2, 8, 2, 1)), attrs: block(2)},
	{op: "DepthToSpace", in: args(x(2, 8, 2, 3)), attrs: with(block(2), "mode", "CRD")},
	{op: "SpaceToDepth", in: args(x(2, 3, 4, 2)), attrs: block(2)},
	{op: "ReverseSequence", in: args(x(4, 3), ints(1, 4, 2))},
	{op: "ReverseSequence", in: args(x(2, 3, 2), ints(2, 3)), attrs: ir.Attrs{"batch_axis": int64(0), "time_axis": int64(1)}},
	{op: "Pad", in: args(x(2, 3), ints(1, 0, 0, 2), x())},
	{op: "Pad", in: args(x(2, 3), ints(1, -1, 0, 2), x(1))},
	{op: "Pad", in: args(x(2, 3), ints(1, 2), x(), ints(-1))},
	{op: "Pad", in: args(x(3, 4), ints(1, 2, 2, 3)), attrs: padMode("edge")},
	{op: "Pad", in: args(x(3, 4), ints(1, 2, 2, 3)), attrs: padMode("reflect")},
	{op: "Pad", in: args(x(3, 4), ints(1, 2, 4, 6)), attrs: padMode("wrap")},
	{op: "Pad", in: args(x(2, 4), ints(-1, 6), none(), ints(1)), attrs: padMode("reflect")},
	{op: "Pad", in: args(x(2, 1, 2), ints(1, 1), none(), ints(1)), attrs: padMode("reflect")},
	{op: "Pad", in: args(x(2, 4), ints(3, -2), none(), ints(-1)), attrs: padMode("edge")},
}
