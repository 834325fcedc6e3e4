package stats

import (
	"cmp"
	"math"
	"slices"
)

// Kendall is tau-b of x and y, which have one length (Kendall 1945): concordant less discordant pairs over the geometric mean of the
// numbers of pairs that are not tied in x and in y. It takes O(n log n) (Knight 1966); NaN where x or y is constant.
func Kendall(x, y []float64) float64 {
	order := make([]int, len(x))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(x[a], x[b]), cmp.Compare(y[a], y[b]))
	})
	tiedX := tied(len(x), func(i int) bool { return x[order[i]] == x[order[i-1]] })
	tiedBoth := tied(len(x), func(i int) bool { return x[order[i]] == x[order[i-1]] && y[order[i]] == y[order[i-1]] })
	sorted := make([]float64, len(y))
	for i, k := range order {
		sorted[i] = y[k]
	}
	discordant := float64(inversions(sorted, make([]float64, len(y))))
	tiedY := tied(len(y), func(i int) bool { return sorted[i] == sorted[i-1] })
	pairs := float64(len(x)) * float64(len(x)-1) / 2
	if tiedX == pairs || tiedY == pairs {
		return math.NaN()
	}
	return (pairs - tiedX - tiedY + tiedBoth - 2*discordant) / math.Sqrt((pairs-tiedX)*(pairs-tiedY))
}

// tied counts the pairs inside runs of equal neighbours among n sorted values.
func tied(n int, same func(i int) bool) float64 {
	total, run := 0.0, 0.0
	for i := 1; i < n; i++ {
		if same(i) {
			run++
		} else {
			run = 0
		}
		total += run
	}
	return total
}

// inversions sorts v by merging and counts the pairs that stand in falling order. Buffer has the length of v.
func inversions(v, buffer []float64) int64 {
	if len(v) < 2 {
		return 0
	}
	half := len(v) / 2
	count := inversions(v[:half], buffer[:half]) + inversions(v[half:], buffer[half:])
	i, j := 0, half
	for k := range buffer {
		if j == len(v) || i < half && v[i] <= v[j] {
			buffer[k] = v[i]
			i++
		} else {
			buffer[k] = v[j]
			count += int64(half - i)
			j++
		}
	}
	copy(v, buffer)
	return count
}
