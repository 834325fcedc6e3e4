package score

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"rnas/compiler/lower"
	"rnas/genotype"
	"rnas/internal/dataset"
	"rnas/internal/rng"
	"rnas/runtime/ort"
	"rnas/runtime/ort/orttest"
)

// tiny are images of 4x4 pixels in three classes.
func tiny(n int) *dataset.Splits {
	d := &dataset.Dataset{Name: "tiny", Classes: []string{"a", "b", "c"}, Shape: [3]int{1, 4, 4}}
	s := rng.New(1, rng.Synthetic, 0, 0, 0)
	for i := range n {
		d.Labels = append(d.Labels, int32(i%3))
		for range 16 {
			d.Images = append(d.Images, uint8(s.Uint32()))
		}
	}
	return &dataset.Splits{Train: d, Test: d}
}

const (
	bench201 = "|nor_conv_3x3~0|+|nor_conv_1x1~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_1x1~1|none~2|"
	darts    = "Genotype(normal=[('sep_conv_3x3', 0), ('skip_connect', 1)], normal_concat=[2], reduce=[('max_pool_3x3', 0), ('dil_conv_3x3', 1)], reduce_concat=[2])"
)

func parsed(t testing.TB, text string) genotype.Genotype {
	t.Helper()
	g, err := genotype.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// subjectOf is a tiny network with everything that scores ask for.
func subjectOf(t *testing.T, text string) *subject {
	t.Helper()
	orttest.Open(t)
	c := Config{Scores: []string{"naswot", "swap"}, Channels: 2, Layers: 3, Batch: 3, Seed: 5, Epsilon: 8. / 255}
	s, err := newSubject(context.Background(), newSetting(c, tiny(6), ort.Options{Threads: 1}), parsed(t, text))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	return s
}

func check(t *testing.T, name string, want, tolerance float64, of func(s *subject) (float64, error), s *subject) {
	t.Helper()
	got, err := of(s)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	if !(math.Abs(got-want) <= tolerance*math.Abs(want)) {
		t.Errorf("%s: found %v, expected %v", name, got, want)
	}
}

// All scores of the normalised network by plain loops over float64 outputs of the interpreter.
func TestNormalisedScoresByHand(t *testing.T) {
	for _, text := range []string{bench201, darts} {
		s := subjectOf(t, text)
		o := newOracle(t, s, false)
		params, images := float64s(s.params), float64s(s.images)
		logits, relus, _ := o.forward(params, images)
		checkCodes(t, s, relus, o.times)

		gradient := slope(params, func() float64 { return o.ce(params, images) })
		saliency, norms := 0.0, 0.0
		for _, p := range layerSlots(s) {
			from, to := p.Offset, p.Offset+elements(p)
			for i := from; i < to; i++ {
				saliency += math.Abs(params[i] * gradient[i])
			}
			norms += norm64(gradient[from:to])
		}
		check(t, "snip", saliency, 1e-4, snip, s)
		check(t, "grad-norm", norms, 1e-4, gradNorm, s)

		pixels := len(images) / s.Batch
		byImage := slope(images, func() float64 { return o.ce(params, images) })
		mean := 0.0
		for i := range s.Batch {
			mean += norm64(byImage[i*pixels : (i+1)*pixels])
		}
		check(t, "input-gradient", mean, 1e-4, inputGradient, s)

		moved := func(direction func(i int) float64) float64 {
			x := slices.Clone(images)
			for i := range x {
				x[i] = min(max(x[i]+direction(i), 0), 1)
			}
			other, _, _ := o.forward(params, x)
			return kl(logits, other, s.Batch)
		}
		// The divergence of noise is of the second order of a difference that float32 has to some digits only.
		check(t, "noise-kl", moved(func(i int) float64 { return float64(s.noise[i]) }), 2e-3, noiseKL, s)
		check(t, "fgsm-kl", moved(func(i int) float64 { return s.Epsilon * sign(byImage[i]) }), 2e-3, fgsmKL, s)

		jacobian := slope(images, func() float64 { return o.total(params, images) })
		check(t, "jacov", jacovByHand(s.Batch, jacobian), 1e-3, jacov, s)
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

func kl(p, q []float64, batch int) float64 {
	k := len(p) / batch
	sum := 0.0
	for i := range batch {
		zp, zq := 0.0, 0.0
		for j := range k {
			zp += math.Exp(p[i*k+j])
			zq += math.Exp(q[i*k+j])
		}
		for j := range k {
			a, b := math.Exp(p[i*k+j])/zp, math.Exp(q[i*k+j])/zq
			sum += a * math.Log(a/b)
		}
	}
	return sum / float64(batch)
}

// checkCodes counts equal codes and distinct patterns unit by unit.
func checkCodes(t *testing.T, s *subject, relus [][]float64, times []int) {
	t.Helper()
	kernel := make([]float64, s.Batch*s.Batch)
	patterns := map[string]bool{}
	for r, x := range relus {
		units := len(x) / s.Batch
		for u := range units {
			var pattern strings.Builder
			for i := range s.Batch {
				pattern.WriteByte("01"[map[bool]int{true: 1}[x[i*units+u] > 0]])
				for j := range s.Batch {
					if (x[i*units+u] > 0) == (x[j*units+u] > 0) {
						kernel[i*s.Batch+j] += float64(times[r])
					}
				}
			}
			patterns[pattern.String()] = true
		}
	}
	_, logDet := inverse(s.Batch, kernel)
	check(t, "naswot", logDet, 1e-9, naswot, s)
	check(t, "swap", float64(len(patterns)), 0, swap, s)
}

// jacovByHand is -(log det(C+kI) + trace of its inverse).
func jacovByHand(n int, gradients []float64) float64 {
	width := len(gradients) / n
	for i := range n {
		mean := 0.0
		for _, v := range gradients[i*width : (i+1)*width] {
			mean += v
		}
		for k := range width {
			gradients[i*width+k] -= mean / float64(width)
		}
	}
	c := make([]float64, n*n)
	for i := range n {
		for j := range n {
			c[i*n+j] = cosine64(gradients[i*width:(i+1)*width], gradients[j*width:(j+1)*width])
		}
		c[i*n+i] += 1e-5
	}
	inv, logDet := inverse(n, c)
	for i := range n {
		logDet += inv[i*n+i]
	}
	return -logDet
}

// Synflow and CRoZe by plain loops over float64 outputs of the interpreter, also where the weights are so large that float32 has to
// be helped.
func TestBareScoresByHand(t *testing.T) {
	for _, c := range []struct {
		text  string
		scale float32
	}{{bench201, 1}, {darts, 1}, {bench201, 1e4}} {
		s := subjectOf(t, c.text)
		for i := range s.params {
			s.params[i] *= c.scale
		}
		o := newOracle(t, s, true)
		w := float64s(s.absolute())
		ones := slices.Repeat([]float64{1}, len(s.images))
		checkRange(t, s, c.scale == 1)
		flow := slope(w, func() float64 { return o.total(w, ones) / float64(s.Batch) })
		sum := 0.0
		for _, p := range layerSlots(s) {
			for i := p.Offset; i < p.Offset+elements(p); i++ {
				sum += math.Abs(w[i] * flow[i])
			}
		}
		check(t, "synflow", sum, 1e-4, synflow, s)
		check(t, "croze", crozeByHand(o, w, float64s(s.images)), 1e-3, croze, s)
	}
}

// checkRange checks that the logits of an image of ones are in the range of float32, or that they are not.
func checkRange(t *testing.T, s *subject, inside bool) {
	t.Helper()
	p, err := s.unnormalised()
	if err != nil {
		t.Fatal(err)
	}
	r, err := p.run(slices.Repeat([]float32{1}, len(s.images)), s.labels, sumOfLogits)
	if err != nil || r.finite() != inside {
		t.Errorf("finite: found %v and %v, expected %v", r.finite(), err, inside)
	}
}

func crozeByHand(o *oracle, w, images []float64) float64 {
	_, _, clean := o.forward(w, images)
	g := slope(w, func() float64 { return o.ce(w, images) })
	harmed := slices.Clone(w)
	for _, p := range layerSlots(o.s) {
		from, to := p.Offset, p.Offset+elements(p)
		if n := norm64(g[from:to]); n > 0 {
			for i := from; i < to; i++ {
				harmed[i] += 2 * norm64(w[from:to]) / n * g[i]
			}
		}
	}
	toward := slope(images, func() float64 { return o.ce(harmed, images) })
	moved := slices.Clone(images)
	for i := range moved {
		moved[i] = min(max(moved[i]-0.01*sign(toward[i]), 0), 1)
	}
	_, _, other := o.forward(harmed, moved)
	h := slope(harmed, func() float64 { return o.ce(harmed, moved) })
	sum := 0.0
	for i, name := range o.features {
		p := *o.s.layout.Slot(name)
		from, to := p.Offset, p.Offset+elements(p)
		sum += (1 + cosine64(clean[i], other[i])) * (1 + cosine64(w[from:to], harmed[from:to])) * math.Abs(cosine64(g[from:to], h[from:to]))
	}
	return sum
}

// Sizes are those that rnas zoo counts.
func TestSizes(t *testing.T) {
	s := subjectOf(t, bench201)
	list, err := lower.Params(s.net, true)
	if err != nil {
		t.Fatal(err)
	}
	check(t, "params", float64(lower.Count(list)), 0, params, s)
	n, err := lower.MACs(s.net)
	if err != nil {
		t.Fatal(err)
	}
	check(t, "macs", float64(n), 0, macs, s)
	if ms, err := latency(s); err != nil || !(ms > 0) {
		t.Errorf("latency: found %v and %v", ms, err)
	}
}

// A network whose output does not depend on the image has the worst scores of those that tell images apart, and no infinite ones.
func TestDisconnected(t *testing.T) {
	s := subjectOf(t, "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|")
	connected := subjectOf(t, bench201)
	for name, of := range map[string]func(s *subject) (float64, error){"naswot": naswot, "jacov": jacov} {
		low, err := of(s)
		if err != nil {
			t.Fatal(err)
		}
		high, err := of(connected)
		if err != nil || !(low < high) || math.IsInf(low, 0) {
			t.Errorf("%s: found %v for a disconnected and %v for a connected network (%v)", name, low, high, err)
		}
	}
}
