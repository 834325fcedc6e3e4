package grad

import (
	"slices"
	"testing"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/tensor"
)

func TestPath(t *testing.T) {
	half := func(b op.B, x *ir.Value) *ir.Value { return b.Greater(x, b.Float(x, 0.5)) }
	for _, c := range []struct {
		name      string
		f         func(b op.B, x *ir.Value) *ir.Value
		connected bool
		want      []string
	}{
		{"smooth", func(b op.B, x *ir.Value) *ir.Value { return b.Relu(b.Exp(x)) }, true, nil},
		{"constant", func(b op.B, x *ir.Value) *ir.Value { return b.Const("c", tensor.Vector[float32](1)) }, false, nil},
		{"step beside the path", func(b op.B, x *ir.Value) *ir.Value { return b.Add(x, b.One("Floor", nil, x)) }, true, []string{
			"cut: node Floor: Floor: piecewise constant",
		}},
		{"only a step", func(b op.B, x *ir.Value) *ir.Value { return b.Exp(b.Sign(x)) }, false, []string{
			"cut: node Sign: Sign: piecewise constant",
		}},
		{"threshold", func(b op.B, x *ir.Value) *ir.Value { return b.Cast(b.One("Not", nil, half(b, x)), ir.Float32) }, false, []string{
			"cut: node Cast: Cast: the input varies only as bool, made by node Greater (Greater)",
		}},
		{"choice of constants", func(b op.B, x *ir.Value) *ir.Value { return b.Where(half(b, x), b.Float(x, 1), b.Float(x, 0)) }, false, []string{
			"cut: node Where: Where: the input varies only as bool, made by node Greater (Greater)",
		}},
		{"choice of values", func(b op.B, x *ir.Value) *ir.Value { return b.Where(half(b, x), x, b.Neg(x)) }, true, nil},
		{"table", func(b op.B, x *ir.Value) *ir.Value {
			class := b.One("ArgMax", ir.Attrs{"axis": int64(0)}, x)
			return b.Gather(b.Const("w", tensor.Vector[float32](1, 2, 3, 4)), class, 0)
		}, false, []string{"cut: node Gather: Gather: the input varies only as int64, made by node ArgMax (ArgMax)"}},
		{"shape", func(b op.B, x *ir.Value) *ir.Value { return b.Exp(b.Cast(b.One("Shape", nil, x), ir.Float32)) }, false, nil},
		{"step without effect", func(b op.B, x *ir.Value) *ir.Value {
			b.Sign(x)
			return b.Exp(x)
		}, true, nil},
		{"loop", func(b op.B, x *ir.Value) *ir.Value {
			return b.Loop("l", 2, []*ir.Value{x}, func(b op.B, _ *ir.Value, c []*ir.Value) []*ir.Value { return []*ir.Value{b.Neg(c[0])} })[0]
		}, true, []string{"no gradient: node Loop: Loop: " + unsupported["Loop"]}},
		{"rounding", func(b op.B, x *ir.Value) *ir.Value {
			s := b.Float(x, 0.1)
			return b.One("DequantizeLinear", nil, b.One("QuantizeLinear", nil, x, s), s)
		}, true, []string{"straight-through: node QuantizeLinear: QuantizeLinear: rounds to integers"}},
		{"rounded weights", func(b op.B, x *ir.Value) *ir.Value {
			s := b.Float(x, 0.1)
			w := b.Const("w", tensor.Vector[int8](1, 2, 3, 4))
			return b.Mul(x, b.One("DequantizeLinear", nil, w, s))
		}, true, nil},
		{"probabilities", func(b op.B, x *ir.Value) *ir.Value { return b.Identity(b.Flatten(b.Softmax(x, 0))) }, true, []string{
			"probabilities: node Softmax: Softmax: attack the logits before it",
		}},
		{"attention", func(b op.B, x *ir.Value) *ir.Value { return b.Mul(x, b.Softmax(x, 0)) }, true, nil},
		{"dropout", func(b op.B, x *ir.Value) *ir.Value {
			return b.One("Dropout", nil, x, b.Float(x, 0.5), b.Const("training", tensor.Scalar(true)))
		}, true, []string{"random: node Dropout: Dropout"}},
		{"no dropout", func(b op.B, x *ir.Value) *ir.Value {
			return b.One("Dropout", nil, x, b.Float(x, 0.5), b.Const("training", tensor.Scalar(false)))
		}, true, nil},
	} {
		b := op.NewB("g")
		x := b.Input("x", ir.Float32, 4)
		b.Output("y", c.f(b, x))
		g, err := b.Build()
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		connected, findings := Path(g, g.Outputs[0], x)
		var got []string
		for _, f := range findings {
			got = append(got, f.String())
		}
		if connected != c.connected || !slices.Equal(got, c.want) {
			t.Errorf("%s: found %v, %q", c.name, connected, got)
		}
	}
}

// Path agrees with Gradients: it finds an operator without a rule exactly where differentiating is an error, and a
// gradient exactly where there is one.
func TestPathForetells(t *testing.T) {
	for _, f := range []func(b op.B, x *ir.Value) *ir.Value{
		func(b op.B, x *ir.Value) *ir.Value { return b.Exp(x) },
		func(b op.B, x *ir.Value) *ir.Value { return b.Sign(b.Exp(x)) },
		func(b op.B, x *ir.Value) *ir.Value { return b.Mul(b.Sign(x), x) },
		func(b op.B, x *ir.Value) *ir.Value {
			return b.Loop("l", 2, []*ir.Value{b.Sign(x)}, func(b op.B, _ *ir.Value, c []*ir.Value) []*ir.Value { return []*ir.Value{b.Neg(c[0])} })[0]
		},
		func(b op.B, x *ir.Value) *ir.Value {
			return b.Loop("l", 2, []*ir.Value{b.Neg(b.Float(x, 1))}, func(b op.B, _ *ir.Value, c []*ir.Value) []*ir.Value {
				return []*ir.Value{b.ReduceSum(b.Mul(c[0], x), false)}
			})[0]
		},
	} {
		b := op.NewB("g")
		x := b.Input("x", ir.Float32, 4)
		y := b.Identity(f(b, x))
		if b.Err() != nil {
			t.Fatal(b.Err())
		}
		connected, findings := Path(b.Graph(), y, x)
		g := Gradients(b, []*ir.Value{y}, []*ir.Value{b.ExpandLike(b.Float(y, 1), y)}, []*ir.Value{x})[0]
		missing := slices.ContainsFunc(findings, func(f Finding) bool { return f.Kind == NoRule })
		if missing != (b.Err() != nil) || !missing && connected != (g != nil) {
			t.Errorf("found %v, %v; gradient %v, %v", connected, findings, g, b.Err())
		}
	}
}
