package lower

import (
	"fmt"

	"rnas/compiler/ir"
	"rnas/genotype"
)

// robNetCell is a cell of RobNet (Guo et al., CVPR 2020, section 3.1, and its public code). Every node sums what the links pass on
// of all states before it. Normalisation inside cells has no learned scale.
func (n Evaluation) robNetCell(e *Env, here place, before, last *ir.Value) *ir.Value {
	links := n.Genotype.Links[0]
	if len(n.Genotype.Links) > 1 {
		links = n.Genotype.Links[here.index]
	}
	s0, s1 := e.preprocess(here, before, last, false)
	states := []*ir.Value{s0, s1}
	k := 0
	for node := range genotype.RobNetNodes {
		var parts []*ir.Value
		for from, x := range states {
			at := edge{name: fmt.Sprintf("%s._ops.%d.op", here.name, k), c: here.c, stride: 1, super: true}
			if here.reduce && from < genotype.Inputs {
				at.stride = 2
			}
			e.In(fmt.Sprintf("edge.%d.%s", k, links[k]), func() { parts = append(parts, e.link(links[k], x, at)...) })
			k++
		}
		if len(parts) == 0 {
			parts = append(parts, e.zero(s1, here.reduce))
		}
		states = append(states, e.node(node, parts))
	}
	return e.Concat(1, states[genotype.Inputs:]...)
}

// link lists the terms that a link adds to a node.
func (e *Env) link(l genotype.Link, x *ir.Value, at edge) []*ir.Value {
	conv := primitives[genotype.SepConv3x3]
	pass := func(at edge) *ir.Value {
		y := skip(e, x, at)
		if e.DropPath != nil && at.stride == 2 {
			y = e.Mul(y, e.DropPath())
		}
		return y
	}
	drop := func(y *ir.Value) *ir.Value {
		if e.DropPath != nil {
			y = e.Mul(y, e.DropPath())
		}
		return y
	}
	switch l {
	case genotype.ConvLink:
		return []*ir.Value{drop(conv(e, x, at))}
	case genotype.SkipLink:
		return []*ir.Value{pass(at)}
	case genotype.ResidualLink:
		inner, shortcut := at, at
		inner.name, shortcut.name = at.name+".conv", at.name+".res"
		return []*ir.Value{drop(conv(e, x, inner)), pass(shortcut)}
	}
	return nil
}
