package op

import "rnas/compiler/ir"

var linearCases = []inferCase{
	{op: "MatMul", in: list(f32(2, 3), f32(3, 4)), want: "float32[2,4]"},
	{op: "MatMul", in: list(f32(n, 3), f32(3, 4)), want: "float32[N,4]"},
	{op: "MatMul", in: list(f32(3), f32(3)), want: "float32[]"},
	{op: "MatMul", in: list(f32(3), f32(5, 3, 4)), want: "float32[5,4]"},
	{op: "MatMul", in: list(f32(5, 2, 3), f32(3)), want: "float32[5,2]"},
	{op: "MatMul", in: list(f32(5, 1, 2, 3), f32(7, 3, 4)), want: "float32[5,7,2,4]"},
	{op: "MatMul", in: list(f32(2, 3), f32(4, 3)), err: "inner sizes 3 and 4 differ"},
	{op: "MatMul", in: list(f32(), f32(3)), err: "scalars cannot be multiplied"},
	{op: "MatMul", in: list(f32(2, 2, 3), f32(5, 3, 4)), err: "shapes [2] and [5] do not broadcast"},
	{op: "MatMul", in: list(f32(2, 3), f64(3, 4)), err: "inputs 0 and 1: types differ"},

	{op: "Gemm", in: list(f32(n, 3), f32(3, 4), f32(4)), want: "float32[N,4]"},
	{op: "Gemm", in: list(f32(3, 2), f32(4, 3), f32(2, 1)), attrs: ir.Attrs{"transA": int64(1), "transB": int64(1)}, want: "float32[2,4]"},
	{op: "Gemm", in: list(f32(2, 3), f32(3, 4), nil), want: "float32[2,4]"},
	{op: "Gemm", in: list(f32(2, 3), f32(3, 4), f32(3)), err: "bias [3] does not broadcast to [2,4]"},
	{op: "Gemm", in: list(f32(2, 1), f32(1, 4), f32(5, 2, 4)), err: "bias [5,2,4] does not broadcast to [2,4]"},
	{op: "Gemm", in: list(f32(2, 3, 4), f32(3, 4)), err: "expected two matrices"},
	{op: "Gemm", in: list(f32(2, 3), f32(4, 3)), err: "inner sizes 3 and 4 differ"},
	{op: "Gemm", in: list(f32(2, 3), f32(3, 4), f64(4)), err: "inputs 0 and 2: types differ"},

	{op: "BatchNormalization", in: list(f32(n, 3, 8, 8), f32(3), f32(3), f32(3), f32(3)), want: "float32[N,3,8,8]"},
	{
		op: "BatchNormalization", in: list(f32(2, 3), f32(3), f32(3), f32(3), f32(3)),
		attrs: ir.Attrs{"training_mode": int64(1)}, want: "float32[2,3] float32[3] float32[3]",
	},
	{op: "BatchNormalization", in: list(f32(3), f32(3), f32(3), f32(3), f32(3)), err: "expected rank at least 2"},
	{op: "BatchNormalization", in: list(f32(2, 3), f32(3), f32(2), f32(3), f32(3)), err: "input 2: expected shape [3], found [2]"},

	{op: "Dropout", in: list(f32(n, 3)), want: "float32[N,3] bool[N,3]"},
	{op: "Dropout", in: list(f32(2), f32(), boo()), attrs: ir.Attrs{"seed": int64(1)}, want: "float32[2]"},
}
