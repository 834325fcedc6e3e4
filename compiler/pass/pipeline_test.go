package pass_test

import (
	"testing"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/compiler/pass"
	"rnas/compiler/pass/passtest"
	"rnas/internal/tensor"
)

func TestPipelines(t *testing.T) {
	precision := func(p pass.Pass) []pass.Pass { return append(pass.Inference(), p) }
	passtest.Order(t, map[string][]pass.Pass{
		"training": pass.Training(), "inference": pass.Inference(),
		"float16": precision(pass.Float16()), "quantize": precision(pass.Quantize(map[string]pass.Range{"x": {Lo: -1, Hi: 1}, "Conv.out": {Lo: -1, Hi: 1}})),
	}, []string{"fold", "identity", "hoist", "cse", "dead", "foldbn", "float16", "quantize"}, witnesses)
}

var witnesses = []passtest.Witness{
	{First: "fold", Then: "identity", Operator: "Mul", Build: func(b op.B) {
		x := b.Input("x", ir.Float32, 4)
		b.Output("y", b.Mul(b.Relu(x), b.Exp(b.Float(x, 0))))
	}},
	{First: "identity", Then: "cse", Operator: "Exp", Build: func(b op.B) {
		x := b.Input("x", ir.Float32, 4)
		b.Output("y", b.Add(b.Exp(x), b.Exp(b.Identity(x))))
	}},
	{First: "hoist", Then: "cse", Operator: "Exp", Build: func(b op.B) {
		x := b.Input("x", ir.Float32, 4)
		for _, name := range []string{"first", "second"} {
			b.Output(name, b.Loop(name, 2, []*ir.Value{x}, func(b op.B, _ *ir.Value, in []*ir.Value) []*ir.Value {
				return []*ir.Value{b.Add(in[0], b.Exp(x))}
			})[0])
		}
	}},
	{First: "identity", Then: "dead", Operator: "Reshape", Build: func(b op.B) {
		b.Output("y", b.Reshape(b.Reshape(b.Input("x", ir.Float32, 2, 6), 3, 4), 12))
	}},
	{First: "cse", Then: "dead", Operator: "MaxPool", Build: func(b op.B) {
		x := b.Input("x", ir.Float32, 1, 1, 4)
		pool := func(b op.B) []*ir.Value { return b.Node("MaxPool", ir.Attrs{"kernel_shape": []int64{2}}, 2, x) }
		b.Output("y", b.Loop("l", 2, pool(b)[:1], func(b op.B, _ *ir.Value, c []*ir.Value) []*ir.Value {
			return []*ir.Value{b.Add(c[0], b.Cast(pool(b)[1], ir.Float32))}
		})[0])
	}},
	{First: "fold", Then: "foldbn", Operator: "BatchNormalization", Build: func(b op.B) {
		y := convolution(b)
		one := b.Exp(b.Fill(y, 0, 8))
		b.Output("y", b.BatchNorm(y, one, one, one, one, 1e-5))
	}},
	{First: "identity", Then: "foldbn", Operator: "BatchNormalization", Build: func(b op.B) {
		y := b.Identity(convolution(b))
		one := b.Fill(y, 1, 8)
		b.Output("y", b.BatchNorm(y, one, one, one, one, 1e-5))
	}},
	{First: "dead", Then: "foldbn", Operator: "BatchNormalization", Build: func(b op.B) {
		y := convolution(b)
		b.Relu(y)
		one := b.Fill(y, 1, 8)
		b.Output("y", b.BatchNorm(y, one, one, one, one, 1e-5))
	}},
	{First: "foldbn", Then: "float16", Operator: "BatchNormalization", Build: normed},
	{First: "foldbn", Then: "quantize", Operator: "BatchNormalization", Build: normed},
}

// normed is a convolution with a normalisation by constants.
func normed(b op.B) {
	y := convolution(b)
	one := b.Fill(y, 1, 8)
	b.Output("y", b.BatchNorm(y, one, one, one, one, 1e-5))
}

// convolution is one with constant weights and 8 channels.
func convolution(b op.B) *ir.Value {
	x := b.Input("x", ir.Float32, 2, 8, 4, 4)
	return b.Conv(x, b.Const("weight", tensor.Zeros(ir.Float32, 8, 8, 1, 1)), nil, op.Conv2D{Kernel: [2]int64{1, 1}})
}
