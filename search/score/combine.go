package score

import (
	"math"
	"slices"

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

// Least is Combine of the columns of one group. Of several groups it is the least of the ranks that a genotype has in the sums of the
// groups, by the belief that every group is needed: what one of them lacks, more of another does not make up for. A genotype that misses
// a score has none and no part in the ranks.
func Least(groups ...[][]float64) []float64 {
	if len(groups) == 1 {
		return Combine(groups[0]...)
	}
	index := present(slices.Concat(groups...)...)
	least := make([]float64, len(groups[0][0]))
	for i := range least {
		least[i] = math.NaN()
	}
	for _, i := range index {
		least[i] = math.Inf(1)
	}
	for _, columns := range groups {
		var whole [][]float64
		for _, c := range columns {
			whole = append(whole, stats.Pick(c, index))
		}
		for k, r := range stats.Ranks(Combine(whole...)) {
			least[index[k]] = min(least[index[k]], r)
		}
	}
	return least
}
