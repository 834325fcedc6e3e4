package report

import (
	"math"
	"testing"
)

func TestTickStep(t *testing.T) {
	for width, want := range map[float64]float64{0: 1, 0.04: 0.01, 0.07: 0.02, 10: 2, 100: 20, 16: 5} {
		if got := TickStep(width); math.Abs(got-want) > 1e-12 {
			t.Errorf("%v: expected %v, found %v", width, want, got)
		}
	}
}
