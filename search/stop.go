package search

import (
	"fmt"
	"slices"

	"rnas/genotype"
)

// EarlyStop ends a search before its last epoch. The zero value never does.
type EarlyStop struct {
	// Skips, if positive, ends the search when the normal cell, or the only one, has so many skip connections (DARTS+: Liang et al. 2019, section
	// 3.3, criterion 1: two).
	Skips int `json:"skips,omitempty"`
	// Curvature, if positive, ends the search when the largest eigenvalue of the Hessian of the validation loss with respect to the
	// architecture parameters, a mean over curvatureWindow epochs, is so many times as large as curvatureWindow epochs ago; the genotype is that of
	// then (R-DARTS: Zela et al. 2020, section 4.3: 1/0.75).
	Curvature float64 `json:"curvature,omitempty"`
}

// curvatureWindow is the number of epochs between the curvatures that are compared, and of each mean.
const curvatureWindow = 3

// Validate checks the settings.
func (e EarlyStop) Validate() error {
	if e.Skips < 0 || !(e.Curvature == 0 || e.Curvature > 1) {
		return fmt.Errorf("early-stop: expected a number of skip connections of at least 1 or a growth of the curvature above 1, found %d and %v", e.Skips, e.Curvature)
	}
	return nil
}

// tooManySkips reports whether the rule of skip connections ends the search at g.
func (e EarlyStop) tooManySkips(g genotype.Genotype) bool {
	return e.Skips > 0 && skips(g) >= e.Skips
}

// skips counts the skip connections of the normal cell, or of the only one.
func skips(g genotype.Genotype) (n int) {
	for _, edge := range g.Normal.Edges {
		if edge.Op == genotype.SkipConnect {
			n++
		}
	}
	for _, p := range g.Edges {
		if p == genotype.SkipConnect {
			n++
		}
	}
	return n
}

// grown reports whether the rule of the curvature ends the search, for the curvatures of all epochs so far.
func (e EarlyStop) grown(curvatures []float64) bool {
	n := len(curvatures)
	if e.Curvature == 0 || n < 2*curvatureWindow {
		return false
	}
	mean := func(v []float64) (sum float64) {
		for _, x := range v {
			sum += x / float64(len(v))
		}
		return sum
	}
	now, before := mean(curvatures[n-curvatureWindow:]), mean(curvatures[n-2*curvatureWindow:n-curvatureWindow])
	return before > 0 && now > e.Curvature*before
}

// undecided counts the edges whose two largest architecture weights, none set aside, differ by less than a hundredth.
func undecided(rows [][]float64, primitives []genotype.Primitive) (n int) {
	for _, row := range rows {
		var kept []float64
		for i, p := range primitives {
			if p != genotype.None {
				kept = append(kept, row[i])
			}
		}
		slices.Sort(kept)
		if k := len(kept); k > 1 && kept[k-1]-kept[k-2] < 0.01 {
			n++
		}
	}
	return n
}
