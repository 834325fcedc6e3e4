package rng

import (
	"math"
	"slices"
	"testing"
)

func TestElementaryFunctions(t *testing.T) {
	s := New(1, Probe, 0, 0, 0)
	words := []uint32{0, 1, 1<<29 - 1, 1 << 29, 1<<30 - 1, 1 << 30, 1 << 31, 3 << 30, 7 << 29, 3037000500, math.MaxUint32 - 1, math.MaxUint32}
	for range 20000 {
		words = append(words, s.Uint32())
	}
	for _, w := range words {
		if want, got := math.Log((float64(w)+0.5)/(1<<32)), logUnit(w); math.Abs(got-want) > 1e-8 {
			t.Errorf("logUnit(%d) = %v, want %v", w, got, want)
		}
		wantSin, wantCos := math.Sincos(2 * math.Pi * float64(w) / (1 << 32))
		if sin, cos := sinCosTurn(w); math.Abs(sin-wantSin) > 1e-8 || math.Abs(cos-wantCos) > 1e-8 {
			t.Errorf("sinCosTurn(%d) = %v, %v, want %v, %v", w, sin, cos, wantSin, wantCos)
		}
	}
}

func TestFillsFollowWords(t *testing.T) {
	for _, n := range []int{0, 1, 3, 4, 5, 8, 131, 257} {
		uniform, normal, sign := make([]float32, n), make([]float32, n), make([]float32, n)
		start := New(2, Noise, 1, 2, 3)
		start.Uint32() // a block in use is dropped
		s := start
		s.FillUniform(uniform, -0.5, 0.5)
		s = start
		s.FillNormal(normal, 2)
		s = start
		s.FillSign(sign, 0.25)

		words := start
		for words.left > 0 {
			words.Uint32()
		}
		pairs, bits := words, words
		var w uint32
		for i := range n {
			if want := words.Float32() - 0.5; uniform[i] != want {
				t.Fatalf("uniform %d of %d is %v, want %v", i, n, uniform[i], want)
			}
			if i%2 == 0 {
				if want := float32(2 * pairs.NormFloat64()); normal[i] != want {
					t.Fatalf("normal %d of %d is %v, want %v", i, n, normal[i], want)
				}
			}
			if i%32 == 0 {
				w = bits.Uint32()
			}
			if want := 0.25 - 0.5*float32(w>>(i%32)&1); sign[i] != want {
				t.Fatalf("sign %d of %d is %v, want %v", i, n, sign[i], want)
			}
		}
	}
}

func TestNormalDistribution(t *testing.T) {
	s := New(4, Init, 0, 0, 0)
	const n = 200000
	x := make([]float32, n)
	s.FillNormal(x, 1)
	var moments [5]float64
	var adjacent float64
	for i, v := range x {
		p := 1.0
		for k := range moments {
			moments[k] += p / n
			p *= float64(v)
		}
		adjacent += float64(v) * float64(x[(i+1)%n]) / n
	}
	want := [5]float64{1, 0, 1, 0, 3}
	for k, m := range moments {
		if math.Abs(m-want[k]) > 0.06 {
			t.Errorf("moment %d is %v, want %v", k, m, want[k])
		}
	}
	if math.Abs(adjacent) > 0.01 {
		t.Errorf("neighbours correlate by %v", adjacent)
	}
	// Kolmogorov-Smirnov against the normal distribution, 0.1 % point 1.95/sqrt(n).
	slices.Sort(x)
	var distance float64
	for i, v := range x {
		cdf := 0.5 * math.Erfc(-float64(v)/math.Sqrt2)
		distance = max(distance, math.Abs(cdf-float64(i)/n), math.Abs(cdf-float64(i+1)/n))
	}
	if limit := 1.95 / math.Sqrt(n); distance > limit {
		t.Errorf("Kolmogorov-Smirnov distance %v above %v", distance, limit)
	}
}

func TestFillsDoNotAllocate(t *testing.T) {
	dst := make([]float32, 1023)
	allocs := testing.AllocsPerRun(10, func() {
		s := New(1, Noise, 0, 0, 0)
		s.FillUniform(dst, -1, 1)
		s.FillNormal(dst, 1)
		s.FillSign(dst, 1)
	})
	if allocs != 0 {
		t.Errorf("fills allocate %v times", allocs)
	}
}

func BenchmarkFill(b *testing.B) {
	dst := make([]float32, 1<<16)
	s := New(1, Noise, 0, 0, 0)
	for _, bench := range []struct {
		name string
		fill func()
	}{
		{"uniform", func() { s.FillUniform(dst, -1, 1) }},
		{"normal", func() { s.FillNormal(dst, 1) }},
		{"sign", func() { s.FillSign(dst, 1) }},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.SetBytes(int64(4 * len(dst)))
			for b.Loop() {
				s.block = 0
				bench.fill()
			}
		})
	}
}
