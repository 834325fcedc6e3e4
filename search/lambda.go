package search

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Kinds of Balance.
const (
	Share = "share" // lambda*|g_reg| / (|g_ce| + lambda*|g_reg|) is held at the value in every step, for the gradients of both terms
	Ratio = "ratio" // lambda*R/CE comes to the value
	Fixed = "fixed" // lambda is the value
)

// Balance is how the weight lambda of the regularizer is chosen.
type Balance struct {
	Kind  string  `json:"kind"`
	Value float64 `json:"value"`
}

// DefaultShare is the share of the regularizer that Default holds.
const DefaultShare = 0.3

// ParseBalance reads auto, which holds a share, ratio:NUMBER or a fixed NUMBER.
func ParseBalance(text string, share float64) (Balance, error) {
	if text == "auto" {
		return Balance{Share, share}, nil
	}
	kind, number := Fixed, text
	if rest, ok := strings.CutPrefix(text, Ratio+":"); ok {
		kind, number = Ratio, rest
	}
	v, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return Balance{}, fmt.Errorf("lambda: expected auto, ratio:NUMBER or a number, found %q", text)
	}
	return Balance{kind, v}, nil
}

// Validate checks kind and value.
func (b Balance) Validate() error {
	limits := map[string][2]float64{Share: {0, 1}, Ratio: {0, 1e3}, Fixed: {0, maxLambda}}
	limit, ok := limits[b.Kind]
	if !ok {
		return fmt.Errorf("lambda: expected a %s, a %s or a %s weight, found %q", Share, Ratio, Fixed, b.Kind)
	}
	if !(b.Value >= limit[0] && b.Value < limit[1]) || b.Value == 0 && b.Kind != Fixed {
		return fmt.Errorf("lambda: expected a %s of at least %v and less than %v, found %v", b.Kind, limit[0], limit[1], b.Value)
	}
	return nil
}

// first is lambda at the beginning.
func (b Balance) first() float64 {
	if b.Kind == Fixed {
		return b.Value
	}
	return 1
}

// Bounds of the lambda that a ratio asks for.
const (
	minLambda = 1e-4
	maxLambda = 1e6
)

// Rules of a ratio: a step closes a tenth of the distance to the target on the logarithmic scale, and changes lambda by at most
// a quarter.
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
