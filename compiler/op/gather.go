package op

import (
	"fmt"
	"math"

	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

func init() {
	register([]Op{
		{Name: "Gather", In: Arity{2, 2}, Out: Arity{1, 1}, Attrs: []Attr{{"axis", kInt, false}}, Infer: gather},
		{Name: "GatherElements", In: Arity{2, 2}, Out: Arity{1, 1}, Attrs: []Attr{{"axis", kInt, false}}, Infer: gatherElements},
		{
			Name: "ScatterElements", In: Arity{3, 3}, Out: Arity{1, 1},
			Attrs: []Attr{{"axis", kInt, false}, {"reduction", kString, false}}, Infer: scatterElements,
		},
		{Name: "OneHot", In: Arity{3, 3}, Out: Arity{1, 1}, Attrs: []Attr{{"axis", kInt, false}}, Infer: oneHot},
	})
}

func (c *Ctx) indices() error {
	if t := c.Type(1); t != ir.Int64 && t != ir.Int32 {
		return fmt.Errorf("indices: expected int32 or int64, found %s", t)
	}
	return nil
}

func gather(c *Ctx) error {
	s := c.Shape(0)
	axis, err := Axis(c.Int("axis", 0), len(s))
	if err != nil {
		return err
	}
	if err := c.indices(); err != nil {
		return err
	}
	out := s[:axis].Clone()
	out = append(out, c.Shape(1)...)
	out = append(out, s[axis+1:]...)
	return c.Set(0, c.Type(0), out...)
}

func gatherElements(c *Ctx) error {
	if _, err := Axis(c.Int("axis", 0), len(c.Shape(0))); err != nil {
		return err
	}
	if len(c.Shape(0)) != len(c.Shape(1)) {
		return fmt.Errorf("ranks of data and indices differ")
	}
	if err := c.indices(); err != nil {
		return err
	}
	return c.Set(0, c.Type(0), c.Shape(1)...)
}

func scatterElements(c *Ctx) error {
	if _, err := Axis(c.Int("axis", 0), len(c.Shape(0))); err != nil {
		return err
	}
	if !c.Shape(1).Equal(c.Shape(2)) || len(c.Shape(0)) != len(c.Shape(1)) {
		return fmt.Errorf("data, indices and updates do not fit")
	}
	if err := c.SameType(0, 2); err != nil {
		return err
	}
	if err := c.reduction(); err != nil {
		return err
	}
	if err := c.indices(); err != nil {
		return err
	}
	return c.Set(0, c.Type(0), c.Shape(0)...)
}

// constNumber is the content of a constant input of one number of any type, truncated.
func (c *Ctx) constNumber(i int) (int64, bool) {
	v := c.Input(i)
	if !v.IsConst() || v.Const.Len() != 1 || v.Type == ir.Bool || v.Type == tensor.String {
		return 0, false
	}
	f := v.Const.Float64At(0)
	return int64(f), math.Abs(f) < maxDimension
}

func oneHot(c *Ctx) error {
	depth, ok := c.constNumber(1)
	if !ok || depth < 0 {
		return fmt.Errorf("depth must be one constant number")
	}
	if c.Type(0) == ir.Bool || c.Type(0) == tensor.String {
		return fmt.Errorf("indices: expected numbers, found %s", c.Type(0))
	}
	if !c.Shape(2).Equal(ir.Shape{2}) {
		return fmt.Errorf("values: expected shape [2], found %s", c.Shape(2))
	}
	s := c.Shape(0)
	axis, err := Axis(c.Int("axis", -1), len(s)+1)
	if err != nil {
		return err
	}
	out := s[:axis].Clone()
	out = append(out, depth)
	out = append(out, s[axis:]...)
	return c.Set(0, c.Type(2), out...)
}
