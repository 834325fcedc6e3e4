package search

import (
	"context"
	"slices"

	"rnas/compiler/lower"
	"rnas/genotype"
	"rnas/internal/fault"
)

// meet changes operations of a derived genotype until it is within the bounds. While one is exceeded, the operation is changed whose
// replacement loses least: of all edges and all primitives that lower the exceeded cost, the one with the smallest difference of the two
// architecture weights on the edge; of equals the first one. An exceeded latency is lowered by multiply-adds. Inputs of edges stay.
// Changed is the number of operations that differ in the end. It is an error of the input if no replacement is left.
func (l *limiter) meet(ctx context.Context, derived genotype.Genotype, alphas []float32, net lower.Supernet) (g genotype.Genotype, changed int, err error) {
	g = derived
	for {
		e, err := l.excess(g)
		if err != nil {
			return g, 0, err
		}
		if e == nil {
			return g, differing(derived, g), nil
		}
		next, err := l.cheaper(g, min(e.cost, latencyCost-1), alphas, net)
		if err != nil {
			return g, 0, err
		}
		if next == nil {
			return g, 0, fault.Inputf("%s: no operations on the edges of the derived cell are within it; %s has %s", e.bound(), g, e.found)
		}
		if err := ctx.Err(); err != nil {
			return g, 0, err
		}
		g = *next
	}
}

// cheaper is the genotype after the change that loses least; nil where no change lowers the cost.
func (l *limiter) cheaper(g genotype.Genotype, cost int, alphas []float32, net lower.Supernet) (*genotype.Genotype, error) {
	now, err := l.counts(g)
	if err != nil {
		return nil, err
	}
	var best *genotype.Genotype
	loss := 0.0
	rows := Weights(alphas, net)
	for i, place := range places(&g, net) {
		weights := rows[place.row]
		old := weights[slices.Index(net.Primitives, *place.op)]
		for k, p := range net.Primitives {
			if p == *place.op || p == genotype.None && net.Form != genotype.NASBench201 || best != nil && old-weights[k] >= loss {
				continue
			}
			other := copied(g)
			*places(&other, net)[i].op = p
			n, err := l.counts(other)
			if err != nil {
				return nil, err
			}
			if n[cost] < now[cost] {
				best, loss = &other, old-weights[k]
			}
		}
	}
	return best, nil
}

// place is an edge of a genotype and its row among those of the architecture parameters.
type place struct {
	op  *genotype.Primitive
	row int
}

// places are the edges of a genotype in the order of its text.
func places(g *genotype.Genotype, net lower.Supernet) (list []place) {
	for i := range g.Edges {
		list = append(list, place{&g.Edges[i], i})
	}
	for kind, c := range []*genotype.Cell{&g.Normal, &g.Reduce} {
		row := kind * net.Edges()
		for node := range c.Nodes() {
			first, end := c.Node(node)
			for i := first; i < end; i++ {
				list = append(list, place{&c.Edges[i].Op, row + c.Edges[i].From})
			}
			row += genotype.Inputs + node
		}
	}
	return list
}

// copied is a copy whose operations can be changed.
func copied(g genotype.Genotype) genotype.Genotype {
	g.Edges, g.Normal.Edges, g.Reduce.Edges = slices.Clone(g.Edges), slices.Clone(g.Normal.Edges), slices.Clone(g.Reduce.Edges)
	return g
}

// differing counts the operations that differ between genotypes of the same inputs.
func differing(a, b genotype.Genotype) (n int) {
	for _, pair := range [][2]genotype.Cell{{a.Normal, b.Normal}, {a.Reduce, b.Reduce}} {
		for i, e := range pair[0].Edges {
			if e.Op != pair[1].Edges[i].Op {
				n++
			}
		}
	}
	for i, p := range a.Edges {
		if p != b.Edges[i] {
			n++
		}
	}
	return n
}
