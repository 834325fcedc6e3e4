package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strconv"

	"rnas/internal/atomicfile"
	"rnas/search/score"
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
			err = put(name, score.Number(r.Scores[i]))
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
	number := func(v float64) string {
		if math.IsNaN(v) {
			return "" // missing
		}
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
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
