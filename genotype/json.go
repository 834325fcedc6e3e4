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

type encoded[E any] struct {
	Name         string `json:"name,omitempty"`
	Normal       []E    `json:"normal"`
	NormalConcat []int  `json:"normal_concat"`
	Reduce       []E    `json:"reduce"`
	ReduceConcat []int  `json:"reduce_concat"`
}

// MarshalJSON writes {"name": ..., "normal": [["sep_conv_3x3", 1], ...], "normal_concat": [...], "reduce": [...],
// "reduce_concat": [...]}, without the name if it is empty. The genotype must be valid.
func (g Genotype) MarshalJSON() ([]byte, error) {
	if err := g.Validate(); err != nil {
		return nil, err
	}
	return json.Marshal(encoded[Edge]{g.Name, g.Normal.Edges, g.Normal.Concat, g.Reduce.Edges, g.Reduce.Concat})
}

// UnmarshalJSON reads the form MarshalJSON writes, ignores other keys, and validates the result.
func (g *Genotype) UnmarshalJSON(data []byte) error {
	var raw encoded[json.RawMessage]
	if err := json.Unmarshal(data, &raw); err != nil {
		return placeJSON(err)
	}
	parsed := Genotype{Name: raw.Name, Normal: Cell{Concat: raw.NormalConcat}, Reduce: Cell{Concat: raw.ReduceConcat}}
	switch {
	case raw.Normal == nil:
		return errors.New(`missing key "normal"`)
	case raw.NormalConcat == nil:
		return errors.New(`missing key "normal_concat"`)
	case raw.Reduce == nil:
		return errors.New(`missing key "reduce"`)
	case raw.ReduceConcat == nil:
		return errors.New(`missing key "reduce_concat"`)
	}
	var err error
	if parsed.Normal.Edges, err = decodeEdges(raw.Normal); err != nil {
		return fmt.Errorf("normal cell: %w", err)
	}
	if parsed.Reduce.Edges, err = decodeEdges(raw.Reduce); err != nil {
		return fmt.Errorf("reduce cell: %w", err)
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
