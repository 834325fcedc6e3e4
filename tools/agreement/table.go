package main

import (
	"fmt"
	"io"
	"math"
	"slices"

	"rnas/internal/rng"
)

// table has a row for each arm, in the order of the first call of add.
type table struct{ rows []*row }

// row holds, for each stop of a search, the mean cosines of an arm.
type row struct {
	name          string
	passes        int
	agreed, twice []float64 // with the reference; between neighbouring batches, NaN where there are fewer than two
}

// add puts down the gradients of an arm at a stop.
func (t *table) add(name string, passes int, gs []gradient, goal gradient) {
	agreed, twice, pairs := 0.0, 0.0, 0.0
	for k, g := range gs {
		agreed += cosine(g, goal) / float64(len(gs))
		if k%2 == 1 {
			twice, pairs = twice+cosine(gs[k-1], g), pairs+1
		}
	}
	r := t.row(name, passes)
	r.agreed, r.twice = append(r.agreed, agreed), append(r.twice, twice/pairs)
}

// row finds the row of a name, or begins it.
func (t *table) row(name string, passes int) *row {
	i := slices.IndexFunc(t.rows, func(r *row) bool { return r.name == name })
	if i < 0 {
		i = len(t.rows)
		t.rows = append(t.rows, &row{name: name, passes: passes})
	}
	return t.rows[i]
}

// append adds the stops of another search.
func (t *table) append(other *table) {
	for _, from := range other.rows {
		r := t.row(from.name, from.passes)
		r.agreed, r.twice = append(r.agreed, from.agreed...), append(r.twice, from.twice...)
	}
}

// write prints the table in Markdown.
func (t *table) write(w io.Writer) error {
	fmt.Fprintln(w, "| arm | passes | with FGSM | between batches |")
	fmt.Fprintln(w, "|---|--:|--:|--:|")
	for _, r := range t.rows {
		if _, err := fmt.Fprintf(w, "| %s | %d | %s | %s |\n", r.name, r.passes, interval(r.agreed), interval(r.twice)); err != nil {
			return err
		}
	}
	return nil
}

// resamples is the number of those of a bootstrap.
const resamples = 2000

// interval is the mean of x with the central 95% of the means of resamples; "" where x is not known.
func interval(x []float64) string {
	low, high := bootstrap(x)
	if math.IsNaN(low) {
		return ""
	}
	return fmt.Sprintf("%.3f (%.3f to %.3f)", meanOf(x), low, high)
}

func bootstrap(x []float64) (low, high float64) {
	s := rng.New(0, rng.Probe, 0, 0, 0)
	means := make([]float64, resamples)
	for i := range means {
		for range x {
			means[i] += x[s.IntN(len(x))] / float64(len(x))
		}
	}
	slices.Sort(means)
	return means[resamples*25/1000], means[resamples*975/1000-1]
}

func meanOf(x []float64) (sum float64) {
	for _, v := range x {
		sum += v / float64(len(x))
	}
	return sum
}

func cosine(x, y gradient) float64 {
	xy, xx, yy := 0.0, 0.0, 0.0
	for i := range x {
		xy, xx, yy = xy+x[i]*y[i], xx+x[i]*x[i], yy+y[i]*y[i]
	}
	return xy / math.Sqrt(xx*yy)
}

func average(gs []gradient) gradient {
	out := make(gradient, len(gs[0]))
	for _, g := range gs {
		for i, v := range g {
			out[i] += v / float64(len(gs))
		}
	}
	return out
}

// mean is a running mean; the zero value has none yet.
type mean struct {
	sum    gradient
	weight float64
}

// add lets older gradients decay.
func (m *mean) add(g gradient, decay float64) {
	if m.sum == nil {
		m.sum = make(gradient, len(g))
	}
	for i, v := range g {
		m.sum[i] = decay*m.sum[i] + (1-decay)*v
	}
	m.weight = decay*m.weight + 1 - decay
}

func (m *mean) value() gradient {
	out := slices.Clone(m.sum)
	for i := range out {
		out[i] /= m.weight
	}
	return out
}
