package runtime_test

import (
	"math"
	"testing"

	"rnas/compiler/interp"
	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/export"
	"rnas/internal/rng"
	"rnas/internal/tensor"
	"rnas/runtime/ort"
	"rnas/runtime/ort/orttest"
)

// Operators on quantised tensors give the integers of ONNX Runtime, up to one where a real number lies close to a tie.
func TestQuantizedOperators(t *testing.T) {
	orttest.Open(t)
	s := rng.New(1, rng.Probe, 0, 0, 0)
	random := func(t ir.DType, lo, hi float64, shape ...int64) *tensor.Tensor {
		n, _ := tensor.Numel(shape)
		v := make([]float64, n)
		for i := range v {
			v[i] = lo + (hi-lo)*s.Float64()
		}
		return tensor.FromFloat64s(t, shape, v)
	}
	x := random(ir.Float32, -3, 4, 2, 4, 6, 6)
	// Weights of 7 bits: processors without VNNI add pairs of products in 16 bits, where larger ones saturate.
	weight := random(tensor.Int8, -64, 64, 6, 2, 3, 3)
	bias := random(ir.Int32, -3000, 3000, 6)
	matrix := random(tensor.Int8, -64, 64, 6, 5)
	for name, f := range map[string]func(b op.B, q, s, z, to, zo *ir.Value) *ir.Value{
		"QLinearConv": func(b op.B, q, s, z, to, zo *ir.Value) *ir.Value {
			w := b.Const("ws", tensor.Vector[float32](0.01, 0.02, 0.015, 0.007, 0.03, 0.012))
			wz := b.Const("wz", tensor.Vector(make([]int8, 6)...))
			return b.One("QLinearConv", ir.Attrs{"group": int64(2), "pads": []int64{1, 1, 1, 1}}, q, s, z, b.Const("w", weight), w, wz, to, zo, b.Const("b", bias))
		},
		"QLinearMatMul": func(b op.B, q, s, z, to, zo *ir.Value) *ir.Value {
			w := b.Const("ws", tensor.Vector[float32](0.01, 0.02, 0.015, 0.007, 0.03))
			wz := b.Const("wz", tensor.Vector(make([]int8, 5)...))
			return b.One("QLinearMatMul", nil, q, s, z, b.Const("w", matrix), w, wz, to, zo)
		},
		"ConvInteger": func(b op.B, q, s, z, _, _ *ir.Value) *ir.Value {
			// Zero points of weights other than uint8 and 0 are not supported by every processor's kernels.
			return b.One("ConvInteger", ir.Attrs{"group": int64(2)}, q, b.Cast(b.Cast(b.Const("w", weight), ir.Int32), tensor.Uint8), z)
		},
		"MatMulInteger": func(b op.B, q, s, z, _, _ *ir.Value) *ir.Value {
			return b.One("MatMulInteger", nil, q, b.Const("w", matrix), z)
		},
		"QLinearAdd": func(b op.B, q, s, z, to, zo *ir.Value) *ir.Value {
			return b.DomainNode(op.Microsoft, "QLinearAdd", nil, 1, q, s, z, q, s, z, to, zo)[0]
		},
		"QLinearMul": func(b op.B, q, s, z, to, zo *ir.Value) *ir.Value {
			return b.DomainNode(op.Microsoft, "QLinearMul", nil, 1, q, s, z, q, s, z, to, zo)[0]
		},
		"QLinearConcat": func(b op.B, q, s, z, to, zo *ir.Value) *ir.Value {
			return b.DomainNode(op.Microsoft, "QLinearConcat", ir.Attrs{"axis": int64(1)}, 1, to, zo, q, s, z, q, s, z)[0]
		},
		"QLinearSigmoid": func(b op.B, q, s, z, to, zo *ir.Value) *ir.Value {
			return b.DomainNode(op.Microsoft, "QLinearSigmoid", nil, 1, q, s, z, to, zo)[0]
		},
		"QLinearLeakyRelu": func(b op.B, q, s, z, to, zo *ir.Value) *ir.Value {
			return b.DomainNode(op.Microsoft, "QLinearLeakyRelu", ir.Attrs{"alpha": float32(0.1)}, 1, q, s, z, to, zo)[0]
		},
		"QLinearSoftmax": func(b op.B, q, s, z, to, zo *ir.Value) *ir.Value {
			zero, fine := b.Const("z", tensor.Scalar(uint8(0))), b.Const("f", tensor.Scalar(float32(1./256)))
			return b.DomainNode(op.Microsoft, "QLinearSoftmax", ir.Attrs{"axis": int64(1), "opset": int64(13)}, 1, q, s, z, fine, zero)[0]
		},
		"QLinearGlobalAveragePool": func(b op.B, q, s, z, to, zo *ir.Value) *ir.Value {
			return b.DomainNode(op.Microsoft, "QLinearGlobalAveragePool", nil, 1, q, s, z, to, zo)[0]
		},
		"QLinearAveragePool": func(b op.B, q, s, z, to, zo *ir.Value) *ir.Value {
			return b.DomainNode(op.Microsoft, "QLinearAveragePool", ir.Attrs{"kernel_shape": []int64{3, 3}, "pads": []int64{1, 1, 1, 1}}, 1, q, s, z, to, zo)[0]
		},
		"QGemm": func(b op.B, q, s, z, to, zo *ir.Value) *ir.Value {
			w := b.Const("ws", tensor.Vector[float32](0.01, 0.02, 0.015, 0.007, 0.03))
			wz := b.Const("wz", tensor.Vector(make([]int8, 5)...))
			rows := b.Reshape(q, 48, 6)
			return b.DomainNode(op.Microsoft, "QGemm", nil, 1, rows, s, z, b.Const("w", matrix), w, wz, nil, to, zo)[0]
		},
	} {
		t.Run(name, func(t *testing.T) { sameIntegers(t, name, x, f) })
	}
}

// sameIntegers runs what f makes of the quantised x on ONNX Runtime and in the interpreter.
func sameIntegers(t *testing.T, name string, x *tensor.Tensor, f func(b op.B, q, s, z, to, zo *ir.Value) *ir.Value) {
	t.Helper()
	b := op.NewB(name)
	in := b.Input("x", ir.Float32, x.Shape...)
	scale, zero := b.Const("s", tensor.Scalar(float32(0.029))), b.Const("z", tensor.Scalar(uint8(110)))
	b.Output("y", f(b, b.One("QuantizeLinear", nil, in, scale, zero), scale, zero,
		b.Const("t", tensor.Scalar(float32(0.061))), b.Const("o", tensor.Scalar(uint8(120)))))
	g, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	want, err := interp.RunOrdered(g, x)
	if err != nil {
		t.Fatal(err)
	}
	data, err := export.Marshal(g, export.Options{})
	if err != nil {
		t.Fatal(err)
	}
	session, err := ort.NewSession(data, ort.Options{Optimize: ort.LevelOff})
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	got, err := session.RunAlloc([]*tensor.Tensor{x})
	if err != nil {
		t.Fatal(err)
	}
	off := 0
	for i := range want[0].Len() {
		d := math.Abs(got[0].Float64At(i) - want[0].Float64At(i))
		if d > 1 || d > 0 && want[0].DType() == ir.Int32 {
			t.Fatalf("element %d: %v, ONNX Runtime %v", i, want[0].Float64At(i), got[0].Float64At(i))
		}
		if d > 0 {
			off++
		}
	}
	if off*50 > want[0].Len() {
		t.Errorf("%d of %d integers differ by one", off, want[0].Len())
	}
}
