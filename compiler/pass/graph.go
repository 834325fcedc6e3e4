package pass

import "rnas/compiler/ir"

// swap replaces values by what m maps them to, and follows chains in m.
func swap(values []*ir.Value, m map[*ir.Value]*ir.Value) {
	for i, v := range values {
		for to, ok := m[v]; ok; to, ok = m[v] {
			v = to
		}
		values[i] = v
	}
}

// filter keeps the nodes of g for which keep holds, in order. keep may change the node.
func filter(g *ir.Graph, keep func(n *ir.Node) bool) {
	kept := g.Nodes[:0]
	for _, n := range g.Nodes {
		if keep(n) {
			kept = append(kept, n)
		}
	}
	clear(g.Nodes[len(kept):])
	g.Nodes = kept
}

// copyOf turns n into an Identity of v. n must have one output.
func copyOf(n *ir.Node, v *ir.Value) {
	n.Domain, n.Op, n.Attrs, n.In = "", "Identity", nil, []*ir.Value{v}
}
