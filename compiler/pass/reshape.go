package pass

import (
	"slices"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/tensor"
)

// reshape lets n, which moves no element in memory, start from the source of a chain of such operators.
func (s *simplifier) reshape(n *ir.Node) *ir.Value {
	src := n.In[0]
	for src.Def != nil && src.Def.Domain == "" && slices.Contains([]string{"Reshape", "Flatten", "Squeeze", "Unsqueeze"}, src.Def.Op) {
		src = src.Def.In[0]
	}
	if src != n.In[0] && !src.Shape.Equal(n.Out[0].Shape) {
		s.makeReshape(n, src)
		return n.In[0]
	}
	return src
}

// makeReshape turns n into Reshape(src) to the shape of the output of n, and reports whether that can be written.
func (s *simplifier) makeReshape(n *ir.Node, src *ir.Value) bool {
	dims, ok := explicit(src.Shape, n.Out[0].Shape)
	if !ok {
		return false
	}
	if want, constant := op.ConstInts(n.Input(1)); n.Op != "Reshape" || !constant || !slices.Equal(want, dims) {
		c := &ir.Value{Name: s.names.Unique(n.Out[0].Name + ".shape"), Type: ir.Int64, Shape: ir.Shape{int64(len(dims))}}
		c.Const = tensor.Vector(dims...)
		n.In = []*ir.Value{nil, c}
	}
	n.Op, n.Attrs, n.In[0] = "Reshape", nil, src
	return true
}

// explicit writes the shape to as the operand of a Reshape of from, with -1 for a symbolic dimension. It is not ok with two
// symbolic dimensions, or with one of 0, because 0 would copy a dimension.
func explicit(from, to ir.Shape) (dims []int64, ok bool) {
	symbolic := func(d int64) bool { return d == ir.N }
	k := 0
	for _, d := range to {
		if symbolic(d) {
			k++
			d = -1
		}
		if d == 0 {
			return nil, false
		}
		dims = append(dims, d)
	}
	return dims, k < 2 && slices.ContainsFunc(from, symbolic) == (k == 1)
}

// transpose joins n with a Transpose before it. A Transpose that moves only dimensions of size 1 becomes a Reshape.
func (s *simplifier) transpose(n *ir.Node) *ir.Value {
	perm, err := op.Perm(n)
	if err != nil {
		return nil
	}
	if m := ir.DefinedBy(n.In[0], "Transpose"); m != nil {
		inner, err := op.Perm(m)
		if err != nil {
			return nil
		}
		joined := make([]int64, len(perm))
		for i, p := range perm {
			joined[i] = inner[p]
		}
		perm = joined
		n.In[0], n.Attrs = m.In[0], ir.Attrs{"perm": perm}
	}
	if slices.IsSorted(perm) {
		return n.In[0]
	}
	x := n.In[0]
	large := slices.DeleteFunc(slices.Clone(perm), func(p int64) bool { return x.Shape[p] == 1 })
	if slices.IsSorted(large) && s.makeReshape(n, x) {
		return s.reshape(n)
	}
	return nil
}
