package genotype

import "slices"

// Distance is the number of edges in which two genotypes differ, and the number of edges of each. An edge of a cell is the node
// that it enters, the state that it leaves and its operation; nodes of one cell are matched with those of the other so that the
// fewest edges differ, and what is concatenated does not count. In the form NASBench201 it is the number of operations that differ, as
// every edge has its place. ok is false where there is nothing to match: the forms, the numbers of nodes or those of edges differ,
// the form is RobNet, or a cell has more than maxMatched nodes.
func Distance(a, b Genotype) (differ, edges int, ok bool) {
	if a.Form != b.Form {
		return 0, 0, false
	}
	if a.Form == NASBench201 {
		for i, p := range a.Edges {
			if i < len(b.Edges) && p != b.Edges[i] {
				differ++
			}
		}
		return differ, len(a.Edges), len(a.Edges) == len(b.Edges)
	}
	ours, theirs := a.Cells(), b.Cells()
	for i := range ours {
		x, y := ours[i].Cell, theirs[i].Cell
		if x.Nodes() != y.Nodes() || len(x.Edges) != len(y.Edges) || x.Nodes() > maxMatched {
			return 0, 0, false
		}
		differ += len(x.Edges) - mostAlike(x, y)
		edges += len(x.Edges)
	}
	return differ, edges, len(ours) > 0
}

// maxMatched bounds the permutations of nodes that Distance tries.
const maxMatched = 7

// placed is an edge with the state that it enters.
type placed struct {
	Edge
	to int
}

// mostAlike is the largest number of equal edges under any matching of the nodes of x with those of y.
func mostAlike(x, y Cell) (most int) {
	theirs := place(y, nil)
	match := make([]int, 0, x.Nodes()) // entry i is the node of y for node i of x
	var try func()
	try = func() {
		if len(match) == x.Nodes() {
			most = max(most, common(place(x, match), theirs))
			return
		}
		for node := range x.Nodes() {
			if !slices.Contains(match, node) {
				match = append(match, node)
				try()
				match = match[:len(match)-1]
			}
		}
	}
	try()
	return most
}

// place lists the edges of a cell whose node i is called match[i]; nil calls it i.
func place(c Cell, match []int) (list []placed) {
	name := func(state int) int {
		if match == nil || state < Inputs {
			return state
		}
		return Inputs + match[state-Inputs]
	}
	for node := range c.Nodes() {
		first, end := c.Node(node)
		for _, e := range c.Edges[first:end] {
			list = append(list, placed{Edge{e.Op, name(e.From)}, name(Inputs + node)})
		}
	}
	return list
}

// common counts the edges that both lists have, an edge as often as it is in both.
func common(a, b []placed) (n int) {
	b = slices.Clone(b)
	for _, e := range a {
		if i := slices.Index(b, e); i >= 0 {
			b = slices.Delete(b, i, i+1)
			n++
		}
	}
	return n
}

// Neighbour is a published genotype with its distance.
type Neighbour struct {
	Entry
	Differ, Edges int // see Distance
}

// Nearest are the count published genotypes of the smallest distance from g, the nearest first and equals in the order of Zoo;
// fewer, or none, where the zoo has no more of the form.
func Nearest(g Genotype, count int) []Neighbour {
	var list []Neighbour
	for _, e := range Zoo() {
		if differ, edges, ok := Distance(g, e.Genotype); ok {
			list = append(list, Neighbour{e, differ, edges})
		}
	}
	slices.SortStableFunc(list, func(a, b Neighbour) int { return a.Differ - b.Differ })
	return list[:min(count, len(list))]
}
