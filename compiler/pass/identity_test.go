package pass

import (
	"strings"
	"testing"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/tensor"
)

// Each of these is a copy of its input x of shape [2,3].
func TestIdentityBypasses(t *testing.T) {
	one, zero := tensor.Scalar(float32(1)), tensor.Scalar(float32(0))
	for name, f := range map[string]func(b op.B, x *ir.Value) *ir.Value{
		"Identity":   func(b op.B, x *ir.Value) *ir.Value { return b.Identity(b.Identity(x)) },
		"Cast":       func(b op.B, x *ir.Value) *ir.Value { return b.One("Cast", ir.Attrs{"to": int64(ir.Float32)}, x) },
		"Reshape":    func(b op.B, x *ir.Value) *ir.Value { return b.Reshape(x, 0, -1) },
		"Flatten":    func(b op.B, x *ir.Value) *ir.Value { return b.Flatten(x) },
		"Squeeze":    func(b op.B, x *ir.Value) *ir.Value { return b.Squeeze(b.Unsqueeze(x, 1), 1) },
		"Transpose":  func(b op.B, x *ir.Value) *ir.Value { return b.Transpose(b.Transpose(x, 1, 0), 1, 0) },
		"Expand":     func(b op.B, x *ir.Value) *ir.Value { return b.Expand(x, 2, 1) },
		"Slice":      func(b op.B, x *ir.Value) *ir.Value { return b.Slice(x, []int64{0}, []int64{9}, []int64{1}, []int64{1}) },
		"Pad":        func(b op.B, x *ir.Value) *ir.Value { return b.Pad(x, 0, 0, 0, 0) },
		"Concat":     func(b op.B, x *ir.Value) *ir.Value { return b.Concat(0, x) },
		"Sum":        func(b op.B, x *ir.Value) *ir.Value { return b.One("Sum", nil, x) },
		"Mul":        func(b op.B, x *ir.Value) *ir.Value { return b.Mul(b.Const("one", one), x) },
		"Add":        func(b op.B, x *ir.Value) *ir.Value { return b.Add(x, b.Fill(x, 0, 1, 3)) },
		"Sub":        func(b op.B, x *ir.Value) *ir.Value { return b.Sub(x, b.Const("zero", zero)) },
		"Div":        func(b op.B, x *ir.Value) *ir.Value { return b.Div(x, b.Const("one", one)) },
		"Pow":        func(b op.B, x *ir.Value) *ir.Value { return b.Pow(x, b.Const("one", one)) },
		"Dropout":    func(b op.B, x *ir.Value) *ir.Value { return b.One("Dropout", nil, x, b.Const("ratio", zero)) },
		"Neg":        func(b op.B, x *ir.Value) *ir.Value { return b.Neg(b.Neg(x)) },
		"Clip":       func(b op.B, x *ir.Value) *ir.Value { return b.One("Clip", nil, x) },
		"Unsqueezed": func(b op.B, x *ir.Value) *ir.Value { return b.Reshape(b.Flatten(b.Unsqueeze(x, 0)), 2, 3) },
	} {
		t.Run(name, func(t *testing.T) {
			rewrite(t, func(b op.B) { b.Output("y", b.Exp(f(b, b.Input("x", ir.Float32, 2, 3)))) }, `
				input x float32[2,3]
				y float32[2,3] = Exp(x)
				output y`, Identity, Dead)
		})
	}
}

