package score

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"rnas/genotype"
	"rnas/internal/dataset"
	"rnas/internal/fault"
	"rnas/internal/folderlock"
	"rnas/search/table"
	"rnas/train/loop"
)

// identity is the first line of a log: all that the scores depend on.
type identity struct {
	Config
	Train string `json:"train_digest"`
	Test  string `json:"test_digest"`
}

// entry is every other line: a genotype, by its key, and its scores in the order of Config.Scores.
type entry struct {
	Genotype string   `json:"genotype"`
	Scores   []Number `json:"scores"`
}

// journal is the log of a ranking, in the order of its genotypes. A nil journal keeps nothing.
type journal struct {
	lines   *loop.Lines
	release func() // of the lock on the file
}

// openJournal begins a log, or takes up the one that is there: its rows are returned. A log of another configuration or of other
// genotypes, or one that another process appends to, is an error that leaves it alone.
func openJournal(path string, c Config, data *dataset.Splits, list []genotype.Genotype) (*journal, [][]float64, error) {
	if path == "" {
		return nil, nil, nil
	}
	release, err := folderlock.LockFile(path)
	if err != nil {
		return nil, nil, err
	}
	j, rows, err := takeUp(path, c, data, list)
	if err != nil {
		release()
		return nil, nil, err
	}
	j.release = release
	return j, rows, nil
}

// takeUp is openJournal of a file that is locked.
func takeUp(path string, c Config, data *dataset.Splits, list []genotype.Genotype) (*journal, [][]float64, error) {
	head, err := json.Marshal(identity{c, data.Train.Digest(), data.Test.Digest()})
	if err != nil {
		return nil, nil, err
	}
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, err
	}
	var rows [][]float64
	keep := 0
	// What follows the last end of a line is a line that a stop cut off.
	if complete := bytes.LastIndexByte(text, '\n'); complete >= 0 {
		if rows, err = readJournal(bytes.Split(text[:complete], []byte("\n")), head, c, list); err != nil {
			return nil, nil, fault.Inputf("%s: %w", path, err)
		}
		keep = 1 + len(rows)
	}
	lines, err := loop.OpenLines(path, keep)
	if err == nil && keep == 0 {
		err = lines.Append(json.RawMessage(head))
	}
	return &journal{lines: lines}, rows, err
}

// readJournal checks the lines of a log and returns its rows.
func readJournal(lines [][]byte, head []byte, c Config, list []genotype.Genotype) ([][]float64, error) {
	if !bytes.Equal(lines[0], head) {
		return nil, fmt.Errorf("is of another configuration or other images: expected %s, found %.400s", head, lines[0])
	}
	if len(lines)-1 > len(list) {
		return nil, fmt.Errorf("expected at most %d genotypes, found %d", len(list), len(lines)-1)
	}
	var rows [][]float64
	for i, line := range lines[1:] {
		var e entry
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, fmt.Errorf("line %d: %w", i+2, err)
		}
		if key := table.Key(list[i]); e.Genotype != key || len(e.Scores) != len(c.Scores) {
			return nil, fmt.Errorf("line %d: expected %d scores of %s, found %d of %.400s", i+2, len(c.Scores), key, len(e.Scores), e.Genotype)
		}
		rows = append(rows, Values(e.Scores))
	}
	return rows, nil
}

func (j *journal) append(g genotype.Genotype, row []float64) error {
	if j == nil {
		return nil
	}
	return j.lines.Append(entry{table.Key(g), Numbers(row)})
}

func (j *journal) close() {
	if j != nil {
		j.lines.Close() // every line was written by then
		j.release()
	}
}
