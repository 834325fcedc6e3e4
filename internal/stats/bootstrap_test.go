package stats

import (
	"math"
	"testing"
)

func TestQuantile(t *testing.T) {
	sorted := []float64{1, 2, 4}
	for q, want := range map[float64]float64{0: 1, 0.25: 1.5, 0.5: 2, 0.75: 3, 1: 4} {
		if got := Quantile(sorted, q); !near(got, want) {
			t.Errorf("quantile %v: found %v, expected %v", q, got, want)
		}
	}
	if !math.IsNaN(Quantile(nil, 0.5)) {
		t.Error("the quantile of nothing is a number")
	}
}

// The interval of a mean is close to the one by the standard error, and a seed gives it again.
func TestBootstrapOfMean(t *testing.T) {
	x := pseudo(400, 7)
	of := func(seed uint64) Interval {
		return Bootstrap(len(x), 2000, 0.95, seed, func(index []int) float64 { return mean(Pick(x, index)) })
	}
	m, squares := mean(x), 0.0
	for _, v := range x {
		squares += (v - m) * (v - m)
	}
	half := 1.96 * math.Sqrt(squares) / float64(len(x))
	got := of(1)
	if math.Abs(got.Low-(m-half)) > 0.1*half || math.Abs(got.High-(m+half)) > 0.1*half {
		t.Errorf("found %v, expected about %v to %v", got, m-half, m+half)
	}
	if got != of(1) || got == of(2) {
		t.Errorf("seed 1 gives %v and %v, seed 2 %v", got, of(1), of(2))
	}
	none := Bootstrap(3, 10, 0.95, 0, func([]int) float64 { return math.NaN() })
	if !math.IsNaN(none.Low) || !math.IsNaN(none.High) {
		t.Errorf("found %v for a statistic without values", none)
	}
}
