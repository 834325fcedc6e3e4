// Package stats has the statistics of studies: rank correlations, intervals and tests.
package stats

import (
	"cmp"
	"math"
	"slices"
)

// Ranks are the places of values in ascending order, from 1; equal values share the mean of their places. NaN has no place: the caller
// leaves it out.
func Ranks(x []float64) []float64 {
	order := ascending(x)
	ranks := make([]float64, len(x))
	for i := 0; i < len(order); {
		j := i + 1
		for j < len(order) && x[order[j]] == x[order[i]] {
			j++
		}
		for _, k := range order[i:j] {
			ranks[k] = float64(i+j+1) / 2
		}
		i = j
	}
	return ranks
}

// ascending are the indices of x in ascending order of value.
func ascending(x []float64) []int {
	order := make([]int, len(x))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(x[a], x[b]) })
	return order
}

// Pearson is the correlation of x and y, which have one length; NaN where one of them is constant.
func Pearson(x, y []float64) float64 {
	mx, my := mean(x), mean(y)
	sxx, syy, sxy := 0.0, 0.0, 0.0
	for i := range x {
		dx, dy := x[i]-mx, y[i]-my
		sxx += dx * dx
		syy += dy * dy
		sxy += dx * dy
	}
	if sxx == 0 || syy == 0 {
		return math.NaN()
	}
	return sxy / math.Sqrt(sxx*syy)
}

func mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

// Spearman is the correlation of the ranks (Spearman 1904).
func Spearman(x, y []float64) float64 { return Pearson(Ranks(x), Ranks(y)) }

// Partial is the first-order partial correlation of x and y given z, of the three correlations of pairs. For Pearson's and Spearman's
// coefficients it is the correlation of the residuals of a linear regression on z (of the ranks); for Kendall's it is the partial tau of
// Kendall 1942. NaN where z determines x or y.
func Partial(xy, xz, yz float64) float64 {
	rest := (1 - xz*xz) * (1 - yz*yz)
	// Rounding leaves a difference of this size where z determines one of the others.
	if !(rest > 1e-12) {
		return math.NaN()
	}
	return (xy - xz*yz) / math.Sqrt(rest)
}

// PartialSpearman is Spearman's coefficient of x and y given z.
func PartialSpearman(x, y, z []float64) float64 {
	return Partial(Spearman(x, y), Spearman(x, z), Spearman(y, z))
}

// PartialKendall is Kendall's tau-b of x and y given z.
func PartialKendall(x, y, z []float64) float64 {
	return Partial(Kendall(x, y), Kendall(x, z), Kendall(y, z))
}
