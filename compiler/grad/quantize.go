package grad

import (
	"math"
	"slices"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/tensor"
)

// The gradient of a quantised value q, which stands for (q - zero)*scale, is the gradient with respect to q as if it were
// a real number, in the floating-point type of the scale. It passes straight through the rounding (Bengio et al. 2013,
// section 4) and is zero where the number was clipped to an end of the range; that of the scale of a number which is
// quantised and dequantised is the one of Esser et al. (2020, equation 3). Zero points count as constants, and so do the
// scales of other operators.
func init() {
	register(map[string]Rule{
		"QuantizeLinear":                   quantizeLinear,
		"DequantizeLinear":                 dequantizeLinear,
		"DynamicQuantizeLinear":            dynamicQuantizeLinear,
		"ConvInteger":                      integer("Conv"),
		"MatMulInteger":                    integer("MatMul"),
		op.Microsoft + ".QuantizeLinear":   quantizeLinear,
		op.Microsoft + ".DequantizeLinear": dequantizeLinear,
	})
	for _, q := range op.QLinears() {
		register(map[string]Rule{key(&ir.Node{Domain: q[0], Op: q[1]}): qlinear})
	}
}

// key is the name of an operator in the tables of this package.
func key(n *ir.Node) string {
	if n.Domain == "" {
		return n.Op
	}
	return n.Domain + "." + n.Op
}

// rounds reports whether the outputs of n are rounded to integers and a gradient passes all the same.
func rounds(n *ir.Node) bool {
	if _, ok := op.QLinearOf(n); ok {
		return true
	}
	if n.Domain == "" && (n.Op == "Cast" || n.Op == "CastLike") {
		return n.Out[0].Type.IsSmall() && !n.In[0].Type.IsSmall()
	}
	if n.Domain == op.Microsoft && n.Op == "DynamicQuantizeMatMul" {
		return true
	}
	return n.Op == "QuantizeLinear" && (n.Domain == "" || n.Domain == op.Microsoft) || n.Op == "DynamicQuantizeLinear" && n.Domain == ""
}

// StraightThrough lists the nodes of g at which the gradient of the outputs with respect to the floating-point inputs is
// that of a surrogate, not of the function: those that round, taken as if they did not.
func StraightThrough(g *ir.Graph) []*ir.Node {
	w := walk{depends: map[*ir.Value]bool{}}
	for _, v := range g.Inputs {
		if v.Type.IsFloat() {
			w.depends[v] = true
		}
	}
	var out []*ir.Node
	for _, n := range g.Nodes {
		w.mark(n)
		if rounds(n) && slices.ContainsFunc(n.In, func(v *ir.Value) bool { return w.depends[v] }) {
			out = append(out, n)
		}
	}
	return out
}

// carries reports whether output i of n has a gradient when some input has one: a floating-point number, or an integer that stands
// for a real number because it was quantised.
func (w *walk) carries(n *ir.Node, i int) bool {
	v := n.Out[i]
	switch {
	case n.Op == "DynamicQuantizeLinear" && i > 0:
		return false
	case v.Type.IsFloat():
		return true
	case !op.Quantized(v.Type) && v.Type != ir.Int32:
		return false
	case rounds(n):
		return true
	}
	return slices.ContainsFunc(n.In, func(v *ir.Value) bool { return v != nil && w.depends[v] && !v.Type.IsFloat() })
}

// like shapes a scale or zero point so that it broadcasts to x.
func like(c *Ctx, v, x *ir.Value, g op.Granularity) *ir.Value {
	switch {
	case g.Axis < 0:
		return c.Reshape(v)
	case g.Block == 0:
		dims := slices.Repeat([]int64{1}, x.Rank())
		dims[g.Axis] = x.Shape[g.Axis]
		return c.Reshape(v, dims...)
	}
	// Repeat every entry along the axis, and cut what the last block has too much.
	wide := c.Unsqueeze(v, int64(g.Axis+1))
	dims := wide.Shape.Clone()
	dims[g.Axis+1] = g.Block
	joined := v.Shape.Clone()
	joined[g.Axis] *= g.Block
	r := c.Reshape(c.Expand(wide, dims...), joined...)
	if joined[g.Axis] == x.Shape[g.Axis] {
		return r
	}
	return c.Slice(r, []int64{0}, []int64{x.Shape[g.Axis]}, []int64{int64(g.Axis)}, []int64{1})
}

