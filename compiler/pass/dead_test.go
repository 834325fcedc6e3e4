package pass

import (
	"testing"

	"rnas/compiler/ir"
	"rnas/compiler/op"
)

func TestDead(t *testing.T) {
	rewrite(t, func(b op.B) {
		x := b.Input("x", ir.Float32, 1, 2, 4, 4)
		b.Exp(b.Neg(x))
		out := b.Node("MaxPool", ir.Attrs{"kernel_shape": []int64{2, 2}}, 2, x)
		b.Output("y", out[0])
	}, `
		input x float32[1,2,4,4]
		y float32[1,2,3,3] = MaxPool(x) kernel_shape=[2,2]
		output y`, Dead)
}

func TestDeadKeepsPositions(t *testing.T) {
	rewrite(t, func(b op.B) {
		b.Output("y", b.Split(b.Input("x", ir.Float32, 4), 0, 1, 1, 2)[0])
	}, `
		input x float32[4]
		const ints int64[3] = [1,1,2]
		y float32[1], Split.out1 float32[1], Split.out2 float32[2] = Split(x, ints) axis=0
		output y`, Dead)
	rewrite(t, func(b op.B) {
		x, s := b.Input("x", ir.Float32, 2, 3), b.Input("s", ir.Float32, 3)
		out := b.Node("BatchNormalization", ir.Attrs{"training_mode": int64(1)}, 3, x, s, s, s, s)
		b.Output("variance", out[2])
	}, `
		input x float32[2,3]
		input s float32[3]
		BatchNormalization.out float32[2,3], BatchNormalization.out1 float32[3], variance float32[3] = BatchNormalization(x, s, s, s, s) training_mode=1
		output variance`, Dead)
}

func TestDeadInLoop(t *testing.T) {
	rewrite(t, func(b op.B) {
		x, used := b.Input("x", ir.Float32, 2), b.Input("a", ir.Float32, 2)
		e := b.Exp(used)
		b.Tanh(used)
		out := b.Loop("loop", 3, []*ir.Value{x}, func(b op.B, _ *ir.Value, c []*ir.Value) []*ir.Value {
			b.Sqrt(c[0])
			return []*ir.Value{b.Add(c[0], e)}
		})
		b.Output("y", out[0])
	}, `
		input x float32[2]
		input a float32[2]
		const trips int64[] = [3]
		const true bool[] = [true]
		Exp.out float32[2] = Exp(a)
		y float32[2] = Loop(trips, true, x)
		graph loop opset 18
		input loop.iteration int64[]
		input loop.condition bool[]
		input loop.in.x float32[2]
		loop.next.x float32[2] = Add(loop.in.x, Exp.out)
		loop.continue bool[] = Identity(loop.condition)
		output loop.continue
		output loop.next.x
		output y`, Dead)
}
