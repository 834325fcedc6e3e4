package op

import (
	"fmt"

	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

func init() {
	rows := []Op{
		{Name: "BitwiseNot", Since: 18, In: Arity{1, 1}, Out: Arity{1, 1}, Infer: integers(unary)},
		{
			Name: "BitShift", In: Arity{2, 2}, Out: Arity{1, 1}, Attrs: []Attr{{"direction", kString, true}},
			Infer: integers(func(c *Ctx) error {
				if d := c.Str("direction", ""); d != "LEFT" && d != "RIGHT" {
					return fmt.Errorf("attribute direction: expected LEFT or RIGHT, found %q", d)
				}
				return binary(c)
			}),
		},
		{Name: "BitCast", Since: 26, In: Arity{1, 1}, Out: Arity{1, 1}, Attrs: []Attr{{"to", kInt, true}}, Infer: bitCast},
		{Name: "Mod", In: Arity{2, 2}, Out: Arity{1, 1}, Attrs: []Attr{{"fmod", kInt, false}}, Infer: mod},
		{Name: "IsNaN", In: Arity{1, 1}, Out: Arity{1, 1}, Infer: test},
		{
			Name: "IsInf", In: Arity{1, 1}, Out: Arity{1, 1},
			Attrs: []Attr{{"detect_negative", kInt, false}, {"detect_positive", kInt, false}}, Infer: test,
		},
		{
			Name: "CastLike", Since: 15, In: Arity{2, 2}, Out: Arity{1, 1}, Attrs: []Attr{{"saturate", kInt, false}, {"round_mode", kString, false}},
			Infer:     func(c *Ctx) error { return c.Set(0, c.Type(1), c.Shape(0)...) },
			Decompose: func(b B, n *ir.Node) []*ir.Value { return []*ir.Value{b.Cast(n.In[0], n.In[1].Type)} },
		},
	}
	for _, name := range []string{"BitwiseAnd", "BitwiseOr", "BitwiseXor"} {
		rows = append(rows, Op{Name: name, Since: 18, In: Arity{2, 2}, Out: Arity{1, 1}, Infer: integers(binary)})
	}
	register(rows)
}

// integers refuses inputs of other types.
func integers(next func(*Ctx) error) func(*Ctx) error {
	return func(c *Ctx) error {
		for i := range c.In {
			if t := c.Type(i); t.IsFloat() || t == ir.Bool || t == tensor.String {
				return fmt.Errorf("input %d: expected integers, found %s", i, t)
			}
		}
		return next(c)
	}
}

// test infers an operator that answers a question about floating-point elements.
func test(c *Ctx) error {
	if err := floating(c); err != nil {
		return err
	}
	return c.Set(0, ir.Bool, c.Shape(0)...)
}

func bitCast(c *Ctx) error {
	to := ir.DType(c.Int("to", 0))
	if !to.Known() || to == tensor.String || c.Type(0) == tensor.String || to.Size() != c.Type(0).Size() {
		return fmt.Errorf("attribute to: type %d does not have the %d bytes of %s", c.Int("to", 0), c.Type(0).Size(), c.Type(0))
	}
	return c.Set(0, to, c.Shape(0)...)
}

func mod(c *Ctx) error {
	if c.Type(0).IsFloat() && c.Int("fmod", 0) == 0 {
		return fmt.Errorf("the remainder of floating-point numbers needs fmod=1")
	}
	return binary(c)
}
