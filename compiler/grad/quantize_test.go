package grad

import (
	"math"
	"testing"

	"rnas/compiler/interp"
	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/rng"
	"rnas/internal/tensor"
)

// quantCase is an operator on quantised tensors and the floating-point operator that it approximates.
type quantCase struct {
	name      string
	quantised func(b op.B, x *ir.Value) *ir.Value // of x in multiples of 1/8 from -20 to 20, back to real numbers
	surrogate func(b op.B, x *ir.Value) *ir.Value
	tol       float64
}

var quantCases = []quantCase{
	{
		"QuantizeLinear", func(b op.B, x *ir.Value) *ir.Value {
			c := newCodes(b)
			return c.One("DequantizeLinear", nil, c.quantize(x), c.in, c.zin)
		}, clipIn, 0,
	},
	{
		"QuantizeLinear per axis", func(b op.B, x *ir.Value) *ir.Value {
			s := b.Const("s", tensor.Vector[float32](0.125, 0.25, 0.5, 1))
			z := b.Const("z", tensor.Vector[int8](0, 1, 2, 3))
			return b.One("DequantizeLinear", nil, b.One("QuantizeLinear", nil, x, s, z), s, z)
		}, func(b op.B, x *ir.Value) *ir.Value {
			lo := b.Const("lo", tensor.Of[float32]([]int64{4, 1, 1}, -16-1./16, -32.25-1./8, -65-.25, -131-.5))
			hi := b.Const("hi", tensor.Of[float32]([]int64{4, 1, 1}, 127./8+1./16, 126./4+1./8, 125./2+.25, 124+.5))
			return b.Max(b.Min(x, hi), lo)
		}, 0,
	},
	{
		"QuantizeLinear in blocks", func(b op.B, x *ir.Value) *ir.Value {
			a := ir.Attrs{"axis": int64(1), "block_size": int64(3)}
			s := b.Const("s", tensor.FromFloat64s(ir.Float32, []int64{2, 2, 4, 5}, draw2(80, 0.125, 0.25)))
			return b.One("DequantizeLinear", a, b.One("QuantizeLinear", ir.Attrs{"axis": int64(1), "block_size": int64(3), "output_dtype": int64(tensor.Int16)}, x, s), s)
		}, func(b op.B, x *ir.Value) *ir.Value { return b.Scale(x, 1) }, 0,
	},
	{
		"DynamicQuantizeLinear", func(b op.B, x *ir.Value) *ir.Value {
			q := b.Node("DynamicQuantizeLinear", nil, 3, x)
			return b.One("DequantizeLinear", nil, q...)
		}, func(b op.B, x *ir.Value) *ir.Value { return b.Scale(x, 1) }, 1e-12,
	},
	{
		"DynamicQuantizeMatMul", func(b op.B, x *ir.Value) *ir.Value {
			w := b.Const("w", tensor.Of([]int64{5, 2}, []int8{1, -2, 3, 4, -5, 6, 7, -8, 9, 10}...))
			return b.DomainNode(op.Microsoft, "DynamicQuantizeMatMul", nil, 1, x, w, b.Const("scale", tensor.Scalar[float32](0.5)))[0]
		}, func(b op.B, x *ir.Value) *ir.Value {
			return b.MatMul(x, b.Const("w", tensor.Of[float32]([]int64{5, 2}, 0.5, -1, 1.5, 2, -2.5, 3, 3.5, -4, 4.5, 5)))
		}, 1e-5,
	},
	{
		"MatMulIntegerToFloat", func(b op.B, x *ir.Value) *ir.Value {
			q := b.Node("DynamicQuantizeLinear", nil, 3, x)
			w := b.Const("w", tensor.Of([]int64{5, 2}, []int8{1, -2, 3, 4, -5, 6, 7, -8, 9, 10}...))
			return b.DomainNode(op.Microsoft, "MatMulIntegerToFloat", nil, 1, q[0], w, q[1], b.Const("scale", tensor.Scalar[float32](0.5)), q[2])[0]
		}, func(b op.B, x *ir.Value) *ir.Value {
			return b.MatMul(x, b.Const("w", tensor.Of[float32]([]int64{5, 2}, 0.5, -1, 1.5, 2, -2.5, 3, 3.5, -4, 4.5, 5)))
		}, 1e-5,
	},
	{
		"integers between", func(b op.B, x *ir.Value) *ir.Value {
			c := newCodes(b)
			q := c.Reshape(c.Transpose(c.quantize(x), 0, 2, 3, 1), 2, 40, 2)
			q = c.Concat(1, q, q)
			return c.One("DequantizeLinear", nil, q, c.in, c.zin)
		}, func(b op.B, x *ir.Value) *ir.Value {
			y := b.Reshape(b.Transpose(clipIn(b, x), 0, 2, 3, 1), 2, 40, 2)
			return b.Concat(1, y, y)
		}, 0,
	},
	{
		"QLinearConv", func(b op.B, x *ir.Value) *ir.Value {
			c := newCodes(b)
			w, s, z, _ := weight(b, 0, 6, 2, 3, 3)
			bias := b.Const("bias", tensor.Vector[int32](1000, -2000, 0, 50, 3, 1))
			return c.result(c.One("QLinearConv", ir.Attrs{"group": int64(2), "pads": []int64{1, 1, 1, 1}}, c.quantize(x), c.in, c.zin, w, s, z, c.out, c.zout, bias))
		}, func(b op.B, x *ir.Value) *ir.Value {
			_, s, _, w := weight(b, 0, 6, 2, 3, 3)
			bias := b.Mul(s, b.Const("bias", tensor.Vector[float32](125, -250, 0, 50./8, 3./8, 1./8)))
			return clipOut(b, b.One("Conv", ir.Attrs{"group": int64(2), "pads": []int64{1, 1, 1, 1}}, clipIn(b, x), w, bias))
		}, 1e-6,
	},
	{
		"QLinearMatMul", func(b op.B, x *ir.Value) *ir.Value {
			c := newCodes(b)
			w, s, z, _ := weight(b, 1, 5, 3)
			return c.result(c.One("QLinearMatMul", nil, c.quantize(x), c.in, c.zin, w, s, z, c.out, c.zout))
		}, func(b op.B, x *ir.Value) *ir.Value {
			_, _, _, w := weight(b, 1, 5, 3)
			return clipOut(b, b.MatMul(clipIn(b, x), w))
		}, 1e-6,
	},
	{
		"QGemm", func(b op.B, x *ir.Value) *ir.Value {
			c := newCodes(b)
			w, s, z, _ := weight(b, 0, 3, 80)
			bias := b.Const("bias", tensor.Vector[int32](10, -20, 0))
			return microsoft(b, "QGemm", ir.Attrs{"transB": int64(1), "alpha": float32(0.5)}, c.Flatten(c.quantize(x)), c.in, c.zin, w, s, z, bias)
		}, func(b op.B, x *ir.Value) *ir.Value {
			_, _, _, w := weight(b, 0, 3, 80)
			return b.Scale(b.Gemm(b.Flatten(clipIn(b, x)), w, nil, false, true), 0.5)
		}, 1e-6,
	},
	{
		"ConvInteger", func(b op.B, x *ir.Value) *ir.Value {
			c := newCodes(b)
			w, _, _, _ := weight(b, 0, 3, 4, 2, 2)
			y := c.One("ConvInteger", ir.Attrs{"strides": []int64{2, 1}}, c.quantize(x), w, c.zin)
			return c.Scale(c.Cast(y, ir.Float32), 1./1024)
		}, func(b op.B, x *ir.Value) *ir.Value {
			w, _, _, _ := weight(b, 0, 3, 4, 2, 2)
			y := b.One("Conv", ir.Attrs{"strides": []int64{2, 1}}, clipIn(b, x), b.Cast(w, ir.Float32))
			return b.Scale(y, 1./128)
		}, 1e-9,
	},
	{
		"MatMulInteger", func(b op.B, x *ir.Value) *ir.Value {
			q := b.Node("DynamicQuantizeLinear", nil, 3, x)
			w, _, z, _ := weight(b, 1, 5, 3)
			y := b.One("MatMulInteger", nil, q[0], w, q[2], z)
			return b.Mul(b.Cast(y, ir.Float32), q[1])
		}, func(b op.B, x *ir.Value) *ir.Value {
			w, _, _, _ := weight(b, 1, 5, 3)
			return b.MatMul(x, b.Cast(w, ir.Float32))
		}, 1e-6,
	},
	{
		"QLinearAdd", func(b op.B, x *ir.Value) *ir.Value {
			c := newCodes(b)
			q := c.quantize(x)
			half := c.Slice(q, []int64{0}, []int64{1}, []int64{0}, []int64{1})
			return c.result(microsoft(b, "QLinearAdd", nil, q, c.in, c.zin, half, c.in, c.zin, c.out, c.zout))
		}, func(b op.B, x *ir.Value) *ir.Value {
			x = clipIn(b, x)
			return clipOut(b, b.Add(x, b.Slice(x, []int64{0}, []int64{1}, []int64{0}, []int64{1})))
		}, 0,
	},
	{
		"QLinearMul", func(b op.B, x *ir.Value) *ir.Value {
			c := newCodes(b)
			w, _, _, _ := weight(b, 0, 1, 5)
			s := b.Const("s", tensor.Scalar(float32(0.03125)))
			return c.result(microsoft(b, "QLinearMul", nil, c.quantize(x), c.in, c.zin, w, s, nil, c.out, c.zout))
		}, func(b op.B, x *ir.Value) *ir.Value {
			w, _, _, _ := weight(b, 0, 1, 5)
			return clipOut(b, b.Mul(clipIn(b, x), b.Scale(b.Cast(w, ir.Float32), 0.03125)))
		}, 0,
	},
	{
		"QLinearConcat", func(b op.B, x *ir.Value) *ir.Value {
			c := newCodes(b)
			q := c.quantize(x)
			return c.result(microsoft(b, "QLinearConcat", ir.Attrs{"axis": int64(1)}, c.out, c.zout, q, c.in, c.zin, q, c.in, c.zin))
		}, func(b op.B, x *ir.Value) *ir.Value {
			x = clipIn(b, x)
			return b.Concat(1, x, x)
		}, 0,
	},
	{
		"QLinearGlobalAveragePool", func(b op.B, x *ir.Value) *ir.Value {
			c := newCodes(b)
			return c.result(microsoft(b, "QLinearGlobalAveragePool", nil, c.quantize(x), c.in, c.zin, c.out, c.zout))
		}, func(b op.B, x *ir.Value) *ir.Value { return b.GlobalAveragePool(clipIn(b, x)) }, 0,
	},
	{
		"QLinearAveragePool", func(b op.B, x *ir.Value) *ir.Value {
			c := newCodes(b)
			return c.result(microsoft(b, "QLinearAveragePool", ir.Attrs{"kernel_shape": []int64{2, 2}}, c.quantize(x), c.in, c.zin, c.out, c.zout))
		}, func(b op.B, x *ir.Value) *ir.Value {
			return b.AveragePool(clipIn(b, x), op.Conv2D{Kernel: [2]int64{2, 2}})
		}, 0,
	},
	{
		"QLinearLeakyRelu", func(b op.B, x *ir.Value) *ir.Value {
			c := newCodes(b)
			return c.result(microsoft(b, "QLinearLeakyRelu", ir.Attrs{"alpha": float32(0.25)}, c.quantize(x), c.in, c.zin, c.out, c.zout))
		}, func(b op.B, x *ir.Value) *ir.Value {
			return b.One("LeakyRelu", ir.Attrs{"alpha": float32(0.25)}, clipIn(b, x))
		}, 0,
	},
	{
		"QLinearSoftmax", func(b op.B, x *ir.Value) *ir.Value {
			c := newCodes(b)
			s, z := b.Const("fine", tensor.Scalar(float32(1./65536))), b.Const("z", tensor.Scalar(uint16(0)))
			middle := b.Const("z", tensor.Scalar(uint16(1<<15)))
			in := microsoft(b, "QuantizeLinear", nil, x, c.in, middle)
			y := microsoft(b, "QLinearSoftmax", ir.Attrs{"axis": int64(-1), "opset": int64(13)}, in, c.in, middle, s, z)
			return microsoft(b, "DequantizeLinear", nil, y, s, z)
		}, func(b op.B, x *ir.Value) *ir.Value { return b.Softmax(b.Scale(x, 1), -1) }, 1e-4,
	},
	{
		"QLinearSigmoid", func(b op.B, x *ir.Value) *ir.Value {
			c := newCodes(b)
			s, z := b.Const("fine", tensor.Scalar(float32(1./65536))), b.Const("z", tensor.Scalar(uint16(0)))
			in := c.One("QuantizeLinear", nil, x, c.in, b.Const("z", tensor.Scalar(uint16(100))))
			y := microsoft(b, "QLinearSigmoid", nil, in, c.in, b.Const("z", tensor.Scalar(uint16(100))), s, z)
			return c.One("DequantizeLinear", nil, y, s, z)
		}, func(b op.B, x *ir.Value) *ir.Value { return b.Sigmoid(b.Clip(x, -12.5-1./16, math.Inf(1))) }, 2e-5,
	},
}

