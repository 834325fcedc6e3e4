// Package stats holds the statistics of results: tests, intervals and correlations.
package stats

import (
	"math"
	"math/rand/v2"
	"slices"
)

// Mean is the arithmetic mean; NaN of nothing.
func Mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// SD is the standard deviation of a sample, with n-1 in the denominator; NaN of fewer than two values.
func SD(values []float64) float64 {
	if len(values) < 2 {
		return math.NaN()
	}
	mean, sum := Mean(values), 0.0
	for _, v := range values {
		sum += (v - mean) * (v - mean)
	}
	return math.Sqrt(sum / float64(len(values)-1))
}

// TInterval is the 95% interval of the mean by Student's t distribution; NaN of fewer than two values.
func TInterval(values []float64) [2]float64 {
	if len(values) < 2 {
		return [2]float64{math.NaN(), math.NaN()}
	}
	n := len(values)
	half := tQuantile(n-1) * SD(values) / math.Sqrt(float64(n))
	mean := Mean(values)
	return [2]float64{mean - half, mean + half}
}

// tQuantile is the 0.975 quantile of Student's t distribution, by bisection of tCentral.
func tQuantile(degrees int) float64 {
	low, high := 0.0, 16.0
	for range 200 {
		mid := (low + high) / 2
		if tCentral(mid, degrees) < 0.95 {
			low = mid
		} else {
			high = mid
		}
	}
	return high
}

// tCentral is the probability that a variable of Student's t distribution lies within t of 0, for whole degrees of freedom
// (Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4).
func tCentral(t float64, degrees int) float64 {
	theta := math.Atan(t / math.Sqrt(float64(degrees)))
	sin, cos := math.Sincos(theta)
	term, sum := 1.0, 0.0
	if degrees%2 == 0 {
		for k := 1; k < degrees; k += 2 { // 1 + 1/2 cos^2 + 1*3/(2*4) cos^4 + ...
			sum += term
			term *= cos * cos * float64(k) / float64(k+1)
		}
		return sin * sum
	}
	for k := 2; k < degrees; k += 2 { // cos + 2/3 cos^3 + 2*4/(3*5) cos^5 + ...
		sum += term
		term *= cos * cos * float64(k) / float64(k+1)
	}
	return 2 / math.Pi * (theta + sin*cos*sum)
}

// resamples is the number of samples that BootstrapMean draws.
const resamples = 10_000

// BootstrapMean is the 95% percentile interval of the mean over samples drawn with replacement (Efron 1979), the same for
// the same values in the same order; NaN of fewer than two values.
func BootstrapMean(values []float64) [2]float64 {
	if len(values) < 2 {
		return [2]float64{math.NaN(), math.NaN()}
	}
	source := rand.New(rand.NewPCG(uint64(len(values)), resamples)) // Go fixes the numbers of this generator
	means := make([]float64, resamples)
	for i := range means {
		for range values {
			means[i] += values[source.IntN(len(values))]
		}
		means[i] /= float64(len(values))
	}
	slices.Sort(means)
	const tail = resamples / 40
	return [2]float64{means[tail], means[resamples-1-tail]}
}
