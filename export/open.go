package export

import (
	"slices"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/tensor"
)

// opens changes a node that was written for one image so that it does the same to each image of a batch, whose number ir.N is the first
// dimension of the first input. A Reshape to [1,...] of what one image has becomes one to [N,...], an Unsqueeze that only adds a batch of
// one does nothing, and a constant that is joined to the images stands once for each. Other nodes stay; where they do not fit a batch, the
// inference of shapes finds it.
// It returns the nodes that n needs before it.
func (r *reader) opens(n *ir.Node) ([]*ir.Node, error) {
	if n.Domain != "" || len(n.In) < 2 {
		return nil, nil
	}
	switch n.Op {
	case "Concat":
		return r.opensConcat(n)
	case "Reshape":
		r.opensReshape(n)
	case "Unsqueeze":
		x := n.In[0]
		axes, ok := op.ConstInts(n.In[1])
		if r.unbatched && ok && len(axes) == 1 && axes[0] == 0 && x != nil && x.Rank() > 0 && x.Shape[0] == ir.N {
			n.Op, n.In, n.Attrs = "Identity", n.In[:1], nil
		}
	}
	return nil, nil
}

// opensConcat repeats constants of one image, such as a class token, for each image that they are joined to along another axis.
func (r *reader) opensConcat(n *ir.Node) ([]*ir.Node, error) {
	i := slices.IndexFunc(n.In, func(v *ir.Value) bool { return v != nil && v.Rank() > 1 && v.Shape[0] == ir.N })
	if i < 0 || n.Int("axis", 0) == 0 || n.Int("axis", 0) == -int64(n.In[i].Rank()) {
		return nil, nil
	}
	var made []*ir.Node
	var failed error
	add := func(op string, attrs ir.Attrs, in ...*ir.Value) *ir.Value {
		m := &ir.Node{Name: base(n) + "." + op, Op: op, Attrs: attrs, In: in}
		m.Out = []*ir.Value{{Name: r.names.fresh(base(n) + "." + op), Def: m}}
		if err := r.infer(m); err != nil && failed == nil {
			failed = err
		}
		made = append(made, m)
		return m.Out[0]
	}
	for k, v := range n.In {
		if !v.IsConst() || v.Rank() != n.In[i].Rank() || v.Shape[0] != 1 {
			continue
		}
		ones := constant(tensor.Vector(slices.Repeat([]int64{1}, v.Rank()-1)...))
		ones.Name = r.names.fresh(base(n) + ".ones")
		batch := add("Shape", ir.Attrs{"start": int64(0), "end": int64(1)}, n.In[i])
		n.In[k] = add("Expand", nil, v, add("Concat", ir.Attrs{"axis": int64(0)}, batch, ones))
	}
	return made, failed
}

// opensReshape gives a Reshape whose target is the shape of one image, with a batch of one or without, the batch of its input.
func (r *reader) opensReshape(n *ir.Node) {
	x := n.In[0]
	target, ok := op.ConstInts(n.In[1])
	if !ok || x == nil || x.Rank() == 0 || x.Shape[0] != ir.N || !ir.Shape(x.Shape[1:]).Static() || n.Int("allowzero", 0) != 0 {
		return
	}
	one := ir.Shape(x.Shape[1:]).Numel()
	dims := slices.Clone(target)
	rest, known := -1, int64(1)
	for i, d := range dims {
		switch {
		case d == 0 && i == 0 && !r.unbatched:
			dims[i] = 1
		case d == 0:
			return
		case d < 0:
			rest = i
			continue
		}
		known *= dims[i]
	}
	if rest >= 0 && known > 0 && one%known == 0 {
		dims[rest] = one / known
	} else if rest >= 0 || known != one {
		return
	}
	switch {
	case len(dims) > 0 && dims[0] == 1:
		dims[0] = -1
	case r.unbatched && len(dims) > 0:
		dims = append([]int64{-1}, dims...)
	default:
		return
	}
	v := constant(tensor.Vector(dims...))
	v.Name = r.names.fresh(base(n) + ".batch")
	n.In[1] = v
}