// quantised lists the operators of a quantised case.
func quantised(t *testing.T, c quantCase) []string {
	t.Helper()
	b := op.NewB(c.name)
	c.quantised(b, b.Input("x", ir.Float32, 2, 4, 4, 5))
	if b.Err() != nil {
		t.Fatal(b.Err())
	}
	var names []string
	for _, n := range b.Graph().Nodes {
		names = append(names, key(n))
	}
	return names
}

// gradientAt is the gradient of the sum of f weighted by random numbers, and the number of its nodes that round.
func gradientAt(t *testing.T, f func(b op.B, x *ir.Value) *ir.Value, x *tensor.Tensor) ([]float64, int) {
	t.Helper()
	b := op.NewB("test")
	in := b.Input("x", ir.Float32, x.Shape...)
	y := f(b, in)
	if b.Err() != nil {
		t.Fatal(b.Err())
	}
	n := len(StraightThrough(&ir.Graph{Inputs: b.Graph().Inputs, Nodes: b.Graph().Nodes}))
	s := draw("weights of the result")
	g := Gradients(b, []*ir.Value{y}, []*ir.Value{b.Const("dy", tensor.FromFloat64s(ir.Float32, y.Shape, sample(&s, -1, 1, y.Shape...).Float64s()))}, []*ir.Value{in})[0]
	if b.Err() != nil {
		t.Fatal(b.Err())
	}
	if g == nil {
		t.Fatal("no gradient")
	}
	b.Output("g", g)
	graph, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	out, err := interp.RunOrdered(graph, x)
	if err != nil {
		t.Fatal(err)
	}
	return out[0].Float64s(), n
}

