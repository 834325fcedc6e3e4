package interp

import (
	"math"
	"testing"

	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

func TestActivations(t *testing.T) {
	bools := func(v ...bool) []*tensor.Tensor { return []*tensor.Tensor{tensor.Vector(v...)} }
	values := func(v ...float64) []*tensor.Tensor { return []*tensor.Tensor{floats(v...)} }
	i32 := func(v ...int32) *tensor.Tensor { return tensor.Vector(v...) }
	u8 := func(v ...uint8) *tensor.Tensor { return tensor.Vector(v...) }
	runCases(t, []opCase{
		{op: "Celu", attrs: ir.Attrs{"alpha": float32(2)}, operands: []any{floats(-2*math.Ln2, 0, 3)}, want: values(-1, 0, 3)},
		{op: "Selu", attrs: ir.Attrs{"alpha": float32(2), "gamma": float32(3)}, operands: []any{floats(-math.Ln2, 0, 1)}, want: values(-3, 0, 3)},
		{op: "Gelu", operands: []any{floats(0, 40, -40)}, want: values(0, 40, 0)},
		{op: "Gelu", name: "tanh", attrs: ir.Attrs{"approximate": "tanh"}, operands: []any{floats(0, 40, -40)}, want: values(0, 40, 0)},
		{op: "Swish", attrs: ir.Attrs{"alpha": float32(0.5)}, operands: []any{floats(0, 2*math.Log(3), -1e4)}, want: values(0, 1.5*math.Log(3), 0)},
		{op: "Mish", operands: []any{floats(0, 100, -1000)}, want: values(0, 100, 0)},
		{op: "ThresholdedRelu", operands: []any{floats(-1, 1, 1.5)}, want: values(0, 0, 1.5)},
		{op: "Shrink", attrs: ir.Attrs{"bias": float32(0.25)}, operands: []any{floats(-1, 0.5, 1)}, want: values(-0.75, 0, 0.75)},
		{op: "PRelu", operands: []any{matrix(2, 2, -1, 1, -4, nan), floats(2, 3)}, want: []*tensor.Tensor{matrix(2, 2, -2, 1, -8, nan)}},
		{op: "Hardmax", operands: []any{matrix(2, 3, 1, 3, 3, -1, -2, -3)}, want: []*tensor.Tensor{matrix(2, 3, 0, 1, 0, 1, 0, 0)}},
		{op: "Mod", operands: []any{i32(7, -7, 7, -7), i32(3, 3, -3, -3)}, want: []*tensor.Tensor{i32(1, 2, -2, -1)}},
		{op: "Mod", name: "fmod", attrs: ir.Attrs{"fmod": int64(1)}, operands: []any{i32(7, -7, 7, -7), i32(3, 3, -3, -3)}, want: []*tensor.Tensor{i32(1, -1, 1, -1)}},
		{op: "Mod", name: "floats", attrs: ir.Attrs{"fmod": int64(1)}, operands: []any{floats(5.5, -5.5), floats(2)}, want: values(1.5, -1.5)},
		{op: "IsNaN", operands: []any{floats(1, nan, inf)}, want: bools(false, true, false)},
		{op: "IsInf", operands: []any{floats(1, inf, -inf, nan)}, want: bools(false, true, true, false)},
		{op: "IsInf", name: "negative", attrs: ir.Attrs{"detect_positive": int64(0)}, operands: []any{floats(inf, -inf)}, want: bools(false, true)},
		{op: "CastLike", operands: []any{floats(-1.5, 2.5), i32(0)}, want: []*tensor.Tensor{i32(-1, 2)}},
		{op: "BitShift", attrs: ir.Attrs{"direction": "LEFT"}, operands: []any{u8(3, 255, 1), u8(1, 4, 9)}, want: []*tensor.Tensor{u8(6, 240, 0)}},
		{op: "BitShift", name: "right", attrs: ir.Attrs{"direction": "RIGHT"}, operands: []any{u8(3, 255, 1), u8(1)}, want: []*tensor.Tensor{u8(1, 127, 0)}},
		{op: "BitwiseAnd", operands: []any{u8(12, 10), u8(10)}, want: []*tensor.Tensor{u8(8, 10)}},
		{op: "BitwiseOr", operands: []any{u8(12, 10), u8(10)}, want: []*tensor.Tensor{u8(14, 10)}},
		{op: "BitwiseXor", operands: []any{u8(12, 10), u8(10)}, want: []*tensor.Tensor{u8(6, 0)}},
		{op: "BitwiseNot", operands: []any{u8(0, 250)}, want: []*tensor.Tensor{u8(255, 5)}},
		{op: "BitCast", attrs: ir.Attrs{"to": int64(ir.Int32)}, operands: []any{tensor.Vector[float32](1, -2)}, want: []*tensor.Tensor{i32(0x3f800000, -0x40000000)}},
		{op: "BitCast", name: "back", attrs: ir.Attrs{"to": int64(ir.Float32)}, operands: []any{i32(0x3f800000)}, want: values(1)},
	})
}
