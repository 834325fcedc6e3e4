package search

import "math"

// Bounds of an automatic lambda.
const (
	minLambda = 1e-4
	maxLambda = 1e6
)

// Rules of an automatic lambda: a step closes a tenth of the distance to the target on the logarithmic scale, and changes
// lambda by at most a quarter.
const (
	lambdaGain = 0.1
	lambdaStep = 1.25
)

// adjust is the next lambda after a step with cross-entropy ce and term r: lambda * (target/ratio)^gain, bounded, with
// ratio = lambda*r/ce. The ratio is proportional to lambda, so this is a first-order filter of log lambda that comes to
// the target for any scale of r. A term of 0 or less counts as a tiny one.
func adjust(lambda, ce, r, target float64) float64 {
	if !(ce > 0) {
		return lambda
	}
	factor := lambdaStep
	if r > 0 && lambda > 0 {
		factor = math.Pow(target*ce/(lambda*r), lambdaGain)
	}
	factor = min(max(factor, 1/lambdaStep), lambdaStep)
	return min(max(lambda*factor, minLambda), maxLambda)
}
