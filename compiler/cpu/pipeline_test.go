package cpu

import (
	"fmt"
	"testing"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/compiler/pass"
	"rnas/compiler/pass/passtest"
	"rnas/internal/tensor"
)

// The pipelines that runtime launches programs with.
func TestPipelines(t *testing.T) {
	passtest.Order(t, map[string][]pass.Pass{
		"forward": Forward(8), "forward, plain": Forward(0), "program": Program(8), "program, plain": Program(0),
	}, []string{"widen", "relumask", "clipmask", "nchwc", "sums", "stack"}, witnesses)
}

var witnesses = []passtest.Witness{
	{First: "identity", Then: "relumask", Operator: "Sign", Build: func(b op.B) {
		b.Output("y", b.Sign(b.Identity(b.Relu(b.Input("x", ir.Float32, 4)))))
	}},
	{First: "fold", Then: "clipmask", Operator: "Where", Build: func(b op.B) {
		x := b.Input("x", ir.Float32, 4)
		b.Output("y", b.Where(b.GreaterOrEqual(x, b.Exp(b.Float(x, 0))), x, b.Float(x, 0)))
	}},
	{First: "nchwc", Then: "sums", Operator: "Add", Build: func(b op.B) {
		w, one := b.Input("w", ir.Float32, 8, 8, 1, 1), []int64{1, 1}
		spread := func(at int64) *ir.Value {
			return b.One("ConvTranspose", ir.Attrs{"strides": []int64{2, 2}, "kernel_shape": one, "output_padding": []int64{1 - at, 1 - at}},
				b.Input(fmt.Sprint("x", at), ir.Float32, 1, 8, 32, 64), w)
		}
		b.Output("y", b.Sum(spread(0), b.Input("z", ir.Float32, 1, 8, 64, 128), b.Pad(spread(1), 0, 0, 1, 1, 0, 0, 0, 0)))
	}},
	{First: "identity", Then: "nchwc", Operator: "ReorderOutput", Build: func(b op.B) {
		w := b.Input("w", ir.Float32, 8, 8, 1, 1)
		b.Output("y", b.Conv(b.Identity(b.Conv(convolution(b), w, nil, op.Conv2D{Kernel: [2]int64{1, 1}})), w, nil, op.Conv2D{Kernel: [2]int64{1, 1}}))
	}},
	{First: "dead", Then: "widen", Operator: "Conv", If: func(n *ir.Node) bool { return n.Out[0].Shape[1] == 15 }, Build: func(b op.B) {
		x := b.Input("x", ir.Float32, 2, 8, 4, 4)
		y := b.Conv(x, b.Const("weight", tensor.Zeros(ir.Float32, 15, 8, 1, 1)), nil, op.Conv2D{Kernel: [2]int64{1, 1}})
		b.Reshape(y, 2, 240)
		b.Output("y", b.Flatten(b.GlobalAveragePool(b.Relu(y))))
	}},
	{First: "nchwc", Then: "stack", Operator: "Transpose", Build: func(b op.B) {
		x := b.Input("x", ir.Float32, 2, 8, 4, 4)
		for _, w := range b.Split(b.Input("params", ir.Float32, 4*64), 0, 64, 64, 64, 64) {
			x = b.Conv(x, b.Reshape(w, 8, 8, 1, 1), nil, op.Conv2D{Kernel: [2]int64{1, 1}})
		}
		b.Output("y", x)
	}},
	{First: "cse", Then: "stack", Operator: "Concat", If: func(n *ir.Node) bool { return len(n.In) > 4 }, Build: func(b op.B) {
		for i, w := range b.Split(b.Input("params", ir.Float32, 4*6), 0, 6, 6, 6, 6) {
			w = b.Reshape(w, 2, 3)
			b.Output(fmt.Sprint("y", i), b.Add(b.Transpose(w, 1, 0), b.Relu(b.Transpose(w, 1, 0))))
		}
	}},
}

// convolution is one with constant weights and 8 channels.
func convolution(b op.B) *ir.Value {
	x := b.Input("x", ir.Float32, 2, 8, 4, 4)
	return b.Conv(x, b.Const("weight", tensor.Zeros(ir.Float32, 8, 8, 1, 1)), nil, op.Conv2D{Kernel: [2]int64{1, 1}})
}
