package pass

import (
	"testing"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/tensor"
)

func TestFold(t *testing.T) {
	rewrite(t, func(b op.B) {
		x := b.Input("x", ir.Float32, 2, 2)
		w := b.Const("w", values([]int64{2, 2}, 1, 2, 3, 4))
		b.Output("y", b.Mul(x, b.Neg(b.Transpose(w, 1, 0))))
		halves := b.Split(b.Const("v", values([]int64{2}, 5, 6)), 0, 1, 1)
		b.Output("a", halves[0])
		b.Output("b", b.Add(halves[0], halves[1]))
	}, `
		input x float32[2,2]
		const Neg.out float32[2,2] = [-1,-3,-2,-4]
		const a.value float32[1] = [5]
		const b.value float32[1] = [11]
		y float32[2,2] = Mul(x, Neg.out)
		a float32[1] = Identity(a.value)
		b float32[1] = Identity(b.value)
		output y
		output a
		output b`, Fold)
}

func TestFoldRoundsEveryResult(t *testing.T) {
	rewrite(t, func(b op.B) {
		third := b.Cast(b.Const("c", values([]int64{1}, 2049)), ir.Float16)
		b.Output("y", b.Mul(b.Input("x", ir.Float32, 1), b.Cast(third, ir.Float32)))
	}, `
		input x float32[1]
		const Cast_1.out float32[1] = [2048]
		y float32[1] = Mul(x, Cast_1.out)
		output y`, Fold)
}

func TestFoldShape(t *testing.T) {
	rewrite(t, func(b op.B) {
		x := b.Input("x", ir.Float32, ir.N, 3, 5)
		b.Output("all", b.One("Shape", nil, x))
		tail := b.One("Shape", ir.Attrs{"start": int64(-2)}, x)
		k := b.Input("k", ir.Int64, 2)
		b.Output("y", b.Mul(b.Add(tail, k), b.One("Size", nil, k)))
	}, `
		input x float32[N,3,5]
		input k int64[2]
		const Shape_1.out int64[2] = [3,5]
		const Size.out int64[] = [2]
		all int64[3] = Shape(x)
		Add.out int64[2] = Add(Shape_1.out, k)
		y int64[2] = Mul(Add.out, Size.out)
		output all
		output y`, Fold)
}

func TestFoldKeepsGrowth(t *testing.T) {
	rewrite(t, func(b op.B) {
		zero := b.Const("zero", tensor.Scalar(float32(0)))
		b.Output("large", b.Add(b.Input("x", ir.Float32, 5000), b.Expand(zero, 5000)))
		b.Output("small", b.Add(b.Input("s", ir.Float32, 2), b.Expand(zero, 2)))
	}, `
		input x float32[5000]
		input s float32[2]
		const zero float32[] = [0]
		const ints int64[1] = [5000]
		const Expand_1.out float32[2] = [0,0]
		Expand.out float32[5000] = Expand(zero, ints)
		large float32[5000] = Add(x, Expand.out)
		small float32[2] = Add(s, Expand_1.out)
		output large
		output small`, Fold)
}

// An index out of range is an error of the run, not of the compiler.
func TestFoldLeavesErrorsToTheRun(t *testing.T) {
	g := apply(t, func(b op.B) {
		b.Output("y", b.Gather(b.Const("v", values([]int64{2}, 1, 2)), b.Int(7), 0))
	}, Fold)
	if len(g.Nodes) != 1 || g.Nodes[0].Op != "Gather" {
		t.Errorf("found\n%s", g)
	}
}

func TestFoldInLoop(t *testing.T) {
	rewrite(t, func(b op.B) {
		two := b.Neg(b.Const("c", values([]int64{1}, -2)))
		out := b.Loop("loop", 3, []*ir.Value{b.Input("x", ir.Float32, 1)}, func(b op.B, _ *ir.Value, c []*ir.Value) []*ir.Value {
			return []*ir.Value{b.Add(c[0], b.Exp(b.Sub(two, two)))}
		})
		b.Output("y", out[0])
	}, `
		input x float32[1]
		const trips int64[] = [3]
		const true bool[] = [true]
		y float32[1] = Loop(trips, true, x)
		graph loop opset 18
		input loop.iteration int64[]
		input loop.condition bool[]
		input loop.in.x float32[1]
		const Exp.out float32[1] = [1]
		loop.next.x float32[1] = Add(loop.in.x, Exp.out)
		loop.continue bool[] = Identity(loop.condition)
		output loop.continue
		output loop.next.x
		output y`, Fold)
}
