package score

import (
	"math"

	"rnas/internal/stats"
)

// Combine adds up the ranks of columns of scores, one slice a column: the rank of a genotype among all, equal values sharing the mean of
// their ranks. A larger sum is the better genotype, by the belief that each column rises with accuracy. A genotype that misses a score
// has no sum, NaN, and no part in the ranks.
func Combine(columns ...[]float64) []float64 {
	sum := make([]float64, len(columns[0]))
	for i := range sum {
		sum[i] = math.NaN()
	}
	index := present(columns...)
	for _, i := range index {
		sum[i] = 0
	}
	for _, c := range columns {
		for k, r := range stats.Ranks(stats.Pick(c, index)) {
			sum[index[k]] += r
		}
	}
	return sum
}