// Each of these looks like a copy of its input x of shape [2,3] and is none.
func TestIdentityKeeps(t *testing.T) {
	for name, f := range map[string]func(b op.B, x *ir.Value) *ir.Value{
		"Cast":      func(b op.B, x *ir.Value) *ir.Value { return b.Cast(x, ir.Float64) },
		"Transpose": func(b op.B, x *ir.Value) *ir.Value { return b.Transpose(x, 1, 0) },
		"Slice": func(b op.B, x *ir.Value) *ir.Value {
			return b.Slice(x, []int64{-1}, []int64{-9}, []int64{1}, []int64{-1})
		},
		"Pad":  func(b op.B, x *ir.Value) *ir.Value { return b.Pad(x, 0, 1, 0, -1) },
		"Add":  func(b op.B, x *ir.Value) *ir.Value { return b.Add(x, b.Fill(x, 0, 4, 1, 1)) },
		"Sub":  func(b op.B, x *ir.Value) *ir.Value { return b.Sub(b.Float(x, 0), x) },
		"Div":  func(b op.B, x *ir.Value) *ir.Value { return b.Div(b.Float(x, 1), x) },
		"Mul":  func(b op.B, x *ir.Value) *ir.Value { return b.Mul(x, b.Const("c", values([]int64{3}, 1, 1, 2))) },
		"Sum":  func(b op.B, x *ir.Value) *ir.Value { return b.One("Sum", nil, x, x) },
		"Clip": func(b op.B, x *ir.Value) *ir.Value { return b.Clip(x, 0, 1) },
		"Dropout": func(b op.B, x *ir.Value) *ir.Value {
			return b.One("Dropout", nil, x, nil, b.Const("training", tensor.Scalar(true)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			build := func(b op.B) { b.Output("y", b.Exp(f(b, b.Input("x", ir.Float32, 2, 3)))) }
			if before, after := apply(t, build).String(), apply(t, build, Identity).String(); before != after {
				t.Errorf("got\n%swant\n%s", after, before)
			}
		})
	}
}

func TestIdentityOutputs(t *testing.T) {
	rewrite(t, func(b op.B) {
		x := b.Input("x", ir.Float32, 2)
		b.Output("copy", x)
		e := b.Exp(x)
		b.Output("y", b.Identity(b.Identity(e)))
		b.Output("z", b.Neg(e))
		b.Output("again", b.Identity(e))
	}, `
		input x float32[2]
		copy float32[2] = Identity(x)
		y float32[2] = Exp(x)
		z float32[2] = Neg(y)
		again float32[2] = Identity(y)
		output copy
		output y
		output z
		output again`, Identity)
}

func TestIdentityInLoop(t *testing.T) {
	rewrite(t, func(b op.B) {
		x, a := b.Input("x", ir.Float32, 2), b.Identity(b.Input("a", ir.Float32, 2))
		out := b.Loop("loop", 3, []*ir.Value{x}, func(b op.B, _ *ir.Value, c []*ir.Value) []*ir.Value {
			return []*ir.Value{b.Identity(b.Add(b.Identity(c[0]), a))}
		})
		b.Output("y", b.Identity(out[0]))
	}, `
		input x float32[2]
		input a float32[2]
		const trips int64[] = [3]
		const true bool[] = [true]
		y float32[2] = Loop(trips, true, x)
		graph loop opset 18
		input loop.iteration int64[]
		input loop.condition bool[]
		input loop.in.x float32[2]
		loop.next.x float32[2] = Add(loop.in.x, a)
		loop.continue bool[] = Identity(loop.condition)
		output loop.continue
		output loop.next.x
		output y`, Identity)
}

func TestReshapeChains(t *testing.T) {
	rewrite(t, func(b op.B) {
		x := b.Input("x", ir.Float32, ir.N, 4, 6)
		b.Output("y", b.Reshape(b.Reshape(b.Flatten(x), -1, 8, 3), 0, 3, 8))
		b.Output("z", b.Reshape(b.Flatten(x), -1, 2, 12))
	}, `
		input x float32[N,4,6]
		const y.shape int64[3] = [-1,3,8]
		const ints_2 int64[3] = [-1,2,12]
		y float32[N,3,8] = Reshape(x, y.shape)
		z float32[N,2,12] = Reshape(x, ints_2)
		output y
		output z`, Identity, Dead)
}

func TestTransposeChains(t *testing.T) {
	rewrite(t, func(b op.B) {
		x := b.Input("x", ir.Float32, 1, 2, 3)
		b.Output("y", b.Transpose(b.Transpose(x, 2, 0, 1), 2, 1, 0))
		b.Output("z", b.Transpose(x, 1, 0, 2))
	}, `
		input x float32[1,2,3]
		const y.shape int64[3] = [2,1,3]
		const z.shape int64[3] = [2,1,3]
		y float32[2,1,3] = Reshape(x, y.shape)
		z float32[2,1,3] = Reshape(x, z.shape)
		output y
		output z`, Identity, Dead)
}

func TestExpandBeforeBroadcast(t *testing.T) {
	g := apply(t, func(b op.B) {
		x, s := b.Input("x", ir.Float32, 2, 3), b.Input("s", ir.Float32, 2, 1)
		e := b.Expand(s, 2, 3)
		b.Output("product", b.Mul(x, e))
		b.Output("both", b.Add(e, e))
	}, Identity)
	want := "product float32[2,3] = Mul(x, s)\n  both float32[2,3] = Add(s, Expand.out)\n"
	if !strings.Contains(g.String(), want) {
		t.Errorf("expected %q in\n%s", want, g)
	}
}

func TestIdentityReducesBeforeReshape(t *testing.T) {
	rewrite(t, func(b op.B) {
		x := b.Input("x", ir.Float32, 4, 3, 1, 1)
		b.Output("y", b.ReduceMean(b.Reshape(x, 4, 3), false, -2))
		b.Output("kept", b.ReduceSum(b.Reshape(x, 4, 3), true, 0))
		b.Output("other", b.ReduceSum(b.Reshape(x, 3, 4), false, 0))
	}, `
		input x float32[4,3,1,1]
		const y.axes int64[3] = [0,2,3]
		const ints_2 int64[2] = [4,3]
		const ints_3 int64[1] = [0]
		const ints_4 int64[2] = [3,4]
		const ints_5 int64[1] = [0]
		y float32[3] = ReduceMean(x, y.axes) keepdims=0
		Reshape_1.out float32[4,3] = Reshape(x, ints_2)
		kept float32[1,3] = ReduceSum(Reshape_1.out, ints_3) keepdims=1
		Reshape_2.out float32[3,4] = Reshape(x, ints_4)
		other float32[4] = ReduceSum(Reshape_2.out, ints_5) keepdims=0
		output y
		output kept
		output other`, Identity, Dead)
}
