package corruption

import (
	"math"
	"testing"
)

// moments corrupts images of one grey many times and returns mean and variance of what is left of it in units of 1/255.
func moments(t *testing.T, name string, severity int, grey float64) (mean, variance, n float64, values []float64) {
	t.Helper()
	shape := [3]int{3, 32, 32}
	g := generator(t, shape, 9)
	src, dst := make([]float32, 3*32*32), make([]float32, 3*32*32)
	for i := range src {
		src[i] = float32(grey) / 255
	}
	for _, k := range All() {
		if k.Name != name {
			continue
		}
		for point := range 60 {
			g.Apply(dst, src, k, severity, point)
			for _, v := range dst {
				values = append(values, math.Round(255*float64(v)))
			}
		}
	}
	n = float64(len(values))
	for _, v := range values {
		mean += v / n
	}
	for _, v := range values {
		variance += (v - mean) * (v - mean) / (n - 1)
	}
	return mean, variance, n, values
}

// within checks a mean and a variance against their expectations, to five standard errors. excess is the fourth central
// moment over the squared variance.
func within(t *testing.T, what string, mean, variance, n, wantMean, wantVariance, excess float64) {
	t.Helper()
	if e := 5 * math.Sqrt(wantVariance/n); math.Abs(mean-wantMean) > e {
		t.Errorf("%s: expected the mean %.3f to %.3f, found %.3f", what, wantMean, e, mean)
	}
	if e := 5 * wantVariance * math.Sqrt((excess-1)/n); math.Abs(variance-wantVariance) > e {
		t.Errorf("%s: expected the variance %.3f to %.3f, found %.3f", what, wantVariance, e, variance)
	}
}

// Cutting off to whole levels lowers the mean of a smooth density by 1/2 and adds 1/12 to its variance.
const (
	cutMean     = 0.5
	cutVariance = 1. / 12
)

func TestGaussianNoise(t *testing.T) {
	for s, p := range table[4].small { // 127 is 5 deviations of the widest from the ends
		mean, variance, n, _ := moments(t, "gaussian_noise", s+1, 127)
		within(t, "gaussian_noise", mean, variance, n, 127-cutMean, p[0]*p[0]*255*255+cutVariance, 3)
	}
}

// TestShotNoise checks counts against mean and variance of the Poisson distribution, both mean photons; level values are
// cut off, so counts are read back by rounding up. At 102 of 255 the mean is 0.4 p[0] photons.
func TestShotNoise(t *testing.T) {
	for s, p := range table[0].small {
		if p[0] > 255 { // several counts share a level
			mean, variance, n, _ := moments(t, "shot_noise", s+1, 102)
			scale := 255 / p[0]
			within(t, "shot_noise", mean, variance, n, 102-cutMean, 0.4*p[0]*scale*scale+cutVariance, 3)
			continue
		}
		_, _, n, values := moments(t, "shot_noise", s+1, 102)
		mean, variance := 0.0, 0.0
		for i, v := range values {
			values[i] = math.Ceil(v * p[0] / 255)
			mean += values[i] / n
		}
		for _, v := range values {
			variance += (v - mean) * (v - mean) / (n - 1)
		}
		photons := 0.4 * p[0]
		within(t, "shot_noise", mean, variance, n, photons, photons, 3+1/photons)
	}
}

// TestImpulseNoise counts the values that became 0 and 1: each a binomial of half the share.
func TestImpulseNoise(t *testing.T) {
	for s, p := range table[11].small {
		_, _, n, values := moments(t, "impulse_noise", s+1, 127)
		black, white := 0.0, 0.0
		for _, v := range values {
			switch v {
			case 0:
				black++
			case 255:
				white++
			case 127:
			default:
				t.Fatalf("impulse_noise %d: found the level %v", s+1, v)
			}
		}
		want, e := p[0]/2, 5*math.Sqrt(p[0]/2*(1-p[0]/2)/n)
		if math.Abs(black/n-want) > e || math.Abs(white/n-want) > e {
			t.Errorf("impulse_noise %d: expected the shares %.4f to %.4f, found %.4f and %.4f", s+1, want, e, black/n, white/n)
		}
	}
}

// TestPoisson compares the cumulative probabilities with the regularised sums of the definition.
func TestPoisson(t *testing.T) {
	for _, mean := range []float64{0, 0.01, 1, 50, 500} {
		sums := cumulative(mean)
		if last := sums[len(sums)-1]; math.Abs(last-1) > 1e-12 {
			t.Errorf("mean %v: expected the last sum 1, found %v", mean, last)
		}
		total := 0.0
		for k := range min(len(sums), 700) {
			g, _ := math.Lgamma(float64(k) + 1)
			logMean := math.Log(mean)
			if k == 0 {
				logMean = 0
			}
			total += math.Exp(float64(k)*logMean - mean - g)
			if math.Abs(total-sums[k]) > 1e-10 {
				t.Fatalf("mean %v: expected P(X <= %d) = %v, found %v", mean, k, total, sums[k])
			}
		}
	}
}
