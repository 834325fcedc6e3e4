package op

import (
	"testing"

	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

func u8(shape ...int64) *ir.Value  { return val(tensor.Uint8, shape...) }
func i8(shape ...int64) *ir.Value  { return val(tensor.Int8, shape...) }
func i32(shape ...int64) *ir.Value { return val(ir.Int32, shape...) }

var quantizeCases = []inferCase{
	{op: "QuantizeLinear", in: list(f32(n, 3), f32()), want: "uint8[N,3]"},
	{op: "QuantizeLinear", in: list(f32(2, 3), f32(), i8()), want: "int8[2,3]"},
	{op: "QuantizeLinear", in: list(f32(2, 3), f32(1), i8()), want: "int8[2,3]"},
	{op: "QuantizeLinear", in: list(f32(2, 3), f32(3), i8(3)), want: "int8[2,3]"},
	{op: "QuantizeLinear", in: list(f32(2, 3), f32(2)), attrs: ir.Attrs{"axis": int64(-2), "output_dtype": int64(tensor.Int16)}, want: "int16[2,3]"},
	{op: "QuantizeLinear", in: list(f32(2, 7), f32(2, 3)), attrs: ir.Attrs{"block_size": int64(3)}, want: "uint8[2,7]"},
	{op: "QuantizeLinear", in: list(f32(2, 7), f32(2, 2)), attrs: ir.Attrs{"block_size": int64(3)}, err: "scale: expected shape [2,3] for blocks of 3, found [2,2]"},
	{op: "QuantizeLinear", in: list(f32(2, n), f32(2, 2)), attrs: ir.Attrs{"block_size": int64(3)}, err: "attribute block_size: axis 1 of [2,N] is symbolic"},
	{op: "QuantizeLinear", in: list(f32(2, 3), f32(2)), err: "scale: expected one number or [3], found [2]"},
	{op: "QuantizeLinear", in: list(f32(2, 3), f32(3), i8()), err: "zero point: expected the shape [3] of the scale, found []"},
	{op: "QuantizeLinear", in: list(f32(2), f32(), i32()), err: "cannot quantise to int32"},
	{op: "QuantizeLinear", in: list(i64(2), f32()), err: "expected a floating-point type or int32, found int64"},
	{op: "QuantizeLinear", in: list(f32(2), f32(), u8()), attrs: ir.Attrs{"output_dtype": int64(tensor.Int8)}, err: "attribute output_dtype: int8 differs from the zero point, which is uint8"},
	{op: "DequantizeLinear", in: list(u8(n, 3), f32(), u8()), want: "float32[N,3]"},
	{op: "DequantizeLinear", in: list(i32(4), f64(4)), attrs: ir.Attrs{"axis": int64(0)}, want: "float64[4]"},
	{op: "DequantizeLinear", in: list(i8(2), f32(), u8()), err: "zero point: expected int8, found uint8"},
	{op: "DequantizeLinear", in: list(f32(2), f32()), err: "expected a quantised type or int32, found float32"},
	{op: "DynamicQuantizeLinear", in: list(f32(n, 3)), want: "uint8[N,3] float32[] uint8[]"},
	{op: "DynamicQuantizeLinear", in: list(f64(2)), err: "expected float32, found float64"},
	{
		op: "QLinearConv", in: list(u8(n, 2, 5, 5), f32(), u8(), i8(4, 2, 3, 3), f32(4), i8(4), f32(), i8(), i32(4)),
		want: "int8[N,4,3,3]",
	},
	{
		op: "QLinearConv", in: list(u8(1, 2, 5, 5), f32(), u8(), i8(4, 2, 3, 3), f32(3), i8(), f32(), u8()),
		err: "input 3: scale or zero point [3] does not fit [4,2,3,3] along axis 0",
	},
	{
		op: "QLinearConv", in: list(u8(1, 2, 5, 5), f32(), u8(), i8(4, 2, 3, 3), f32(), i8(), f32(4), u8()),
		err: "scale of the result: expected one floating-point number, found v float32[4]",
	},
	{op: "QLinearMatMul", in: list(u8(n, 5), f32(), u8(), i8(5, 3), f32(3), i8(3), f32(), u8()), want: "uint8[N,3]"},
	{op: "QLinearMatMul", in: list(u8(n, 5), f32(), u8(), i8(4, 3), f32(), i8(), f32(), u8()), err: "inner sizes 5 and 4 differ"},
	{op: "ConvInteger", in: list(u8(1, 2, 5, 5), i8(4, 2, 3, 3), u8()), want: "int32[1,4,3,3]"},
	{op: "MatMulInteger", in: list(u8(n, 5), i8(5, 3), u8(), i8(3)), want: "int32[N,3]"},
	{op: "MatMulInteger", in: list(u8(n, 5), i8(5, 3), i8()), err: "input 0: zero point: expected uint8, found int8"},
}

func TestInferMicrosoft(t *testing.T) {
	for _, c := range []inferCase{
		{op: "QLinearAdd", in: list(u8(n, 3), f32(), u8(), u8(3), f32(), u8(), f32(), u8()), want: "uint8[N,3]"},
		{op: "QLinearConcat", in: list(f32(), u8(), u8(n, 3), f32(), u8(), u8(n, 4), f32(), u8()), attrs: ir.Attrs{"axis": int64(1)}, want: "uint8[N,7]"},
		{op: "QLinearGlobalAveragePool", in: list(u8(n, 3, 4, 4), f32(), u8(), f32(), i8()), want: "int8[N,3,1,1]"},
		{op: "QGemm", in: list(u8(n, 5), f32(), u8(), i8(5, 3), f32(3), i8(3), i32(3)), want: "float32[N,3]"},
		{op: "QGemm", in: list(u8(n, 5), f32(), u8(), i8(5, 3), f32(3), i8(3), nil, f32(), u8()), want: "uint8[N,3]"},
		{op: "QLinearSigmoid", in: list(u8(4)), want: ""},
	} {
		node := c.node(1)
		node.Domain = Microsoft
		err := Infer(node)
		if got := node.Out[0].Type.String() + node.Out[0].Shape.String(); c.want != "" && (err != nil || got != c.want) {
			t.Errorf("%s: expected %s, found %s, %v", c.op, c.want, got, err)
		} else if c.want == "" && err == nil {
			t.Errorf("%s: expected an error", c.op)
		}
	}
}
