package score

import (
	"context"
	"errors"
	"fmt"
	"math"

	"rnas/genotype"
	"rnas/internal/dataset"
	"rnas/internal/fault"
	"rnas/runtime/ort"
)

// Scorer takes the scores of genotypes, one at a time or several side by side.
type Scorer struct {
	own     []column // that are taken of a genotype
	ranked  []column // that are made of the ranks of these
	repeats []*setting
}

// NewScorer prepares the scores of c on images. The operators of a network use as many threads as o says.
func NewScorer(c Config, data *dataset.Splits, o ort.Options) (*Scorer, error) {
	if err := c.Validate(data); err != nil {
		return nil, fault.Input(err)
	}
	columns, err := parseAll(c.Scores)
	if err != nil {
		return nil, fault.Input(err)
	}
	s := &Scorer{}
	for _, col := range columns {
		if col.ranks == nil {
			s.own = append(s.own, col)
		} else {
			s.ranked = append(s.ranked, col)
		}
	}
	c.Scores = s.Columns()
	for r := range max(c.Repeats, 1) {
		draw := c
		draw.Seed += uint64(r)
		s.repeats = append(s.repeats, newSetting(draw, data, o))
	}
	return s, nil
}

// Columns are the scores of Score, in its order: those that are not made of ranks.
func (s *Scorer) Columns() []string {
	var names []string
	for _, c := range s.own {
		names = append(names, c.name)
	}
	return names
}

// Check reports why a genotype cannot be scored.
func (s *Scorer) Check(g genotype.Genotype) error {
	first := s.repeats[0]
	return first.network(g, first.data.Train).Validate()
}

// Score takes the scores of a genotype, each the mean over the draws. One that is no finite number in a draw is missing: NaN.
func (s *Scorer) Score(ctx context.Context, g genotype.Genotype) ([]float64, error) {
	row := make([]float64, len(s.own))
	for _, draw := range s.repeats {
		if err := s.add(ctx, draw, g, row); err != nil {
			return nil, err
		}
	}
	for i := range row {
		row[i] /= float64(len(s.repeats))
		if math.IsInf(row[i], 0) {
			row[i] = math.NaN()
		}
	}
	return row, nil
}

// add adds the scores of one draw to a row.
func (s *Scorer) add(ctx context.Context, draw *setting, g genotype.Genotype, row []float64) error {
	sub, err := newSubject(ctx, draw, g)
	if err != nil {
		return err
	}
	defer sub.close()
	for i, c := range s.own {
		var v float64
		if c.after != nil {
			v, err = c.after(sub, c.seconds)
		} else {
			v, err = c.of(sub)
		}
		if errors.Is(err, errRange) {
			v, err = math.NaN(), nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		row[i] += v
	}
	return nil
}

// Result are the scores of genotypes that were scored together, from a row of Score for each: those that are made of
// ranks come last.
func (s *Scorer) Result(rows [][]float64) *Result {
	r := &Result{}
	for i, c := range s.own {
		column := make([]float64, len(rows))
		for g, row := range rows {
			column[g] = row[i]
		}
		r.Columns, r.Values = append(r.Columns, c.name), append(r.Values, column)
	}
	for _, c := range s.ranked {
		var groups [][][]float64
		for _, names := range c.ranks {
			var group [][]float64
			for _, name := range names {
				group = append(group, r.Column(name))
			}
			groups = append(groups, group)
		}
		r.Columns, r.Values = append(r.Columns, c.name), append(r.Values, Least(groups...))
	}
	return r
}
