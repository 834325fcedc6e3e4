package cpu

import (
	"slices"

	"rnas/compiler/ir"
)

// A column is one number per channel as [C,1,1,1], the shape of the weights that multiply every channel. What is computed of sums
// over images and pixels stays in this shape, so that it need not be reshaped at every use.

// column returns v, one number per channel, as a column. One number for all channels stays as it is.
func (b *rewriter) column(v *ir.Value) *ir.Value {
	if c := b.columnOf(v); c != nil {
		return c
	}
	if m := ir.DefinedBy(v, "Expand"); m != nil && m.In[0].Shape.Numel() == 1 {
		v = m.In[0]
	}
	b.plain(v)
	if n := v.Shape.Numel(); n != 1 {
		return b.Reshape(v, n, 1, 1, 1)
	}
	return v
}

// columnOf returns the column that v has been computed as, or nil. Reshapes of such a value count as the value.
func (b *rewriter) columnOf(v *ir.Value) *ir.Value {
	for {
		if f := b.known[v]; f != nil && f.column != nil {
			return f.column
		}
		m := ir.DefinedBy(v, "Reshape")
		if m == nil {
			return nil
		}
		v = m.In[0]
	}
}

// rewriteColumn computes an elementwise operator on columns if one of its inputs is a column already and the others are vectors of
// the same length or numbers.
func rewriteColumn(b *rewriter, n *ir.Node) bool {
	y := n.Out[0]
	if !slices.Contains([]string{"Add", "Sub", "Mul", "Div", "Neg", "Sqrt", "Reciprocal"}, n.Op) || n.Domain != "" || y.Rank() != 1 {
		return false
	}
	if s, ok := b.squares[n.In[0]]; ok && n.Op == "Add" && n.In[1].IsNumber() && float32(n.In[1].Const.Float64At(0)) == float32(s.epsilon) {
		b.record(y, &nchwc{column: s.column})
		return true
	}
	in := make([]*ir.Value, len(n.In))
	any := false
	for i, v := range n.In {
		in[i] = v
		switch {
		case v.Shape.Equal(y.Shape) && y.Shape.Numel() != 1:
			any = any || b.columnOf(v) != nil
		case v.Shape.Numel() != 1 || v.Rank() > 1:
			return false
		}
	}
	if !any {
		return false
	}
	for i, v := range in {
		in[i] = b.column(v)
	}
	b.record(y, &nchwc{column: b.One(n.Op, n.Attrs, in...)})
	return true
}
