package genotype

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// Space is a set of genotypes: all cells of so many nodes with an operation out of Primitives on every edge.
type Space struct {
	// Form is DARTS or NASBench201.
	Form Form `json:"form,omitempty"`
	// Nodes is the number of nodes of a cell that have edges; NASBench201Nodes in that form.
	Nodes int `json:"nodes"`
	// Primitives are the candidates; None is chosen in the form NASBench201 alone.
	Primitives []Primitive `json:"primitives"`
	// EdgesPerNode is the number of edges that a node of the form DARTS keeps, 0 for two.
	EdgesPerNode int `json:"edges_per_node,omitempty"`
}

// NamedSpace is a published search space.
type NamedSpace struct {
	Name  string
	About string
	Space Space
}

// Spaces lists the published search spaces.
func Spaces() []NamedSpace {
	return []NamedSpace{
		{"darts", "a normal and a reduction cell, 4 nodes of two edges, 8 primitives (Liu et al. 2019)", Space{Nodes: 4, Primitives: slices.Clone(DARTSPrimitives)}},
		{
			"nas-bench-201", "one cell of 6 edges, 5 operations (Dong and Yang 2020)",
			Space{Form: NASBench201, Nodes: NASBench201Nodes, Primitives: slices.Clone(NASBench201Primitives)},
		},
	}
}

// maxNodes bounds the nodes of a cell of a space, whose supernet has about half of their square in edges.
const maxNodes = 64

// LookupSpace returns the space that spec names: one of Spaces, else that of a file which ParseSpace reads.
func LookupSpace(spec string) (Space, error) {
	var names []string
	for _, s := range Spaces() {
		if s.Name == spec {
			return s.Space, nil
		}
		names = append(names, s.Name)
	}
	text, err := readFile(spec)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return Space{}, fmt.Errorf("expected %s or a JSON file, found %q", strings.Join(names, ", "), spec)
	case err != nil:
		return Space{}, err
	}
	s, err := ParseSpace(text)
	if err != nil {
		return Space{}, fmt.Errorf("%s: %w", spec, err)
	}
	return s, nil
}

// ParseSpace reads a JSON object such as {"primitives": ["skip_connect", "sep_conv_3x3"], "nodes": 4, "edges_per_node": 2}, with
// "form": "nb201" for a cell of NAS-Bench-201. A nil error implies a valid space.
func ParseSpace(text string) (Space, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	var s Space
	if err := d.Decode(&s); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return Space{}, errors.New("expected a JSON object with primitives and nodes, found the end of the text")
		}
		if key, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
			return Space{}, fmt.Errorf("after %d bytes: unknown key %s, expected form, nodes, primitives or edges_per_node", d.InputOffset(), abbreviate(key))
		}
		return Space{}, placeJSON(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Space{}, fmt.Errorf("after %d bytes: expected the end of the text", d.InputOffset())
	}
	if s.EdgesPerNode == EdgesPerNode && s.Form == DARTS {
		s.EdgesPerNode = 0
	}
	if err := s.Validate(); err != nil {
		return Space{}, err
	}
	return s, nil
}

// Validate describes the first fault of a space, in which a genotype could not be chosen.
func (s Space) Validate() error {
	known := Primitives()
	switch s.Form {
	case DARTS:
		if s.Nodes < 1 || s.Nodes > maxNodes {
			return fmt.Errorf("nodes: expected at least 1 and at most %d, found %d", maxNodes, s.Nodes)
		}
		if s.EdgesPerNode < 0 || s.EdgesPerNode > s.Nodes+1 && s.EdgesPerNode != EdgesPerNode {
			return fmt.Errorf("edges_per_node: expected 1 to %d, the states before the last node, found %d", s.Nodes+1, s.EdgesPerNode)
		}
	case NASBench201:
		known = NASBench201Primitives
		if s.Nodes != NASBench201Nodes {
			return fmt.Errorf("nodes: expected %d in the form %s, found %d", NASBench201Nodes, s.Form, s.Nodes)
		}
		if s.EdgesPerNode != 0 {
			return fmt.Errorf("edges_per_node: expected none in the form %s, found %d", s.Form, s.EdgesPerNode)
		}
	default:
		return fmt.Errorf("form: expected none or %s, found %q", NASBench201, abbreviate(string(s.Form)))
	}
	something := false
	for i, p := range s.Primitives {
		if !slices.Contains(known, p) {
			return fmt.Errorf("primitives: expected some of %s, found %q", names(known), abbreviate(string(p)))
		}
		if slices.Contains(s.Primitives[:i], p) {
			return fmt.Errorf("primitives: %s is given twice", p)
		}
		something = something || p != None
	}
	if !something {
		return fmt.Errorf("primitives: expected at least one besides %s, found %v", None, s.Primitives)
	}
	return nil
}

// Kinds is the number of cells of a genotype: a normal and a reduction cell in the form DARTS, else one.
func (s Space) Kinds() int {
	if s.Form == NASBench201 {
		return 1
	}
	return 2
}

// Inputs is the number of states of a cell before its first node.
func (s Space) Inputs() int {
	if s.Form == NASBench201 {
		return 1
	}
	return Inputs
}

// Edges is the number of possible edges of a cell: every node reads each state before it.
func (s Space) Edges() int { return s.Nodes * (2*s.Inputs() + s.Nodes - 1) / 2 }

// Contains reports whether g belongs to the space. In the form DARTS every node is concatenated once, in ascending order, and
// reads states that differ.
func (s Space) Contains(g Genotype) bool {
	if g.Form != s.Form || g.Validate() != nil {
		return false
	}
	if s.Form == NASBench201 {
		return !slices.ContainsFunc(g.Edges, func(p Primitive) bool { return !slices.Contains(s.Primitives, p) })
	}
	return !slices.ContainsFunc(g.Cells(), func(c NamedCell) bool { return !s.containsCell(c.Cell) })
}

func (s Space) containsCell(c Cell) bool {
	if perNode(c.EdgesPerNode) != perNode(s.EdgesPerNode) || c.Nodes() != s.Nodes || !slices.Equal(c.Concat, allNodes(s.Nodes)) {
		return false
	}
	for node := range s.Nodes {
		first, end := c.Node(node)
		for i, e := range c.Edges[first:end] {
			twice := slices.ContainsFunc(c.Edges[first:first+i], func(f Edge) bool { return f.From == e.From })
			if twice || !slices.Contains(s.operations(), e.Op) {
				return false
			}
		}
	}
	return true
}

// Cell is a cell of the form DARTS with edges for the nodes of the space, in their order.
func (s Space) Cell(edges []Edge) Cell {
	c := Cell{Edges: edges, Concat: allNodes(s.Nodes), EdgesPerNode: s.EdgesPerNode}
	if c.EdgesPerNode == EdgesPerNode {
		c.EdgesPerNode = 0
	}
	return c
}

// EdgesOf is the number of edges that a node of the form DARTS keeps, counted from 0: EdgesPerNode, or the states before it
// where these are fewer.
func (s Space) EdgesOf(node int) int { return min(perNode(s.EdgesPerNode), Inputs+node) }

// operations are the primitives that may stand in a genotype.
func (s Space) operations() []Primitive {
	if s.Form == NASBench201 {
		return s.Primitives
	}
	return slices.DeleteFunc(slices.Clone(s.Primitives), func(p Primitive) bool { return p == None })
}

// allNodes are the states of all nodes of a cell of the form DARTS.
func allNodes(nodes int) []int {
	states := make([]int, nodes)
	for i := range states {
		states[i] = Inputs + i
	}
	return states
}
