package pass

import (
	"math"
	"slices"
	"strings"
	"testing"

	"rnas/compiler/graphtest"
	"rnas/compiler/interp"
	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/tensor"
)

func TestQuantize(t *testing.T) {
	rewrite(t, func(b op.B) {
		x := b.Input("x", ir.Float32, ir.N, 1, 4, 4)
		y := b.Conv(x, b.Const("w", values([]int64{2, 1, 1, 1}, 127, -12.7)), b.Const("b", values([]int64{2}, 3, 1)), op.Same(1, 1, 1))
		b.Output("y", b.Flatten(b.Relu(y)))
	}, `
		input x float32[N,1,4,4]
		const x.scale float32[] = [1]
		const x.zero_point uint8[] = [5]
		const w.int8 int8[2,1,1,1] = [127,-127]
		const w.scale float32[2] = [1,0.1]
		const w.zero_point int8[2] = [0,0]
		const b.int32 int32[2] = [3,10]
		const b.scale float32[2] = [1,0.1]
		const Relu.out.scale float32[] = [0.5]
		const Relu.out.zero_point uint8[] = [0]
		x.quantized uint8[N,1,4,4] = QuantizeLinear(x, x.scale, x.zero_point)
		x.dequantized float32[N,1,4,4] = DequantizeLinear(x.quantized, x.scale, x.zero_point)
		w.dequantized float32[2,1,1,1] = DequantizeLinear(w.int8, w.scale, w.zero_point) axis=0
		b.dequantized float32[2] = DequantizeLinear(b.int32, b.scale) axis=0
		Conv.out float32[N,2,4,4] = Conv(x.dequantized, w.dequantized, b.dequantized) kernel_shape=[1,1] pads=[0,0,0,0] strides=[1,1]
		Relu.out float32[N,2,4,4] = Relu(Conv.out)
		Relu.out.quantized uint8[N,2,4,4] = QuantizeLinear(Relu.out, Relu.out.scale, Relu.out.zero_point)
		Relu.out.dequantized float32[N,2,4,4] = DequantizeLinear(Relu.out.quantized, Relu.out.scale, Relu.out.zero_point)
		y float32[N,32] = Flatten(Relu.out.dequantized) axis=1
		output y`, Quantize(map[string]Range{"x": {-5, 250}, "Relu.out": {0.25, 127.5}}))
}

// The quantised network computes the same up to the steps of its scales, and everything is quantised once.
func TestQuantizeNetwork(t *testing.T) {
	plain := apply(t, classifier)
	taps := Activations(plain)
	var names []string
	for _, v := range taps {
		names = append(names, v.Name)
	}
	// The result of the first Conv has two more readers than a Relu, that of the second has not; logits stay real.
	want := []string{"x", "Conv.out", "Relu.out", "Relu_1.out", "Add.out", "MaxPool.out", "Concat.out", "GlobalAveragePool.out", "Flatten.out"}
	if !slices.Equal(names, want) {
		t.Fatalf("activations %v, expected %v", names, want)
	}
	ranges := map[string]Range{}
	tapped := *plain
	tapped.Outputs = taps[1:]
	ranges["x"] = Range{0.5, 1.5}
	out, err := interp.RunOrdered(&tapped, graphtest.Filled(9, 2, 3, 8, 8))
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range tapped.Outputs {
		all := out[i].Float64s()
		ranges[v.Name] = Range{slices.Min(all), slices.Max(all)}
	}
	reference := outputOf(t, plain)
	g := apply(t, classifier, Quantize(ranges))
	pairs := 0
	for _, n := range g.Nodes {
		if n.Op == "QuantizeLinear" {
			pairs++
		}
		if n.Op == "MaxPool" && (n.In[0].Def.In[1] != quantizerOf(g, n.Out[0]).In[1]) {
			t.Error("the result of MaxPool has a scale of its own")
		}
	}
	if pairs != len(want) {
		t.Errorf("%d values are quantised, expected %d", pairs, len(want))
	}
	for i, v := range outputOf(t, g) {
		if math.Abs(v-reference[i]) > 0.02*math.Abs(reference[i]) || v == reference[i] {
			t.Errorf("output %d is %v, expected about %v", i, v, reference[i])
		}
	}
	if again := apply(t, classifier, Quantize(ranges)); again.String() != g.String() {
		t.Error("two runs differ")
	}
}

func quantizerOf(g *ir.Graph, v *ir.Value) *ir.Node {
	for _, n := range g.Nodes {
		if n.Op == "QuantizeLinear" && n.In[0] == v {
			return n
		}
	}
	return nil
}

// A bias that is large beside its weights takes a larger scale instead of the end of the range of int32.
func TestQuantizeLargeBias(t *testing.T) {
	g := apply(t, func(b op.B) {
		x := b.Input("x", ir.Float32, 1, 1, 2, 2)
		b.Output("y", b.Conv(x, b.Const("w", values([]int64{2, 1, 1, 1}, 1e-9, 0)), b.Const("b", values([]int64{2}, 1000, 0)), op.Same(1, 1, 1)))
	}, Quantize(map[string]Range{"x": {0, 1}}))
	out, err := interp.RunOrdered(g, tensor.Zeros(ir.Float32, 1, 1, 2, 2))
	if err != nil {
		t.Fatal(err)
	}
	if v := out[0].Float64At(0); math.Abs(v-1000) > 1e-3 || out[0].Float64At(4) != 0 {
		t.Errorf("found %v, expected 1000 and 0", out[0].Float64s())
	}
}

func TestQuantizeNeedsRanges(t *testing.T) {
	for _, r := range []map[string]Range{nil, {"x": {1, 0}}, {"x": {0, math.Inf(1)}}, {"x": {math.NaN(), 1}}} {
		b := op.NewB("test")
		classifier(b)
		g, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		if err := Run(g, []Pass{Quantize(r)}); err == nil || !strings.Contains(err.Error(), "activation x float32[N,3,8,8]: expected a finite range") {
			t.Errorf("%v: %v", r, err)
		}
	}
}
