package corruption

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"rnas/internal/rng"
)

// TestOrder lists RobustBench's corruptions in its order (robustbench/data.py).
func TestOrder(t *testing.T) {
	want := []string{
		"shot_noise", "motion_blur", "snow", "pixelate", "gaussian_noise", "defocus_blur", "brightness", "fog",
		"zoom_blur", "frost", "glass_blur", "impulse_noise", "contrast", "jpeg_compression", "elastic_transform",
	}
	var found []string
	for _, k := range All() {
		found = append(found, k.Name)
		for s := range Severities {
			if n := len(k.small[0]); n == 0 || len(k.small[s]) != n || len(k.large[s]) != n {
				t.Errorf("%s, severity %d: parameters %v and %v", k.Name, s+1, k.small[s], k.large[s])
			}
		}
	}
	if !slices.Equal(found, want) || len(found)*Severities != 75 {
		t.Errorf("expected %v, found %v", want, found)
	}
}

// TestSame corrupts points in another order, with another generator, in place, and after other work: the images are the
// same; those of another point and another seed differ where there is chance. All values are levels of 8 bits.
func TestSame(t *testing.T) {
	random := []string{"shot_noise", "motion_blur", "snow", "gaussian_noise", "fog", "frost", "glass_blur", "impulse_noise", "elastic_transform"}
	for _, shape := range [][3]int{{3, 32, 32}, {1, 28, 20}, {3, 65, 33}} {
		n := shape[0] * shape[1] * shape[2]
		image := pictures(4, shape[0], shape[1], shape[2])[3*n:]
		apply := func(g *Generator, k Corruption, severity, point int) []float32 {
			out := slices.Clone(image)
			g.Apply(out, out, k, severity, point)
			return out
		}
		one, two, other := generator(t, shape, 1), generator(t, shape, 1), generator(t, shape, 2)
		for _, k := range All() {
			for s := 1; s <= Severities; s++ {
				first := apply(one, k, s, 5)
				different := apply(two, k, s, 6)
				if !slices.Equal(first, apply(two, k, s, 5)) {
					t.Errorf("%v, %s %d: not the same", shape, k.Name, s)
				}
				chance := slices.Contains(random, k.Name) && (k.Name != "glass_blur" || shape[1] > 8)
				if slices.Equal(first, different) == chance || slices.Equal(first, apply(other, k, s, 5)) == chance {
					t.Errorf("%v, %s %d: expected another point and another seed to give other images: %v", shape, k.Name, s, chance)
				}
				if slices.Equal(first, image) {
					t.Errorf("%v, %s %d: nothing happened", shape, k.Name, s)
				}
				for i, v := range first {
					if v != float32(level(float64(v)))/255 {
						t.Fatalf("%v, %s %d, value %d: %v is no level of 8 bits", shape, k.Name, s, i, v)
					}
				}
			}
		}
	}
}

// TestTiny goes through shapes where kernels are larger than images, and values that are no pixels.
func TestTiny(t *testing.T) {
	for _, shape := range [][3]int{{1, 1, 1}, {3, 1, 2}, {3, 2, 1}, {1, 3, 7}, {3, 5, 6}, {3, 1, 70}} {
		g := generator(t, shape, 0)
		src := make([]float32, shape[0]*shape[1]*shape[2])
		for i := range src {
			src[i] = []float32{0.5, -1, 2, float32(math.NaN()), float32(math.Inf(1))}[i%5]
		}
		dst := make([]float32, len(src))
		for _, k := range All() {
			for s := 1; s <= Severities; s++ {
				g.Apply(dst, src, k, s, 0)
				for _, v := range dst {
					if !(v >= 0 && v <= 1) {
						t.Fatalf("%v, %s %d: found the value %v", shape, k.Name, s, v)
					}
				}
			}
		}
	}
	for _, shape := range [][3]int{{2, 8, 8}, {3, 0, 8}, {3, 8, 1 << 16}} {
		if _, err := NewGenerator(shape, 0); err == nil {
			t.Errorf("%v: expected an error", shape)
		}
	}
}

// TestSeverity expects the distance from the image to grow with the severity, on the mean of many images, for those
// corruptions whose parameters grow in one direction.
func TestSeverity(t *testing.T) {
	const n, area = 12, 3 * 32 * 32
	images := pictures(n+3, 3, 32, 32)[3*area:]
	g, dst := generator(t, [3]int{3, 32, 32}, 0), make([]float32, area)
	for _, k := range All() {
		if slices.Contains([]string{"elastic_transform", "snow", "glass_blur", "frost", "fog"}, k.Name) {
			continue
		}
		last := 0.0
		for s := 1; s <= Severities; s++ {
			sum := 0.0
			for i := range n {
				src := images[i*area : (i+1)*area]
				g.Apply(dst, src, k, s, i)
				for p, v := range dst {
					sum += math.Abs(float64(v-src[p])) / (n * area)
				}
			}
			if sum <= last {
				t.Errorf("%s: distance %.4f at severity %d, %.4f at the one before", k.Name, sum, s, last)
			}
			last = sum
		}
	}
}

// TestAffine checks that the map takes the shifted corners back to the square.
func TestAffine(t *testing.T) {
	g := generator(t, [3]int{3, 40, 33}, 0)
	c := &g.canvas
	for point := range 20 {
		c.stream = rng.New(0, rng.Corruption, 0, point, 0)
		again := c.stream
		m := c.affine(3)
		for _, corner := range [][2]float64{{27, 31}, {27, 9}, {5, 9}} {
			x := corner[0] + 3*(2*again.Float64()-1)
			y := corner[1] + 3*(2*again.Float64()-1)
			if bx, by := m.map2(x, y); math.Abs(bx-corner[0]) > 1e-9 || math.Abs(by-corner[1]) > 1e-9 {
				t.Errorf("point %d: expected (%v,%v) back at %v, found (%v,%v)", point, x, y, corner, bx, by)
			}
		}
	}
}

func generator(t testing.TB, shape [3]int, seed uint64) *Generator {
	t.Helper()
	g, err := NewGenerator(shape, seed)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// BenchmarkApply measures the images a second of each corruption at its slowest severity.
func BenchmarkApply(b *testing.B) {
	for _, shape := range [][3]int{{3, 32, 32}, {3, 224, 224}} {
		n := shape[0] * shape[1] * shape[2]
		images := pictures(8, shape[0], shape[1], shape[2])
		dst := make([]float32, n)
		for _, k := range All() {
			b.Run(fmt.Sprintf("%s/%d", k.Name, shape[1]), func(b *testing.B) {
				g, i := generator(b, shape, 0), 0
				for b.Loop() {
					p := 3 + i%5
					g.Apply(dst, images[p*n:(p+1)*n], k, Severities, i)
					i++
				}
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "images/s")
			})
		}
	}
}
