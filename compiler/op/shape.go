package op

import (
	"fmt"
	"slices"

	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

func init() {
	register([]Op{
		{Name: "Reshape", In: Arity{2, 2}, Out: Arity{1, 1}, Attrs: []Attr{{"allowzero", kInt, false}}, Infer: reshape},
		{Name: "Flatten", In: Arity{1, 1}, Out: Arity{1, 1}, Attrs: []Attr{{"axis", kInt, false}}, Infer: flatten},
		{Name: "Transpose", In: Arity{1, 1}, Out: Arity{1, 1}, Attrs: []Attr{{"perm", kInts, false}}, Infer: transpose},
		{Name: "Squeeze", In: Arity{1, 2}, Out: Arity{1, 1}, Infer: squeeze},
		{Name: "Unsqueeze", In: Arity{2, 2}, Out: Arity{1, 1}, Infer: unsqueeze},
		{Name: "Expand", In: Arity{2, 2}, Out: Arity{1, 1}, Infer: expand},
		{Name: "Shape", In: Arity{1, 1}, Out: Arity{1, 1}, Attrs: []Attr{{"start", kInt, false}, {"end", kInt, false}}, Infer: shapeOf},
		{Name: "ConstantOfShape", In: Arity{1, 1}, Out: Arity{1, 1}, Attrs: []Attr{{"value", kTensor, false}}, Infer: constantOfShape},
	})
}

func reshape(c *Ctx) error {
	want, ok := c.ConstInts(1)
	if !ok {
		return fmt.Errorf("shape must be constant")
	}
	in := c.Shape(0)
	out := make(ir.Shape, len(want))
	hole := -1
	for i, d := range want {
		switch {
		case d == 0 && c.Int("allowzero", 0) == 0:
			if i >= len(in) {
				return fmt.Errorf("shape %v copies dimension %d of rank %d", want, i, len(in))
			}
			out[i] = in[i]
		case d == -1:
			if hole >= 0 {
				return fmt.Errorf("shape %v has two unknown dimensions", want)
			}
			hole = i
			out[i] = 1
		case d < -1:
			return fmt.Errorf("shape %v has a negative dimension", want)
		default:
			out[i] = d
		}
	}
	have, need := in.Numel(), out.Numel()
	if have == ir.N || need == ir.N {
		return reshapeSymbolic(c, in, out, hole, want)
	}
	if hole >= 0 {
		if need == 0 || have%need != 0 {
			return fmt.Errorf("shape %v does not fit %d elements", want, have)
		}
		out[hole] = have / need
		need *= out[hole]
	}
	if have != need {
		return fmt.Errorf("shape %v does not fit %d elements", want, have)
	}
	return c.Set(0, c.Type(0), out...)
}

// reshapeSymbolic reshapes a tensor with a symbolic batch, which must be the leading dimension and stay by itself.
func reshapeSymbolic(c *Ctx, in, out ir.Shape, hole int, want []int64) error {
	rest := func(s ir.Shape) (n int64, symbols int) {
		n = 1
		for i, d := range s {
			switch {
			case d == ir.N:
				symbols++
			case i != hole || &s[0] != &out[0]:
				n *= d
			}
		}
		return n, symbols
	}
	have, inSymbols := rest(in)
	need, outSymbols := rest(out)
	switch {
	case inSymbols != 1 || outSymbols > 1:
	case hole >= 0 && outSymbols == 1 && need > 0 && have%need == 0:
		out[hole] = have / need
		return c.Set(0, c.Type(0), out...)
	case hole >= 0 && outSymbols == 0 && have == need:
		out[hole] = ir.N
		return c.Set(0, c.Type(0), out...)
	case hole < 0 && outSymbols == 1 && have == need:
		return c.Set(0, c.Type(0), out...)
	}
	return fmt.Errorf("shape %v does not keep the symbolic batch", want)
}

func flatten(c *Ctx) error {
	s := c.Shape(0)
	axis := c.Int("axis", 1)
	if axis < 0 {
		axis += int64(len(s))
	}
	if axis < 0 || axis > int64(len(s)) {
		return fmt.Errorf("axis %d is outside rank %d", c.Int("axis", 1), len(s))
	}
	a, ok1 := merge(s[:axis])
	b, ok2 := merge(s[axis:])
	if !ok1 || !ok2 {
		return fmt.Errorf("a symbolic dimension cannot be merged")
	}
	return c.Set(0, c.Type(0), a, b)
}

// merge is the product of the dimensions. It is not ok if a symbolic one stands beside others than ones.
func merge(s ir.Shape) (d int64, ok bool) {
	d = 1
	for _, e := range s {
		if d != 1 && e != 1 && (d == ir.N || e == ir.N) {
			return 0, false
		}
		d *= e
	}
	return d, true
}

// Perm is the permutation of a Transpose node. The default is the reversed order.
func Perm(n *ir.Node) ([]int64, error) {
	rank := n.In[0].Rank()
	def := make([]int64, rank)
	for i := range def {
		def[i] = int64(rank - 1 - i)
	}
	perm := n.Ints("perm", def)
	sorted := slices.Sorted(slices.Values(perm))
	for i, p := range sorted {
		if int64(i) != p || len(perm) != rank {
			return nil, fmt.Errorf("perm %v is not a permutation of rank %d", perm, rank)
		}
	}
	if len(perm) != rank {
		return nil, fmt.Errorf("perm %v is not a permutation of rank %d", perm, rank)
	}
	return perm, nil
}

func transpose(c *Ctx) error {
	perm, err := Perm(c.Node)
	if err != nil {
		return err
	}
	out := make(ir.Shape, len(perm))
	for i, p := range perm {
		out[i] = c.Shape(0)[p]
	}
	return c.Set(0, c.Type(0), out...)
}

func squeeze(c *Ctx) error {
	s := c.Shape(0)
	mask := make([]bool, len(s))
	if axes, ok := c.ConstInts(1); ok {
		var err error
		if mask, err = Axes(axes, len(s)); err != nil {
			return err
		}
		for i := range mask {
			if mask[i] && s[i] != 1 {
				return fmt.Errorf("dimension %d is %d, not 1", i, s[i])
			}
		}
	} else if c.Input(1) != nil {
		return fmt.Errorf("axes must be constant")
	} else {
		for i := range mask {
			mask[i] = s[i] == 1
		}
	}
	return c.Set(0, c.Type(0), collapse(s, mask, false)...)
}

func unsqueeze(c *Ctx) error {
	axes, ok := c.ConstInts(1)
	if !ok {
		return fmt.Errorf("axes must be constant")
	}
	s := c.Shape(0)
	mask, err := Axes(axes, len(s)+len(axes))
	if err != nil {
		return err
	}
	out := ir.Shape{}
	for i := range mask {
		if mask[i] {
			out = append(out, 1)
			continue
		}
		out = append(out, s[0])
		s = s[1:]
	}
	return c.Set(0, c.Type(0), out...)
}

func expand(c *Ctx) error {
	to, err := c.shapeInput(1)
	if err != nil {
		return err
	}
	out, err := Broadcast(c.Shape(0), to)
	if err != nil {
		return err
	}
	return c.Set(0, c.Type(0), out...)
}

// ShapeRange is the part of the shape of its input that a Shape node gives.
func ShapeRange(n *ir.Node) ir.Shape {
	s := n.In[0].Shape
	rank := int64(len(s))
	clamp := func(v int64) int64 {
		if v < 0 {
			v += rank
		}
		return min(max(v, 0), rank)
	}
	start, end := clamp(n.Int("start", 0)), clamp(n.Int("end", rank))
	return s[start:max(start, end)]
}

func shapeOf(c *Ctx) error {
	return c.Set(0, ir.Int64, int64(len(ShapeRange(c.Node))))
}

func constantOfShape(c *Ctx) error {
	shape, err := c.shapeInput(0)
	if err != nil {
		return err
	}
	t := ir.Float32
	if v, ok := c.Attrs["value"].(*tensor.Tensor); ok {
		t = v.DType()
		if v.Len() != 1 {
			return fmt.Errorf("value: expected one element, found %v", v.Shape)
		}
	}
	return c.Set(0, t, shape...)
}

// indices checks the type of input 1.
