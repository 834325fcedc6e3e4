package op

import (
	"fmt"

	"rnas/compiler/ir"
)

func init() {
	var rows []Op
	for _, name := range []string{"Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "Cosh", "Sinh", "Tan", "Mish"} {
		rows = append(rows, Op{Name: name, In: Arity{1, 1}, Out: Arity{1, 1}, Infer: floating})
	}
	for _, row := range []Op{
		{Name: "Celu", Attrs: []Attr{{"alpha", kFloat, false}}},
		{Name: "Selu", Attrs: []Attr{{"alpha", kFloat, false}, {"gamma", kFloat, false}}},
		{Name: "Swish", Attrs: []Attr{{"alpha", kFloat, false}}},
		{Name: "ThresholdedRelu", Attrs: []Attr{{"alpha", kFloat, false}}},
	} {
		row.In, row.Out, row.Infer = Arity{1, 1}, Arity{1, 1}, floating
		rows = append(rows, row)
	}
	register(append(rows,
		Op{Name: "Gelu", In: Arity{1, 1}, Out: Arity{1, 1}, Attrs: []Attr{{"approximate", kString, false}}, Infer: gelu},
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

// prelu wants a slope that broadcasts to x, not the other way round.
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
