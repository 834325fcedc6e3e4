package grad

import (
	"math"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/tensor"
)

// codes builds graphs on quantised tensors with uint8 numbers. The scales are powers of two, so that multiples of them are
// quantised without rounding: inputs by 1/8 with zero point 100 (-12.5 to 19.375), results by 1/4 with zero point 128 (-32 to 31.75).
type codes struct {
	op.B
	in, zin, out, zout *ir.Value
}

func newCodes(b op.B) codes {
	return codes{
		b, b.Const("s", tensor.Scalar(float32(0.125))), b.Const("z", tensor.Scalar(uint8(100))),
		b.Const("t", tensor.Scalar(float32(0.25))), b.Const("o", tensor.Scalar(uint8(128))),
	}
}

func (c codes) quantize(x *ir.Value) *ir.Value { return c.One("QuantizeLinear", nil, x, c.in, c.zin) }

func (c codes) result(y *ir.Value) *ir.Value {
	return c.One("DequantizeLinear", nil, y, c.out, c.zout)
}

// clipIn and clipOut limit real numbers to what the codes of inputs and results can express, and half a step more.
func clipIn(b op.B, x *ir.Value) *ir.Value  { return b.Clip(x, -12.5-1./16, 19.375+1./16) }
func clipOut(b op.B, y *ir.Value) *ir.Value { return b.Clip(y, -32+1./16, 31.75-1./16) }

// weight is int8 of the given shape with one scale for each index of axis, and the real numbers that it stands for.
func weight(b op.B, axis int, shape ...int64) (data, scale, zero, real *ir.Value) {
	n, _ := tensor.Numel(shape)
	s := draw("weight")
	q, r := make([]int8, n), make([]float32, n)
	scales := make([]float32, shape[axis])
	inner := int64(1)
	for _, d := range shape[axis+1:] {
		inner *= d
	}
	for i := range scales {
		scales[i] = float32(math.Ldexp(1, -6-i%2))
	}
	for i := range q {
		q[i] = int8(s.Float64()*200 - 100)
		r[i] = float32(q[i]) * scales[int64(i)/inner%shape[axis]]
	}
	return b.Const("w", tensor.Of(shape, q...)), b.Const("ws", tensor.Vector(scales...)),
		b.Const("wz", tensor.Vector(make([]int8, len(scales))...)), b.Const("real", tensor.Of(shape, r...))
}

// microsoft appends an operator of ONNX Runtime's own domain.
func microsoft(b op.B, name string, attrs ir.Attrs, in ...*ir.Value) *ir.Value {
	return b.DomainNode(op.Microsoft, name, attrs, 1, in...)[0]
}

// draw2 lists n numbers out of values, always the same.
func draw2(n int, values ...float64) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = values[i*7%len(values)]
	}
	return out
}
