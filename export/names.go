package export

import (
	"fmt"

	"rnas/compiler/ir"
)

// names is the set of names that are taken, each with the next suffix to try.
type names map[string]int

// fresh returns hint, or hint with the smallest numeric suffix that is free, and takes it.
func (s names) fresh(hint string) string {
	name := hint
	k := max(s[hint], 1)
	for ; s[name] > 0; k++ {
		name = fmt.Sprintf("%s.%d", hint, k)
	}
	s[hint] = k
	s[name] = max(s[name], 1)
	return name
}

// namesOf is the set of the value names of g and its nested graphs.
func namesOf(g *ir.Graph) names {
	s := names{}
	add := func(values []*ir.Value) {
		for _, v := range values {
			if v != nil {
				s[v.Name] = 1
			}
		}
	}
	add(g.Inputs)
	add(g.Outputs)
	g.Walk(func(n *ir.Node) {
		add(n.In)
		add(n.Out)
		for _, sub := range n.Graphs() {
			add(sub.Inputs)
			add(sub.Outputs)
		}
	})
	return s
}
