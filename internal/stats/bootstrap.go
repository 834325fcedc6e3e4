package stats

import (
	"math"
	"slices"

	"rnas/internal/rng"
)

// Interval is a range of a statistic.
type Interval struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// Resamples is the usual number of bootstrap samples: the ends of a 95% interval move by some percent of its width from seed to seed.
const Resamples = 1000

// Bootstrap is the percentile interval of a statistic of n points (Efron 1979) that holds a share of resamples: statistic is called
// with n indices drawn with replacement, resample after resample, and must not keep them. Resamples whose statistic is NaN are left
// out; without any other both ends are NaN. Resample number r is drawn from the stream (seed, Bootstrap, 0, r, 0).
func Bootstrap(n, resamples int, share float64, seed uint64, statistic func(index []int) float64) Interval {
	values := make([]float64, 0, resamples)
	index := make([]int, n)
	for r := range resamples {
		s := rng.New(seed, rng.Bootstrap, 0, r, 0)
		for i := range index {
			index[i] = s.IntN(n)
		}
		if v := statistic(index); !math.IsNaN(v) {
			values = append(values, v)
		}
	}
	slices.Sort(values)
	return Interval{Quantile(values, (1-share)/2), Quantile(values, (1+share)/2)}
}

// Quantile of sorted values interpolates linearly between the two nearest, as numpy does by default; NaN of none.
func Quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	at := q * float64(len(sorted)-1)
	i := int(at)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}

// Pick are the values of x at index.
func Pick(x []float64, index []int) []float64 {
	out := make([]float64, len(index))
	for i, k := range index {
		out[i] = x[k]
	}
	return out
}
