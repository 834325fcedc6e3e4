package search

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"rnas/genotype"
	"rnas/internal/fault"
	"rnas/search/score"
	"rnas/search/table"
	"rnas/train/loop"
)

// evaluation is a line of HistoryFile behind the first one, which is the identity of the search. Scores stand in the order of
// score.Scorer.Columns; one that is missing is null.
type evaluation struct {
	Number   int            `json:"evaluation"`       // from 1
	Parent   int            `json:"parent,omitempty"` // its number; absent for a random genotype
	Genotype string         `json:"genotype"`
	Scores   []score.Number `json:"scores"`
}

// scored is a genotype and its scores.
type scored struct {
	genotype genotype.Genotype
	row      []float64
}

// history is HistoryFile and what is in it.
type history struct {
	lines *loop.Lines
	list  []scored
	rows  map[string][]float64 // scores by table.Key
}

// openHistory begins a history or takes up the one that is there. A line that a stop cut off is taken away; a history of another search,
// or one that is damaged, is an error that leaves it alone.
func openHistory(dir string, id identity, columns []string) (*history, error) {
	path := filepath.Join(dir, HistoryFile)
	head, err := json.Marshal(id)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	h := &history{rows: map[string][]float64{}}
	keep := 0
	if end := bytes.LastIndexByte(text, '\n'); end >= 0 {
		lines := bytes.Split(text[:end], []byte("\n"))
		if err := h.read(lines, head, len(columns)); err != nil {
			return nil, fault.Inputf("%s: %w", path, err)
		}
		keep = len(lines)
	}
	if h.lines, err = loop.OpenLines(path, keep); err != nil {
		return nil, err
	}
	if keep == 0 {
		if err := h.lines.Append(json.RawMessage(head)); err != nil {
			h.close()
			return nil, err
		}
	}
	return h, nil
}

func (h *history) read(lines [][]byte, head []byte, columns int) error {
	differences, err := loop.Differ(lines[0], head)
	if err != nil {
		return fmt.Errorf("line 1: %w", err)
	}
	if len(differences) > 0 {
		return fmt.Errorf("the history is of another configuration: %s", strings.Join(differences, "; "))
	}
	for i, line := range lines[1:] {
		var e evaluation
		if err := json.Unmarshal(line, &e); err != nil {
			return fmt.Errorf("line %d: %w", i+2, err)
		}
		g, err := genotype.Parse(e.Genotype)
		if err != nil {
			return fmt.Errorf("line %d: genotype: %w", i+2, err)
		}
		if e.Number != i+1 || len(e.Scores) != columns {
			return fmt.Errorf("line %d: expected evaluation %d with %d scores, found %d with %d", i+2, i+1, columns, e.Number, len(e.Scores))
		}
		h.add(g, score.Values(e.Scores))
	}
	return nil
}

func (h *history) add(g genotype.Genotype, row []float64) {
	h.list = append(h.list, scored{g, row})
	h.rows[table.Key(g)] = row
}

// append writes an evaluation.
func (h *history) append(e evaluation, g genotype.Genotype, row []float64) error {
	e.Genotype, e.Scores = g.String(), score.Numbers(row)
	if err := h.lines.Append(e); err != nil {
		return err
	}
	h.add(g, row)
	return nil
}

func (h *history) close() { h.lines.Close() } // every line was written by then