// TestStraightThrough compares gradients on multiples of the scale, where nothing is rounded, with those of the same
// functions on real numbers, clipped to the same ranges.
func TestStraightThrough(t *testing.T) {
	s := rng.New(3, rng.Probe, 0, 0, 0)
	x := tensor.Zeros(ir.Float32, 2, 4, 4, 5)
	for i := range x.Float32s() {
		x.Float32s()[i] = float32(math.Round((s.Float64()*40-20)*8) / 8)
	}
	for _, c := range quantCases {
		t.Run(c.name, func(t *testing.T) {
			got, rounding := gradientAt(t, c.quantised, x)
			want, none := gradientAt(t, c.surrogate, x)
			if rounding == 0 || none != 0 {
				t.Errorf("%d and %d nodes round", rounding, none)
			}
			zero := 0
			for i := range got {
				if math.Abs(got[i]-want[i]) > c.tol*(1+math.Abs(want[i])) {
					t.Fatalf("element %d at %v: %v, expected %v", i, x.Float32s()[i], got[i], want[i])
				}
				if got[i] == 0 {
					zero++
				}
			}
			if zero == len(got) {
				t.Error("the gradient is zero")
			}
		})
	}
}

// TestScaleGradient compares the gradient of the scale of a number that is quantised and dequantised with equation 3 of
// Esser et al. (2020).
func TestScaleGradient(t *testing.T) {
	x := tensor.Vector[float32](-3, -1.01, -1, 0.3, 0.4, 0.49, 0.99, 5)
	b := op.NewB("lsq")
	in, s := b.Input("x", ir.Float32, 8), b.Input("s", ir.Float32)
	z := b.Const("z", tensor.Scalar(int8(0)))
	y := b.One("DequantizeLinear", nil, b.One("QuantizeLinear", nil, in, s, z), s, z)
	dy := tensor.Vector[float32](1, 2, 3, 4, 5, 6, 7, 8)
	b.Output("g", Gradients(b, []*ir.Value{y}, []*ir.Value{b.Const("dy", dy)}, []*ir.Value{s})[0])
	g, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	const scale = 1. / 128
	out, err := interp.RunOrdered(g, x, tensor.Scalar(float32(scale)))
	if err != nil {
		t.Fatal(err)
	}
	want := 0.0
	for i, v := range x.Float32s() {
		q := float64(v) / scale
		d := math.RoundToEven(q) - q
		if q < -128 {
			d = -128
		} else if q > 127 {
			d = 127
		}
		want += d * float64(dy.Float32s()[i])
	}
	if got := out[0].Float64At(0); math.Abs(got-want) > 1e-4 {
		t.Errorf("found %v, expected %v", got, want)
	}
}
