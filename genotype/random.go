package genotype

import (
	"fmt"
	"math/bits"
	"slices"
)

// Source yields independent uniform 32-bit words.
type Source interface {
	Uint32() uint32
}

// Random draws a genotype of the space uniformly, as a function of the words of r alone. In the form DARTS: for each of the
// nodes of the normal and then the reduce cell, EdgesPerNode distinct inputs out of all earlier states (listed in ascending
// order) and a primitive for each, None apart; every node is concatenated. In the form NASBench201: a primitive for each edge.
//
// It panics if the space is not valid.
func (s Space) Random(r Source) Genotype {
	if err := s.Validate(); err != nil {
		panic(fmt.Sprintf("genotype: random genotype of an invalid space: %v", err))
	}
	ops := s.operations()
	if s.Form == NASBench201 {
		g := Genotype{Form: s.Form, Edges: make([]Primitive, s.Edges())}
		for i := range g.Edges {
			g.Edges[i] = ops[randomBelow(r, len(ops))]
		}
		return g
	}
	return Genotype{Normal: s.randomCell(r, ops), Reduce: s.randomCell(r, ops)}
}

func (s Space) randomCell(r Source, ops []Primitive) Cell {
	var edges []Edge
	for node := range s.Nodes {
		left := make([]int, Inputs+node) // states that are not drawn yet
		for i := range left {
			left[i] = i
		}
		var from []int
		for range s.EdgesOf(node) {
			i := randomBelow(r, len(left))
			from = append(from, left[i])
			left = slices.Delete(left, i, i+1)
		}
		slices.Sort(from)
		for _, state := range from {
			edges = append(edges, Edge{Op: ops[randomBelow(r, len(ops))], From: state})
		}
	}
	return s.Cell(edges)
}

// Mutate changes the operation or the input of one edge of g, as regularized evolution does (Real et al., "Regularized
// Evolution for Image Classifier Architecture Search", AAAI 2019, section 3). The edge is uniform among those that can change,
// and so are the kind of change, where both are possible, and the new value among those that differ from the old one. The
// result belongs to the space; it is g itself where the space has no other genotype, and has no name. It panics unless the
// space contains g.
func (s Space) Mutate(r Source, g Genotype) Genotype {
	if !s.Contains(g) {
		panic(fmt.Sprintf("genotype: mutation of %s, which is not in the space", g))
	}
	child := g.clone()
	child.Name = ""
	var changes []change
	for i := range child.Edges {
		changes = append(changes, change{op: &child.Edges[i]})
	}
	for _, c := range []Cell{child.Normal, child.Reduce} {
		for node := range c.Nodes() {
			first, end := c.Node(node)
			others := free(c.Edges[first:end], Inputs+node)
			for i := first; i < end; i++ {
				changes = append(changes, change{op: &c.Edges[i].Op, from: &c.Edges[i].From, others: others})
			}
		}
	}
	ops := s.operations()
	if len(ops) == 1 {
		changes = slices.DeleteFunc(changes, func(c change) bool { return len(c.others) == 0 })
	}
	if len(changes) == 0 {
		return child
	}
	c := changes[randomBelow(r, len(changes))]
	if len(c.others) > 0 && (len(ops) == 1 || randomBelow(r, 2) == 1) {
		*c.from = c.others[randomBelow(r, len(c.others))]
		return child
	}
	ops = slices.DeleteFunc(slices.Clone(ops), func(p Primitive) bool { return p == *c.op })
	*c.op = ops[randomBelow(r, len(ops))]
	return child
}

// change is an edge of a genotype; from is nil, and others empty, where its input is fixed.
type change struct {
	op     *Primitive
	from   *int
	others []int // inputs that the edge could have instead
}

// free are those of the first states that none of the edges of a node reads.
func free(edges []Edge, before int) (states []int) {
	for state := range before {
		if !slices.ContainsFunc(edges, func(e Edge) bool { return e.From == state }) {
			states = append(states, state)
		}
	}
	return states
}

// clone is a copy that shares nothing with g.
func (g Genotype) clone() Genotype {
	for _, c := range []*Cell{&g.Normal, &g.Reduce, &g.Robust} {
		c.Edges, c.Concat = slices.Clone(c.Edges), slices.Clone(c.Concat)
	}
	g.Links, g.Edges = slices.Clone(g.Links), slices.Clone(g.Edges)
	return g
}

// randomBelow returns a uniform integer in [0, n), n >= 1, without bias: the high word of a product with n, where the
// 2^32 mod n surplus low words are drawn again (Lemire, "Fast Random Integer Generation in an Interval", TOMACS 2019).
func randomBelow(r Source, n int) int {
	bound := uint32(n)
	surplus := -bound % bound
	for {
		hi, lo := bits.Mul32(r.Uint32(), bound)
		if lo >= surplus {
			return int(hi)
		}
	}
}
