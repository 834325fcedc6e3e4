package score

import "rnas/internal/stats"

// Combine adds up the ranks of columns of scores, one slice a column: the rank of a genotype among all, equal values sharing the mean of
// their ranks. A larger sum is the better genotype, by the belief that each column rises with accuracy.
func Combine(columns ...[]float64) []float64 {
	sum := make([]float64, len(columns[0]))
	for _, c := range columns {
		for i, r := range stats.Ranks(c) {
			sum[i] += r
		}
	}
	return sum
}
