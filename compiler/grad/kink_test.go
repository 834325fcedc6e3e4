package grad

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"rnas/compiler/interp"
	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/tensor"
)

// kink is a point where an operator has no derivative; the gradients for an output gradient of ones, one list per
// input, are those of PyTorch (named where it differs from the obvious).
type kink struct {
	op    string
	attrs ir.Attrs
	shape []int64
	in    [][]float64 // of shape, or scalars
	// constant inputs: one in the middle, and those at the end
	middle arg
	fixed  []arg
	want   [][]float64
}

var kinks = []kink{
	// relu: 0 at 0.
	{op: "Relu", in: [][]float64{{-1, 0, math.Copysign(0, -1), 2}}, want: [][]float64{{0, 0, 0, 1}}},
	// abs: sign(0) = 0.
	{op: "Abs", in: [][]float64{{-1, 0, 2}}, want: [][]float64{{-1, 0, 1}}},
	// leaky_relu and elu count 0 to the negative side.
	{op: "LeakyRelu", attrs: ir.Attrs{"alpha": float32(0.25)}, in: [][]float64{{-1, 0, 2}}, want: [][]float64{{0.25, 0.25, 1}}},
	{op: "Elu", attrs: ir.Attrs{"alpha": float32(0.5)}, in: [][]float64{{0, 2}}, want: [][]float64{{0.5, 1}}},
	{op: "Softsign", in: [][]float64{{0}}, want: [][]float64{{1}}},
	// hardsigmoid: 0 at both ends of the slope.
	{op: "HardSigmoid", attrs: ir.Attrs{"alpha": float32(0.25)}, in: [][]float64{{-2, 0, 2, 3}}, want: [][]float64{{0, 0.25, 0, 0}}},
	// hardswish: the outer branches at both bounds (pytorch/pytorch#148049; earlier versions had -0.5 at -3 and 1.5 at 3).
	{op: "HardSwish", in: [][]float64{{-3, 0, 3, 4}}, want: [][]float64{{0, 0.5, 1, 1}}},
	// clamp: 1 at both bounds.
	{
		op: "Clip", in: [][]float64{{-2, -1, 0, 1, 2}}, fixed: []arg{number(-1), number(1)},
		want: [][]float64{{0, 1, 1, 1, 0}},
	},
	{op: "Clip", in: [][]float64{{-2, -1, 0}}, fixed: []arg{number(-1)}, want: [][]float64{{0, 1, 1}}},
	// clamp with tensors: the bounds move only what they cut off.
	{op: "Clip", in: [][]float64{{-2, -1, 0, 1, 3, 2}, {-1}, {1}}, want: [][]float64{{0, 1, 1, 1, 0, 0}, {1}, {2}}},
	// prod: the product of the others, where they are zero too.
	{op: "ReduceProd", in: [][]float64{{0, 2, 3}}, want: [][]float64{{6, 0, 0}}},
	{op: "ReduceProd", in: [][]float64{{0, 2, 0, 3}}, want: [][]float64{{0, 0, 0, 0}}},
	{op: "CumProd", in: [][]float64{{2, 0, 3, 0}}, fixed: []arg{ints(0)}, want: [][]float64{{1, 8, 0, 0}}},
	// scatter_reduce: equal shares among equal extremes, products without the update where it is zero.
	{
		op: "ScatterElements", attrs: ir.Attrs{"reduction": "max"}, in: [][]float64{{1, 2, 3}, {2, 1, 1}}, middle: ints(1, 0, 0),
		want: [][]float64{{1. / 3, 0.5, 1}, {0.5, 1. / 3, 1. / 3}},
	},
	{
		op: "ScatterElements", attrs: ir.Attrs{"reduction": "mul"}, in: [][]float64{{2, 3, 5}, {0, 4, 0}}, middle: ints(1, 1, 0),
		want: [][]float64{{0, 0, 1}, {12, 0, 2}},
	},
	// maximum and minimum: half to each of two; more inputs share as in amax.
	{op: "Max", in: [][]float64{{1, 2, 3}, {2, 2, 2}}, want: [][]float64{{0, 0.5, 1}, {1, 0.5, 0}}},
	{op: "Min", in: [][]float64{{1, 2, 3}, {2, 2, 2}}, want: [][]float64{{1, 0.5, 0}, {0, 0.5, 1}}},
	{op: "Max", in: [][]float64{{4, 1}, {4, 2}, {4, 2}, {4, 2}}, want: [][]float64{{0.25, 0}, {0.25, 1. / 3}, {0.25, 1. / 3}, {0.25, 1. / 3}}},
	{op: "Max", in: [][]float64{{1, 2, 3}, {2}}, want: [][]float64{{0, 0.5, 1}, {1.5}}},
	// amax and amin: equal shares.
	{op: "ReduceMax", in: [][]float64{{3, 1, 3, 3}}, want: [][]float64{{1. / 3, 0, 1. / 3, 1. / 3}}},
	{op: "ReduceMin", in: [][]float64{{3, 1, 3, 1}}, want: [][]float64{{0, 0.5, 0, 0.5}}},
	{op: "ReduceMax", shape: dims(2, 3), in: [][]float64{{5, 5, 1, 2, 7, 3}}, fixed: []arg{ints(1)}, want: [][]float64{{0.5, 0.5, 0, 0, 1, 0}}},
	// amax over the plane; adaptive_max_pool2d would give all to the first.
	{op: "GlobalMaxPool", shape: dims(1, 2, 2, 2), in: [][]float64{{1, 4, 4, 2, 0, 0, 0, 0}}, want: [][]float64{{0, 0.5, 0.5, 0, 0.25, 0.25, 0.25, 0.25}}},
	// max_pool: all to the first maximum of the window in row-major order.
	{op: "MaxPool", attrs: window(dims(2), nil, nil, nil, 1), shape: dims(1, 1, 4), in: [][]float64{{1, 1, 0, 0}}, want: [][]float64{{1, 1, 1, 0}}},
	{
		op: "MaxPool", attrs: window(dims(2, 2), nil, dims(1, 1, 0, 0), nil, 1), shape: dims(1, 1, 3, 3), in: [][]float64{make([]float64, 9)},
		want: [][]float64{{4, 2, 0, 2, 1, 0, 0, 0, 0}},
	},
	{
		op: "MaxPool", attrs: window(dims(2, 2), dims(2, 2), nil, nil, 1), shape: dims(2, 1, 2, 2), in: [][]float64{{0, 3, 3, 3, -1, -1, -1, -1}},
		want: [][]float64{{0, 1, 0, 0, 1, 0, 0, 0}},
	},
	// topk: ONNX gives the lower index first.
	{op: "TopK", in: [][]float64{{2, 5, 2, 2}}, fixed: []arg{ints(2)}, want: [][]float64{{1, 1, 0, 0}}},
	// norm: 0 where the norm is 0; the one-norm has sign(0) = 0.
	{op: "ReduceL1", in: [][]float64{{-1, 0, 2}}, want: [][]float64{{-1, 0, 1}}},
	{op: "ReduceL2", in: [][]float64{{0, 0}}, want: [][]float64{{0, 0}}},
	{op: "ReduceL2", shape: dims(2, 2), in: [][]float64{{0, -4, 0, 0}}, fixed: []arg{ints(1)}, want: [][]float64{{0, -1, 0, 0}}},
	// 0 where the norm or the deviation is 0.
	{op: "LpNormalization", in: [][]float64{{0, 0}}, want: [][]float64{{0, 0}}},
	{op: "LpNormalization", attrs: ir.Attrs{"p": int64(1)}, in: [][]float64{{0, 0}}, want: [][]float64{{0, 0}}},
	{op: "GlobalLpPool", shape: dims(1, 1, 2), in: [][]float64{{0, 0}}, want: [][]float64{{0, 0}}},
	{op: "LpPool", attrs: window(dims(2), dims(2), nil, nil, 1), shape: dims(1, 1, 4), in: [][]float64{{0, 0, 0, 2}}, want: [][]float64{{0, 0, 0, 1}}},
	{op: "MeanVarianceNormalization", attrs: ir.Attrs{"axes": dims(0)}, in: [][]float64{{3, 3}}, want: [][]float64{{0, 0}}},
	// pow: x^0 is constant at 0 too, and 0^p does not move with p.
	{op: "Pow", in: [][]float64{{0, 0, 0, 3}, {0, 1, 2, 0}}, want: [][]float64{{0, 1, 0, 0}, {0, 0, 0, math.Log(3)}}},
	{op: "Pow", in: [][]float64{{0, 2}}, fixed: []arg{number(0)}, want: [][]float64{{0, 0}}},
	{op: "Sqrt", in: [][]float64{{0, 4}}, want: [][]float64{{math.Inf(1), 0.25}}},
}

