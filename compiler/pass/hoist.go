package pass

import (
	"slices"

	"rnas/compiler/ir"
	"rnas/compiler/op"
)

// hoist moves nodes of a loop body that compute the same in every iteration to a place before the loop. Loops that may run not
// even once stay as they are, because an operator may refuse its inputs.
func hoist(g *ir.Graph) error {
	h := &hoister{fixed: ir.GivenOut(g), private: op.Private(g)}
	h.graph(g)
	return nil
}

// hoister moves nodes of a graph and its nested graphs.
type hoister struct {
	fixed, private map[*ir.Value]bool
}

func (h *hoister) graph(g *ir.Graph) {
	var nodes []*ir.Node
	for _, n := range g.Nodes {
		for _, sub := range n.Graphs() {
			h.graph(sub)
		}
		if n.Op == "Loop" && n.Domain == "" && runsOnce(n) {
			nodes = append(nodes, h.invariant(n.Graphs()[0])...)
		}
		nodes = append(nodes, n)
	}
	g.Nodes = nodes
}

// runsOnce reports whether the body of a Loop runs at least once.
func runsOnce(n *ir.Node) bool {
	trips, ok := op.ConstInts(n.Input(0))
	first := n.Input(1)
	return ok && len(trips) == 1 && trips[0] > 0 && (first == nil || first.IsConst() && first.Const.Float64At(0) != 0)
}

// invariant takes out of body the nodes whose inputs come from outside, directly or through other such nodes, and returns them.
func (h *hoister) invariant(body *ir.Graph) (moved []*ir.Node) {
	inside := map[*ir.Value]bool{}
	for _, v := range body.Inputs {
		inside[v] = true
	}
	filter(body, func(n *ir.Node) bool {
		stays := len(n.Graphs()) > 0 || op.Random(n) ||
			slices.ContainsFunc(n.In, func(v *ir.Value) bool { return inside[v] }) ||
			slices.ContainsFunc(n.Out, func(v *ir.Value) bool { return h.fixed[v] || h.private[v] })
		if !stays {
			moved = append(moved, n)
			return false
		}
		for _, v := range n.Out {
			if v != nil {
				inside[v] = true
			}
		}
		return true
	})
	return moved
}
