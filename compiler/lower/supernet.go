package lower

import (
	"fmt"

	"rnas/compiler/ir"
	"rnas/genotype"
)

// Supernet is the continuous relaxation of DARTS (Liu et al. 2019, section 2.2). Every edge of a cell is the sum of all
// primitives, weighted by a softmax over the architecture parameters of that edge. Normal cells share one set of architecture
// parameters, reduction cells another.
type Supernet struct {
	Macro
	Nodes      int                  `json:"nodes"`
	Primitives []genotype.Primitive `json:"primitives"`
}

// Skeleton returns the macro structure.
func (n Supernet) Skeleton() Macro { return n.Macro }

// Edges is the number of edges of a cell: node i reads the two inputs and the i nodes before it.
func (n Supernet) Edges() int { return n.Nodes * (n.Nodes + 3) / 2 }

// AlphaShape is the shape [2,edges,primitives] of the architecture parameters, normal cells first.
func (n Supernet) AlphaShape() []int64 {
	return []int64{2, int64(n.Edges()), int64(len(n.Primitives))}
}

// Forward lowers the supernet; it has no auxiliary head.
func (n Supernet) Forward(e *Env, images *ir.Value) (logits, auxiliary *ir.Value) {
	switch {
	case n.Nodes < 1 || len(n.Primitives) < 1:
		e.Fail("supernet: expected at least one node and one primitive, found %d and %d", n.Nodes, len(n.Primitives))
		return images, nil
	case e.Alphas == nil || !e.Alphas.Shape.Equal(n.AlphaShape()):
		e.Fail("supernet: expected architecture parameters %v, found %s", n.AlphaShape(), e.Alphas)
		return images, nil
	}
	for _, p := range n.Primitives {
		if primitives[p] == nil {
			e.Fail("supernet: primitive %q is not known", p)
			return images, nil
		}
	}
	var gains [2][]*ir.Value // per cell kind: one scalar per edge and primitive
	e.In("alphas", func() {
		count := 2 * n.Edges() * len(n.Primitives)
		sizes := make([]int64, count)
		for i := range sizes {
			sizes[i] = 1
		}
		soft := e.Softmax(e.Alphas, 2)
		if e.Mix != nil {
			soft = e.Mix(e.B, soft)
		}
		weights := e.Split(e.Reshape(soft, int64(count)), 0, sizes...)
		gains[0], gains[1] = weights[:count/2], weights[count/2:]
	})
	cell := func(e *Env, at place, before, last *ir.Value) *ir.Value {
		g := gains[0]
		if at.reduce {
			g = gains[1]
		}
		return n.cell(e, at, before, last, g)
	}
	return n.run(e, images, cell, nil), nil
}

// cell lowers a cell; gains has one scalar per edge and primitive.
func (n Supernet) cell(e *Env, here place, before, last *ir.Value, gains []*ir.Value) *ir.Value {
	s0, s1 := e.preprocess(here, before, last, false)
	states := []*ir.Value{s0, s1}
	k := 0
	for node := range n.Nodes {
		var parts []*ir.Value
		for from := range states {
			stride := int64(1)
			if here.reduce && from < genotype.Inputs {
				stride = 2
			}
			for p, prim := range n.Primitives {
				at := edge{
					name: fmt.Sprintf("%s._ops.%d._ops.%d", here.name, k, p), c: here.c, stride: stride,
					super: true, gain: gains[k*len(n.Primitives)+p],
				}
				e.In(fmt.Sprintf("edge.%d.%s", k, prim), func() {
					if y := primitives[prim](e, states[from], at); y != nil {
						parts = append(parts, y)
					}
				})
			}
			k++
		}
		if len(parts) == 0 {
			parts = append(parts, e.zero(s1, here.reduce))
		}
		states = append(states, e.node(node, parts))
	}
	return e.Concat(1, states[genotype.Inputs:]...)
}
