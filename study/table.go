package study

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"

	"rnas/genotype"
	"rnas/internal/fault"
)

// genotypeColumn is the column of a table that holds genotypes, in a form that genotype.Parse reads.
const genotypeColumn = "genotype"

// ConvWeights is a column that tables need not have: the weights of convolutions of 3x3 and 1x1 in a cell of NAS-Bench-201 with one
// channel. Of the genotypes of a class it is the least, since the others have convolutions that no output depends on.
const ConvWeights = "conv_weights"

// Table is measured results of genotypes, from a CSV file with a heading. A row with another number of fields than the heading
// has nothing but a genotype and, in its place, a class: its figures are those of that class.
type Table struct {
	Path   string
	Digest string // SHA-256 of the file
	names  []string
	rows   [][]string
	cells  []genotype.Genotype
	find   map[string]int // row by the text of the genotype
}

// ReadTable reads a table.
func ReadTable(path string) (*Table, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fault.Input(err)
	}
	r := csv.NewReader(bytes.NewReader(data))
	r.FieldsPerRecord = -1
	lines, err := r.ReadAll()
	if err != nil {
		return nil, fault.Inputf("%s: %w", path, err)
	}
	if len(lines) < 2 {
		return nil, fault.Inputf("%s: expected a heading and at least one row, found %d lines", path, len(lines))
	}
	t := &Table{Path: path, Digest: digest(data), names: lines[0], rows: lines[1:], find: map[string]int{}}
	column := slices.Index(t.names, genotypeColumn)
	if column < 0 {
		return nil, fault.Inputf("%s: expected a column %s, found %q", path, genotypeColumn, t.names)
	}
	for i, row := range t.rows {
		if len(row) <= column {
			return nil, fault.Inputf("%s: row %d: expected %d fields, found %d", path, i+2, len(t.names), len(row))
		}
		g, err := genotype.Parse(row[column])
		if err != nil {
			return nil, fault.Inputf("%s: row %d: %w", path, i+2, err)
		}
		text := g.String()
		if first, twice := t.find[text]; twice {
			return nil, fault.Inputf("%s: row %d: genotype %s: expected it once, found it in row %d too", path, i+2, text, first+2)
		}
		t.find[text] = i
		t.cells = append(t.cells, g)
	}
	return t, nil
}

// row is the number of the row of a genotype.
func (t *Table) row(g genotype.Genotype) (int, error) {
	i, ok := t.find[g.String()]
	if !ok {
		return 0, fault.Inputf("%s: expected a row of the genotype %s, found none", t.Path, g)
	}
	return i, nil
}

// whole reports whether a row has a field for every column.
func (t *Table) whole(row int) bool { return len(t.rows[row]) == len(t.names) }

// place is the number of a column.
func (t *Table) place(name string) (int, error) {
	k := slices.Index(t.names, name)
	if k < 0 {
		return 0, fmt.Errorf("%s: expected one of the columns %q, found %q", t.Path, t.names, name)
	}
	return k, nil
}

// numbers are the numbers of a column; NaN in rows that are not whole.
func (t *Table) numbers(name string) ([]float64, error) {
	if name == ConvWeights && !slices.Contains(t.names, name) {
		return t.convWeights()
	}
	k, err := t.place(name)
	if err != nil {
		return nil, err
	}
	values := make([]float64, len(t.rows))
	for i, row := range t.rows {
		if !t.whole(i) {
			values[i] = math.NaN()
			continue
		}
		if values[i], err = strconv.ParseFloat(row[k], 64); err != nil || values[i]-values[i] != 0 {
			return nil, fmt.Errorf("%s: row %d: %s: expected a finite number, found %q", t.Path, i+2, name, row[k])
		}
	}
	return values, nil
}

// classes numbers the classes of the rows from 0, by the column of that name, or every row as its own if that is "". First are
// the first whole rows of the classes.
func (t *Table) classes(name string) (of, first []int, err error) {
	k := 0
	if name != "" {
		if k, err = t.place(name); err != nil {
			return nil, nil, err
		}
	}
	fail := func(i int) error {
		return fmt.Errorf("%s: row %d: expected %d fields, or a class with a row of so many, found %d", t.Path, i+2, len(t.names), len(t.rows[i]))
	}
	number := map[string]int{}
	of = make([]int, len(t.rows))
	for i := range t.rows {
		if t.whole(i) {
			of[i] = len(first)
			if name != "" {
				if c, known := number[t.rows[i][k]]; known {
					of[i] = c
					continue
				}
				number[t.rows[i][k]] = of[i]
			}
			first = append(first, i)
		}
	}
	for i, row := range t.rows {
		if !t.whole(i) {
			if name == "" || len(row) <= k {
				return nil, nil, fail(i)
			}
			c, known := number[row[k]]
			if !known {
				return nil, nil, fail(i)
			}
			of[i] = c
		}
	}
	return of, first, nil
}

func (t *Table) convWeights() ([]float64, error) {
	values := make([]float64, len(t.cells))
	for i, g := range t.cells {
		if g.Form != genotype.NASBench201 {
			return nil, fmt.Errorf("%s: row %d: %s: expected a cell of NAS-Bench-201, found %s", t.Path, i+2, ConvWeights, g)
		}
		for _, p := range g.Edges {
			switch p {
			case genotype.NorConv3x3:
				values[i] += 9
			case genotype.NorConv1x1:
				values[i]++
			}
		}
	}
	return values, nil
}
