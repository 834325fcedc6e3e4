package study

import (
	"bytes"
	"encoding/csv"
	"fmt"
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

// Table is measured results of genotypes, from a CSV file with a heading.
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
	lines, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
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

// text are the fields of a column.
func (t *Table) text(name string) ([]string, error) {
	k := slices.Index(t.names, name)
	if k < 0 {
		return nil, fmt.Errorf("%s: expected one of the columns %q, found %q", t.Path, t.names, name)
	}
	fields := make([]string, len(t.rows))
	for i, row := range t.rows {
		fields[i] = row[k]
	}
	return fields, nil
}

// numbers are the numbers of a column.
func (t *Table) numbers(name string) ([]float64, error) {
	if name == ConvWeights && !slices.Contains(t.names, name) {
		return t.convWeights()
	}
	fields, err := t.text(name)
	if err != nil {
		return nil, err
	}
	values := make([]float64, len(fields))
	for i, field := range fields {
		if values[i], err = strconv.ParseFloat(field, 64); err != nil || values[i]-values[i] != 0 {
			return nil, fmt.Errorf("%s: row %d: %s: expected a finite number, found %q", t.Path, i+2, name, field)
		}
	}
	return values, nil
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
