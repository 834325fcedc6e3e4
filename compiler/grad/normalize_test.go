package grad

import "rnas/compiler/ir"

var normalizeRows = []row{
	{op: "LayerNormalization", in: args(x(2, 3, 4), x(4), x(4))},
	{op: "LayerNormalization", in: args(x(2, 3, 4), x(4)), attrs: ir.Attrs{"epsilon": float32(0.1)}, outs: 3},
	{op: "LayerNormalization", in: args(x(2, 3, 4), x(3, 4), x(1, 4)), attrs: ir.Attrs{"axis": int64(1)}, outs: 3, loss: []int{2}},
	{op: "LayerNormalization", in: args(x(2, 5), x(), none()), attrs: ir.Attrs{"axis": int64(-2)}},
	{op: "RMSNormalization", in: args(x(2, 3, 4), x(4))},
	{op: "RMSNormalization", in: args(x(2, 3, 2), x(3, 2)), attrs: ir.Attrs{"axis": int64(1), "epsilon": float32(0.5)}},
	{op: "InstanceNormalization", in: args(x(2, 3, 2, 2), x(3), x(3))},
	{op: "InstanceNormalization", in: args(x(2, 2, 5), x(2), x(2)), attrs: ir.Attrs{"epsilon": float32(0.01)}},
	{op: "GroupNormalization", in: args(x(2, 4, 2, 2), x(4), x(4)), attrs: ir.Attrs{"num_groups": int64(2)}},
	{op: "GroupNormalization", in: args(x(2, 4, 3), x(4), x(4)), attrs: ir.Attrs{"num_groups": int64(1)}},
	{op: "GroupNormalization", in: args(x(2, 6), x(6), x(6)), attrs: ir.Attrs{"num_groups": int64(3), "epsilon": float32(0.2)}},
	{op: "MeanVarianceNormalization", in: args(x(2, 2, 3, 2))},
	{op: "MeanVarianceNormalization", in: args(x(3, 4)), attrs: ir.Attrs{"axes": dims(1)}},
	{op: "LpNormalization", in: args(x(2, 3, 4))},
	{op: "LpNormalization", in: args(x(2, 3, 4)), attrs: ir.Attrs{"p": int64(1), "axis": int64(1)}},
	{op: "LRN", in: args(x(2, 5, 2, 2)), attrs: ir.Attrs{"size": int64(3), "alpha": float32(0.5), "beta": float32(0.6), "bias": float32(2)}},
	{op: "LRN", in: args(x(1, 4, 3)), attrs: ir.Attrs{"size": int64(4)}},
}