// unlike sums v, of the shape of the data, over the elements that share an entry of the scale.
func unlike(c *Ctx, v *ir.Value, g op.Granularity) *ir.Value {
	scale := c.In(1)
	var axes []int64
	for i := range v.Rank() {
		if i != g.Axis {
			axes = append(axes, int64(i))
		}
	}
	if g.Block > 0 {
		blocks := scale.Shape[g.Axis]
		pads := make([]int64, 2*v.Rank())
		pads[v.Rank()+g.Axis] = blocks*g.Block - v.Shape[g.Axis]
		parts := slices.Insert(v.Shape.Clone(), g.Axis+1, g.Block)
		parts[g.Axis] = blocks
		v, axes = c.Reshape(c.Pad(v, pads...), parts...), []int64{int64(g.Axis) + 1}
	}
	if len(axes) > 0 {
		v = c.ReduceSum(v, false, axes...)
	}
	return c.Cast(c.Reshape(v, scale.Shape...), scale.Type)
}

// scaleOf is the scale of a QuantizeLinear or DequantizeLinear node in the type of dy, shaped to broadcast.
func scaleOf(c *Ctx, dy *ir.Value) (*ir.Value, op.Granularity, bool) {
	g, err := op.GranularityOf(c.N, c.In(0).Shape, c.In(1).Shape)
	if err != nil {
		c.Fail("node %s: %w", c.N.Name, err)
		return nil, g, false
	}
	return c.Cast(like(c, c.In(1), c.In(0), g), dy.Type), g, true
}

func quantizeLinear(c *Ctx) []*ir.Value {
	x, dy := c.In(0), c.Dy[0]
	scale, g, ok := scaleOf(c, dy)
	if !ok {
		return nil
	}
	lo, hi := quantizedRange(c.Out(0).Type)
	low, high := c.Float(dy, lo), c.Float(dy, hi)
	if z := c.In(2); z != nil {
		z = c.Cast(like(c, z, x, g), dy.Type)
		low, high = c.Sub(low, z), c.Sub(high, z)
	}
	xs := c.Cast(x, dy.Type)
	inside := c.One("And", nil, c.GreaterOrEqual(xs, c.Mul(low, scale)), c.LessOrEqual(xs, c.Mul(high, scale)))
	dx := c.Mul(divide(c, dy, scale), c.Cast(inside, dy.Type))
	ds := c.when(1, func() *ir.Value { return unlike(c, c.Neg(c.Mul(dx, c.Div(xs, scale))), g) })
	if x.Type.IsFloat() {
		dx = c.Cast(dx, x.Type)
	}
	return []*ir.Value{dx, ds}
}

// quantizedRange bounds the numbers that are not clipped, which lie at most half a step outside the range of the integers of type
// t.
func quantizedRange(t ir.DType) (lo, hi float64) {
	if t.IsFloat() {
		hi = tensor.Round(t, math.MaxFloat64, true, tensor.RoundNearest)
		return -hi, hi
	}
	low, high, _ := op.QuantizedRange(t)
	return float64(low) - 0.5, float64(high) + 0.5
}

// divide is dy/scale. If the DequantizeLinear that follows has multiplied dy by that scale, both are left out.
func divide(c *Ctx, dy, scale *ir.Value) *ir.Value {
	if d := dy.Def; d != nil && d.Op == "Mul" && d.In[1] == scale {
		return d.In[0]
	}
	return c.Div(dy, scale)
}

func dequantizeLinear(c *Ctx) []*ir.Value {
	dy := c.Dy[0]
	scale, g, ok := scaleOf(c, dy)
	if !ok {
		return nil
	}
	return []*ir.Value{c.Mul(dy, scale), c.when(1, func() *ir.Value {
		q := c.Cast(c.In(0), dy.Type)
		if z := c.In(2); z != nil {
			q = c.Sub(q, c.Cast(like(c, z, c.In(0), g), dy.Type))
		}
		return unlike(c, c.Mul(dy, q), g)
	})}
}

