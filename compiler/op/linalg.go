package op

import (
	"fmt"

	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

func init() {
	scan := []Attr{{"exclusive", kInt, false}, {"reverse", kInt, false}}
	register([]Op{
		{Name: "CumSum", In: Arity{2, 2}, Out: Arity{1, 1}, Attrs: scan, Infer: cumulative},
		{Name: "CumProd", In: Arity{2, 2}, Out: Arity{1, 1}, Attrs: scan, Infer: func(c *Ctx) error {
			if _, ok := c.ConstInts(1); !ok { // its gradient depends on the axis
				return fmt.Errorf("axis must be constant")
			}
			return cumulative(c)
		}},
		{Name: "Det", In: Arity{1, 1}, Out: Arity{1, 1}, Infer: det},
		{Name: "Trilu", In: Arity{1, 2}, Out: Arity{1, 1}, Attrs: []Attr{{"upper", kInt, false}}, Infer: trilu},
		{Name: "EyeLike", In: Arity{1, 1}, Out: Arity{1, 1}, Attrs: []Attr{{"dtype", kInt, false}, {"k", kInt, false}}, Infer: eyeLike},
		{Name: "Einsum", In: Arity{1, -1}, Out: Arity{1, 1}, Attrs: []Attr{{"equation", kString, true}}, Infer: einsum},
	})
}

// cumulative is the shape of a sum or product along the axis that input 1, one integer, names.
func cumulative(c *Ctx) error {
	if err := c.oneIndex(1); err != nil {
		return err
	}
	if axis, ok := c.ConstInts(1); ok {
		if _, err := Axis(axis[0], len(c.Shape(0))); err != nil {
			return err
		}
	}
	return unary(c)
}

// oneIndex checks that input i, where given, is a single int32 or int64.
func (c *Ctx) oneIndex(i int) error {
	if v := c.Input(i); v != nil && (v.Shape.Numel() != 1 || v.Type != ir.Int64 && v.Type != ir.Int32) {
		return fmt.Errorf("input %d: expected one int32 or int64, found %s%s", i, v.Type, v.Shape)
	}
	return nil
}

// matrices is the side of the square matrices in the last two dimensions of input 0.
func (c *Ctx) matrices() (side int64, err error) {
	s := c.Shape(0)
	if len(s) < 2 || s[len(s)-1] != s[len(s)-2] || s[len(s)-1] == ir.N {
		return 0, fmt.Errorf("expected square matrices")
	}
	return s[len(s)-1], nil
}

func det(c *Ctx) error {
	if _, err := c.matrices(); err != nil {
		return err
	}
	if !c.Type(0).IsFloat() {
		return floating(c)
	}
	s := c.Shape(0)
	return c.Set(0, c.Type(0), s[:len(s)-2]...)
}

func trilu(c *Ctx) error {
	if len(c.Shape(0)) < 2 {
		return fmt.Errorf("expected rank at least 2")
	}
	if err := c.oneIndex(1); err != nil {
		return err
	}
	return unary(c)
}

func eyeLike(c *Ctx) error {
	if len(c.Shape(0)) != 2 {
		return fmt.Errorf("expected rank 2")
	}
	t := ir.DType(c.Int("dtype", int64(c.Type(0))))
	if !t.Known() || t == tensor.String {
		return fmt.Errorf("attribute dtype: type %d is not known", c.Int("dtype", 0))
	}
	return c.Set(0, t, c.Shape(0)...)
}
