package interp

import (
	"math"
	"testing"

	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

func TestUnary(t *testing.T) {
	e := math.E
	for _, c := range []struct {
		op       string
		attrs    ir.Attrs
		in, want []float64
	}{
		{"Abs", nil, []float64{-2, 0, 3, -inf, nan}, []float64{2, 0, 3, inf, nan}},
		{"Neg", nil, []float64{-2, 0, inf}, []float64{2, 0, -inf}},
		{"Sign", nil, []float64{-2, 0, 3, nan, -inf}, []float64{-1, 0, 1, nan, -1}},
		{"Exp", nil, []float64{0, 1, -inf, 1000}, []float64{1, e, 0, inf}},
		{"Log", nil, []float64{1, e, 0, -1}, []float64{0, 1, -inf, nan}},
		{"Sqrt", nil, []float64{4, 0, -1}, []float64{2, 0, nan}},
		{"Reciprocal", nil, []float64{4, 0, -inf}, []float64{0.25, inf, 0}},
		{"Relu", nil, []float64{-1, 0, 2, nan, -inf}, []float64{0, 0, 2, nan, 0}},
		{"Sigmoid", nil, []float64{0, math.Log(3), -1000, 1000}, []float64{0.5, 0.75, 0, 1}},
		{"Tanh", nil, []float64{0, inf, math.Log(2)}, []float64{0, 1, 0.6}},
		{"Softplus", nil, []float64{0, -1000, 1000}, []float64{math.Ln2, 0, 1000}},
		{"Softsign", nil, []float64{0, 1, -3}, []float64{0, 0.5, -0.75}},
		{"Erf", nil, []float64{0, inf, 0.5}, []float64{0, 1, 0.5204998778130465}},
		{"Floor", nil, []float64{-1.5, 1.5, 2}, []float64{-2, 1, 2}},
		{"Ceil", nil, []float64{-1.5, 1.5, 2}, []float64{-1, 2, 2}},
		{"Round", nil, []float64{0.5, 1.5, 2.5, -2.5, -1.5, 0.9}, []float64{0, 2, 2, -2, -2, 1}},
		{"Sin", nil, []float64{0, math.Pi / 2, inf}, []float64{0, 1, nan}},
		{"Cos", nil, []float64{0, math.Pi}, []float64{1, -1}},
		{"HardSwish", nil, []float64{-4, -3, 0, 3, 4, 1}, []float64{0, 0, 0, 3, 4, 1 * (1.0/6 + 0.5)}},
		{"HardSigmoid", ir.Attrs{"alpha": float32(0.25)}, []float64{-2, 0, 2, 9, 1}, []float64{0, 0.5, 1, 1, 0.75}},
		{"HardSigmoid", ir.Attrs{"alpha": float32(1e30), "beta": float32(0)}, []float64{-1, 0, 1e-30, 5}, []float64{0, 0, 1, 1}},
		{"LeakyRelu", ir.Attrs{"alpha": float32(0.5)}, []float64{-2, 0, 2}, []float64{-1, 0, 2}},
		{"Elu", ir.Attrs{"alpha": float32(2)}, []float64{-math.Ln2, 0, 2}, []float64{-1, 0, 2}},
		{"Identity", nil, []float64{1, nan}, []float64{1, nan}},
		{"Clip", nil, []float64{-inf, 2}, []float64{-inf, 2}},
	} {
		out := apply(t, c.op, c.attrs, 1, floats(c.in...))
		// float32(1e30) is not 1e30, so compare with its precision
		expect(t, c.op, out[0], floats(c.want...), 1e-7, 1e-15)
	}
}

func TestIntegersAndBools(t *testing.T) {
	i64 := func(v ...int64) *tensor.Tensor { return tensor.Vector(v...) }
	i8 := func(v ...int8) *tensor.Tensor { return tensor.Vector(v...) }
	bools := func(v ...bool) *tensor.Tensor { return tensor.Vector(v...) }
	runCases(t, []opCase{
		{op: "Abs", operands: []any{i8(-128, -3, 3)}, want: []*tensor.Tensor{i8(-128, 3, 3)}},
		{op: "Sign", operands: []any{i64(-7, 0, 9)}, want: []*tensor.Tensor{i64(-1, 0, 1)}},
		{op: "Relu", operands: []any{i64(-7, 9)}, want: []*tensor.Tensor{i64(0, 9)}},
		{op: "Add", name: "wraps", operands: []any{i8(127), i8(2)}, want: []*tensor.Tensor{i8(-127)}},
		{op: "Mul", name: "wraps", operands: []any{tensor.Vector[uint8](16), tensor.Vector[uint8](17)}, want: []*tensor.Tensor{tensor.Vector[uint8](16)}},
		{op: "Div", name: "truncates", operands: []any{i64(-7, 7, -7, 7), i64(2, -2, -2, 2)}, want: []*tensor.Tensor{i64(-3, -3, 3, 3)}},
		{op: "Pow", operands: []any{i64(2, -3, 5), i64(10, 3, 0)}, want: []*tensor.Tensor{i64(1024, -27, 1)}},
		{op: "Pow", name: "int base", operands: []any{i64(4, 2), floats(0.5, -1)}, want: []*tensor.Tensor{i64(2, 0)}},
		{op: "Pow", name: "int exponent", operands: []any{floats(0.5, -2), i64(2, 3)}, want: []*tensor.Tensor{floats(0.25, -8)}},
		{op: "Max", operands: []any{i64(1, 5), i64(3, 2), i64(2, 2)}, want: []*tensor.Tensor{i64(3, 5)}},
		{op: "Clip", operands: []any{i64(-9, 0, 9), konst{tensor.Scalar(int64(-1))}, konst{tensor.Scalar(int64(4))}}, want: []*tensor.Tensor{i64(-1, 0, 4)}},
		{op: "Not", operands: []any{bools(true, false)}, want: []*tensor.Tensor{bools(false, true)}},
		{op: "And", operands: []any{bools(true, true, false), bools(true, false, false)}, want: []*tensor.Tensor{bools(true, false, false)}},
		{op: "Or", operands: []any{bools(true, true, false), bools(true, false, false)}, want: []*tensor.Tensor{bools(true, true, false)}},
		{op: "Xor", operands: []any{bools(true, true, false), bools(true, false, false)}, want: []*tensor.Tensor{bools(false, true, false)}},
		{op: "Equal", operands: []any{bools(true, false), bools(true, true)}, want: []*tensor.Tensor{bools(true, false)}},
		{op: "Greater", operands: []any{i64(1, 2, 3), i64(2)}, want: []*tensor.Tensor{bools(false, false, true)}},
		{op: "ReduceMax", operands: []any{i64(-4, -2, -9)}, want: []*tensor.Tensor{i64(-2)}},
		{op: "ReduceMean", operands: []any{i64(1, 2, 5)}, want: []*tensor.Tensor{i64(2)}},
		{op: "ReduceL2", operands: []any{i64(3, 4)}, want: []*tensor.Tensor{i64(5)}},
		{op: "MatMul", operands: []any{tensor.Of([]int64{1, 2}, int32(1<<30), int32(3)), tensor.Of([]int64{2, 1}, int32(4), int32(5))}, want: []*tensor.Tensor{tensor.Of([]int64{1, 1}, int32(15))}},
		{op: "Cast", name: "to int8", attrs: ir.Attrs{"to": int64(tensor.Int8)}, operands: []any{floats(-1.9, 1.9, 200, nan)}, want: []*tensor.Tensor{i8(-1, 1, -56, 0)}},
		{op: "Cast", name: "to bool", attrs: ir.Attrs{"to": int64(tensor.Bool)}, operands: []any{floats(0, math.Copysign(0, -1), 0.3, nan)}, want: []*tensor.Tensor{bools(false, false, true, true)}},
		{op: "Cast", name: "bool to float", attrs: ir.Attrs{"to": int64(tensor.Float32)}, operands: []any{bools(false, true)}, want: []*tensor.Tensor{floats(0, 1)}},
		{op: "Cast", name: "keeps float64", attrs: ir.Attrs{"to": int64(tensor.Float16)}, operands: []any{floats(1e-20)}, want: []*tensor.Tensor{floats(1e-20)}},
		{op: "Where", operands: []any{bools(true, false), tensor.Of([]int64{2, 1}, int64(1), int64(2)), i64(9)}, want: []*tensor.Tensor{tensor.Of([]int64{2, 2}, int64(1), int64(9), int64(2), int64(9))}},
	})
}

func TestBinary(t *testing.T) {
	bools := func(v ...bool) *tensor.Tensor { return tensor.Vector(v...) }
	column := tensor.Of([]int64{2, 1}, 10.0, 20.0)
	runCases(t, []opCase{
		{op: "Add", operands: []any{floats(1, 2, 3), column}, want: []*tensor.Tensor{matrix(2, 3, 11, 12, 13, 21, 22, 23)}},
		{op: "Sub", operands: []any{column, floats(1, 2)}, want: []*tensor.Tensor{matrix(2, 2, 9, 8, 19, 18)}},
		{op: "Mul", operands: []any{floats(0, 2), floats(inf, -3)}, want: []*tensor.Tensor{floats(nan, -6)}},
		{op: "Div", operands: []any{floats(1, -1, 0, 3), floats(0, 0, 0, 2)}, want: []*tensor.Tensor{floats(inf, -inf, nan, 1.5)}},
		{op: "Pow", operands: []any{floats(2, -8, 0), floats(-1, 1.0/3, 0)}, want: []*tensor.Tensor{floats(0.5, nan, 1)}},
		{op: "Max", name: "nan", operands: []any{floats(nan, inf, 1), floats(2, nan, 2)}, want: []*tensor.Tensor{floats(nan, nan, 2)}},
		{op: "Min", name: "nan", operands: []any{floats(nan, -inf, 1), floats(2, nan, 2)}, want: []*tensor.Tensor{floats(nan, nan, 1)}},
		{op: "Sum", operands: []any{floats(1, 2), floats(10, 20), floats(100)}, want: []*tensor.Tensor{floats(111, 122)}},
		{op: "Mean", operands: []any{floats(1, 2), floats(2, 4), floats(9)}, want: []*tensor.Tensor{floats(4, 5)}},
		{op: "Mean", name: "one", operands: []any{floats(1, 2)}, want: []*tensor.Tensor{floats(1, 2)}},
		{op: "Equal", operands: []any{floats(1, nan, 0), floats(1, nan, math.Copysign(0, -1))}, want: []*tensor.Tensor{bools(true, false, true)}},
		{op: "Greater", operands: []any{floats(1, 2, nan), floats(1, 1, 1)}, want: []*tensor.Tensor{bools(false, true, false)}},
		{op: "GreaterOrEqual", operands: []any{floats(1, 0, nan), floats(1, 1, 1)}, want: []*tensor.Tensor{bools(true, false, false)}},
		{op: "Less", operands: []any{floats(1, 0, nan), floats(1, 1, 1)}, want: []*tensor.Tensor{bools(false, true, false)}},
		{op: "LessOrEqual", operands: []any{floats(1, 2, nan), floats(1, 1, 1)}, want: []*tensor.Tensor{bools(true, false, false)}},
		{op: "Clip", operands: []any{floats(-2, 0.5, 2, nan), konst{tensor.Scalar(0.0)}, konst{tensor.Scalar(1.0)}}, want: []*tensor.Tensor{floats(0, 0.5, 1, nan)}},
		{op: "Clip", name: "upper only", operands: []any{floats(-2, 2), nil, konst{tensor.Scalar(1.0)}}, want: []*tensor.Tensor{floats(-2, 1)}},
		{op: "Clip", name: "crossed", operands: []any{floats(-2, 9), konst{tensor.Scalar(3.0)}, konst{tensor.Scalar(1.0)}}, want: []*tensor.Tensor{floats(1, 1)}},
		{op: "Where", operands: []any{bools(true, false), floats(nan, 1), floats(2)}, want: []*tensor.Tensor{floats(nan, 2)}},
		{op: "Add", name: "empty", operands: []any{tensor.Of[float64]([]int64{0, 3}), floats(1, 2, 3)}, want: []*tensor.Tensor{tensor.Of[float64]([]int64{0, 3})}},
	})
}
