package op

import (
	"math"

	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

func axis(a int64) ir.Attrs { return ir.Attrs{"axis": a} }

// shapeOfValue is the output of a Shape node on v.
func shapeOfValue(v *ir.Value) *ir.Value {
	out := i64(int64(v.Rank()))
	out.Def = &ir.Node{Name: "s", Op: "Shape", In: list(v), Out: list(out)}
	return out
}

var shapeCases = []inferCase{
	{op: "Reshape", in: list(f32(2, 6), ints(3, -1)), want: "float32[3,4]"},
	{op: "Reshape", in: list(f32(2, 6), ints(0, 2, 3)), want: "float32[2,2,3]"},
	{op: "Reshape", in: list(f32(1), ints()), want: "float32[]"},
	{op: "Reshape", in: list(f32(0, 3), ints(3, 0)), attrs: ir.Attrs{"allowzero": int64(1)}, want: "float32[3,0]"},
	{op: "Reshape", in: list(f32(n, 3, 4), ints(-1, 12)), want: "float32[N,12]"},
	{op: "Reshape", in: list(f32(n, 3, 4), ints(0, -1)), want: "float32[N,12]"},
	{op: "Reshape", in: list(f32(n, 12), ints(0, 3, 4)), want: "float32[N,3,4]"},
	{op: "Reshape", in: list(f32(n), ints(-1, 1)), want: "float32[N,1]"},
	{op: "Reshape", in: list(f32(3, n), ints(-1, 3)), want: "float32[N,3]"},
	{op: "Reshape", in: list(f32(2, 6), i64(2)), err: "shape must be constant"},
	{op: "Reshape", in: list(f32(2, 6), ints(5, -1)), err: "shape [5 -1] does not fit 12 elements"},
	{op: "Reshape", in: list(f32(2, 6), ints(5)), err: "shape [5] does not fit 12 elements"},
	{op: "Reshape", in: list(f32(2, 6), ints(-1, -1)), err: "shape [-1 -1] has two unknown dimensions"},
	{op: "Reshape", in: list(f32(2, 6), ints(-2)), err: "shape [-2] has a negative dimension"},
	{op: "Reshape", in: list(f32(2), ints(2, 0)), err: "shape [2 0] copies dimension 1 of rank 1"},
	{op: "Reshape", in: list(f32(0, 2), ints(0, -1)), err: "shape [0 -1] does not fit 0 elements"},
	{op: "Reshape", in: list(f32(n, 3), ints(-1)), err: "shape [-1] does not keep the symbolic batch"},
	{op: "Reshape", in: list(f32(n, 3), ints(6)), err: "shape [6] does not keep the symbolic batch"},
	{op: "Reshape", in: list(f32(n, n), ints(-1, 0)), err: "shape [-1 0] does not keep the symbolic batch"},
	{op: "Reshape", in: list(f32(n), ints()), err: "shape [] does not keep the symbolic batch"},
	{op: "Reshape", in: list(f32(0), ints(1<<32, 1<<32)), err: "output shape [4294967296 4294967296] has too many elements"},

	{op: "Flatten", in: list(f32(n, 3, 4)), want: "float32[N,12]"},
	{op: "Flatten", in: list(f32(2, 3, 4)), attrs: axis(-1), want: "float32[6,4]"},
	{op: "Flatten", in: list(f32(2, 3)), attrs: axis(0), want: "float32[1,6]"},
	{op: "Flatten", in: list(f32(2, 3)), attrs: axis(2), want: "float32[6,1]"},
	{op: "Flatten", in: list(f32(n, 1, 3)), attrs: axis(2), want: "float32[N,3]"},
	{op: "Flatten", in: list(f32(n, 3)), attrs: axis(0), err: "a symbolic dimension cannot be merged"},
	{op: "Flatten", in: list(f32(n, 3, 2)), attrs: axis(2), err: "a symbolic dimension cannot be merged"},
	{op: "Flatten", in: list(f32(2, n, 3)), err: "a symbolic dimension cannot be merged"},
	{op: "Flatten", in: list(f32(2, 3)), attrs: axis(3), err: "axis 3 is outside rank 2"},

	{op: "Transpose", in: list(f32(n, 3, 4)), want: "float32[4,3,N]"},
	{op: "Transpose", in: list(f32(n, 3, 4)), attrs: ir.Attrs{"perm": dims(1, 0, 2)}, want: "float32[3,N,4]"},
	{op: "Transpose", in: list(f32(2, 3)), attrs: ir.Attrs{"perm": dims(1, 1)}, err: "perm [1 1] is not a permutation of rank 2"},
	{op: "Transpose", in: list(f32(2, 3)), attrs: ir.Attrs{"perm": dims(0)}, err: "perm [0] is not a permutation of rank 2"},
	{op: "Transpose", in: list(f32(2, 3)), attrs: ir.Attrs{"perm": dims()}, err: "perm [] is not a permutation of rank 2"},

	{op: "Concat", in: list(f32(n, 3), f32(n, 5)), attrs: axis(-1), want: "float32[N,8]"},
	{op: "Concat", in: list(i64(n)), attrs: axis(0), want: "int64[N]"},
	{op: "Concat", in: list(f32(2, 3), f32(3, 3)), attrs: axis(1), err: "inputs 0 and 1 differ outside axis 1"},
	{op: "Concat", in: list(f32(2, 3), f32(2)), attrs: axis(1), err: "ranks of inputs 0 and 1 differ"},
	{op: "Concat", in: list(f32(2), f64(2)), attrs: axis(0), err: "inputs 0 and 1: types differ"},
	{op: "Concat", in: list(f32(n), f32(n)), attrs: axis(0), err: "a symbolic dimension cannot be concatenated"},
	{op: "Concat", in: list(f32(2), nil), attrs: axis(0), err: "input 1 is missing"},
	{op: "Concat", in: list(f32(), f32()), attrs: axis(0), err: "axis 0 is outside rank 0"},

	{op: "Split", in: list(f32(n, 7), ints(3, 0, 4)), attrs: axis(1), want: "float32[N,3] float32[N,0] float32[N,4]"},
	{op: "Split", in: list(f32(7)), attrs: ir.Attrs{"num_outputs": int64(3)}, want: "float32[3] float32[3] float32[1]"},
	{op: "Split", in: list(f32(7), ints(3, 3)), err: "split into 2 sizes of sum 6 does not fit 1 outputs and dimension 7"},
	{op: "Split", in: list(f32(7), ints(8, -1)), err: "split sizes [8 -1] must not be negative"},
	{op: "Split", in: list(f32(7)), attrs: ir.Attrs{"num_outputs": int64(2)}, err: "num_outputs is 2 for 1 outputs"},
	{op: "Split", in: list(f32(n)), err: "a symbolic dimension cannot be split"},
	{op: "Split", in: list(f32(7), i64(1)), err: "split sizes must be constant"},

	{op: "Slice", in: list(f32(n, 10), ints(1), ints(math.MaxInt64), ints(1)), want: "float32[N,9]"},
	{op: "Slice", in: list(f32(10), ints(0), ints(10), ints(0), ints(3)), want: "float32[4]"},
	{op: "Slice", in: list(f32(10), ints(-1), ints(-11), ints(-1), ints(-1)), want: "float32[10]"},
	{op: "Slice", in: list(f32(10), ints(8), ints(1), ints(0), ints(-3)), want: "float32[3]"},
	{op: "Slice", in: list(f32(10), ints(5), ints(2)), want: "float32[0]"},
	{op: "Slice", in: list(f32(10), ints(2), ints(9), ints(0), ints(math.MaxInt64)), want: "float32[1]"},
	{op: "Slice", in: list(f32(10), ints(9), ints(math.MinInt64), ints(0), ints(math.MinInt64)), want: "float32[1]"},
	{op: "Slice", in: list(f32(4, 5), ints(1, 2), ints(3, 4)), want: "float32[2,2]"},
	{op: "Slice", in: list(f32(10), ints(0), ints(1), ints(0), ints(0)), err: "step is 0"},
	{op: "Slice", in: list(f32(10), ints(0), ints(1, 2)), err: "starts and ends must be constants of one length"},
	{op: "Slice", in: list(f32(10), i64(1), ints(1)), err: "starts and ends must be constants of one length"},
	{op: "Slice", in: list(f32(10), ints(0), ints(1), i64(1)), err: "axes must be constant"},
	{op: "Slice", in: list(f32(10), ints(0), ints(1), nil, i64(1)), err: "steps must be constant"},
	{op: "Slice", in: list(f32(10), ints(0), ints(1), ints(0, 1)), err: "1 starts, 2 axes and 1 steps do not match"},
	{op: "Slice", in: list(f32(10), ints(0, 1), ints(3, 2), ints(0, -1)), err: "axis -1 is given twice"},
	{op: "Slice", in: list(f32(10), ints(0), ints(1), ints(1)), err: "axis 1 is outside rank 1"},
	{op: "Slice", in: list(f32(n), ints(0), ints(1)), err: "a symbolic dimension cannot be sliced"},

	{op: "Squeeze", in: list(f32(n, 1, 3, 1)), want: "float32[N,3]"},
	{op: "Squeeze", in: list(f32(n, 1, 3, 1), ints(-1)), want: "float32[N,1,3]"},
	{op: "Squeeze", in: list(f32(2, 1), ints(0)), err: "dimension 0 is 2, not 1"},
	{op: "Squeeze", in: list(f32(2, 1), ints(2)), err: "axis 2 is outside rank 2"},
	{op: "Squeeze", in: list(f32(2, 1), i64(1)), err: "axes must be constant"},
	{op: "Unsqueeze", in: list(f32(n, 3), ints(0, -1)), want: "float32[1,N,3,1]"},
	{op: "Unsqueeze", in: list(f32(), ints(0)), want: "float32[1]"},
	{op: "Unsqueeze", in: list(f32(2), ints(2)), err: "axis 2 is outside rank 2"},
	{op: "Unsqueeze", in: list(f32(2), ints(0, -3)), err: "axis -3 is given twice"},
	{op: "Unsqueeze", in: list(f32(2), i64(1)), err: "axes must be constant"},

	{op: "Expand", in: list(f32(3, 1), ints(2, 1, 4)), want: "float32[2,3,4]"},
	{op: "Expand", in: list(f32(n, 1), ints(1, 3)), want: "float32[N,3]"},
	{op: "Expand", in: list(f32(), shapeOfValue(f32(n, 3))), want: "float32[N,3]"},
	{op: "Expand", in: list(f32(3), ints(2)), err: "shapes [3] and [2] do not broadcast"},
	{op: "Expand", in: list(f32(3), i64(1)), err: "shape must be constant or computed from shapes"},
	{op: "Expand", in: list(f32(1), ints(-1)), err: "shape [-1] has a negative dimension"},

	{op: "Pad", in: list(f32(n, 3, 4), ints(0, 0, 1, 0, 2, -2)), want: "float32[N,5,3]"},
	{op: "Pad", in: list(f32(n, 3, 4), ints(1, 2), f32(), ints(-1)), want: "float32[N,3,7]"},
	{op: "Pad", in: list(f32(3), ints(1, 1), nil, nil), attrs: ir.Attrs{"mode": "reflect"}, want: "float32[5]"},
	{op: "Pad", in: list(f32(3), i64(2)), err: "pads must be constant"},
	{op: "Pad", in: list(f32(3), ints(1)), err: "1 pads for 1 axes"},
	{op: "Pad", in: list(f32(3), ints(1, 1), nil, i64(1)), err: "axes must be constant"},
	{op: "Pad", in: list(f32(3), ints(1, 1), nil, ints(1)), err: "axis 1 is outside rank 1"},
	{op: "Pad", in: list(f32(3), ints(1, 1, 1, 1), nil, ints(0, -1)), err: "axis -1 is given twice"},
	{op: "Pad", in: list(f32(3), ints(-2, -2)), err: "pads [-2 -2] remove more than dimension 0 has"},
	{op: "Pad", in: list(f32(n), ints(1, 0)), err: "a symbolic dimension cannot be padded"},
	{op: "Pad", in: list(f32(3), ints(1, 1), f64()), err: "inputs 0 and 2: types differ"},
	{op: "Pad", in: list(f32(3), ints(1, 1)), attrs: ir.Attrs{"mode": "mirror"}, err: `attribute mode: "mirror" is not known`},

	{op: "Shape", in: list(f32(n, 3, 4)), want: "int64[3]"},
	{op: "Shape", in: list(f32(n, 3, 4)), attrs: ir.Attrs{"start": int64(-2), "end": int64(9)}, want: "int64[2]"},
	{op: "Shape", in: list(f32(n, 3, 4)), attrs: ir.Attrs{"start": int64(2), "end": int64(1)}, want: "int64[0]"},

	{op: "ConstantOfShape", in: list(ints(2, 3)), want: "float32[2,3]"},
	{op: "ConstantOfShape", in: list(ints()), attrs: ir.Attrs{"value": tensor.Vector(int64(7))}, want: "int64[]"},
	{op: "ConstantOfShape", in: list(i64(1)), err: "shape must be constant or computed from shapes"},
	{op: "ConstantOfShape", in: list(ints(-1)), err: "shape [-1] has a negative dimension"},
	{op: "ConstantOfShape", in: list(ints(1<<20, 1<<21)), err: "output shape [1048576 2097152] has too many elements"},
	{op: "ConstantOfShape", in: list(ints(2)), attrs: ir.Attrs{"value": tensor.Vector(1.0, 2.0)}, err: "value: expected one element, found [2]"},
}

var indexCases = []inferCase{
	{op: "Gather", in: list(f32(n, 5, 3), i64(2, 2)), attrs: axis(1), want: "float32[N,2,2,3]"},
	{op: "Gather", in: list(f32(5, 3), i64()), want: "float32[3]"},
	{op: "Gather", in: list(f32(5, 3), i64(n)), want: "float32[N,3]"},
	{op: "Gather", in: list(f32(5, 3), f32(2)), err: "indices: expected int32 or int64, found float32"},
	{op: "Gather", in: list(f32(), i64(2)), err: "axis 0 is outside rank 0"},

	{op: "GatherElements", in: list(f32(n, 5), i64(n, 2)), attrs: axis(1), want: "float32[N,2]"},
	{op: "GatherElements", in: list(f32(2, 5), i64(2)), err: "ranks of data and indices differ"},
	{op: "GatherElements", in: list(f32(2, 5), i64(2, 1)), attrs: axis(2), err: "axis 2 is outside rank 2"},
	{op: "GatherElements", in: list(f32(2, 5), f32(2, 1)), err: "indices: expected int32 or int64, found float32"},

	{op: "ScatterElements", in: list(f32(n, 5), i64(n, 2), f32(n, 2)), attrs: axis(-1), want: "float32[N,5]"},
	{op: "ScatterElements", in: list(f32(5), i64(2), f32(3)), err: "data, indices and updates do not fit"},
	{op: "ScatterElements", in: list(f32(5), i64(2), f64(2)), err: "inputs 0 and 2: types differ"},
	{op: "ScatterElements", in: list(f32(5), i64(2), f32(2)), attrs: axis(1), err: "axis 1 is outside rank 1"},
	{op: "ScatterElements", in: list(f32(5), boo(2), f32(2)), err: "indices: expected int32 or int64, found bool"},

	{op: "OneHot", in: list(i64(n), int0(10), f32(2)), want: "float32[N,10]"},
	{op: "OneHot", in: list(i64(2, 3), ints(4), f64(2)), attrs: axis(0), want: "float64[4,2,3]"},
	{op: "OneHot", in: list(i64(2), i64(), f32(2)), err: "depth must be one constant number"},
	{op: "OneHot", in: list(i64(2), int0(-1), f32(2)), err: "depth must be one constant number"},
	{op: "OneHot", in: list(i64(2), int0(3), f32(3)), err: "values: expected shape [2], found [3]"},
	{op: "OneHot", in: list(i64(2), int0(3), f32(2)), attrs: axis(2), err: "axis 2 is outside rank 2"},
}
