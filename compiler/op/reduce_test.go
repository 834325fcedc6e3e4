package op

import "rnas/compiler/ir"

var reduceCases = append(everyReduction(), []inferCase{
	{op: "ReduceSum", in: list(f32(n, 3, 4), ints(-1, 1)), want: "float32[N,1,1]"},
	{op: "ReduceMean", in: list(f32(n, 3, 4), ints(0)), attrs: ir.Attrs{"keepdims": int64(0)}, want: "float32[3,4]"},
	{op: "ReduceSum", in: list(f32(2, 3)), want: "float32[1,1]"},
	{op: "ReduceSum", in: list(f32(2, 3), ints()), attrs: ir.Attrs{"keepdims": int64(0)}, want: "float32[]"},
	{op: "ReduceSum", in: list(f32(2, 3)), attrs: ir.Attrs{"noop_with_empty_axes": int64(1)}, want: "float32[2,3]"},
	{op: "ReduceMax", in: list(f32(2, 3), i64(1)), err: "axes must be constant"},
	{op: "ReduceMax", in: list(f32(2, 3), ints(2)), err: "axis 2 is outside rank 2"},
	{op: "ReduceMax", in: list(f32(2, 3), ints(1, -1)), err: "axis -1 is given twice"},

	{op: "ArgMax", in: list(f32(n, 10)), attrs: ir.Attrs{"axis": int64(1), "keepdims": int64(0)}, want: "int64[N]"},
	{op: "ArgMin", in: list(f32(2, 3)), want: "int64[1,3]"},
	{op: "ArgMax", in: list(f32(2, 3)), attrs: ir.Attrs{"axis": int64(-3)}, err: "axis -3 is outside rank 2"},

	{op: "TopK", in: list(f32(n, 10), ints(5)), want: "float32[N,5] int64[N,5]"},
	{op: "TopK", in: list(f32(7, 2), ints(0)), attrs: ir.Attrs{"axis": int64(0)}, want: "float32[0,2] int64[0,2]"},
	{op: "TopK", in: list(f32(7, 2), ints(3)), err: "k 3 is outside dimension 2", outs: 2},
	{op: "TopK", in: list(f32(7, 2), ints(-1)), err: "k -1 is outside dimension 2", outs: 2},
	{op: "TopK", in: list(f32(7, 2), i64(1)), err: "k must be one constant number", outs: 2},
	{op: "TopK", in: list(f32(), ints(1)), err: "axis -1 is outside rank 0", outs: 2},
}...)

func everyReduction() []inferCase {
	var cases []inferCase
	for _, name := range []string{
		"ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceSumSquare",
		"ReduceLogSum", "ReduceLogSumExp",
	} {
		cases = append(cases,
			inferCase{op: name, in: list(f32(n, 3, 4), ints(-1)), want: "float32[N,3,1]"},
			inferCase{op: name, in: list(f32(n, 3, 4), ints(0, 2)), attrs: ir.Attrs{"keepdims": int64(0)}, want: "float32[3]"})
	}
	return cases
}
