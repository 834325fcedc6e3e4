package export

import (
	"testing"

	"rnas/compiler/interp"
	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/tensor"
)

// TestDecomposition: files of operator sets that lack an operator hold simpler ones that compute the same, with the same
// names of outputs.
func TestDecomposition(t *testing.T) {
	b := op.NewB("newer")
	x := b.Input("x", ir.Float64, 1, 4, 3, 3)
	attn := b.Reshape(x, 1, 4, 9)
	channel := b.Const("channel", tensor.Vector(0.5, -1, 2, 3.0))
	layer := b.Node("LayerNormalization", nil, 2, x, b.Const("scale", tensor.Vector(1.5, 2, -3)))
	outputs := []*ir.Value{
		layer[0], layer[1],
		b.One("RMSNormalization", nil, x, b.Const("scale", tensor.Vector(1.5, 2, -3))),
		b.One("GroupNormalization", ir.Attrs{"num_groups": int64(2)}, x, channel, channel),
		b.One("Attention", ir.Attrs{"q_num_heads": int64(3), "kv_num_heads": int64(3)}, attn, attn, attn),
		b.One("Resize", ir.Attrs{"mode": "linear", "antialias": int64(1), "axes": []int64{2, 3}}, x, nil, nil, b.Ints(2, 2)),
		b.One("GridSample", nil, x, b.Fill(x, 0.25, 1, 2, 2, 2)),
		b.One("Col2Im", nil, attn, b.Ints(4, 4), b.Ints(2, 2)),
		b.One("CenterCropPad", ir.Attrs{"axes": []int64{2}}, x, b.Ints(3)),
	}
	for i, v := range outputs {
		b.Output("y"+string(rune('0'+i)), v)
	}
	g, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	values := make([]float64, 36)
	for i := range values {
		values[i] = float64(i*i%17) / 7
	}
	input := map[string]*tensor.Tensor{"x": tensor.Of([]int64{1, 4, 3, 3}, values...)}
	want, err := interp.Run(g, input)
	if err != nil {
		t.Fatal(err)
	}
	for opset := oldestWrite; opset <= newestOpset; opset++ {
		got := unmarshal(t, marshal(t, g, Options{Opset: opset}), ReadOptions{})
		got.Walk(func(n *ir.Node) {
			if since := op.Since(n); since > opset {
				t.Errorf("operator set %d: node %s (%s) exists since %d", opset, n.Name, n.Op, since)
			}
		})
		out, err := interp.Run(got, input)
		if err != nil {
			t.Fatal(err)
		}
		for name, v := range want {
			for i, x := range v.Float64s() {
				if d := out[name].Float64At(i) - x; !(d < 1e-12 && d > -1e-12) {
					t.Fatalf("operator set %d: output %s, element %d is off by %g", opset, name, i, d)
				}
			}
		}
	}
}
