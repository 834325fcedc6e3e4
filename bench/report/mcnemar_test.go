package report

import (
	"math"
	"testing"
)

// TestMcNemar compares with statsmodels 0.15.0, mcnemar([[0,b],[c,0]], exact=True).pvalue, and scipy 1.17.1,
// binomtest(min(b,c), b+c, 0.5).pvalue, which agree on these to the last digit.
func TestMcNemar(t *testing.T) {
	for _, c := range []struct {
		b, c int
		p    float64
	}{
		{0, 0, 1}, // statsmodels only
		{1, 0, 1},
		{0, 5, 0.0625},
		{6, 1, 0.125},
		{10, 10, 1},
		{5, 6, 1},
		{3, 12, 0.03515625},
		{121, 59, 4.4344492637551645e-06},
		{14, 40, 0.0005354355028570622},
		{900, 1100, 8.45708953550381e-06},
		{0, 64, 1.0842021724855044e-19},
		{2500, 2501, 1},
	} {
		for _, got := range []float64{McNemar(c.b, c.c), McNemar(c.c, c.b)} {
			if math.Abs(got-c.p) > 1e-12*c.p {
				t.Errorf("%d and %d: expected %v, found %v", c.b, c.c, c.p, got)
			}
		}
	}
	if p := McNemar(30000, 1); p != 0 { // 30001 / 2^30000 is below the smallest number
		t.Errorf("expected 0, found %v", p)
	}
}

// TestMcNemarEnumerated counts, for all small n, the sequences of n coins that are at least as uneven.
func TestMcNemarEnumerated(t *testing.T) {
	for n := range 11 {
		for b := range n + 1 {
			uneven := 0
			for coins := range 1 << n {
				heads := 0
				for i := range n {
					heads += coins >> i & 1
				}
				if max(heads, n-heads) >= max(b, n-b) {
					uneven++
				}
			}
			if want := float64(uneven) / float64(int(1)<<n); McNemar(b, n-b) != want {
				t.Errorf("%d and %d: expected %v, found %v", b, n-b, want, McNemar(b, n-b))
			}
		}
	}
}

func TestCompare(t *testing.T) {
	a := []bool{true, true, true, true, true, true, true, false, false}
	b := []bool{true, false, false, false, false, false, false, true, false}
	want := Comparison{FirstOnly: 6, SecondOnly: 1, Both: 1, P: 0.125}
	if got := Compare(a, b); got != want {
		t.Errorf("expected %+v, found %+v", want, got)
	}
	if got := Compare(a, a); got.P != 1 || got.Both != 7 || got.FirstOnly != 0 || got.SecondOnly != 0 {
		t.Errorf("a model and itself: found %+v", got)
	}
}
