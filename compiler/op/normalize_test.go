package op

import "rnas/compiler/ir"

var normalizeCases = []inferCase{
	{op: "LayerNormalization", in: list(f32(n, 3, 4), f32(4), f32(4)), want: "float32[N,3,4]"},
	{
		op: "LayerNormalization", in: list(val(ir.Float16, n, 3, 4), val(ir.Float16, 3, 4)), attrs: ir.Attrs{"axis": int64(1)},
		want: "float16[N,3,4] float32[N,1,1] float32[N,1,1]",
	},
	{op: "RMSNormalization", in: list(f32(n, 3, 4), f32(4)), want: "float32[N,3,4]"},
	{op: "RMSNormalization", in: list(f32(n, 3, 4), f32(4)), attrs: ir.Attrs{"axis": int64(3)}, err: "axis 3 is outside rank 3"},
	{op: "SimplifiedLayerNormalization", in: list(f32(n, 3, 4), f32(4)), want: "float32[N,3,4]"},
	{op: "InstanceNormalization", in: list(f32(n, 3, 4, 5), f32(3), f32(3)), want: "float32[N,3,4,5]"},
	{op: "InstanceNormalization", in: list(f32(n, 3), f32(3), f32(3)), err: "expected rank at least 3, found [N,3]"},
	{op: "GroupNormalization", in: list(f32(n, 4, 2, 3), f32(4), f32(4)), attrs: ir.Attrs{"num_groups": int64(2)}, want: "float32[N,4,2,3]"},
	{op: "GroupNormalization", in: list(f32(n, 4, 2), f32(4), f32(4)), attrs: ir.Attrs{"num_groups": int64(3)}, err: "3 groups do not divide the channels of [N,4,2]"},
	{op: "MeanVarianceNormalization", in: list(f32(2, 3, 4, 4)), want: "float32[2,3,4,4]"},
	{op: "LpNormalization", in: list(f32(n, 3)), want: "float32[N,3]"},
	{op: "LpNormalization", in: list(f32(n, 3)), attrs: ir.Attrs{"p": int64(3)}, err: "attribute p: expected 1 or 2, found 3"},
	{op: "LRN", in: list(f32(n, 6, 4, 4)), attrs: ir.Attrs{"size": int64(5)}, want: "float32[N,6,4,4]"},
	{op: "LRN", in: list(f32(n, 6, 4, 4)), attrs: ir.Attrs{"size": int64(0)}, err: "expected rank at least 3 and a positive size, found [N,6,4,4] and 0"},
}
