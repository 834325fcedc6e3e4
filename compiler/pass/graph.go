package pass

import (
	"fmt"

	"rnas/compiler/ir"
)

// outputs is the set of values that g or a graph nested in it gives out: their names and definitions must stay.
func outputs(g *ir.Graph) map[*ir.Value]bool {
	set := map[*ir.Value]bool{}
	each(g, func(g *ir.Graph) {
		for _, v := range g.Outputs {
			set[v] = true
		}
	})
	return set
}

// private is the set of values that no other node may come to read: the running statistics of BatchNormalization in
// training mode, over which the CPU provider of ONNX Runtime writes the new ones (see op.B.BatchNormTrain). The nodes that
// make them stay and are not shared.
func private(g *ir.Graph) map[*ir.Value]bool {
	set := map[*ir.Value]bool{}
	g.Walk(func(n *ir.Node) {
		if n.Op == "BatchNormalization" && n.Int("training_mode", 0) != 0 {
			set[n.In[3]], set[n.In[4]] = true, true
		}
	})
	return set
}

// each calls f for g and every graph nested in it.
func each(g *ir.Graph, f func(*ir.Graph)) {
	f(g)
	for _, n := range g.Nodes {
		for _, sub := range n.Graphs() {
			each(sub, f)
		}
	}
}

// countUses counts for every value how often nodes of g and of nested graphs take it as an input and graphs give it out.
func countUses(g *ir.Graph) map[*ir.Value]int {
	uses := make(map[*ir.Value]int, len(g.Nodes))
	each(g, func(g *ir.Graph) {
		for _, n := range g.Nodes {
			for _, v := range n.In {
				uses[v]++
			}
		}
		for _, v := range g.Outputs {
			uses[v]++
		}
	})
	return uses
}

// swap replaces values by what m maps them to, following chains.
func swap(values []*ir.Value, m map[*ir.Value]*ir.Value) {
	for i, v := range values {
		for to, ok := m[v]; ok; to, ok = m[v] {
			v = to
		}
		values[i] = v
	}
}

// filter keeps the nodes of g for which keep holds, in order. Keep may change the node.
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

// copyOf makes n an Identity of v; n must have one output.
func copyOf(n *ir.Node, v *ir.Value) {
	n.Domain, n.Op, n.Attrs, n.In = "", "Identity", nil, []*ir.Value{v}
}

// names hands out names that are new in a graph and everything nested in it. It reads the graph on first use.
type names struct {
	graph *ir.Graph
	taken map[string]bool
}

func (n *names) unique(hint string) string {
	if n.taken == nil {
		n.taken = make(map[string]bool, 2*len(n.graph.Nodes))
		each(n.graph, n.reserve)
	}
	name := hint
	for k := 1; n.taken[name]; k++ {
		name = fmt.Sprintf("%s_%d", hint, k)
	}
	n.taken[name] = true
	return name
}

func (n *names) reserve(g *ir.Graph) {
	mark := func(values []*ir.Value) {
		for _, v := range values {
			if v != nil {
				n.taken[v.Name] = true
			}
		}
	}
	mark(g.Inputs)
	mark(g.Outputs)
	for _, node := range g.Nodes {
		n.taken[node.Name] = true
		mark(node.In)
		mark(node.Out)
	}
}
