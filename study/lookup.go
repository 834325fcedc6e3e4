package study

import (
	"cmp"
	"context"
	"io"
	"math"
	"path/filepath"
	"slices"

	"rnas/genotype"
	"rnas/internal/fault"
	"rnas/search"
	"rnas/search/table"
)

// Prefixes of the names of percentiles of a column: among all classes of the table, and among those of about equal weights.
const (
	PercentilePrefix = "percentile_"
	EqualPrefix      = "percentile_equal_"
)

// lookupStage takes the measured values of the genotype that the search has found, and its place among the others.
func lookupStage(l *Lookup, t *table.Table) Stage {
	var index *classes
	open := func() (err error) {
		if index == nil {
			index, err = newClasses(l, t)
		}
		return err
	}
	return Stage{
		Name: LookedUp,
		Check: func(*Arm) ([]string, error) {
			if err := open(); err != nil {
				return nil, err
			}
			var outputs []string
			for _, c := range l.Columns {
				outputs = append(outputs, c, PercentilePrefix+c)
				if l.Weights != "" {
					outputs = append(outputs, EqualPrefix+c)
				}
			}
			if l.Weights != "" {
				outputs = append(outputs, l.Weights)
			}
			return outputs, nil
		},
		Open: func(j Job) (*Work, error) {
			g, err := genotype.Load(filepath.Join(j.Before[Search], search.GenotypeFile))
			if err != nil {
				return nil, err
			}
			config := struct {
				*Lookup
				Genotype string `json:"genotype"`
			}{l, g.String()}
			return &Work{Config: config, Do: func(context.Context, io.Writer) (Outcome, error) {
				row, err := t.Find(g)
				if err != nil {
					return Outcome{}, fault.Input(err)
				}
				return Outcome{Genotype: g.String(), Values: index.values(row)}, nil
			}}, nil
		},
	}
}

// classes are the distinct classes of a table: genotypes that compute the same count once.
type classes struct {
	lookup   *Lookup
	of       []int       // class of every row
	measured [][]float64 // by column and class: that of the first row of the class
	weights  []float64   // by class: the least of its rows; nil for none
}

func newClasses(l *Lookup, t *table.Table) (*classes, error) {
	of, first, err := classesOf(t, l.Class)
	if err != nil {
		return nil, err
	}
	c := &classes{lookup: l, of: of}
	for _, column := range l.Columns {
		rows, err := numbers(t, column)
		if err != nil {
			return nil, err
		}
		values := make([]float64, len(first))
		for k, i := range first {
			values[k] = rows[i]
		}
		c.measured = append(c.measured, values)
	}
	if l.Weights == "" {
		return c, nil
	}
	rows, err := numbers(t, l.Weights)
	if err != nil {
		return nil, err
	}
	c.weights = make([]float64, len(first))
	for k, i := range first {
		c.weights[k] = rows[i]
	}
	for i, k := range of {
		c.weights[k] = min(c.weights[k], rows[i])
	}
	return c, nil
}

// values are what the stage gives for a row of the table.
func (c *classes) values(row int) map[string]float64 {
	k, out := c.of[row], map[string]float64{}
	var near []int
	if c.weights != nil {
		out[c.lookup.Weights] = c.weights[k]
		near = nearest(c.weights, c.weights[k], c.lookup.Nearest)
	}
	for i, name := range c.lookup.Columns {
		all := c.measured[i]
		out[name] = all[k]
		out[PercentilePrefix+name] = percentile(all, all[k])
		if c.weights != nil {
			peers := make([]float64, len(near))
			for n, peer := range near {
				peers[n] = all[peer]
			}
			out[EqualPrefix+name] = percentile(peers, all[k])
		}
	}
	return out
}

// percentile is the share of values below x, in percent, with those equal to it counted as half below.
func percentile(values []float64, x float64) float64 {
	below, equal := 0, 0
	for _, v := range values {
		switch {
		case v < x:
			below++
		case v == x:
			equal++
		}
	}
	return 100 * (float64(below) + float64(equal)/2) / float64(len(values))
}

// nearest are the classes whose weights are at most as far from w as those of the least-th nearest one, so those of equal
// weights in any case.
func nearest(weights []float64, w float64, least int) []int {
	order := make([]int, len(weights))
	for i := range order {
		order[i] = i
	}
	distance := func(i int) float64 { return math.Abs(weights[i] - w) }
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(distance(a), distance(b)) })
	reach := 0.0
	if least > 0 {
		reach = distance(order[min(least, len(order))-1])
	}
	n := 0
	for n < len(order) && distance(order[n]) <= reach {
		n++
	}
	return order[:n]
}
