package runtime_test

import (
	"slices"
	"testing"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/compiler/pass"
	"rnas/compiler/program"
	"rnas/internal/tensor"
	"rnas/runtime"
	"rnas/runtime/ort/orttest"
)

// TestPasses checks that only plain inference with channels that do not fill blocks is left to ONNX Runtime.
func TestPasses(t *testing.T) {
	orttest.Open(t)
	if _, err := runtime.BlockSize(); err != nil {
		t.Skip(err)
	}
	shape := []int64{16, 16, 1, 1}
	for name, c := range map[string]struct {
		build func(b op.B, x *ir.Value) *ir.Value
		want  bool
	}{
		"constant weights": {func(b op.B, x *ir.Value) *ir.Value {
			return b.Conv(x, b.Const("w", tensor.Zeros(tensor.Float32, shape...)), nil, op.Same(1, 1, 1))
		}, true},
		"constant weights that do not fill blocks": {func(b op.B, x *ir.Value) *ir.Value {
			return b.Conv(x, b.Const("w", tensor.Zeros(tensor.Float32, 10, 16, 1, 1)), nil, op.Same(1, 1, 1))
		}, false},
		"their gradient": {func(b op.B, x *ir.Value) *ir.Value {
			x = b.Identity(x)
			y := b.Conv(x, b.Const("w", tensor.Zeros(tensor.Float32, 10, 16, 1, 1)), nil, op.Same(1, 1, 1))
			return program.InputGradient(b, b.ReduceSum(y, false, 1, 2, 3), x)
		}, true},
		"wide convolutions": {func(b op.B, x *ir.Value) *ir.Value {
			x = b.Reshape(b.Concat(1, slices.Repeat([]*ir.Value{x}, 48)...), 1, 192, 8, 16)
			return b.Conv(x, b.Const("w", tensor.Zeros(tensor.Float32, 192, 192, 3, 3)), nil, op.Same(3, 1, 1))
		}, true},
		"computed weights": {func(b op.B, x *ir.Value) *ir.Value {
			return b.Conv(x, b.Input("w", ir.Float32, shape...), nil, op.Same(1, 1, 1))
		}, true},
		"gradient in a loop": {func(b op.B, x *ir.Value) *ir.Value {
			return b.Loop("loop", 2, []*ir.Value{x}, func(b op.B, _ *ir.Value, v []*ir.Value) []*ir.Value {
				x := b.Identity(v[0])
				y := b.Conv(x, b.Const("w", tensor.Zeros(tensor.Float32, shape...)), nil, op.Same(1, 1, 1))
				return []*ir.Value{program.InputGradient(b, b.ReduceSum(y, false, 1, 2, 3), x)}
			})[0]
		}, true},
	} {
		b := op.NewB(name)
		b.Output("y", c.build(b, b.Input("x", ir.Float32, 2, 16, 4, 4)))
		g, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		found := slices.ContainsFunc(runtime.Passes(g, "cpu"), func(p pass.Pass) bool { return p.Name == "nchwc" })
		if found != c.want {
			t.Errorf("%s: NCHWc is %v", name, found)
		}
	}
}
