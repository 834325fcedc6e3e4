// Package table reads tables of genotypes: what others have measured of architectures, or a list of them to be ranked.
package table

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"rnas/genotype"
	"rnas/internal/rng"
)

// Table is a list of genotypes with named columns. Rows stand in the order of the file.
type Table struct {
	Path    string
	Digest  string   // SHA-256 of the file, in hexadecimal
	Columns []string // all but the genotype, in the order of their first occurrence
	Rows    []Row
	// Ragged are the records of a CSV file that have more or fewer fields than its heading. They are not among Rows before Fill: no
	// column of them can be trusted, except for one that Fill is told.
	Ragged []Row

	index map[string]int // first row of a key
}

// Row is a genotype and its cells, one for each column; an absent one is "".
type Row struct {
	Genotype genotype.Genotype
	Cells    []string
	Line     int // in the file, from 1
}

// GenotypeColumn is the usual name of the column of genotypes.
const GenotypeColumn = "genotype"

// Read reads a table, by the end of its name:
//
//	.csv           a heading, and genotypes in the column of the given name, in any form that genotype.Parse reads
//	anything else  lines of JSON objects; the genotype is the value of the key of that name, a string or an object, or, where the key
//	               is missing, the object itself
//
// Errors are one line with path and line.
func Read(path, column string) (*Table, error) {
	t := &Table{Path: path, index: map[string]int{}}
	read := t.readLines
	if strings.EqualFold(filepath.Ext(path), ".csv") {
		read = t.readCSV
	}
	sum := sha256.New()
	if err := read(column, sum); err != nil {
		return nil, err
	}
	t.Digest = hex.EncodeToString(sum.Sum(nil))
	if len(t.Rows) == 0 {
		return nil, fmt.Errorf("%s: expected one genotype or more, found none", path)
	}
	t.enter(0)
	return t, nil
}

// enter makes rows from the given one on known to Find.
func (t *Table) enter(from int) {
	for i := from; i < len(t.Rows); i++ {
		k := Key(t.Rows[i].Genotype)
		if _, ok := t.index[k]; !ok {
			t.index[k] = i
		}
	}
}

// Warning tells in a line which records were left out; "" when none were.
func (t *Table) Warning() string {
	if len(t.Ragged) == 0 {
		return ""
	}
	return fmt.Sprintf("%s: %d of %d records left out, which have not as many fields as the heading, the first on line %d",
		t.Path, len(t.Ragged), len(t.Ragged)+len(t.Rows), t.Ragged[0].Line)
}

// Column is the place of a column in Row.Cells.
func (t *Table) Column(name string) (int, error) {
	i := slices.Index(t.Columns, name)
	if i < 0 {
		return 0, fmt.Errorf("%s: expected a column among %s, found %q", t.Path, strings.Join(t.Columns, ", "), name)
	}
	return i, nil
}

// Number is a cell as a finite number.
func (t *Table) Number(row, column int) (float64, error) {
	r := t.Rows[row]
	v, err := strconv.ParseFloat(r.Cells[column], 64)
	if err != nil || math.IsInf(v, 0) || math.IsNaN(v) {
		return 0, fmt.Errorf("%s:%d: column %s: expected a finite number, found %q", t.Path, r.Line, t.Columns[column], r.Cells[column])
	}
	return v, nil
}

// Find is the first row of a genotype; an error when there is none.
func (t *Table) Find(g genotype.Genotype) (int, error) {
	if i, ok := t.index[Key(g)]; ok {
		return i, nil
	}
	return 0, fmt.Errorf("%s: there is no row of the genotype %s", t.Path, g)
}

// Distinct are those of rows that are the first with their value of a column.
func (t *Table) Distinct(rows []int, column string) ([]int, error) {
	c, err := t.Column(column)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	var first []int
	for _, i := range rows {
		if v := t.Rows[i].Cells[c]; !seen[v] {
			seen[v] = true
			first = append(first, i)
		}
	}
	return first, nil
}

// All are all rows.
func (t *Table) All() []int {
	rows := make([]int, len(t.Rows))
	for i := range rows {
		rows[i] = i
	}
	return rows
}

// Draw draws n of rows without replacement, in the order of the draw: the draw of fewer is a prefix of that of more. It is that of the
// stream (seed, Limit, 0, 0, 0).
func Draw(rows []int, n int, seed uint64) ([]int, error) {
	if n < 1 || n > len(rows) {
		return nil, fmt.Errorf("expected 1 to %d rows to draw, found %d", len(rows), n)
	}
	left := slices.Clone(rows)
	s := rng.New(seed, rng.Limit, 0, 0, 0)
	for i := range n {
		k := i + s.IntN(len(left)-i)
		left[i], left[k] = left[k], left[i]
	}
	return left[:n], nil
}
