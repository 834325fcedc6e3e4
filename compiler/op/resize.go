package op

import (
	"fmt"

	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

func init() {
	register([]Op{{
		Name: "Resize", SinceOf: resizeSince, In: Arity{1, 4}, Out: Arity{1, 1},
		Attrs: []Attr{
			{"antialias", kInt, false},
			{"axes", kInts, false},
			{"coordinate_transformation_mode", kString, false},
			{"cubic_coeff_a", kFloat, false},
			{"exclude_outside", kInt, false},
			{"extrapolation_value", kFloat, false},
			{"keep_aspect_ratio_policy", kString, false},
			{"mode", kString, false},
			{"nearest_mode", kString, false},
		},
		Infer: resizeShape, Decompose: resize,
	}})
}

// resizeSince is the operator set of Resize: later ones brought ways to place pixels, antialiasing, axes and aspect ratios.
func resizeSince(n *ir.Node) int {
	switch {
	case n.Str("coordinate_transformation_mode", "") == "half_pixel_symmetric":
		return 19
	case n.Int("antialias", 0) != 0, n.Ints("axes", nil) != nil, n.Str("keep_aspect_ratio_policy", "stretch") != "stretch":
		return 18
	}
	return 0
}

// maxResize bounds the entries of the interpolation matrix of one axis.
const maxResize = 1 << 24

func resizeShape(c *Ctx) error {
	r, err := resizingOf(c.Node)
	if err != nil {
		return err
	}
	out := c.Shape(0).Clone()
	for i, a := range r.axes {
		if d := out[a]; d != ir.N && (d < 1 || r.sizes[i] < 0 || d*r.sizes[i] > maxResize) {
			return fmt.Errorf("axis %d cannot be resized from %d to %d", a, d, r.sizes[i])
		}
		out[a] = r.sizes[i]
	}
	return c.Set(0, c.Type(0), out...)
}

// resize multiplies by one matrix of interpolation weights per axis: interpolation is linear and separable.
func resize(b B, n *ir.Node) []*ir.Value {
	x := n.In[0]
	axes, r, err := interpolations(n)
	if err != nil {
		b.Fail("%w", err)
		return make([]*ir.Value, 1)
	}
	if !x.Type.IsFloat() {
		x = b.Cast(x, ir.Float32)
	}
	for _, p := range axes {
		x = p.apply(b, x)
		if r.extrapolation != 0 {
			x = b.Add(x, p.extrapolated(b, x, r.extrapolation))
		}
	}
	return []*ir.Value{b.Cast(x, n.In[0].Type)}
}

// apply multiplies the axis of x by the matrix [out, in].
func (p *interpolation) apply(b B, x *ir.Value) *ir.Value {
	last := x.Rank() - 1
	before := p.axis == last-1 // the matrix stands on the left
	matrix := make([]float64, p.in*p.out)
	for o := range p.at {
		for k, i := range p.at[o] {
			at := i*p.out + int64(o)
			if before {
				at = int64(o)*p.in + i
			}
			if !p.outside[o] {
				matrix[at] += p.weights[o][k]
			}
		}
	}
	switch {
	case before:
		return b.MatMul(b.Const("weights", tensor.FromFloat64s(x.Type, []int64{p.out, p.in}, matrix)), x)
	case x.Rank() == 1:
		x = b.Unsqueeze(x, 0)
		return b.Squeeze(b.MatMul(x, b.Const("weights", tensor.FromFloat64s(x.Type, []int64{p.in, p.out}, matrix))), 0)
	}
	perm := make([]int64, last+1)
	for i := range perm {
		perm[i] = int64(i)
	}
	perm[p.axis], perm[last] = perm[last], perm[p.axis]
	move := func(x *ir.Value) *ir.Value {
		if p.axis == last {
			return x
		}
		return b.Transpose(x, perm...)
	}
	return move(b.MatMul(move(x), b.Const("weights", tensor.FromFloat64s(x.Type, []int64{p.in, p.out}, matrix))))
}

// extrapolated is value at the outputs outside of the input and 0 elsewhere, in a shape that broadcasts to x.
func (p *interpolation) extrapolated(b B, x *ir.Value, value float64) *ir.Value {
	values := make([]float64, p.out)
	for o, outside := range p.outside {
		if outside {
			values[o] = value
		}
	}
	shape := []int64{p.out}
	for range x.Rank() - 1 - p.axis {
		shape = append(shape, 1)
	}
	return b.Const("extrapolated", tensor.FromFloat64s(x.Type, shape, values))
}