// dynamicQuantizeLinear clips nothing, because the range is that of the data.
func dynamicQuantizeLinear(c *Ctx) []*ir.Value {
	if c.Dy[0] == nil {
		return nil
	}
	out := c.N.Out
	for len(out) < 2 || out[1] == nil {
		scale := &ir.Value{Name: c.Take(c.N.Name + ".scale"), Type: ir.Float32, Def: c.N}
		out = append([]*ir.Value{out[0], scale}, out[min(len(out), 2):]...)
	}
	c.N.Out = out
	return []*ir.Value{c.Div(c.Dy[0], out[1])}
}

// real is the real number that an operand stands for.
func (c *Ctx) real(o op.Operand) *ir.Value {
	data := c.Cast(o.Data, o.Scale.Type)
	if o.Zero != nil {
		data = c.Sub(data, c.Cast(c.along(o.Zero, o), o.Scale.Type))
	}
	return c.Mul(data, c.along(o.Scale, o))
}

// along shapes a scale or zero point of an operand so that it broadcasts to the data.
func (c *Ctx) along(v *ir.Value, o op.Operand) *ir.Value {
	switch {
	case v.Shape.Numel() == 1:
		return c.Reshape(v)
	case v.Rank() == 1:
		return like(c, v, o.Data, op.Granularity{Axis: o.Axis})
	}
	return v
}

// qlinear is the gradient of the floating-point operator on the real numbers that the operands stand for. A result at an
// end of its range counts as clipped.
func qlinear(c *Ctx) []*ir.Value {
	q, _ := op.QLinearOf(c.N)
	y, dy := c.Out(0), c.Dy[0]
	n := &ir.Node{Name: c.N.Name, Op: q.Op, Attrs: q.Attrs, Out: []*ir.Value{y}}
	if q.Scale != nil {
		lo, hi, _ := op.QuantizedRange(y.Type)
		scale := c.Reshape(q.Scale)
		number := c.Cast(y, dy.Type)
		inside := c.One("And", nil, c.Greater(number, c.Float(dy, float64(lo))), c.Less(number, c.Float(dy, float64(hi))))
		dy = c.Mul(divide(c, dy, scale), c.Cast(inside, dy.Type))
		n.Out[0] = c.real(op.Operand{Data: y, Scale: scale, Zero: q.Zero})
	}
	need := make([]bool, len(q.Operands))
	for i, o := range q.Operands {
		n.In = append(n.In, c.real(o))
		need[i] = c.Need(o.Input)
	}
	out := make([]*ir.Value, len(c.N.In))
	if c.Err() != nil {
		return out
	}
	grads := rules[q.Op](&Ctx{B: c.B, N: n, Dy: []*ir.Value{dy}, need: need})
	for i, o := range q.Operands {
		if need[i] && c.Err() == nil {
			g := sumTo(c.B, grads[i], o.Data)
			out[o.Input] = c.Mul(g, c.along(o.Scale, o))
		}
	}
	return out
}

// integer is the gradient of an operator on integers from which their zero points are taken.
func integer(name string) Rule {
	return func(c *Ctx) []*ir.Value {
		dy := c.Dy[0]
		n := &ir.Node{Name: c.N.Name, Op: name, Attrs: c.N.Attrs, Out: []*ir.Value{c.Out(0)}}
		one := c.Float(dy, 1)
		for i := range 2 {
			o := op.Operand{Data: c.In(i), Scale: one, Zero: c.In(2 + i)}
			if name == "MatMul" {
				o.Axis = max(o.Data.Rank()-2+i, 0)
			}
			n.In = append(n.In, c.real(o))
		}
		if c.Err() != nil {
			return nil
		}
		return rules[name](&Ctx{B: c.B, N: n, Dy: c.Dy, need: c.need})
	}
}

// castBack is the gradient of Cast. The gradient of a quantised number stays a floating-point number.
func castBack(c *Ctx, x, _, dy *ir.Value) *ir.Value {
	if !x.Type.IsFloat() {
		return dy
	}
	return c.Cast(dy, x.Type)
}
