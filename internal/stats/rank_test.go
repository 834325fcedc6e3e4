package stats

import (
	"math"
	"slices"
	"testing"
)

func near(a, b float64) bool {
	return math.Abs(a-b) <= 1e-12 || math.IsNaN(a) && math.IsNaN(b)
}

func TestRanks(t *testing.T) {
	if got, want := Ranks([]float64{3, 1, 3, 2}), []float64{3.5, 1, 3.5, 2}; !slices.Equal(got, want) {
		t.Errorf("found %v, expected %v", got, want)
	}
}

// Numbers of scipy 1.17: spearmanr, kendalltau.
func TestCorrelationsOfScipy(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		x, y              []float64
		spearman, kendall float64
	}{
		// The example of kendalltau in the documentation of scipy.
		{[]float64{12, 2, 1, 12, 2}, []float64{1, 4, 7, 1, 0}, -0.5407380704358752, -0.47140452079103173},
		{[]float64{1, 2, 3, 4, 5}, []float64{5, 6, 7, 8, 7}, 0.8207826816681233, 0.7378647873726218},
		{[]float64{1, 2, 3}, []float64{1, 2, 3}, 1, 1},
		{[]float64{1, 2, 3}, []float64{3, 2, 1}, -1, -1},
		{[]float64{1, 1, 1}, []float64{3, 2, 1}, nan, nan},
	} {
		if s := Spearman(c.x, c.y); !near(s, c.spearman) {
			t.Errorf("spearman of %v and %v: found %v, expected %v", c.x, c.y, s, c.spearman)
		}
		if k := Kendall(c.x, c.y); !near(k, c.kendall) {
			t.Errorf("kendall of %v and %v: found %v, expected %v", c.x, c.y, k, c.kendall)
		}
	}
}

// pseudo are n values of few levels, so that there are ties.
func pseudo(n int, seed uint64) []float64 {
	x := make([]float64, n)
	for i := range x {
		seed = seed*6364136223846793005 + 1442695040888963407
		x[i] = float64(seed >> 60)
	}
	return x
}

// Knight's algorithm counts what a look at every pair counts.
func TestKendallByPairs(t *testing.T) {
	x, y := pseudo(200, 1), pseudo(200, 2)
	score, inX, inY := 0.0, 0.0, 0.0
	for i := range x {
		for j := range i {
			a, b := sign(x[i]-x[j]), sign(y[i]-y[j])
			score += a * b
			inX += a * a
			inY += b * b
		}
	}
	if want, got := score/math.Sqrt(inX*inY), Kendall(x, y); !near(got, want) {
		t.Errorf("found %v, expected %v", got, want)
	}
}

func sign(v float64) float64 {
	switch {
	case v > 0:
		return 1
	case v < 0:
		return -1
	}
	return 0
}

// A partial correlation is that of residuals.
func TestPartialIsOfResiduals(t *testing.T) {
	x, y, z := pseudo(50, 3), pseudo(50, 4), pseudo(50, 5)
	for i := range z {
		x[i] += z[i]
		y[i] -= 2 * z[i]
	}
	rx, ry, rz := Ranks(x), Ranks(y), Ranks(z)
	if want, got := Pearson(residual(rx, rz), residual(ry, rz)), PartialSpearman(x, y, z); math.Abs(got-want) > 1e-9 {
		t.Errorf("found %v, expected %v", got, want)
	}
	if p := PartialSpearman(z, y, z); !math.IsNaN(p) {
		t.Errorf("a correlation given itself: found %v, expected NaN", p)
	}
	want := Partial(Kendall(x, y), Kendall(x, z), Kendall(y, z))
	if got := PartialKendall(x, y, z); !near(got, want) {
		t.Errorf("kendall: found %v, expected %v", got, want)
	}
}

func residual(x, z []float64) []float64 {
	mx, mz := mean(x), mean(z)
	xz, zz := 0.0, 0.0
	for i := range x {
		xz += (x[i] - mx) * (z[i] - mz)
		zz += (z[i] - mz) * (z[i] - mz)
	}
	out := make([]float64, len(x))
	for i := range x {
		out[i] = x[i] - mx - xz/zz*(z[i]-mz)
	}
	return out
}