func TestKinks(t *testing.T) {
	for _, k := range slices.Concat(kinks, activationKinks) {
		b := op.NewB(k.op)
		var in, free []*ir.Value
		var values []*tensor.Tensor
		for i, v := range k.in {
			shape := k.shape
			switch {
			case i > 0 && len(v) == 1:
				shape = nil
			case shape == nil:
				shape = dims(int64(len(v)))
			}
			values = append(values, tensor.Of(shape, v...))
			free = append(free, b.Input(fmt.Sprint("x", i), ir.Float64, shape...))
		}
		in = append(in, free...)
		if k.middle.fixed != nil {
			in = slices.Insert(in, 1, b.Const("fixed", k.middle.fixed))
		}
		for _, a := range k.fixed {
			in = append(in, b.Const("fixed", a.fixed))
		}
		outs := 1
		if k.op == "TopK" {
			outs = 2
		}
		y := b.Node(k.op, k.attrs, outs, in...)[0]
		for i, g := range Gradients(b, []*ir.Value{y}, []*ir.Value{b.Fill(y, 1, y.Shape...)}, free) {
			b.Output(fmt.Sprint("g", i), g)
		}
		g, err := b.Build()
		if err != nil {
			t.Error(err)
			continue
		}
		got, err := interp.RunOrdered(g, values...)
		if err != nil {
			t.Error(err)
			continue
		}
		for i, want := range k.want {
			if !slices.Equal(got[i].Float64s(), want) {
				t.Errorf("%s %v at %v: gradient of input %d is %v, expected %v", k.op, k.attrs, k.in, i, got[i].Data, want)
			}
		}
	}
}
