package study

import (
	"bytes"
	"encoding/csv"
	"maps"
	"path/filepath"
	"slices"
	"strconv"

	"rnas/internal/atomicfile"
)

// results are the outcomes of all jobs: by arm in the order of the file, by seed, by stage.
type results struct {
	file     *File
	rows     []resultRow
	cells    []Cell
	failed   []Failure
	versions []string // of the program, sorted
	inputs   map[string]string
}

type resultRow struct {
	job Job
	Outcome
}

// collect puts the records of jobs, which have their names as keys, in order.
func collect(f *File, done map[string]record, inputs map[string]string) *results {
	r := &results{file: f, inputs: inputs}
	versions := map[string]bool{}
	for i := range f.Arms {
		a := &f.Arms[i]
		for _, seed := range f.Seeds {
			cell := Cell{Arm: a.Name, Seed: seed, Values: map[string]float64{}}
			for _, stage := range f.stages(a) {
				j := Job{Arm: a, Seed: seed, Stage: stage}
				rec := done[j.Name()]
				versions[rec.RNAS] = true
				r.rows = append(r.rows, resultRow{j, *rec.Outcome})
				if rec.Outcome.Failed != "" {
					r.failed = append(r.failed, Failure{j.Name(), rec.Outcome.Failed})
				}
				if rec.Outcome.Genotype != "" {
					cell.Genotype = rec.Outcome.Genotype
				}
				maps.Copy(cell.Values, rec.Outcome.Values)
			}
			r.cells = append(r.cells, cell)
		}
	}
	r.versions = slices.Sorted(maps.Keys(versions))
	return r
}

// write writes the tables and the page, each complete or not at all.
func (r *results) write(dir string, s *Summary) error {
	for _, f := range []struct {
		name   string
		encode func() ([]byte, error)
	}{
		{"table.csv", r.csv},
		{"summary.json", func() ([]byte, error) { return indented(s) }},
		{"summary.md", func() ([]byte, error) { return s.markdown(), nil }},
		{"summary.tex", func() ([]byte, error) { return s.latex(), nil }},
		{"report.html", func() ([]byte, error) { return s.html(r.file) }},
	} {
		data, err := f.encode()
		if err == nil {
			err = atomicfile.WriteBytes(filepath.Join(dir, f.name), data)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// csv is the content of table.csv: one row a job, with the values of all stages as columns in alphabetical order.
func (r *results) csv() ([]byte, error) {
	columns := map[string]bool{}
	for _, row := range r.rows {
		for name := range row.Values {
			columns[name] = true
		}
	}
	names := slices.Sorted(maps.Keys(columns))
	lines := [][]string{append([]string{"arm", "seed", "stage", "failed", "genotype"}, names...)}
	for _, row := range r.rows {
		line := []string{row.job.Arm.Name, strconv.FormatUint(row.job.Seed, 10), row.job.Stage, row.Failed, row.Genotype}
		for _, name := range names {
			field := ""
			if v, ok := row.Values[name]; ok {
				field = strconv.FormatFloat(v, 'g', -1, 64)
			}
			line = append(line, field)
		}
		lines = append(lines, line)
	}
	return csvText(lines)
}

func csvText(lines [][]string) ([]byte, error) {
	var b bytes.Buffer
	err := csv.NewWriter(&b).WriteAll(lines)
	return b.Bytes(), err
}
