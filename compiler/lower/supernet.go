package lower

import (
	"fmt"

	"rnas/compiler/ir"
	"rnas/genotype"
)

// Supernet is the continuous relaxation of a search space (Liu et al. 2019, section 2.2): every edge of a cell is the sum of all
// primitives, weighted by a softmax over the architecture parameters of that edge. All normal cells share one set of
// architecture parameters, and all reduction cells another. The primitive "none" contributes nothing but its part of the softmax.
type Supernet struct {
	Macro
	genotype.Space
}

// Skeleton returns the macro structure.
func (n Supernet) Skeleton() Macro { return n.Macro }

// AlphaShape is the shape of the architecture parameters: kinds of cells, edges, primitives.
func (n Supernet) AlphaShape() []int64 {
	return []int64{int64(n.Kinds()), int64(n.Edges()), int64(len(n.Primitives))}
}

// Validate checks the sizes, the space and whether they fit.
func (n Supernet) Validate() error {
	if err := n.Macro.Validate(); err != nil {
		return err
	}
	if err := n.Space.Validate(); err != nil {
		return err
	}
	if n.Form == genotype.NASBench201 {
		return n.validBench201()
	}
	return nil
}

// Forward lowers the supernet; it has no auxiliary head.
func (n Supernet) Forward(e *Env, images *ir.Value) (logits, auxiliary *ir.Value) {
	if err := n.Validate(); err != nil {
		e.Fail("supernet: %w", err)
		return images, nil
	}
	if e.Alphas == nil || !e.Alphas.Shape.Equal(n.AlphaShape()) {
		e.Fail("supernet: expected architecture parameters %v, found %s", n.AlphaShape(), e.Alphas)
		return images, nil
	}
	gains := n.gains(e)
	if n.Form == genotype.NASBench201 {
		return n.bench201(e, images, func(name string, x *ir.Value, c int64) *ir.Value {
			return n.bench201Cell(e, name, x, c, gains[0])
		}), nil
	}
	return n.run(e, images, func(e *Env, at place, before, last *ir.Value) *ir.Value {
		kind := 0
		if at.reduce {
			kind = 1
		}
		return n.cell(e, at, before, last, gains[kind])
	}, nil), nil
}

// gains are, for each kind of cell, the weights of the primitives of each edge, one scalar each.
func (n Supernet) gains(e *Env) (gains [][]*ir.Value) {
	e.In("alphas", func() {
		each := n.Edges() * len(n.Primitives)
		count := n.Kinds() * each
		sizes := make([]int64, count)
		for i := range sizes {
			sizes[i] = 1
		}
		soft := e.Softmax(e.Alphas, 2)
		if e.Mix != nil {
			soft = e.Mix(e.B, soft)
		}
		weights := e.Split(e.Reshape(soft, int64(count)), 0, sizes...)
		for kind := range n.Kinds() {
			gains = append(gains, weights[kind*each:(kind+1)*each])
		}
	})
	return gains
}

// mixed lists the weighted primitives of edge k, which reads x. Their parameters are named after at and the number of the
// primitive.
func (n Supernet) mixed(e *Env, table map[genotype.Primitive]primitive, k int, x *ir.Value, at edge, gains []*ir.Value) (parts []*ir.Value) {
	name := at.name
	at.super = true
	for p, prim := range n.Primitives {
		at.name, at.gain = fmt.Sprintf("%s.%d", name, p), gains[k*len(n.Primitives)+p]
		e.In(fmt.Sprintf("edge.%d.%s", k, prim), func() {
			if y := table[prim](e, x, at); y != nil {
				parts = append(parts, y)
			}
		})
	}
	return parts
}

// cell lowers a cell; gains has one scalar per edge and primitive.
func (n Supernet) cell(e *Env, here place, before, last *ir.Value, gains []*ir.Value) *ir.Value {
	s0, s1 := e.preprocess(here, before, last, false)
	states := []*ir.Value{s0, s1}
	k := 0
	for node := range n.Nodes {
		var parts []*ir.Value
		for from, x := range states {
			at := edge{name: fmt.Sprintf("%s._ops.%d._ops", here.name, k), c: here.c, stride: 1}
			if here.reduce && from < genotype.Inputs {
				at.stride = 2
			}
			parts = append(parts, n.mixed(e, primitives, k, x, at, gains)...)
			k++
		}
		states = append(states, e.node(node, parts))
	}
	return e.Concat(1, states[genotype.Inputs:]...)
}

// bench201Cell is a search cell of NAS-Bench-201 (SearchCell of its public code, with affine=False): every node is the sum over
// the nodes before it, and the last is the output.
func (n Supernet) bench201Cell(e *Env, name string, x *ir.Value, c int64, gains []*ir.Value) *ir.Value {
	nodes := []*ir.Value{x}
	k := 0
	for node := 1; node <= n.Nodes; node++ {
		var parts []*ir.Value
		for from, x := range nodes {
			at := edge{name: fmt.Sprintf("%s.edges.%d<-%d", name, node, from), c: c, stride: 1}
			parts = append(parts, n.mixed(e, bench201Primitives, k, x, at, gains)...)
			k++
		}
		e.In(fmt.Sprintf("node.%d", node), func() { nodes = append(nodes, e.Sum(parts...)) })
	}
	return nodes[n.Nodes]
}
