package op

import (
	"fmt"
	"math"

	"rnas/compiler/ir"
)

func init() {
	var rows []Op
	for _, name := range []string{"Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "Cosh", "Sinh", "Tan"} {
		rows = append(rows, Op{Name: name, In: Arity{1, 1}, Out: Arity{1, 1}, Infer: floating})
	}
	for _, row := range []Op{
		{Name: "Celu", Attrs: []Attr{{"alpha", kFloat, false}}},
		{Name: "Selu", Attrs: []Attr{{"alpha", kFloat, false}, {"gamma", kFloat, false}}},
		{Name: "Swish", Since: 24, Attrs: []Attr{{"alpha", kFloat, false}}, Decompose: func(b B, n *ir.Node) []*ir.Value {
			return []*ir.Value{b.Mul(n.In[0], b.Sigmoid(b.Scale(n.In[0], float64(n.Float("alpha", 1)))))}
		}},
		{Name: "Mish", Since: 18, Decompose: func(b B, n *ir.Node) []*ir.Value {
			return []*ir.Value{b.Mul(n.In[0], b.Tanh(b.One("Softplus", nil, n.In[0])))}
		}},
		{Name: "ThresholdedRelu", Attrs: []Attr{{"alpha", kFloat, false}}},
	} {
		row.In, row.Out, row.Infer = Arity{1, 1}, Arity{1, 1}, floating
		rows = append(rows, row)
	}
	register(append(rows,
		Op{
			Name: "Gelu", Since: 20, In: Arity{1, 1}, Out: Arity{1, 1}, Attrs: []Attr{{"approximate", kString, false}},
			Infer: gelu, Decompose: gaussian,
		},
		Op{Name: "Shrink", In: Arity{1, 1}, Out: Arity{1, 1}, Attrs: []Attr{{"bias", kFloat, false}, {"lambd", kFloat, false}}, Infer: unary},
		Op{Name: "PRelu", In: Arity{2, 2}, Out: Arity{1, 1}, Infer: prelu},
		Op{Name: "Hardmax", In: Arity{1, 1}, Out: Arity{1, 1}, Attrs: []Attr{{"axis", kInt, false}}, Infer: softmax},
	))
}

func gelu(c *Ctx) error {
	if mode := c.Str("approximate", "none"); mode != "none" && mode != "tanh" {
		return fmt.Errorf("attribute approximate: expected none or tanh, found %q", mode)
	}
	return floating(c)
}

// prelu infers PRelu, whose slope must broadcast to x, not the other way round.
func prelu(c *Ctx) error {
	if err := c.SameType(0, 1); err != nil {
		return err
	}
	return c.broadcastsTo(1, c.Shape(0), unary)
}

// broadcastsTo checks that input i broadcasts to shape and goes on with next.
func (c *Ctx) broadcastsTo(i int, shape ir.Shape, next func(*Ctx) error) error {
	if s, err := Broadcast(shape, c.Shape(i)); err != nil || !s.Equal(shape) {
		return fmt.Errorf("input %d: %s does not broadcast to %s", i, c.Shape(i), shape)
	}
	return next(c)
}

// gaussian is Gelu by Erf, or by Tanh (Hendrycks & Gimpel 2016, section 2).
func gaussian(b B, n *ir.Node) []*ir.Value {
	x := n.In[0]
	var cumulative *ir.Value
	if n.Str("approximate", "none") == "tanh" {
		cube := b.Mul(x, b.Mul(x, x))
		cumulative = b.Tanh(b.Scale(b.Add(x, b.Scale(cube, 0.044715)), math.Sqrt(2/math.Pi)))
	} else {
		cumulative = b.One("Erf", nil, b.Scale(x, math.Sqrt2/2))
	}
	return []*ir.Value{b.Mul(b.Scale(x, 0.5), b.Add(cumulative, b.Float(x, 1)))}
}
