package grad

import (
	"slices"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/tensor"
)

func init() {
	register(map[string]Rule{
		"CumSum": func(c *Ctx) []*ir.Value {
			attrs := ir.Attrs{"exclusive": c.N.Int("exclusive", 0), "reverse": 1 - min(c.N.Int("reverse", 0), 1)}
			return []*ir.Value{c.One("CumSum", attrs, c.Dy[0], c.In(1))}
		},
		"ReduceProd": reduceProd,
		"Det":        unaryRule(det),
		"Trilu": func(c *Ctx) []*ir.Value {
			return []*ir.Value{c.One("Trilu", c.N.Attrs, append([]*ir.Value{c.Dy[0]}, c.N.In[1:]...)...)}
		},
		"Einsum": einsum,
	})
}

// reduceProd multiplies the gradient by the product of the other elements, one axis after another.
func reduceProd(c *Ctx) []*ir.Value {
	mask, err := op.ReduceMask(c.N)
	if err != nil {
		c.Fail("node %s: %w", c.N.Name, err)
		return nil
	}
	x, g := c.In(0), keepDims(c, c.Dy[0])
	for axis, reduced := range mask {
		switch {
		case !reduced || x.Shape[axis] == 1:
		case x.Shape[axis] == ir.N:
			c.Fail("node %s: the gradient of a product over a symbolic dimension needs a static batch", c.N.Name)
			return nil
		case x.Shape[axis] == 0:
			return []*ir.Value{c.ExpandLike(c.Float(x, 0), c.In(0))}
		default:
			g = c.Mul(g, c.Mul(c.Before(x, axis, 1), c.Before(x, axis, -1)))
			x = c.Reduce("ReduceProd", x, true, int64(axis))
		}
	}
	return []*ir.Value{g}
}

// det multiplies by the transposed adjugate, which is a polynomial in the matrix by the algorithm of Faddeev and Le Verrier, so
// that singular matrices have their gradient too.
func det(c *Ctx, x, _, dy *ir.Value) *ir.Value {
	n := x.Shape[x.Rank()-1]
	if n > maxDet {
		c.Fail("node %s: Det has a gradient for matrices up to %d x %d, found %s", c.N.Name, maxDet, maxDet, x.Shape)
		return dy
	}
	eye := identity(c, x.Type, n)
	m := eye
	for k := int64(1); k < n; k++ {
		m = c.MatMul(x, m)
		trace := c.ReduceSum(c.Mul(m, eye), true, -2, -1)
		m = c.Sub(m, c.Mul(c.Scale(trace, 1/float64(k)), eye))
	}
	if n%2 == 0 {
		m = c.Neg(m)
	}
	if m.Rank() > 1 {
		m = swapLast(c, m)
	}
	return c.Mul(c.Unsqueeze(dy, -2, -1), m)
}

// maxDet bounds the unrolled polynomial, whose rounding errors grow with the size.
const maxDet = 16

func identity(c *Ctx, t ir.DType, n int64) *ir.Value {
	values := make([]float64, n*n)
	for i := range n {
		values[i*n+i] = 1
	}
	return c.Const("eye", tensor.FromFloat64s(t, []int64{n, n}, values))
}

// einsum permutes the equation: the gradient of an input is the Einsum of the output's gradient with the other inputs. A label
// that only that input has is repeated. A label that it has twice goes through an identity matrix.
func einsum(c *Ctx) []*ir.Value {
	l, err := op.Einsum(c.N)
	if err != nil {
		c.Fail("node %s: %w", c.N.Name, err)
		return nil
	}
	out := make([]*ir.Value, len(c.N.In))
	for i, x := range c.N.In {
		if len(l.Dim)+x.Rank() > len(alphabet) {
			c.Fail("node %s: the gradient of an Einsum of %d labels needs more letters than there are", c.N.Name, len(l.Dim))
			return nil
		}
		out[i] = c.when(i, func() *ir.Value { return einsumInput(c, l, i, x) })
	}
	return out
}

func einsumInput(c *Ctx, l *op.Labels, i int, x *ir.Value) *ir.Value {
	letters := lettersOf(l)
	in := []*ir.Value{c.Dy[0]}
	equation := spell(letters, l.Out)
	available := slices.Clone(l.Out)
	for k, v := range c.N.In {
		if k != i {
			in = append(in, v)
			equation += "," + spell(letters, l.In[k])
			available = append(available, l.In[k]...)
		}
	}
	var result string
	var axes []int64 // dimensions of x that the Einsum below does not give
	for d, label := range l.In[i] {
		if slices.Contains(l.In[i][:d], label) {
			if x.Shape[d] == ir.N {
				c.Fail("node %s: the gradient of a diagonal needs a static batch", c.N.Name)
				return nil
			}
			extra := rune(1000 + d)
			letters[extra] = unused(letters)
			in = append(in, identity(c, x.Type, x.Shape[d]))
			equation += "," + spell(letters, []rune{label, extra})
			result += spell(letters, []rune{extra})
			continue
		}
		repeated := slices.Contains(l.In[i][d+1:], label)
		if !repeated && (!slices.Contains(available, label) || x.Shape[d] == 1 && l.Dim[label] != 1) {
			axes = append(axes, int64(d))
			continue
		}
		result += spell(letters, []rune{label})
	}
	g := c.One("Einsum", ir.Attrs{"equation": equation + "->" + result}, in...)
	if len(axes) > 0 {
		g = c.Unsqueeze(g, axes...)
	}
	return c.ExpandLike(g, x)
}

// lettersOf gives every label a letter, those of an ellipsis included.
func lettersOf(l *op.Labels) map[rune]rune {
	letters := map[rune]rune{}
	for pass := range 2 { // letters keep themselves before others are handed out
		for _, labels := range l.In {
			for _, label := range labels {
				if pass == 0 && label > 0 {
					letters[label] = label
				} else if letters[label] == 0 && pass == 1 {
					letters[label] = unused(letters)
				}
			}
		}
	}
	return letters
}

func unused(letters map[rune]rune) rune {
	taken := map[rune]bool{}
	for _, r := range letters {
		taken[r] = true
	}
	for _, r := range alphabet {
		if !taken[r] {
			return r
		}
	}
	panic("grad: Einsum has more labels than letters")
}

const alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

func spell(letters map[rune]rune, labels []rune) string {
	out := make([]rune, len(labels))
	for i, label := range labels {
		out[i] = letters[label]
	}
	return string(out)
}
