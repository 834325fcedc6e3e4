package op

import "rnas/compiler/ir"

var elementwiseCases = append(everyUnary(), []inferCase{
	{op: "Not", in: list(boo(2)), want: "bool[2]"},
	{op: "Not", in: list(f32(2)), err: "expected bool inputs, found float32"},
	{op: "Exp", in: list(i64(2)), err: "expected a floating-point type, found int64"},
	{op: "Abs", in: list(i64(2)), want: "int64[2]"},

	{op: "Softmax", in: list(f32(n, 10)), want: "float32[N,10]"},
	{op: "LogSoftmax", in: list(f32(2, 3, 4)), attrs: ir.Attrs{"axis": int64(-3)}, want: "float32[2,3,4]"},
	{op: "Softmax", in: list(f32(2, 3)), attrs: ir.Attrs{"axis": int64(2)}, err: "axis 2 is outside rank 2"},
	{op: "LogSoftmax", in: list(f32()), err: "axis -1 is outside rank 0"},

	{op: "Add", in: list(f32(n, 3, 8, 8), f32(3, 1, 1)), want: "float32[N,3,8,8]"},
	{op: "Add", in: list(f32(), f32(2, 3)), want: "float32[2,3]"},
	{op: "Sub", in: list(f32(2, 1), f32(1, 3)), want: "float32[2,3]"},
	{op: "Mul", in: list(i64(n), i64(1)), want: "int64[N]"},
	{op: "Div", in: list(f32(1, 4), f32(n, 1)), want: "float32[N,4]"},
	{op: "Div", in: list(f32(0, 3), f32(1, 3)), want: "float32[0,3]"},
	{op: "Pow", in: list(f32(2, 3), i64()), want: "float32[2,3]"},
	{op: "And", in: list(boo(2), boo(1)), want: "bool[2]"},
	{op: "Or", in: list(boo(2), boo()), want: "bool[2]"},
	{op: "Xor", in: list(boo(2, 1), boo(3)), want: "bool[2,3]"},
	{op: "Add", in: list(f32(2), f64(2)), err: "inputs 0 and 1: types differ"},
	{op: "Add", in: list(f32(2, 3), f32(2, 4)), err: "shapes [2,3] and [2,4] do not broadcast"},
	{op: "Add", in: list(f32(4), f32(n)), err: "shapes [4] and [N] do not broadcast"},
	{op: "And", in: list(f32(2), f32(2)), err: "expected bool inputs, found float32"},

	{op: "Equal", in: list(i64(n, 1), i64(5)), want: "bool[N,5]"},
	{op: "Greater", in: list(f32(2), f32(2)), want: "bool[2]"},
	{op: "GreaterOrEqual", in: list(f32(2), f32()), want: "bool[2]"},
	{op: "Less", in: list(f32(), f32(2)), want: "bool[2]"},
	{op: "LessOrEqual", in: list(f32(n, 2), f32(n, 2)), want: "bool[N,2]"},
	{op: "Less", in: list(f32(2), i64(2)), err: "inputs 0 and 1: types differ"},
	{op: "Less", in: list(f32(2), f32(3)), err: "shapes [2] and [3] do not broadcast"},

	{op: "Sum", in: list(f32(2, 3)), want: "float32[2,3]"},
	{op: "Mean", in: list(f32(2, 1), f32(3), f32()), want: "float32[2,3]"},
	{op: "Max", in: list(f32(n, 3), f32(1, 3)), want: "float32[N,3]"},
	{op: "Min", in: list(i64(2), i64(1), i64(2)), want: "int64[2]"},
	{op: "Max", in: list(f32(2), nil), err: "input 1 is missing"},
	{op: "Min", in: list(f32(2), f32(3)), err: "shapes [2] and [3] do not broadcast"},
	{op: "Sum", in: list(f32(2), f64(2)), err: "inputs 0 and 1: types differ"},

	{op: "Clip", in: list(f32(n, 2)), want: "float32[N,2]"},
	{op: "Clip", in: list(f32(2), nil, f32()), want: "float32[2]"},
	{op: "Clip", in: list(f32(2), f32(2)), err: "input 1: expected a scalar, found [2]"},
	{op: "Clip", in: list(f32(2), nil, f64()), err: "inputs 0 and 2: types differ"},

	{op: "Where", in: list(boo(n, 1), f32(3), f32()), want: "float32[N,3]"},
	{op: "Where", in: list(f32(2), f32(2), f32(2)), err: "condition: expected bool, found float32"},
	{op: "Where", in: list(boo(2), f32(2), f64(2)), err: "inputs 1 and 2: types differ"},
	{op: "Where", in: list(boo(3), f32(2), f32(2)), err: "shapes [2] and [3] do not broadcast"},

	{op: "Cast", in: list(i64(n, 2)), attrs: ir.Attrs{"to": int64(ir.Float32)}, want: "float32[N,2]"},
	{op: "Cast", in: list(f32(2)), attrs: ir.Attrs{"to": int64(77)}, err: "attribute to: type 77 is not known"},
}...)

// everyUnary: operators of one floating-point input keep type and shape, symbolic batch included.
func everyUnary() []inferCase {
	var cases []inferCase
	for _, name := range []string{
		"Abs", "Neg", "Sign", "Exp", "Log", "Sqrt", "Reciprocal", "Relu", "Sigmoid", "Tanh", "Softplus", "Softsign", "Erf",
		"Floor", "Ceil", "Round", "Sin", "Cos", "Identity", "HardSwish", "HardSigmoid", "LeakyRelu", "Elu",
	} {
		cases = append(cases,
			inferCase{op: name, in: list(f32(n, 3, 4)), want: "float32[N,3,4]"},
			inferCase{op: name, in: list(f64()), want: "float64[]"})
	}
	return cases
}
