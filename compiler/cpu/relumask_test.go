package cpu

import (
	"testing"

	"rnas/compiler/ir"
	"rnas/compiler/op"
)

func TestReluMask(t *testing.T) {
	rewrite(t, func(b op.B) {
		x, h := b.Input("x", ir.Float32, 2), b.Input("h", ir.Float16, 2)
		b.Output("mask", b.Sign(b.Relu(x)))
		b.Output("sign", b.Sign(x))
		b.Output("half", b.Sign(b.Relu(h)))
	}, `
		input x float32[2]
		input h float16[2]
		Relu.out float32[2] = Relu(x)
		mask float32[2] = HardSigmoid(Relu.out) alpha=1e+30 beta=0
		sign float32[2] = Sign(x)
		Relu_1.out float16[2] = Relu(h)
		half float16[2] = Sign(Relu_1.out)
		output mask
		output sign
		output half`, reluMasks)
}
