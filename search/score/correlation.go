package score

import (
	"encoding/json"
	"fmt"
	"math"

	"rnas/internal/stats"
)

// Estimate is a statistic with its 95% bootstrap interval. Its JSON form is null where the statistic is not defined.
type Estimate struct {
	Value float64 `json:"value"`
	stats.Interval
}

// MarshalJSON writes {"value": ..., "low": ..., "high": ...}, or null.
func (e Estimate) MarshalJSON() ([]byte, error) {
	if math.IsNaN(e.Value) || math.IsNaN(e.Low) || math.IsNaN(e.High) {
		return []byte("null"), nil
	}
	type plain Estimate
	return json.Marshal(plain(e))
}

func (e Estimate) String() string {
	if math.IsNaN(e.Value) {
		return "-"
	}
	return fmt.Sprintf("%.3f (%.3f, %.3f)", e.Value, e.Low, e.High)
}

// Correlation is how the order by a score agrees with that by a measured column, and what of it is left given the number of parameters.
type Correlation struct {
	Score           string   `json:"score"`
	Missing         int      `json:"missing,omitempty"` // genotypes without the score, which the coefficients leave out
	Spearman        Estimate `json:"spearman"`
	Kendall         Estimate `json:"kendall"`          // tau-b
	PartialSpearman Estimate `json:"partial_spearman"` // given parameters
	PartialKendall  Estimate `json:"partial_kendall"`
}

// Correlations compares every column of a result, which must have params, with one value for each genotype. The resamples of all
// estimates of scores that no genotype misses are the same.
func Correlations(r *Result, against []float64, resamples int, seed uint64) []Correlation {
	size := r.Column("params")
	var all []Correlation
	for i, name := range r.Columns {
		index := present(r.Values[i])
		x, against, size := stats.Pick(r.Values[i], index), stats.Pick(against, index), stats.Pick(size, index)
		estimate := func(of func(x, y, z []float64) float64) Estimate {
			return Estimate{of(x, against, size), stats.Bootstrap(len(x), resamples, 0.95, seed, func(index []int) float64 {
				return of(stats.Pick(x, index), stats.Pick(against, index), stats.Pick(size, index))
			})}
		}
		c := Correlation{
			Score: name, Missing: len(r.Values[i]) - len(x),
			Spearman: estimate(func(x, y, _ []float64) float64 { return stats.Spearman(x, y) }),
			Kendall:  estimate(func(x, y, _ []float64) float64 { return stats.Kendall(x, y) }),
		}
		none := Estimate{math.NaN(), stats.Interval{Low: math.NaN(), High: math.NaN()}}
		c.PartialSpearman, c.PartialKendall = none, none
		if name != "params" {
			c.PartialSpearman, c.PartialKendall = estimate(stats.PartialSpearman), estimate(stats.PartialKendall)
		}
		all = append(all, c)
	}
	return all
}
