package pass

import (
	"slices"

	"rnas/compiler/ir"
	"rnas/compiler/op"
)

// dead removes nodes of which no output is used, and optional outputs that are not used. Inputs of graphs stay.
func dead(g *ir.Graph) error {
	sweep(g, map[*ir.Value]bool{})
	return nil
}

// sweep walks backwards, so that every user of a value is seen before its definition. It adds the used values to live.
func sweep(g *ir.Graph, live map[*ir.Value]bool) {
	for _, v := range g.Outputs {
		live[v] = true
	}
	unused := func(v *ir.Value) bool { return v == nil || !live[v] }
	kept := make([]*ir.Node, 0, len(g.Nodes))
	for _, n := range slices.Backward(g.Nodes) {
		if !slices.ContainsFunc(n.Out, func(v *ir.Value) bool { return !unused(v) }) {
			continue
		}
		trim(n, unused)
		for _, v := range n.In {
			live[v] = true
		}
		for _, sub := range n.Graphs() {
			sweep(sub, live)
		}
		kept = append(kept, n)
	}
	slices.Reverse(kept)
	g.Nodes = kept
}

// trim drops optional outputs that are not used. Two kinds stay: the outputs of an operator with any number of them (Split, Loop),
// because they are counted by position, and the statistics of BatchNormalization in training mode, because ONNX ties them to that
// mode.
func trim(n *ir.Node, unused func(*ir.Value) bool) {
	row := op.Lookup(n.Domain, n.Op)
	if row == nil || row.Out.Max < 0 || n.Op == "BatchNormalization" {
		return
	}
	for i := row.Out.Min; i < len(n.Out); i++ {
		if unused(n.Out[i]) {
			n.Out[i] = nil
		}
	}
	for len(n.Out) > row.Out.Min && n.Out[len(n.Out)-1] == nil {
		n.Out = n.Out[:len(n.Out)-1]
	}
}
