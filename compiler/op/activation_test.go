package op

import (
	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

func activationCases() []inferCase {
	u8 := func(shape ...int64) *ir.Value { return val(tensor.Uint8, shape...) }
	to := func(t ir.DType) ir.Attrs { return ir.Attrs{"to": int64(t)} }
	cases := []inferCase{
		{op: "Gelu", in: list(f32(n, 2)), attrs: ir.Attrs{"approximate": "tanh"}, want: "float32[N,2]"},
		{op: "Gelu", in: list(f32(2)), attrs: ir.Attrs{"approximate": "erf"}, err: `attribute approximate: expected none or tanh, found "erf"`},
		{op: "Shrink", in: list(i64(2)), want: "int64[2]"},
		{op: "PRelu", in: list(f32(n, 3, 4), f32(3, 1)), want: "float32[N,3,4]"},
		{op: "PRelu", in: list(f32(3), f32(2, 3)), err: "input 1: [2,3] does not broadcast to [3]"},
		{op: "PRelu", in: list(f32(3), f64(3)), err: "inputs 0 and 1: types differ"},
		{op: "Hardmax", in: list(f32(n, 3)), want: "float32[N,3]"},
		{op: "Hardmax", in: list(f32(3)), attrs: ir.Attrs{"axis": int64(1)}, err: "axis 1 is outside rank 1"},
		{op: "IsNaN", in: list(f32(n)), want: "bool[N]"},
		{op: "IsInf", in: list(f64(2)), attrs: ir.Attrs{"detect_negative": int64(0)}, want: "bool[2]"},
		{op: "IsNaN", in: list(i64(2)), err: "expected a floating-point type, found int64"},
		{op: "CastLike", in: list(f32(n, 2), i64()), want: "int64[N,2]"},
		{op: "BitCast", in: list(f32(2)), attrs: to(ir.Int32), want: "int32[2]"},
		{op: "BitCast", in: list(f32(2)), attrs: to(ir.Int64), err: "attribute to: type 7 does not have the 4 bytes of float32"},
		{op: "BitShift", in: list(u8(2, 1), u8(3)), attrs: ir.Attrs{"direction": "LEFT"}, want: "uint8[2,3]"},
		{op: "BitShift", in: list(u8(2), u8(2)), attrs: ir.Attrs{"direction": "UP"}, err: `attribute direction: expected LEFT or RIGHT, found "UP"`},
		{op: "BitwiseNot", in: list(i64(2)), want: "int64[2]"},
		{op: "BitwiseNot", in: list(boo(2)), err: "input 0: expected integers, found bool"},
		{op: "BitwiseAnd", in: list(i64(2), i64()), want: "int64[2]"},
		{op: "BitwiseOr", in: list(i64(2), i64()), want: "int64[2]"},
		{op: "BitwiseXor", in: list(i64(2), f32()), err: "input 1: expected integers, found float32"},
		{op: "BitwiseXor", in: list(i64(2), i64(1)), want: "int64[2]"},
		{op: "Mod", in: list(i64(2), i64()), want: "int64[2]"},
		{op: "Mod", in: list(f32(2), f32()), attrs: ir.Attrs{"fmod": int64(1)}, want: "float32[2]"},
		{op: "Mod", in: list(f32(2), f32()), err: "the remainder of floating-point numbers needs fmod=1"},
	}
	for _, name := range []string{
		"Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "Cosh", "Sinh", "Tan", "Mish", "Celu", "Selu", "Swish", "ThresholdedRelu",
	} {
		cases = append(cases, inferCase{op: name, in: list(f32(n, 2)), want: "float32[N,2]"},
			inferCase{op: name, in: list(i64(2)), err: "expected a floating-point type, found int64"})
	}
	return cases
}
