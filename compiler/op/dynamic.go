package op

import (
	"fmt"
	"math"

	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

func init() {
	register([]Op{
		{Name: "Size", In: Arity{1, 1}, Out: Arity{1, 1}, Infer: func(c *Ctx) error { return c.Set(0, ir.Int64) }},
		{Name: "Range", In: Arity{3, 3}, Out: Arity{1, 1}, Infer: rangeOp},
		{Name: "NonZero", In: Arity{1, 1}, Out: Arity{1, 1}, Infer: nonZero},
		{Name: "Compress", In: Arity{2, 2}, Out: Arity{1, 1}, Attrs: []Attr{{"axis", kInt, false}}, Infer: compress},
		{Name: "Unique", In: Arity{1, 1}, Out: Arity{1, 4}, Attrs: []Attr{{"axis", kInt, false}, {"sorted", kInt, false}}, Infer: unique},
	})
}

// The shapes of Range, NonZero, Compress and Unique depend on data: that data must be constant.

// RangeCount is the number of elements of a Range.
func RangeCount(start, limit, delta float64) (int64, error) {
	if delta == 0 || math.IsNaN(start+limit+delta) {
		return 0, fmt.Errorf("a range from %v to %v by %v", start, limit, delta)
	}
	count := math.Ceil((limit - start) / delta)
	if count > math.MaxInt32 {
		return 0, fmt.Errorf("a range of %g elements", count)
	}
	return int64(max(count, 0)), nil
}

func rangeOp(c *Ctx) error {
	var v [3]float64
	for i := range v {
		if !c.In[i].IsConst() || c.In[i].Const.Len() != 1 {
			return fmt.Errorf("start, limit and delta must be constant numbers")
		}
		if c.Type(i) == tensor.String || c.Type(i) == ir.Bool {
			return fmt.Errorf("input %d: expected a number", i)
		}
		v[i] = c.In[i].Const.Float64At(0)
	}
	if err := c.SameType(0, 1, 2); err != nil {
		return err
	}
	count, err := RangeCount(v[0], v[1], v[2])
	if err != nil {
		return err
	}
	return c.Set(0, c.Type(0), count)
}

// constant returns the content of input i, which must be known because the shape of the output depends on it.
func (c *Ctx) constant(i int) (*tensor.Tensor, error) {
	if !c.In[i].IsConst() || c.Type(i) == tensor.String {
		return nil, fmt.Errorf("the shape of the output depends on input %d, which must be constant", i)
	}
	return c.In[i].Const, nil
}

func nonZero(c *Ctx) error {
	t, err := c.constant(0)
	if err != nil {
		return err
	}
	count := int64(0)
	for k := range t.Len() {
		if t.Float64At(k) != 0 {
			count++
		}
	}
	return c.Set(0, ir.Int64, int64(len(c.Shape(0))), count)
}

// Selected lists the places at which the condition of a Compress node holds.
func Selected(n *ir.Node) ([]int64, error) {
	c := &Ctx{Node: n}
	t, err := c.constant(1)
	if err != nil {
		return nil, err
	}
	if c.Type(1) != ir.Bool || len(c.Shape(1)) != 1 {
		return nil, fmt.Errorf("condition: expected a bool vector, found %s%s", c.Type(1), c.Shape(1))
	}
	var out []int64
	for k := range t.Len() {
		if t.Float64At(k) != 0 {
			out = append(out, int64(k))
		}
	}
	return out, nil
}

func compress(c *Ctx) error {
	places, err := Selected(c.Node)
	if err != nil {
		return err
	}
	out, d, axis := ir.Shape{0}, c.Shape(0).Numel(), 0
	if _, given := c.Attrs["axis"]; given {
		if axis, err = Axis(c.Int("axis", 0), len(c.Shape(0))); err != nil {
			return err
		}
		out = c.Shape(0).Clone()
		d = out[axis]
	}
	if d == ir.N {
		return fmt.Errorf("a symbolic dimension cannot be compressed")
	}
	if len(places) > 0 && places[len(places)-1] >= d || c.Shape(1)[0] > d {
		return fmt.Errorf("condition %s is longer than dimension %d", c.Shape(1), d)
	}
	out[axis] = int64(len(places))
	return c.Set(0, c.Type(0), out...)
}

// unique infers Unique by counting the different elements or, with an axis, the different slices.
func unique(c *Ctx) error {
	t, err := c.constant(0)
	if err != nil {
		return err
	}
	s := c.Shape(0)
	slices, out, axis := s.Numel(), ir.Shape{0}, 0
	if _, given := c.Attrs["axis"]; given {
		if axis, err = Axis(c.Int("axis", 0), len(s)); err != nil {
			return err
		}
		slices, out = s[axis], s.Clone()
	}
	inner := int64(1)
	for _, d := range out[axis+1:] {
		inner *= d
	}
	seen := map[string]bool{}
	keys := make([][]byte, slices)
	for k := range int64(t.Len()) {
		at := k / inner % max(slices, 1)
		if len(out) == 1 && len(s) != 1 {
			at = k
		}
		keys[at] = fmt.Appendf(keys[at], "%v ", t.Float64At(int(k))+0) // -0 is 0
	}
	for _, key := range keys {
		seen[string(key)] = true
	}
	out[axis] = int64(len(seen))
	if err := c.Set(0, c.Type(0), out...); err != nil {
		return err
	}
	for i, d := range []int64{int64(len(seen)), slices, int64(len(seen))} {
		if err := c.Set(i+1, ir.Int64, d); err != nil {
			return err
		}
	}
	return nil
}
