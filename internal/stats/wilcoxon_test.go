package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// agree reports whether two numbers agree to 12 digits.
func agree(a, b float64) bool { return math.Abs(a-b) <= 1e-12*max(1, math.Abs(a), math.Abs(b)) }

// The expected values are those of scipy 1.17.1: wilcoxon(d, method=PermutationMethod(n_resamples=inf)) of the differences
// other than 0, which enumerates the signs, and the sum of rankdata(|d|) of the positive ones.
func TestWilcoxonAgainstSciPy(t *testing.T) {
	for _, c := range []struct {
		differences []float64
		want        SignedRank
	}{
		{[]float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, SignedRank{10, 55, 0.001953125}},
		{[]float64{-1, 2, 3, -4, 5, 6, 7, 8}, SignedRank{8, 31, 0.078125}},
		{[]float64{0.5, 0.5, -0.5, 1.5, 2, -0.25, 3}, SignedRank{7, 24, 0.125}},
		{[]float64{1, -1, 1, -1, 2}, SignedRank{5, 10, 0.75}},
		{[]float64{0, 0, 1, 2, 3, -4, 5}, SignedRank{5, 11, 0.4375}},
		{[]float64{0.031, -0.004, 0.012, 0.02, 0.02, -0.02, 0.007, 0.001, 0.015, 0.009}, SignedRank{10, 45, 0.08203125}},
	} {
		if got := Wilcoxon(c.differences); got != c.want {
			t.Errorf("%v: expected %+v, found %+v", c.differences, c.want, got)
		}
	}
}

// Differences of decimals tie although their last bits differ.
func TestWilcoxonTiesOfDecimals(t *testing.T) {
	var d []float64
	for _, pair := range [][2]float64{{0.433, 0.413}, {0.425, 0.405}, {0.4, 0.42}, {0.41, 0.4}} {
		d = append(d, pair[0]-pair[1]) // not folded by the compiler, which is exact
	}
	if d[0] == d[1] {
		t.Fatal("the differences are equal without rounding: the case shows nothing")
	}
	if got, want := Wilcoxon(d), Wilcoxon([]float64{2, 2, -2, 1}); got != want {
		t.Errorf("expected %+v, found %+v", want, got)
	}
}

func TestWilcoxonWithoutDifferences(t *testing.T) {
	for _, d := range [][]float64{nil, {0, 0}} {
		if got := Wilcoxon(d); got != (SignedRank{P: 1}) {
			t.Errorf("%v: found %+v", d, got)
		}
	}
}

// enumerated is the test by all signs of the ranks, found by comparing every pair.
func enumerated(d []float64) float64 {
	d = slices.DeleteFunc(slices.Clone(d), func(v float64) bool { return v == 0 })
	ranks, observed := make([]float64, len(d)), 0.0
	for i, a := range d {
		ranks[i] = 0.5
		for _, b := range d {
			switch x, y := math.Abs(a), math.Abs(b); {
			case y < x:
				ranks[i]++
			case y == x:
				ranks[i] += 0.5
			}
		}
		if a > 0 {
			observed += ranks[i]
		}
	}
	low, high := 0, 0
	for signs := range 1 << len(d) {
		w := 0.0
		for i, r := range ranks {
			if signs>>i&1 == 1 {
				w += r
			}
		}
		if w <= observed {
			low++
		}
		if w >= observed {
			high++
		}
	}
	return min(1, 2*float64(min(low, high))/float64(int(1)<<len(d)))
}

func TestWilcoxonAgainstEnumeration(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		d := make([]float64, 1+r.IntN(11))
		for i := range d {
			d[i] = float64(r.IntN(9) - 3) // with ties and zeros
		}
		if got, want := Wilcoxon(d).P, enumerated(d); !agree(got, want) {
			t.Errorf("%v: expected %v, found %v", d, want, got)
		}
	}
}

// The example of R's p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm"), and cases at the bounds.
func TestHolm(t *testing.T) {
	for _, c := range []struct{ p, want []float64 }{
		{nil, []float64{}},
		{[]float64{0.2}, []float64{0.2}},
		{[]float64{0.01, 0.04, 0.03, 0.005}, []float64{0.03, 0.06, 0.06, 0.02}},
		{[]float64{0.9, 0.8}, []float64{1, 1}},
		{[]float64{0.02, 0.02, 0.5}, []float64{0.06, 0.06, 0.5}},
	} {
		if got := Holm(c.p); !slices.EqualFunc(got, c.want, agree) {
			t.Errorf("%v: expected %v, found %v", c.p, c.want, got)
		}
	}
}

// scipy.stats.t.ppf(0.975, degrees)
func TestTQuantileAgainstSciPy(t *testing.T) {
	for degrees, want := range map[int]float64{1: 12.706204736174694, 2: 4.302652729749462, 3: 3.1824463052837078, 4: 2.7764451051977934, 7: 2.364624251592784, 9: 2.262157162798205, 10: 2.228138851986274, 29: 2.045229642132703, 100: 1.9839715185235518} {
		if got := tQuantile(degrees); math.Abs(got-want) > 1e-9*want {
			t.Errorf("%d degrees of freedom: expected %v, found %v", degrees, want, got)
		}
	}
}

// numpy.mean, numpy.std(ddof=1) and scipy.stats.t.interval(0.95, 9, mean, sem)
func TestTIntervalAgainstSciPy(t *testing.T) {
	x := []float64{0.41, 0.42, 0.395, 0.433, 0.401, 0.417, 0.389, 0.43, 0.404, 0.412}
	ci := TInterval(x)
	for i, pair := range [][2]float64{{Mean(x), 0.41109999999999997}, {SD(x), 0.014348441649802165}, {ci[0], 0.4008357431758969}, {ci[1], 0.42136425682410306}} {
		if !agree(pair[0], pair[1]) {
			t.Errorf("%d: expected %v, found %v", i, pair[1], pair[0])
		}
	}
	if one := TInterval(x[:1]); !math.IsNaN(one[0]) || !math.IsNaN(SD(x[:1])) {
		t.Errorf("one value: found %v", one)
	}
}
