package study

import (
	"fmt"
	"slices"

	"rnas/genotype"
	"rnas/internal/fault"
	"rnas/search/table"
)

// ConvWeights is a column that tables need not have: the weights of convolutions of 3x3 and 1x1 in a cell of NAS-Bench-201 with one
// channel. Of the genotypes of a class it is the least, since the others have convolutions that no output depends on.
const ConvWeights = "conv_weights"

// ReadTable reads a table of measured genotypes, each of which stands in it once.
func ReadTable(path string) (*table.Table, error) {
	t, err := table.Read(path, table.GenotypeColumn)
	if err != nil {
		return nil, fault.Input(err)
	}
	lines := map[string]int{}
	for _, r := range slices.Concat(t.Rows, t.Ragged) {
		key := table.Key(r.Genotype)
		if first, twice := lines[key]; twice {
			return nil, fault.Inputf("%s:%d: genotype %s: expected it once, found it on line %d too", path, r.Line, r.Genotype, first)
		}
		lines[key] = r.Line
	}
	return t, nil
}

// numbers are the numbers of a column.
func numbers(t *table.Table, name string) ([]float64, error) {
	if name == ConvWeights && !slices.Contains(t.Columns, name) {
		return convWeights(t)
	}
	column, err := t.Column(name)
	if err != nil {
		return nil, err
	}
	values := make([]float64, len(t.Rows))
	for i := range t.Rows {
		if values[i], err = t.Number(i, column); err != nil {
			return nil, err
		}
	}
	return values, nil
}

func convWeights(t *table.Table) ([]float64, error) {
	values := make([]float64, len(t.Rows))
	for i, r := range t.Rows {
		if r.Genotype.Form != genotype.NASBench201 {
			return nil, fmt.Errorf("%s:%d: %s: expected a cell of NAS-Bench-201, found %s", t.Path, r.Line, ConvWeights, r.Genotype)
		}
		for _, p := range r.Genotype.Edges {
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

// classesOf numbers the classes of the rows from 0, by the column of that name, or every row as its own if that is "". First are the
// first rows of the classes. Ragged records become rows.
func classesOf(t *table.Table, name string) (of, first []int, err error) {
	column := 0
	if name != "" {
		if err = t.Fill(name); err == nil {
			column, err = t.Column(name)
		}
	} else if len(t.Ragged) > 0 {
		r := t.Ragged[0]
		err = fmt.Errorf("%s:%d: expected %d fields, or a column of classes, found %d", t.Path, r.Line, len(t.Columns)+1, len(r.Cells)+1)
	}
	if err != nil {
		return nil, nil, err
	}
	number := map[string]int{}
	of = make([]int, len(t.Rows))
	for i, r := range t.Rows {
		of[i] = len(first)
		if name != "" {
			if c, known := number[r.Cells[column]]; known {
				of[i] = c
				continue
			}
			number[r.Cells[column]] = of[i]
		}
		first = append(first, i)
	}
	return of, first, nil
}
