package genotype

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
)

// MarshalJSON writes the edge as ["sep_conv_3x3", 1].
func (e Edge) MarshalJSON() ([]byte, error) { return json.Marshal([]any{e.Op, e.From}) }

// UnmarshalJSON reads the form MarshalJSON writes; it does not check the primitive or the state.
func (e *Edge) UnmarshalJSON(data []byte) error {
	var pair []json.RawMessage
	if json.Unmarshal(data, &pair) != nil || len(pair) != 2 ||
		json.Unmarshal(pair[0], &e.Op) != nil || json.Unmarshal(pair[1], &e.From) != nil {
		return fmt.Errorf(`expected ["primitive", state], found %s`, abbreviate(strings.Join(strings.Fields(string(data)), " ")))
	}
	return nil
}

// encoded is the JSON form; the fields that are set depend on the form.
type encoded struct {
	Name           string     `json:"name,omitempty"`
	Form           Form       `json:"form,omitempty"`
	Normal         *[]rawEdge `json:"normal,omitempty"`
	NormalConcat   *[]int     `json:"normal_concat,omitempty"`
	Accurate       *[]rawEdge `json:"accurate,omitempty"`
	AccurateConcat *[]int     `json:"accurate_concat,omitempty"`
	Reduce         *[]rawEdge `json:"reduce,omitempty"`
	ReduceConcat   *[]int     `json:"reduce_concat,omitempty"`
	Robust         *[]rawEdge `json:"robust,omitempty"`
	RobustConcat   *[]int     `json:"robust_concat,omitempty"`
	EdgesPerNode   *int       `json:"edges_per_node,omitempty"` // two where it is absent
	Links          [][]Link   `json:"links,omitempty"`
	Cell           string     `json:"cell,omitempty"` // the string of NAS-Bench-201
}

// rawEdge is an edge before it is decoded, so that an error can name its cell.
type rawEdge = json.RawMessage

// pairs are the keys and fields of the cells that g's form has.
func (e *encoded) pairs(g *Genotype) []encodedCell {
	cells := []encodedCell{{"normal", &e.Normal, &e.NormalConcat, &g.Normal}, {"reduce", &e.Reduce, &e.ReduceConcat, &g.Reduce}}
	switch g.Form {
	case DARTS:
		return cells
	case ARNAS:
		cells[0] = encodedCell{"accurate", &e.Accurate, &e.AccurateConcat, &g.Normal}
		return append(cells, encodedCell{"robust", &e.Robust, &e.RobustConcat, &g.Robust})
	}
	return nil
}

type encodedCell struct {
	name   string
	edges  **[]rawEdge
	concat **[]int
	cell   *Cell
}

// MarshalJSON writes {"name": ..., "normal": [["sep_conv_3x3", 1], ...], "normal_concat": [...], "reduce": [...],
// "reduce_concat": [...]}, without the name if it is empty. The other forms have the key "form", and in place of these
// "accurate", "reduce" and "robust" (ARNAS), "links" (RobNet) or "cell" (NAS-Bench-201). "edges_per_node" is there where it is
// not two. The genotype must be valid.
func (g Genotype) MarshalJSON() ([]byte, error) {
	if err := g.Validate(); err != nil {
		return nil, err
	}
	e := encoded{Name: g.Name, Form: g.Form, Links: g.Links}
	if g.Form == NASBench201 {
		e.Cell = bench201Text(g.Edges)
	}
	for _, c := range e.pairs(&g) {
		edges := make([]rawEdge, len(c.cell.Edges))
		for i, edge := range c.cell.Edges {
			var err error
			if edges[i], err = edge.MarshalJSON(); err != nil {
				return nil, err
			}
		}
		*c.edges, *c.concat = &edges, &c.cell.Concat
		if c.cell.EdgesPerNode != 0 {
			e.EdgesPerNode = &c.cell.EdgesPerNode
		}
	}
	return json.Marshal(e)
}

// UnmarshalJSON reads the form MarshalJSON writes, ignores other keys, and validates the result.
func (g *Genotype) UnmarshalJSON(data []byte) error {
	var raw encoded
	if err := json.Unmarshal(data, &raw); err != nil {
		return placeJSON(err)
	}
	parsed := Genotype{Name: raw.Name, Form: raw.Form}
	switch raw.Form {
	case RobNet:
		parsed.Links = raw.Links
	case NASBench201:
		s := scanner{text: raw.Cell}
		var err error
		if parsed.Edges, err = s.bench201(); err != nil {
			return fmt.Errorf("cell: %w", err)
		}
		if s.pos < len(s.text) {
			return fmt.Errorf("cell: %w", s.errorf("expected the end of the text, found %s", s.found()))
		}
	}
	pairs := raw.pairs(&parsed)
	for _, c := range pairs {
		if *c.edges == nil {
			return fmt.Errorf("missing key %q", c.name)
		}
		if *c.concat == nil {
			return fmt.Errorf("missing key %q", c.name+"_concat")
		}
	}
	for _, c := range pairs {
		var err error
		if c.cell.Edges, err = decodeEdges(**c.edges); err != nil {
			return fmt.Errorf("%s cell: %w", c.name, err)
		}
		c.cell.Concat = **c.concat
	}
	if raw.EdgesPerNode != nil {
		parsed.setEdgesPerNode(*raw.EdgesPerNode)
	}
	if err := parsed.Validate(); err != nil {
		return err
	}
	*g = parsed
	return nil
}

func decodeEdges(raw []json.RawMessage) ([]Edge, error) {
	edges := make([]Edge, len(raw))
	for i, r := range raw {
		if err := edges[i].UnmarshalJSON(r); err != nil {
			return nil, fmt.Errorf("edge %d: %w", i, err)
		}
	}
	return edges, nil
}

// placeJSON rewords an error of encoding/json so that it starts with its place in the text.
func placeJSON(err error) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Errorf("after %d bytes: %w", syntax.Offset, err)
	}
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) {
		place := "value"
		if kind.Field != "" {
			place = fmt.Sprintf("key %q", kind.Field)
		}
		expected := map[reflect.Kind]string{
			reflect.Struct: "an object", reflect.Slice: "a list", reflect.Int: "an integer", reflect.String: "a string",
		}[kind.Type.Kind()]
		return fmt.Errorf("after %d bytes: %s: expected %s, found %s", kind.Offset, place, expected, kind.Value)
	}
	return err
}
