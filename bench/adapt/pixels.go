package adapt

import (
	"fmt"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/tensor"
)

// pixels turns pixels [N,C,H,W] in [0,1], red first, into those that the model takes, still [N,C,H,W]: blue first, then the range, then
// the normalisation. words says what is done.
func (r *reading) pixels(b op.B, x *ir.Value) (y *ir.Value, words []string, err error) {
	f, channels := r.flags, x.Shape[1]
	if f.BGR {
		if channels != 3 {
			return nil, nil, fmt.Errorf("--bgr: expected images of 3 channels, found %d", channels)
		}
		parts := b.Split(x, 1, 1, 1, 1)
		x = b.Concat(1, parts[2], parts[1], parts[0])
		words = append(words, "blue first")
	}
	pixels := f.Pixels
	if pixels == "" && r.in.Type == tensor.Uint8 {
		pixels = Byte
	}
	switch pixels {
	case Byte:
		x = b.Scale(x, 255)
		words = append(words, "pixels times 255")
	case Signed:
		x = b.Sub(b.Scale(x, 2), b.Float(x, 1))
		words = append(words, "pixels times 2 less 1")
	}
	for _, step := range []struct {
		flag, what string
		values     []float64
		apply      func(x, y *ir.Value) *ir.Value
	}{{"--mean", "less the mean", f.Mean, b.Sub}, {"--std", "divided by the standard deviation", f.Std, b.Div}} {
		if len(step.values) == 0 {
			continue
		}
		v := step.values
		if len(v) != 1 && int64(len(v)) != channels {
			return nil, nil, fmt.Errorf("%s: expected 1 or %d numbers for the channels of %s, found %d", step.flag, channels, x.Shape, len(v))
		}
		t := tensor.FromFloat64s(ir.Float32, []int64{1, int64(len(v)), 1, 1}, v)
		x = step.apply(x, b.Const(step.flag[2:], t))
		words = append(words, fmt.Sprintf("%s %s", step.what, list(v)))
	}
	return x, words, nil
}

// arranged gives images [N,C,H,W] the layout and the shape of the input.
func arranged(b op.B, x *ir.Value, a arrangement, shape ir.Shape) *ir.Value {
	if a.last {
		x = b.Transpose(x, 0, 2, 3, 1)
	}
	if b.Err() != nil || x.Shape.Equal(shape) {
		return x
	}
	dims := shape.Clone()
	for i, d := range dims {
		if d == ir.N {
			dims[i] = -1
		}
	}
	return b.Reshape(x, dims...)
}

// inlined appends the graph on images of its input's layout. An input of bytes takes them rounded. Gradients pass that rounding as if it were
// the identity where the operators behind it take floating-point numbers too, and not at all elsewhere.
func inlined(b op.B, g *ir.Graph, x *ir.Value) (outs []*ir.Value, words string) {
	t := g.Inputs[0].Type
	if t != tensor.Uint8 {
		return op.Inline(b, g, []*ir.Value{b.Cast(x, t)}), ""
	}
	scale, zero := b.Float(x, 1), b.Const("zero", tensor.FromFloat64s(tensor.Uint8, nil, []float64{0}))
	q := b.One("QuantizeLinear", nil, x, scale, zero)
	trial := op.NewB("trial")
	op.Inline(trial, g, []*ir.Value{trial.Input("input", ir.Float32, g.Inputs[0].Shape...)})
	if trial.Err() != nil {
		return op.Inline(b, g, []*ir.Value{q}), "rounded to bytes"
	}
	return op.Inline(b, g, []*ir.Value{b.One("DequantizeLinear", nil, q, scale, zero)}), "rounded to bytes, which gradients pass as if it were the identity"
}
