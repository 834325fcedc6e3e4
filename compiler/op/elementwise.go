package op

import (
	"fmt"

	"rnas/compiler/ir"
)

func init() {
	var rows []Op
	for _, name := range []string{"Abs", "Neg", "Sign", "Relu", "Identity"} {
		rows = append(rows, Op{Name: name, In: Arity{1, 1}, Out: Arity{1, 1}, Infer: unary})
	}
	for _, name := range []string{
		"Exp", "Log", "Sqrt", "Reciprocal", "Sigmoid", "Tanh", "Softplus", "Softsign", "Erf", "Floor", "Ceil", "Round",
		"Sin", "Cos", "HardSwish",
	} {
		rows = append(rows, Op{Name: name, In: Arity{1, 1}, Out: Arity{1, 1}, Infer: floating})
	}
	for _, row := range []Op{
		{Name: "HardSigmoid", Attrs: []Attr{{"alpha", kFloat, false}, {"beta", kFloat, false}}},
		{Name: "LeakyRelu", Attrs: []Attr{{"alpha", kFloat, false}}},
		{Name: "Elu", Attrs: []Attr{{"alpha", kFloat, false}}},
	} {
		row.In, row.Out, row.Infer = Arity{1, 1}, Arity{1, 1}, floating
		rows = append(rows, row)
	}
	for _, name := range []string{"Add", "Sub", "Mul", "Div", "Pow"} {
		rows = append(rows, Op{Name: name, In: Arity{2, 2}, Out: Arity{1, 1}, Infer: binary})
	}
	for _, name := range []string{"Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"} {
		rows = append(rows, Op{Name: name, In: Arity{2, 2}, Out: Arity{1, 1}, Infer: compare})
	}
	for _, name := range []string{"Sum", "Mean", "Max", "Min"} {
		rows = append(rows, Op{Name: name, In: Arity{1, -1}, Out: Arity{1, 1}, Infer: variadic})
	}
	for _, name := range []string{"Softmax", "LogSoftmax"} {
		rows = append(rows, Op{
			Name: name, In: Arity{1, 1}, Out: Arity{1, 1}, Attrs: []Attr{{"axis", kInt, false}}, Infer: softmax,
		})
	}
	for _, name := range []string{"And", "Or", "Xor"} {
		rows = append(rows, Op{Name: name, In: Arity{2, 2}, Out: Arity{1, 1}, Infer: logical})
	}
	rows = append(rows,
		Op{Name: "Not", In: Arity{1, 1}, Out: Arity{1, 1}, Infer: logical},
		Op{Name: "Clip", In: Arity{1, 3}, Out: Arity{1, 1}, Infer: clip},
		Op{Name: "Where", In: Arity{3, 3}, Out: Arity{1, 1}, Infer: where},
		Op{
			Name: "Cast", In: Arity{1, 1}, Out: Arity{1, 1},
			Attrs: []Attr{{"to", kInt, true}, {"saturate", kInt, false}, {"round_mode", kString, false}},
			Infer: func(c *Ctx) error {
				to := ir.DType(c.Int("to", 0))
				if !to.Known() {
					return fmt.Errorf("attribute to: type %d is not known", c.Int("to", 0))
				}
				return c.Set(0, to, c.Shape(0)...)
			},
		},
	)
	register(rows)
}

func unary(c *Ctx) error { return c.Set(0, c.Type(0), c.Shape(0)...) }

func floating(c *Ctx) error {
	if !c.Type(0).IsFloat() {
		return fmt.Errorf("expected a floating-point type, found %s", c.Type(0))
	}
	return unary(c)
}

func softmax(c *Ctx) error {
	if _, err := Axis(c.Int("axis", -1), len(c.Shape(0))); err != nil {
		return err
	}
	return floating(c)
}

func logical(c *Ctx) error {
	for i := range c.In {
		if c.Type(i) != ir.Bool {
			return fmt.Errorf("expected bool inputs, found %s", c.Type(i))
		}
	}
	if len(c.In) == 1 {
		return unary(c)
	}
	return binary(c)
}

func binary(c *Ctx) error {
	if c.Op != "Pow" {
		if err := c.SameType(0, 1); err != nil {
			return err
		}
	}
	shape, err := Broadcast(c.Shape(0), c.Shape(1))
	if err != nil {
		return err
	}
	return c.Set(0, c.Type(0), shape...)
}

func compare(c *Ctx) error {
	if err := c.SameType(0, 1); err != nil {
		return err
	}
	shape, err := Broadcast(c.Shape(0), c.Shape(1))
	if err != nil {
		return err
	}
	return c.Set(0, ir.Bool, shape...)
}

func variadic(c *Ctx) error {
	shape := c.Shape(0)
	for i := range c.In {
		if c.In[i] == nil {
			return fmt.Errorf("input %d is missing", i)
		}
		if err := c.SameType(0, i); err != nil {
			return err
		}
		var err error
		if shape, err = Broadcast(shape, c.Shape(i)); err != nil {
			return err
		}
	}
	return c.Set(0, c.Type(0), shape...)
}

func clip(c *Ctx) error {
	for i := 1; i < len(c.In); i++ {
		if v := c.In[i]; v != nil && v.Shape.Numel() != 1 {
			return fmt.Errorf("input %d: expected a scalar, found %s", i, v.Shape)
		}
	}
	if err := c.SameType(0, 1, 2); err != nil {
		return err
	}
	return c.Set(0, c.Type(0), c.Shape(0)...)
}

func where(c *Ctx) error {
	if c.Type(0) != ir.Bool {
		return fmt.Errorf("condition: expected bool, found %s", c.Type(0))
	}
	if err := c.SameType(1, 2); err != nil {
		return err
	}
	shape, err := Broadcast(c.Shape(1), c.Shape(2))
	if err != nil {
		return err
	}
	if shape, err = Broadcast(shape, c.Shape(0)); err != nil {
		return err
	}
	return c.Set(0, c.Type(1), shape...)
}
