package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"rnas/genotype"
	"rnas/internal/atomicfile"
)

// MarshalJSON writes {"genotype": ..., the scores and the measured column by their names}, in the order of the columns.
func (r ranked) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("{")
	put := func(name string, v any) error {
		key, err := json.Marshal(name)
		if err != nil {
			return err
		}
		value, err := json.Marshal(v)
		if b.Len() > 1 {
			b.WriteString(",")
		}
		fmt.Fprintf(&b, "%s:%s", key, value)
		return err
	}
	err := put("genotype", r.Genotype)
	for i, name := range r.columns {
		if err == nil {
			err = put(name, r.Scores[i])
		}
	}
	if err == nil && r.Measured != nil {
		err = put(r.against, *r.Measured)
	}
	b.WriteString("}")
	return b.Bytes(), err
}

// write stores the scores as CSV or as lines of JSON, by the end of the file's name.
func (r *ranking) write(path string) error {
	return atomicfile.Write(path, func(w io.Writer) error {
		if filepath.Ext(path) == ".csv" {
			return r.writeCSV(w)
		}
		for _, g := range r.Genotypes {
			line, err := json.Marshal(g)
			if err != nil {
				return err
			}
			if _, err := w.Write(append(line, '\n')); err != nil {
				return err
			}
		}
		return nil
	})
}

func (r *ranking) writeCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	heading := append([]string{"genotype"}, r.columns...)
	if r.Against != "" {
		heading = append(heading, r.Against)
	}
	if err := out.Write(heading); err != nil {
		return err
	}
	number := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
	for _, g := range r.Genotypes {
		cells := []string{g.Genotype}
		for _, v := range g.Scores {
			cells = append(cells, number(v))
		}
		if g.Measured != nil {
			cells = append(cells, number(*g.Measured))
		}
		if err := out.Write(cells); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// searchSpace is a set of genotypes: a form, and what its edges may be.
type searchSpace struct {
	name       string
	form       genotype.Form
	nodes      int // of DARTS' cells
	primitives []genotype.Primitive
}

var searchSpaces = []searchSpace{
	{"darts", genotype.DARTS, 4, genotype.DARTSPrimitives},
	{"nas-bench-201", genotype.NASBench201, 0, genotype.NASBench201Primitives},
}

func spaceNames() []string {
	var names []string
	for _, s := range searchSpaces {
		names = append(names, s.name)
	}
	return names
}

// spaceNamed is a check of membership in the space of that name, of which "" has all genotypes.
func spaceNamed(name string) (func(g genotype.Genotype) error, error) {
	if name == "" {
		return func(genotype.Genotype) error { return nil }, nil
	}
	i := slices.IndexFunc(searchSpaces, func(s searchSpace) bool { return s.name == name })
	if i < 0 {
		return nil, fmt.Errorf("--space: expected %s, found %q", strings.Join(spaceNames(), " or "), name)
	}
	return searchSpaces[i].has, nil
}

// has reports why a genotype is outside the space; nil when it is inside.
func (s searchSpace) has(g genotype.Genotype) error {
	if g.Form != s.form {
		return fmt.Errorf("the genotype has another form: %.100s", g)
	}
	for _, c := range g.Cells() {
		if n := c.Cell.Nodes(); n != s.nodes {
			return fmt.Errorf("%s cell: expected %d nodes, found %d", c.Name, s.nodes, n)
		}
		for k, e := range c.Cell.Edges {
			if !slices.Contains(s.primitives, e.Op) {
				return fmt.Errorf("%s cell: edge %d: expected one of %v, found %s", c.Name, k, s.primitives, e.Op)
			}
		}
	}
	return nil
}
