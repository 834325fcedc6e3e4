package genotype

import (
	"errors"
	"fmt"
	"strings"
)

// Inputs is the number of input states of a cell: state 0 is the output of the cell before the previous one, state 1
// that of the previous one.
const Inputs = 2

// EdgesPerNode is the number of edges that enter an intermediate node of published cells.
const EdgesPerNode = 2

// Edge applies Op to state From.
type Edge struct {
	Op   Primitive
	From int
}

// Cell is a directed acyclic graph over states. Node i is state Inputs+i, the sum of its edges; those of all nodes stand one
// after the other in Edges. The output of the cell is the concatenation, over channels, of the states of Concat in that
// order; a state may occur in it more than once or not at all.
type Cell struct {
	Edges  []Edge
	Concat []int
	// EdgesPerNode is the number of edges of a node, 0 for two. A node with fewer states before it has one for each.
	EdgesPerNode int
}

// Node is the place of the edges of node i: Edges[first:end].
func (c Cell) Node(i int) (first, end int) {
	k := perNode(c.EdgesPerNode)
	few := min(i, max(k-Inputs, 0)) // nodes before it with an edge for each state
	first = few*Inputs + few*(few-1)/2 + (i-few)*k
	return first, first + min(k, Inputs+i)
}

// perNode is a number of edges of a node, where 0 stands for two.
func perNode(n int) int {
	if n == 0 {
		return EdgesPerNode
	}
	return max(n, 1)
}

// Genotype is an architecture. Name may be empty.
type Genotype struct {
	Name string
	Form Form
	// Normal keeps the resolution and Reduce halves it, in the forms DARTS and ARNAS.
	Normal, Reduce Cell
	// Robust stands in place of Normal behind the second reduction cell of the form ARNAS.
	Robust Cell
	// Links are those of each cell of the form RobNet, or of all cells if there is one entry.
	Links [][]Link
	// Edges are those of the cell of the form NASBench201.
	Edges []Primitive
}

// Nodes returns the number of intermediate nodes that have all of their edges.
func (c Cell) Nodes() int {
	nodes, edges := 0, 0
	for edges < len(c.Edges) {
		if edges += min(perNode(c.EdgesPerNode), Inputs+nodes); edges <= len(c.Edges) {
			nodes++
		}
	}
	return nodes
}

// NamedCell is a cell with the name that its form gives it.
type NamedCell struct {
	Name string
	Cell Cell
}

// Cells returns the cells of a genotype of the form DARTS or ARNAS, nil for the other forms.
func (g Genotype) Cells() []NamedCell {
	switch g.Form {
	case DARTS:
		return []NamedCell{{"normal", g.Normal}, {"reduce", g.Reduce}}
	case ARNAS:
		return []NamedCell{{"accurate", g.Normal}, {"reduce", g.Reduce}, {"robust", g.Robust}}
	}
	return nil
}

// Validate returns an error that describes the first fault of the cells, nil for none. A cell of DARTS or ARNAS needs
// its number of edges for each node, known primitives, edges from earlier states only, and a concat of at least one node and of
// nothing but nodes. A cell of another form needs as many edges as the form has, each with an operation of the form.
// Edges and concat entries count from 0.
func (g Genotype) Validate() error {
	switch g.Form {
	case DARTS, ARNAS:
	case RobNet:
		return validateRobNet(g.Links)
	case NASBench201:
		return validateBench201(g.Edges)
	default:
		return fmt.Errorf("unknown form %q, expected %s, %s or %s", abbreviate(string(g.Form)), ARNAS, RobNet, NASBench201)
	}
	for _, c := range g.Cells() {
		if c.Cell.EdgesPerNode != g.Normal.EdgesPerNode {
			return fmt.Errorf("%s cell: %d edges per node, expected %d as in the first cell", c.Name, perNode(c.Cell.EdgesPerNode), perNode(g.Normal.EdgesPerNode))
		}
		if err := c.Cell.validate(); err != nil {
			return fmt.Errorf("%s cell: %w", c.Name, err)
		}
	}
	return nil
}

func (c Cell) validate() error {
	nodes := c.Nodes()
	switch {
	case c.EdgesPerNode < 0 || c.EdgesPerNode == EdgesPerNode || c.EdgesPerNode > maxNodes+1:
		return fmt.Errorf("%d edges per node, expected 0 for two, 1, or 3 to %d", c.EdgesPerNode, maxNodes+1)
	case len(c.Edges) == 0 && c.EdgesPerNode == 0:
		return errors.New("no edges, expected two per node")
	case len(c.Edges) == 0:
		return fmt.Errorf("no edges, expected %d per node", c.EdgesPerNode)
	case !c.complete() && c.EdgesPerNode == 0:
		return fmt.Errorf("%d edges, expected an even number, two per node", len(c.Edges))
	case !c.complete():
		return fmt.Errorf("%d edges, expected %d per node, and as many as there are states where these are fewer", len(c.Edges), c.EdgesPerNode)
	case len(c.Concat) == 0:
		return errors.New("empty concat, expected at least one node")
	}
	for i, e := range c.Edges {
		if !e.Op.known() {
			return fmt.Errorf("edge %d: unknown primitive %q, expected one of %s", i, abbreviate(string(e.Op)), names(Primitives()))
		}
	}
	for node := range nodes {
		first, end := c.Node(node)
		state := Inputs + node
		for i, e := range c.Edges[first:end] {
			if e.From < 0 || e.From >= state {
				return fmt.Errorf("edge %d: input state %d, expected 0 to %d for node state %d", first+i, e.From, state-1, state)
			}
		}
	}
	last := Inputs + nodes - 1
	for i, s := range c.Concat {
		if s < Inputs || s > last {
			return fmt.Errorf("concat entry %d: state %d, expected a node state, %d to %d", i, s, Inputs, last)
		}
	}
	return nil
}

// complete reports whether the last node has all of its edges.
func (c Cell) complete() bool {
	first, _ := c.Node(c.Nodes())
	return first == len(c.Edges)
}

func names[T ~string](list []T) string {
	var out []string
	for _, p := range list {
		out = append(out, string(p))
	}
	return strings.Join(out, ", ")
}

// abbreviate keeps quoted input short enough for a one-line error.
func abbreviate(s string) string {
	const limit = 40
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "") + "..."
}
