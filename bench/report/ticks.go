package report

import (
	"math"
	"slices"
)

// TickStep is 1, 2 or 5 times a power of ten, so that a range has three to seven steps.
func TickStep(width float64) float64 {
	if !(width > 0) {
		return 1
	}
	power := math.Floor(math.Log10(width / 3))
	unit := math.Pow(10, power)
	i := slices.IndexFunc([]float64{5, 2}, func(f float64) bool { return f*unit <= width/3 })
	if i >= 0 {
		return []float64{5, 2}[i] * unit
	}
	return unit
}
