package pass

import (
	"math"

	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

// foldbn lets Conv, ConvTranspose and Gemm with constant weights absorb what follows if that is one number times the result plus
// another, per channel: BatchNormalization with constant statistics, or Add, Sub, Mul and Div by a constant. Nothing else may use
// the result of the convolution. The arithmetic is done in float64 and rounded once per absorbed operator.
func foldbn(g *ir.Graph) error {
	f := &bnFolder{fixed: ir.GivenOut(g), uses: ir.CountUses(g), names: ir.NewNames(g)}
	ir.Each(g, f.graph)
	return nil
}

// bnFolder folds affine maps into weights.
type bnFolder struct {
	fixed map[*ir.Value]bool
	uses  map[*ir.Value]int
	names *ir.Names
}

func (f *bnFolder) graph(g *ir.Graph) {
	local := make(map[*ir.Node]bool, len(g.Nodes))
	filter(g, func(n *ir.Node) bool {
		local[n] = true
		x, a, ok := affineOf(n)
		if !ok || x.Def == nil || !local[x.Def] || f.uses[x] != 1 || f.fixed[x] || !f.absorb(x.Def, a) {
			return true
		}
		x.Def.Out[0] = n.Out[0]
		n.Out[0].Def = x.Def
		return false
	})
}

// affine is y = scale*x + shift with one number of each per channel, axis 1.
type affine struct{ scale, shift []float64 }

// affineOf reads n as an affine map per channel of one of its inputs. It is not ok if n is none, or has a factor that is not
// finite.
func affineOf(n *ir.Node) (x *ir.Value, a affine, ok bool) {
	if n.Domain != "" || len(n.Out) == 0 || n.Out[0] == nil || n.Out[0].Rank() < 2 || !n.Out[0].Type.IsFloat() {
		return nil, a, false
	}
	switch n.Op {
	case "BatchNormalization":
		x = n.In[0]
		a, ok = normalisation(n)
	case "Add", "Sub", "Mul", "Div":
		x, a, ok = arithmetic(n)
	}
	for i := range a.scale {
		for _, v := range []float64{a.scale[i], a.shift[i]} {
			ok = ok && !math.IsNaN(v) && !math.IsInf(v, 0)
		}
	}
	return x, a, ok
}

// normalisation reads a BatchNormalization by constants.
func normalisation(n *ir.Node) (a affine, ok bool) {
	if n.Int("training_mode", 0) != 0 {
		return a, false
	}
	for _, v := range n.In[1:] {
		if !v.IsConst() {
			return a, false
		}
	}
	gamma, beta, mean, variance := n.In[1].Const, n.In[2].Const, n.In[3].Const, n.In[4].Const
	for i := range gamma.Len() {
		s := gamma.Float64At(i) / math.Sqrt(variance.Float64At(i)+float64(n.Float("epsilon", 1e-5)))
		a.scale = append(a.scale, s)
		a.shift = append(a.shift, beta.Float64At(i)-s*mean.Float64At(i))
	}
	return a, true
}

// arithmetic reads an Add, Sub, Mul or Div by a constant.
func arithmetic(n *ir.Node) (x *ir.Value, a affine, ok bool) {
	x, c := n.In[0], n.In[1]
	swapped := x.IsConst()
	if swapped {
		x, c = c, x
	}
	values, ok := perChannel(c, x.Shape)
	if !ok || !x.Shape.Equal(n.Out[0].Shape) || swapped && n.Op == "Div" {
		return nil, a, false
	}
	for _, v := range values {
		scale, shift := 1.0, 0.0
		switch {
		case n.Op == "Add":
			shift = v
		case n.Op == "Sub" && swapped:
			scale, shift = -1, v
		case n.Op == "Sub":
			shift = -v
		case n.Op == "Mul":
			scale = v
		case n.Op == "Div":
			scale = 1 / v
		}
		a.scale, a.shift = append(a.scale, scale), append(a.shift, shift)
	}
	return x, a, true
}

// perChannel spreads a constant over the channels, axis 1 of shape. It is not ok if the constant varies along another axis.
func perChannel(c *ir.Value, shape ir.Shape) (values []float64, ok bool) {
	if !c.IsConst() || c.Rank() > len(shape) || shape[1] == ir.N {
		return nil, false
	}
	axis := 1 - (len(shape) - c.Rank()) // of c
	for i, d := range c.Shape {
		if d != 1 && (i != axis || d != shape[1]) {
			return nil, false
		}
	}
	all := c.Const.Float64s()
	values = make([]float64, shape[1])
	for i := range values {
		values[i] = all[i%len(all)]
	}
	return values, true
}

// absorb applies a to the result of n by changing weight and bias of n, and reports whether it can.
func (f *bnFolder) absorb(n *ir.Node, a affine) bool {
	channel, beta := layout(n), 1.0
	if channel == nil || !n.In[1].IsConst() || n.Input(2) != nil && !n.In[2].IsConst() {
		return false
	}
	w := n.In[1]
	weights := w.Const.Float64s()
	for i := range weights {
		weights[i] *= a.scale[channel(i)]
	}
	bias := append([]float64{}, a.shift...)
	if n.Op == "Gemm" {
		beta = float64(n.Float("beta", 1))
	}
	if b := n.Input(2); b != nil {
		old, ok := perChannel(b, n.Out[0].Shape)
		if n.Op != "Gemm" {
			old, ok = b.Const.Float64s(), true
		}
		if !ok {
			return false
		}
		for i := range bias {
			bias[i] += beta * old[i] * a.scale[i]
		}
	}
	n.In = []*ir.Value{
		n.In[0],
		f.constant(w.Name+".folded", w.Type, w.Shape, weights),
		f.constant(n.Name+".bias", w.Type, ir.Shape{int64(len(bias))}, bias),
	}
	if n.Op == "Gemm" && beta != 1 {
		attrs := ir.Attrs{}
		for _, name := range n.Attrs.Names() {
			if name != "beta" {
				attrs[name] = n.Attrs[name]
			}
		}
		n.Attrs = attrs
	}
	return true
}

// constant makes a constant of type t.
func (f *bnFolder) constant(name string, t ir.DType, shape ir.Shape, values []float64) *ir.Value {
	return &ir.Value{
		Name: f.names.Unique(name), Type: t, Shape: shape.Clone(), Const: tensor.FromFloat64s(t, shape, values),
	}
}

// layout returns a function that tells which output channel element i of the weight of n belongs to, or nil for operators without
// such a weight.
func layout(n *ir.Node) func(i int) int {
	if n.Domain != "" || len(n.In) < 2 {
		return nil
	}
	w := n.In[1].Shape
	switch n.Op {
	case "Conv": // [O, I/group, k...]
		per := int(w[1:].Numel())
		return func(i int) int { return i / per }
	case "ConvTranspose": // [I, O/group, k...]
		k, per := int(w[2:].Numel()), int(w[1])
		inGroup := int(w[0] / n.Int("group", 1))
		return func(i int) int { return i/k/per/inGroup*per + i/k%per }
	case "Gemm": // [O, I] if transposed, else [I, O]
		if n.Int("transB", 0) != 0 {
			return func(i int) int { return i / int(w[1]) }
		}
		return func(i int) int { return i % int(w[1]) }
	}
	return nil
}
