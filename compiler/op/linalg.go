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
		{Name: "CumProd", Since: 26, In: Arity{2, 2}, Out: Arity{1, 1}, Attrs: scan, Infer: cumProd, Decompose: products},
		{Name: "Det", In: Arity{1, 1}, Out: Arity{1, 1}, Infer: det},
		{Name: "Trilu", In: Arity{1, 2}, Out: Arity{1, 1}, Attrs: []Attr{{"upper", kInt, false}}, Infer: trilu},
		{Name: "EyeLike", In: Arity{1, 1}, Out: Arity{1, 1}, Attrs: []Attr{{"dtype", kInt, false}, {"k", kInt, false}}, Infer: eyeLike},
		{Name: "Einsum", In: Arity{1, -1}, Out: Arity{1, 1}, Attrs: []Attr{{"equation", kString, true}}, Infer: einsum},
	})
}

// cumulative infers a sum or product along the axis that input 1, one integer, names.
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

// cumProd infers CumProd, whose axis must be constant because the decomposition depends on it.
func cumProd(c *Ctx) error {
	if _, ok := c.ConstInts(1); !ok {
		return fmt.Errorf("axis must be constant")
	}
	return cumulative(c)
}

// Before is the product of the elements before each one along an axis (sign 1), or after it (sign -1), by doubling steps (Hillis &
// Steele 1986). It consists of products only, so that its gradients are exact where elements are zero.
func (b B) Before(v *ir.Value, axis int, sign int64) *ir.Value {
	shift := func(v *ir.Value, k int64) *ir.Value {
		pads := make([]int64, 2*v.Rank())
		pads[axis], pads[v.Rank()+axis] = k, -k
		return b.One("Pad", nil, v, b.Ints(pads...), b.Float(v, 1))
	}
	p := shift(v, sign)
	for k := int64(1); k < v.Shape[axis]; k *= 2 {
		p = b.Mul(p, shift(p, sign*k))
	}
	return p
}

func products(b B, n *ir.Node) []*ir.Value {
	x := n.In[0]
	where, _ := ConstInts(n.In[1])
	axis, _ := Axis(where[0], x.Rank())
	switch {
	case x.Shape[axis] == ir.N:
		b.Fail("node %s: CumProd needs a static dimension %d here", n.Name, axis)
		return []*ir.Value{x}
	case x.Shape[axis] == 0:
		return []*ir.Value{x}
	}
	sign := int64(1)
	if n.Int("reverse", 0) != 0 {
		sign = -1
	}
	y := b.Before(x, axis, sign)
	if n.Int("exclusive", 0) == 0 {
		y = b.Mul(y, x)
	}
	return []*ir.Value{y}
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
