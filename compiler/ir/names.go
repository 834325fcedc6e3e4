package ir

import (
	"fmt"
)

// Names hands out names that are new in a graph and everything nested in it. The graph is read on first use.
type Names struct {
	graph *Graph
	taken map[string]bool
}

// NewNames hands out names for g.
func NewNames(g *Graph) *Names { return &Names{graph: g} }

// Unique returns hint, or hint with the smallest suffix that makes it new. The name is taken from then on.
func (n *Names) Unique(hint string) string {
	if n.taken == nil {
		n.taken = make(map[string]bool, 2*len(n.graph.Nodes))
		Each(n.graph, n.reserve)
	}
	name := hint
	for k := 1; n.taken[name]; k++ {
		name = fmt.Sprintf("%s_%d", hint, k)
	}
	n.taken[name] = true
	return name
}

func (n *Names) reserve(g *Graph) {
	mark := func(values []*Value) {
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
