package table

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"slices"

	"rnas/genotype"
)

// Limits of a file, in bytes: a table of a million genotypes is smaller.
const (
	maxFile = 1 << 30
	maxLine = 1 << 20
)

// open opens the file of the table; what is read of it is bounded, and added to the digest.
func (t *Table) open(sum hash.Hash) (io.Reader, func() error, error) {
	f, err := os.Open(t.Path)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	switch {
	case err == nil && info.IsDir():
		err = fmt.Errorf("%s: expected a file, found a folder", t.Path)
	case err == nil && info.Size() > maxFile:
		err = fmt.Errorf("%s: expected a table of at most %d bytes, found %d", t.Path, maxFile, info.Size())
	}
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return io.TeeReader(io.LimitReader(f, maxFile), sum), f.Close, nil
}

// fail is an error of a line.
func (t *Table) fail(line int, format string, args ...any) error {
	return fmt.Errorf("%s:%d: %w", t.Path, line, fmt.Errorf(format, args...))
}

func (t *Table) readCSV(column string, sum hash.Hash) error {
	in, done, err := t.open(sum)
	if err != nil {
		return err
	}
	defer done() // of a file that is only read
	r := csv.NewReader(in)
	r.FieldsPerRecord = -1
	heading, err := r.Read()
	if err == io.EOF {
		return fmt.Errorf("%s: expected a heading, found an empty file", t.Path)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", t.Path, err)
	}
	at := slices.Index(heading, column)
	if at < 0 {
		return t.fail(1, "expected a column %s, found %q", column, heading)
	}
	for i, name := range heading {
		if slices.Contains(heading[:i], name) {
			return t.fail(1, "column %q is given twice", name)
		}
	}
	t.Columns = slices.Delete(slices.Clone(heading), at, at+1)
	for {
		cells, err := r.Read()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", t.Path, err)
		}
		line, _ := r.FieldPos(0)
		if len(cells) <= at {
			return t.fail(line, "expected %d fields, found %d", len(heading), len(cells))
		}
		g, err := genotype.Parse(cells[at])
		if err != nil {
			return t.fail(line, "%s: %w", column, err)
		}
		list := &t.Rows
		if len(cells) != len(heading) {
			list = &t.Ragged
		}
		*list = append(*list, Row{g, slices.Delete(cells, at, at+1), line})
	}
}

func (t *Table) readLines(column string, sum hash.Hash) error {
	in, done, err := t.open(sum)
	if err != nil {
		return err
	}
	defer done() // of a file that is only read
	s := bufio.NewScanner(in)
	s.Buffer(nil, maxLine)
	place := map[string]int{}
	line := 0
	for s.Scan() {
		line++
		text := bytes.TrimSpace(s.Bytes())
		if len(text) == 0 {
			continue
		}
		row, err := t.object(text, column, place)
		if err != nil {
			return t.fail(line, "%w", err)
		}
		row.Line = line
		t.Rows = append(t.Rows, row)
	}
	if err := s.Err(); err != nil {
		return t.fail(line+1, "%w", err)
	}
	for i := range t.Rows {
		t.Rows[i].Cells = append(t.Rows[i].Cells, make([]string, len(t.Columns)-len(t.Rows[i].Cells))...)
	}
	return nil
}

// object reads a line. Place is where every column stands; new ones are added in the order of the text. Only numbers, strings and
// booleans become cells.
func (t *Table) object(text []byte, column string, place map[string]int) (Row, error) {
	var row Row
	d := json.NewDecoder(bytes.NewReader(text))
	if token, err := d.Token(); err != nil || token != json.Delim('{') {
		return row, fmt.Errorf("expected a JSON object, found %s", shorten(text))
	}
	found := false
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return row, err
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return row, err
		}
		if name == column {
			found = true
			if row.Genotype, err = parse(value); err != nil {
				return row, fmt.Errorf("%s: %w", column, err)
			}
			continue
		}
		cell, ok := scalar(value)
		if !ok {
			continue
		}
		at, ok := place[name.(string)]
		if !ok {
			at = len(t.Columns)
			place[name.(string)] = at
			t.Columns = append(t.Columns, name.(string))
		}
		for len(row.Cells) <= at {
			row.Cells = append(row.Cells, "")
		}
		row.Cells[at] = cell
	}
	if _, err := d.Token(); err != nil {
		return row, err
	}
	if d.InputOffset() != int64(len(text)) {
		return row, fmt.Errorf("expected the end of the line, found %s", shorten(text[d.InputOffset():]))
	}
	if found {
		return row, nil
	}
	var err error
	if row.Genotype, err = parse(text); err != nil {
		err = fmt.Errorf("expected a key %s or a genotype: %w", column, err)
	}
	return row, err
}

// parse reads a genotype given as a JSON string or object.
func parse(value []byte) (genotype.Genotype, error) {
	var text string
	if json.Unmarshal(value, &text) == nil {
		return genotype.Parse(text)
	}
	var g genotype.Genotype
	return g, g.UnmarshalJSON(value)
}

// scalar is the text of a number, a string or a boolean.
func scalar(value json.RawMessage) (string, bool) {
	switch value[0] {
	case '{', '[', 'n':
		return "", false
	case '"':
		var s string
		err := json.Unmarshal(value, &s)
		return s, err == nil
	}
	return string(value), true
}

func shorten(text []byte) string {
	const limit = 40
	if len(text) > limit {
		return fmt.Sprintf("%q...", text[:limit])
	}
	return fmt.Sprintf("%q", text)
}
