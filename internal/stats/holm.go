package stats

import (
	"cmp"
	"slices"
)

// Holm are the p-values of a family of tests adjusted so that those at most a level keep the probability of any false
// rejection within it (Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian Journal of Statistics
// 1979): the i-th smallest of n times n-i, i from 0, at most 1, and not below that of a smaller one.
func Holm(p []float64) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(p[a], p[b]) })
	adjusted, least := make([]float64, len(p)), 0.0
	for i, k := range order {
		least = max(least, min(1, p[k]*float64(len(p)-i)))
		adjusted[k] = least
	}
	return adjusted
}
