package genotype

import (
	"errors"
	"fmt"
	"strings"
)

// Inputs is the number of input states of a cell: state 0 is the output of the cell before the previous one, state 1
// that of the previous one.
const Inputs = 2

// EdgesPerNode is the number of edges that enter an intermediate node.
const EdgesPerNode = 2

// Edge applies Op to state From.
type Edge struct {
	Op   Primitive
	From int
}

// Cell is a directed acyclic graph over states. Node i is state Inputs+i, the sum of Edges[2*i] and Edges[2*i+1].
// The output of the cell is the concatenation, over channels, of the states of Concat in that order; a state may occur
// in it more than once or not at all.
type Cell struct {
	Edges  []Edge
	Concat []int
}

// Genotype is an architecture: the cell that keeps the resolution and the cell that halves it. Name may be empty.
type Genotype struct {
	Name           string
	Normal, Reduce Cell
}

// Nodes returns the number of intermediate nodes.
func (c Cell) Nodes() int { return len(c.Edges) / EdgesPerNode }

// Validate returns nil if both cells are well formed: two edges per node, known primitives, every edge from an earlier
// state, and a non-empty concat of nodes. Otherwise it describes the first fault; edges and concat entries count from 0.
func (g Genotype) Validate() error {
	if err := g.Normal.validate(); err != nil {
		return fmt.Errorf("normal cell: %w", err)
	}
	if err := g.Reduce.validate(); err != nil {
		return fmt.Errorf("reduce cell: %w", err)
	}
	return nil
}

func (c Cell) validate() error {
	switch {
	case len(c.Edges) == 0:
		return errors.New("no edges, expected two per node")
	case len(c.Edges)%EdgesPerNode != 0:
		return fmt.Errorf("%d edges, expected an even number, two per node", len(c.Edges))
	case len(c.Concat) == 0:
		return errors.New("empty concat, expected at least one node")
	}
	for i, e := range c.Edges {
		if !e.Op.known() {
			return fmt.Errorf("edge %d: unknown primitive %q, expected one of %s", i, abbreviate(string(e.Op)), primitiveList())
		}
		state := Inputs + i/EdgesPerNode
		if e.From < 0 || e.From >= state {
			return fmt.Errorf("edge %d: input state %d, expected 0 to %d for node state %d", i, e.From, state-1, state)
		}
	}
	last := Inputs + c.Nodes() - 1
	for i, s := range c.Concat {
		if s < Inputs || s > last {
			return fmt.Errorf("concat entry %d: state %d, expected a node state, %d to %d", i, s, Inputs, last)
		}
	}
	return nil
}

func primitiveList() string {
	var names []string
	for _, p := range Primitives() {
		names = append(names, string(p))
	}
	return strings.Join(names, ", ")
}

// abbreviate keeps quoted input short enough for a one-line error.
func abbreviate(s string) string {
	const limit = 40
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "") + "..."
}
