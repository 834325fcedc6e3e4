package table

import (
	"cmp"
	"slices"

	"rnas/genotype"
)

// Key is the canonical text of an architecture: genotypes that differ only in their name, or in the order of the two edges of a node,
// have one key.
func Key(g genotype.Genotype) string {
	g.Name = ""
	for _, c := range []*genotype.Cell{&g.Normal, &g.Reduce, &g.Robust} {
		c.Edges = slices.Clone(c.Edges)
		for node := range c.Nodes() {
			slices.SortFunc(c.Edges[node*genotype.EdgesPerNode:(node+1)*genotype.EdgesPerNode], func(a, b genotype.Edge) int {
				return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.Op, b.Op))
			})
		}
	}
	return g.String()
}
