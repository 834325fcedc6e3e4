package pass

import (
	"testing"

	"rnas/compiler/ir"
	"rnas/compiler/op"
)

func TestCSE(t *testing.T) {
	rewrite(t, func(b op.B) {
		x, y := b.Input("x", ir.Float32, 2, 3), b.Input("y", ir.Float32, 2, 3)
		p := b.ReduceSum(b.Add(x, y), true, 1)
		q := b.ReduceSum(b.Add(y, x), true, 1)
		b.Output("z", b.Sub(p, q))
		b.Output("d", b.Sub(b.Sub(x, y), b.Sub(y, x)))
	}, `
		input x float32[2,3]
		input y float32[2,3]
		const ints int64[1] = [1]
		Add.out float32[2,3] = Add(x, y)
		ReduceSum.out float32[2,1] = ReduceSum(Add.out, ints) keepdims=1
		z float32[2,1] = Sub(ReduceSum.out, ReduceSum.out)
		Sub_1.out float32[2,3] = Sub(x, y)
		Sub_2.out float32[2,3] = Sub(y, x)
		d float32[2,3] = Sub(Sub_1.out, Sub_2.out)
		output z
		output d`, CSE)
}

func TestCSEAttributes(t *testing.T) {
	rewrite(t, func(b op.B) {
		x := b.Input("x", ir.Float32, 2, 3)
		b.Output("y", b.Sub(b.Softmax(x, 0), b.Softmax(x, 1)))
		b.Output("z", b.Sub(b.Softmax(x, 1), b.Softmax(x, 1)))
	}, `
		input x float32[2,3]
		Softmax.out float32[2,3] = Softmax(x) axis=0
		Softmax_1.out float32[2,3] = Softmax(x) axis=1
		y float32[2,3] = Sub(Softmax.out, Softmax_1.out)
		z float32[2,3] = Sub(Softmax_1.out, Softmax_1.out)
		output y
		output z`, CSE)
}

func TestCSEKeepsOutputs(t *testing.T) {
	rewrite(t, func(b op.B) {
		x := b.Input("x", ir.Float32, 2)
		b.Output("y", b.Exp(x))
		z := b.Exp(x)
		b.Output("w", b.Neg(z))
		b.Output("z", z)
	}, `
		input x float32[2]
		y float32[2] = Exp(x)
		z float32[2] = Identity(y)
		w float32[2] = Neg(y)
		output y
		output w
		output z`, CSE)
}

// The node that survives gains the optional output of the one that goes.
func TestCSEJoinsOptionalOutputs(t *testing.T) {
	rewrite(t, func(b op.B) {
		x := b.Input("x", ir.Float32, 1, 1, 2, 2)
		kernel := ir.Attrs{"kernel_shape": []int64{2, 2}}
		b.Output("a", b.Neg(b.Node("MaxPool", kernel, 1, x)[0]))
		out := b.Node("MaxPool", kernel, 2, x)
		b.Output("b", b.Exp(out[0]))
		b.Output("c", b.Add(out[1], out[1]))
	}, `
		input x float32[1,1,2,2]
		MaxPool.out float32[1,1,1,1], MaxPool_1.out1 int64[1,1,1,1] = MaxPool(x) kernel_shape=[2,2]
		a float32[1,1,1,1] = Neg(MaxPool.out)
		b float32[1,1,1,1] = Exp(MaxPool.out)
		c int64[1,1,1,1] = Add(MaxPool_1.out1, MaxPool_1.out1)
		output a
		output b
		output c`, CSE)
}

// Results are taken from around the loop, constants are not.
func TestCSEInLoop(t *testing.T) {
	rewrite(t, func(b op.B) {
		x, a := b.Input("x", ir.Float32, 2), b.Input("a", ir.Float32, 2)
		outside := b.Scale(a, 3)
		out := b.Loop("loop", 3, []*ir.Value{x}, func(b op.B, _ *ir.Value, c []*ir.Value) []*ir.Value {
			return []*ir.Value{b.Sub(b.Scale(c[0], 3), b.Scale(b.Scale(a, 3), 3))}
		})
		b.Output("y", b.Add(out[0], outside))
	}, `
		input x float32[2]
		input a float32[2]
		const float float32[] = [3]
		const trips int64[] = [3]
		const true bool[] = [true]
		Mul.out float32[2] = Mul(a, float)
		Loop.out float32[2] = Loop(trips, true, x)
		graph loop opset 18
		input loop.iteration int64[]
		input loop.condition bool[]
		input loop.in.x float32[2]
		const float_1 float32[] = [3]
		Mul_1.out float32[2] = Mul(loop.in.x, float_1)
		Mul_3.out float32[2] = Mul(Mul.out, float_1)
		loop.next.x float32[2] = Sub(Mul_1.out, Mul_3.out)
		loop.continue bool[] = Identity(loop.condition)
		output loop.continue
		output loop.next.x
		y float32[2] = Add(Loop.out, Mul.out)
		output y`, CSE)
}
