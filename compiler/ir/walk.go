package ir

// Each calls f for g and every graph nested in it.
func Each(g *Graph, f func(*Graph)) {
	f(g)
	for _, n := range g.Nodes {
		for _, sub := range n.Graphs() {
			Each(sub, f)
		}
	}
}

// GivenOut is the set of values that g or a graph nested in it gives out. Their names and definitions must stay.
func GivenOut(g *Graph) map[*Value]bool {
	set := map[*Value]bool{}
	Each(g, func(g *Graph) {
		for _, v := range g.Outputs {
			set[v] = true
		}
	})
	return set
}

// CountUses counts the uses of every value: as an input of nodes of g and of nested graphs, and as an output of these graphs.
func CountUses(g *Graph) map[*Value]int {
	uses := make(map[*Value]int, len(g.Nodes))
	Each(g, func(g *Graph) {
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

// DefinedBy is the node of operator name that defines v, or nil.
func DefinedBy(v *Value, name string) *Node {
	if v == nil || v.Def == nil || v.Def.Op != name || v.Def.Domain != "" {
		return nil
	}
	return v.Def
}
