package cpu

import (
	"testing"

	"rnas/compiler/ir"
	"rnas/compiler/op"
)

func TestSums(t *testing.T) {
	rewrite(t, func(b op.B) {
		x, y, c := b.Input("x", ir.Float32, 2, 16384), b.Input("y", ir.Float32, 2, 16384), b.Input("c", ir.Float32, 1, 1)
		small := b.Input("small", ir.Float32, 2)
		b.Output("sum", b.Sum(x, y, x, x))
		b.Output("scalar", b.Sum(x, y, c))
		b.Output("few", b.Sum(small, small, small))
	}, `
		input x float32[2,16384]
		input y float32[2,16384]
		input c float32[1,1]
		input small float32[2]
		Sum/partial.out float32[2,16384] = Add(x, y)
		Sum/partial_1.out float32[2,16384] = Add(Sum/partial.out, x)
		sum float32[2,16384] = Add(Sum/partial_1.out, x)
		scalar float32[2,16384] = Sum(x, y, c)
		few float32[2] = Sum(small, small, small)
		output sum
		output scalar
		output few`, Sums)
}
