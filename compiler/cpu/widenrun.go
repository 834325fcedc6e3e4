package cpu

import (
	"maps"
	"slices"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/tensor"
)

// run widens the values that spread found.
func (w *widener) run(g *ir.Graph) error {
	b := op.Extend(g)
	nodes := g.Nodes
	g.Nodes = make([]*ir.Node, 0, len(nodes))
	narrow := map[*ir.Value]*ir.Value{}
	for _, n := range nodes {
		out, _ := w.through(n)
		if out == nil && n.Op != "Conv" {
			for i, v := range n.In {
				if c := w.channels[v]; c != nil {
					if narrow[v] == nil {
						b.In(n.Name, func() { narrow[v] = b.Gather(v, b.Ints(c.places()...), 1) })
					}
					n.In[i] = narrow[v]
				}
			}
		} else {
			b.In(n.Name, func() { w.widen(b, n, out) })
		}
		if err := op.Infer(n); err != nil {
			return err
		}
		b.Graph().Nodes = append(b.Graph().Nodes, n)
	}
	return b.Err()
}

// places lists the channels that mean something.
func (c channels) places() (at []int64) {
	from := int64(0)
	for _, s := range c {
		for i := range s.have {
			at = append(at, from+i)
		}
		from += s.filled
	}
	return at
}

// widen fills up the constants of n, whose result gets the channels out.
func (w *widener) widen(b op.B, n *ir.Node, out channels) {
	fill := func(i, axis int, c channels, with float64) {
		if v := n.Input(i); v != nil && c != nil {
			n.In[i] = b.Const(v.Name+".filled", c.fill(v.Const, axis, with))
		}
	}
	switch n.Op {
	case "Conv":
		fill(1, 0, out, 0)
		fill(2, 0, out, 0)
		if n.Int("group", 1) == 1 {
			fill(1, 1, w.channels[n.In[0]], 0)
		} else if out != nil {
			n.Attrs = maps.Clone(n.Attrs)
			n.Attrs["group"] = out.filled()
		}
	case "BatchNormalization":
		for i := 1; i < 4; i++ {
			fill(i, 0, out, 0)
		}
		fill(4, 0, out, 1)
	default:
		for i, v := range n.In {
			if slices.Contains(elementByElement, n.Op) && v.IsConst() {
				if axis := v.Rank() - 3; axis >= 0 && v.Shape[axis] != 1 {
					fill(i, axis, out, 0)
				}
			}
		}
	}
}

// fill puts the elements of t along an axis where the channels are, and the number with everywhere else.
func (c channels) fill(t *tensor.Tensor, axis int, with float64) *tensor.Tensor {
	shape := slices.Clone(t.Shape)
	shape[axis] = c.filled()
	inner := 1
	for _, d := range shape[axis+1:] {
		inner *= int(d)
	}
	from := t.Float64s()
	to := make([]float64, 0, ir.Shape(shape).Numel())
	for len(from) > 0 {
		for _, s := range c {
			n := int(s.have) * inner
			to = append(to, from[:n]...)
			from = from[n:]
			to = append(to, slices.Repeat([]float64{with}, int(s.filled-s.have)*inner)...)
		}
	}
	return tensor.FromFloat64s(t.DType(), shape, to)
}
