package op

import (
	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

func blocksize(b int64) ir.Attrs { return ir.Attrs{"blocksize": b} }

var tileCases = []inferCase{
	{op: "Tile", in: list(f32(n, 3), ints(1, 2)), want: "float32[N,6]"},
	{op: "Tile", in: list(f32(n, 3), ints(2, 1)), err: "a symbolic dimension cannot be repeated"},
	{op: "Tile", in: list(f32(3), ints(1, 2)), err: "2 repeats for rank 1"},
	{op: "Tile", in: list(f32(3), ints(-1)), err: "repeats [-1] must not be negative"},
	{op: "Tile", in: list(f32(3), ints(1<<62)), err: "repeats [4611686018427387904] are too many"},
	{op: "Tile", in: list(f32(3), i64(1)), err: "repeats must be constant"},
	{op: "DepthToSpace", in: list(f32(n, 8, 2, 3)), attrs: blocksize(2), want: "float32[N,2,4,6]"},
	{op: "DepthToSpace", in: list(f32(n, 6, 2, 3)), attrs: blocksize(2), err: "6 channels are not a multiple of 4"},
	{op: "DepthToSpace", in: list(f32(n, 4, 2, 3)), attrs: ir.Attrs{"blocksize": int64(2), "mode": "RCD"}, err: `attribute mode: expected DCR or CRD, found "RCD"`},
	{op: "DepthToSpace", in: list(f32(4, 2, 3)), attrs: blocksize(2), err: "expected [N,C,H,W] with static C, H and W"},
	{op: "SpaceToDepth", in: list(f32(n, 2, 4, 6)), attrs: blocksize(2), want: "float32[N,8,2,3]"},
	{op: "SpaceToDepth", in: list(f32(n, 2, 4, 5)), attrs: blocksize(2), err: "height and width are not multiples of 2"},
	{op: "SpaceToDepth", in: list(f32(n, 2, 4, 5)), attrs: blocksize(0), err: "attribute blocksize: expected 1 to 32768, found 0"},
	{op: "ReverseSequence", in: list(f32(4, n, 2), i64(n)), want: "float32[4,N,2]"},
	{op: "ReverseSequence", in: list(f32(4, 2), i64(4)), err: "lengths: expected int64[2]"},
	{op: "ReverseSequence", in: list(f32(4, 2), i64(4)), attrs: ir.Attrs{"time_axis": int64(1)}, err: "expected rank at least 2 and axes 0 and 1, found batch_axis 1 and time_axis 1"},
	{op: "Pad", in: list(f32(2, 0), ints(0, 1, 0, 0)), attrs: ir.Attrs{"mode": "edge"}, err: "dimension 1 has no element to repeat"},
}

var tupleCases = []inferCase{
	{op: "GatherND", in: list(f32(5, 4, 3), i64(n, 2)), want: "float32[N,3]"},
	{op: "GatherND", in: list(f32(n, 4, 3), i64(n, 7, 1)), attrs: ir.Attrs{"batch_dims": int64(1)}, want: "float32[N,7,3]"},
	{op: "GatherND", in: list(f32(2, 2), i64(1, 3)), err: "indices of [1,3] name too many dimensions"},
	{op: "GatherND", in: list(f32(2, 2), i64(3, 1)), attrs: ir.Attrs{"batch_dims": int64(1)}, err: "the first 1 dimensions differ"},
	{op: "GatherND", in: list(f32(2, 2), i64(3, 1)), attrs: ir.Attrs{"batch_dims": int64(2)}, err: "data and indices need a rank over 2"},
	{op: "GatherND", in: list(f32(2, 2), f32(3, 1)), err: "indices: expected int64, found float32"},
	{op: "ScatterND", in: list(f32(5, 3), i64(2, 1), f32(2, 3)), want: "float32[5,3]"},
	{op: "ScatterND", in: list(f32(5, 3), i64(2, 1), f32(2, 4)), err: "updates: expected shape [2,3], found [2,4]"},
	{op: "ScatterND", in: list(f32(5, 3), i64(2, 1), f64(2, 3)), err: "inputs 0 and 2: types differ"},
	{op: "ScatterND", in: list(f32(5, 3), i64(2, 1), f32(2, 3)), attrs: ir.Attrs{"reduction": "sub"}, err: `attribute reduction: "sub" is not known`},
	{op: "TensorScatter", in: list(f32(n, 8, 3), f32(n, 2, 3), i64(n)), want: "float32[N,8,3]"},
	{op: "TensorScatter", in: list(f32(2, 8, 3), f32(2, 9, 3)), err: "update does not fit along dimension 1"},
	{op: "TensorScatter", in: list(f32(2, 8, 3), f32(2, 2, 3), i64(1)), err: "write indices: expected int64[2]"},
	{op: "TensorScatter", in: list(f32(2, 8, 3), f32(2, 2, 3)), attrs: ir.Attrs{"mode": "ring"}, err: `attribute mode: expected linear or circular, found "ring"`},
	{op: "TensorScatter", in: list(f32(2, 8), f32(2, 8)), err: "expected two tensors of one rank and an axis after the batch"},
	{op: "OneHot", in: list(f32(3), constant(tensor.Scalar[float32](4)), f32(2)), want: "float32[3,4]"},
	{op: "OneHot", in: list(boo(3), int0(4), f32(2)), err: "indices: expected numbers, found bool"},
}

func dynamicCases() []inferCase {
	bools := func(v ...bool) *ir.Value { return constant(tensor.Vector(v...)) }
	float := func(v float32) *ir.Value { return constant(tensor.Scalar(v)) }
	table := constant(tensor.Of([]int64{3, 2}, 1.0, 2, 1, 2, 0, 1))
	return []inferCase{
		{op: "Size", in: list(f32(n, 2)), want: "int64[]"},
		{op: "Range", in: list(int0(1), int0(10), int0(3)), want: "int64[3]"},
		{op: "Range", in: list(float(1), float(0), float(-0.25)), want: "float32[4]"},
		{op: "Range", in: list(int0(1), int0(0), int0(3)), want: "int64[0]"},
		{op: "Range", in: list(int0(0), int0(9), int0(0)), err: "a range from 0 to 9 by 0"},
		{op: "Range", in: list(int0(0), int0(1<<40), int0(1)), err: "a range of 1.099511627776e+12 elements"},
		{op: "Range", in: list(int0(0), i64(), int0(1)), err: "start, limit and delta must be constant numbers"},
		{op: "NonZero", in: list(table), want: "int64[2,5]"},
		{op: "NonZero", in: list(f32(2)), err: "the shape of the output depends on input 0, which must be constant"},
		{op: "Compress", in: list(f32(n, 3), bools(true, false, true)), attrs: ir.Attrs{"axis": int64(1)}, want: "float32[N,2]"},
		{op: "Compress", in: list(f32(2, 3), bools(true, false, true)), want: "float32[2]"},
		{op: "Compress", in: list(f32(n, 3), bools(true)), err: "a symbolic dimension cannot be compressed"},
		{op: "Compress", in: list(f32(2), bools(true, false, false)), err: "condition [3] is longer than dimension 2"},
		{op: "Compress", in: list(f32(2), ints(1)), err: "condition: expected a bool vector, found int64[1]"},
		{op: "Unique", in: list(table), want: "float64[3] int64[3] int64[6] int64[3]"},
		{op: "Unique", in: list(table), attrs: ir.Attrs{"axis": int64(0)}, want: "float64[2,2] int64[2] int64[3] int64[2]"},
		{op: "Unique", in: list(table), attrs: ir.Attrs{"axis": int64(1)}, want: "float64[3,2] int64[2] int64[2] int64[2]"},
		{op: "Unique", in: list(f32(2)), err: "the shape of the output depends on input 0, which must be constant"},
	}
}
