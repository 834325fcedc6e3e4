package graphtest

import (
	"fmt"
	"testing"

	"rnas/compiler/grad"
	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/rng"
	"rnas/internal/tensor"
)

// generator draws small networks full of what the passes look for: copies, repeated work, constants, chains.
type generator struct {
	op.B
	draw rng.Stream
	pool []*ir.Value // values of one shape [2,4,6,6]
}

func (g *generator) pick() *ir.Value { return g.pool[g.draw.IntN(len(g.pool))] }

func (g *generator) weight(shape ...int64) *ir.Value {
	t := tensor.Zeros(ir.Float32, shape...)
	g.draw.FillUniform(t.Float32s(), -0.5, 0.5)
	return g.Const("w", t)
}

// grow adds one value to the pool.
func (g *generator) grow() {
	x := g.pick()
	y := x
	switch g.draw.IntN(18) {
	case 0:
		y = g.Relu(x)
	case 1:
		y = g.Sigmoid(g.Identity(x))
	case 2:
		y = g.Tanh(g.Neg(g.Neg(x)))
	case 3:
		y = g.Add(x, g.pick())
	case 4:
		y = g.Mul(g.pick(), x)
	case 5, 6:
		y = Norm(g.B, g.Conv(g.Relu(x), g.weight(4, 4, 3, 3), nil, op.Same(3, 1, 1)))
	case 7:
		depthwise := op.Same(3, 1, 2)
		depthwise.Group = 4
		y = g.Conv(x, g.Neg(g.weight(4, 1, 3, 3)), g.weight(4), depthwise)
	case 8:
		y = Norm(g.B, g.Conv(x, g.weight(4, 4, 1, 1), g.weight(4), op.Same(1, 1, 1)))
	case 9:
		y = g.MaxPool(g.Tanh(x), op.Same(3, 1, 1))
	case 10:
		y = g.AveragePool(x, op.Same(3, 1, 1))
	case 11:
		y = g.Transpose(g.Reshape(g.Reshape(g.Transpose(x, 0, 2, 3, 1), 2, 36, 4), 2, 6, 6, 4), 0, 3, 1, 2)
	case 12:
		y = g.Scale(g.Add(x, g.Expand(g.Float(x, 0), 4, 1, 6)), 1)
	case 13:
		y = g.Mul(x, g.Expand(g.GlobalAveragePool(x), 2, 4, 6, 6))
	case 14:
		y = g.Slice(g.Pad(x, 0, 0, 0, 0, 0, 0, 0, 0), []int64{-1}, []int64{-7}, []int64{3}, []int64{-1})
	case 15:
		halves := g.Split(x, 1, 1, 3)
		y = g.Concat(1, halves[1], halves[0])
	case 16:
		y = g.Sub(g.Sigmoid(x), g.Sigmoid(x))
		y = g.Add(y, g.Mul(g.Sigmoid(x), g.Exp(g.Neg(g.weight(4, 1, 1)))))
	case 17:
		y = g.Clip(g.Max(x, g.pick()), -2, 2)
	}
	g.pool = append(g.pool, y)
}

// loss is a network from x to one number, which stays small.
func (g *generator) loss(x *ir.Value, w *ir.Value) *ir.Value {
	g.pool = []*ir.Value{x}
	for range 4 + g.draw.IntN(10) {
		g.grow()
	}
	y := g.Tanh(g.pool[len(g.pool)-1])
	flat := g.Flatten(g.GlobalAveragePool(g.Add(y, x)))
	logits := g.Gemm(flat, w, g.weight(3), false, true)
	return g.ReduceSum(g.LogSoftmax(logits, -1), true)
}

// Random is a network with the gradients of its loss, every third one inside a loop of two ascent steps.
func Random(t testing.TB, seed int) *ir.Graph {
	t.Helper()
	b := op.NewB(fmt.Sprintf("random%d", seed))
	x, w := b.Input("x", ir.Float32, 2, 4, 6, 6), b.Input("w", ir.Float32, 3, 4)
	draw := rng.New(uint64(seed), rng.Probe, 0, 0, 0)
	gradients := func(b op.B, x *ir.Value) (loss *ir.Value, grads []*ir.Value) {
		g := &generator{B: b, draw: draw}
		loss = g.loss(x, w)
		return loss, grad.Gradients(b, []*ir.Value{loss}, []*ir.Value{b.Fill(loss, 1, 1, 1)}, []*ir.Value{x, w})
	}
	if seed%3 == 0 {
		out := b.Loop("ascent", 2, []*ir.Value{x}, func(b op.B, _ *ir.Value, c []*ir.Value) []*ir.Value {
			_, grads := gradients(b, c[0])
			return []*ir.Value{b.Add(c[0], b.Scale(grads[0], 0.1))}
		})
		b.Output("x_end", out[0])
	} else {
		loss, grads := gradients(b, x)
		b.Output("loss", loss)
		b.Output("dx", grads[0])
		b.Output("dw", grads[1])
	}
	g, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// Norm is a normalisation by constants.
func Norm(b op.B, x *ir.Value) *ir.Value {
	c := x.Shape[1]
	return b.BatchNorm(x, b.Const("gamma", Filled(1, c)), b.Const("beta", Filled(2, c)), b.Const("mean", Filled(3, c)),
		b.Const("variance", Filled(4, c)), 1e-3)
}
