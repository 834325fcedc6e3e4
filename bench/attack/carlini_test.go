package attack

import (
	"math"
	"slices"
	"testing"
)

// carliniByHand is the attack on one image as the authors' code does it, with the search and the iterations as two loops. It
// returns the closest misclassified image, nil when there is none, and its distance.
func carliniByHand(image []float64, label, iterations int, at func([]float64) ([]float64, [][]float64)) (closest []float64, best float64) {
	n := len(image)
	best = math.Inf(1)
	lower, c, upper := 0.0, 1e-3, 1e9
	for range 9 {
		delta, m, v := make([]float64, n), make([]float64, n), make([]float64, n)
		success, before := false, math.Inf(1)
		for i := range iterations {
			x, slope := make([]float64, n), make([]float64, n)
			for j := range x {
				th := math.Tanh(math.Atanh((2*image[j]-1)*0.999999) + delta[j])
				x[j], slope[j] = (th+1)/2, (1-th*th)/2
			}
			z, grads := at(x)
			other := -1
			for k := range z {
				if k != label && (other < 0 || z[k] > z[other]) {
					other = k
				}
			}
			d := math.Sqrt(power(minus(x, image), 2))
			if z[other] > z[label] {
				success = true
				if d < best {
					closest, best = x, d
				}
			}
			loss := d*d + c*max(0, z[label]-z[other])
			for j := range delta {
				g := 2 * (x[j] - image[j])
				if z[label] > z[other] {
					g += c * (grads[label][j] - grads[other][j])
				}
				g *= slope[j]
				m[j], v[j] = 0.9*m[j]+0.1*g, 0.999*v[j]+0.001*g*g
				k := float64(i + 1)
				delta[j] -= 0.01 * math.Sqrt(1-math.Pow(0.999, k)) / (1 - math.Pow(0.9, k)) * m[j] / (math.Sqrt(v[j]) + 1e-8)
			}
			if i%(iterations/10) == 0 {
				if loss > 0.9999*before {
					break
				}
				before = loss
			}
		}
		if success {
			upper = min(upper, c)
		} else {
			lower = max(lower, c)
		}
		if upper < 1e9 {
			c = (lower + upper) / 2
		} else {
			c *= 10
		}
	}
	return closest, best
}

// TestCarlini compares the graph, in float64, with the attack by hand: with 10 iterations a step of the search, of which some
// end early.
func TestCarlini(t *testing.T) {
	c := convnet(t)
	at := jacobian(t, c)
	found := 0
	for _, index := range classified(t, c, 3) {
		image, label := float64s(point(index).Image), point(index).Label
		calls := 0
		want, distance := carliniByHand(image, int(label), 10, func(x []float64) ([]float64, [][]float64) {
			calls++
			return at(x)
		})
		if calls == 90 {
			t.Errorf("point %d: no step of the search ends early", index)
		}
		m := stageOf(t, "cw-l2-10").(method)
		for _, k := range []struct {
			eps  float64
			want bool
		}{{100, want != nil}, {distance * (1 + 1e-6), want != nil}, {distance * (1 - 1e-6), false}} {
			if math.IsInf(k.eps, 1) {
				continue
			}
			out := bound(t, m, c, Settings{Norm: "l2", Epsilon: k.eps}, image, label)
			if got := out["found"].Float64At(0) == 1; got != k.want {
				t.Fatalf("point %d, eps %v: found is %v, the distance by hand %v", index, k.eps, got, distance)
			}
			if !k.want {
				continue
			}
			found++
			for i, w := range want {
				if v := out["adversarial"].Float64At(i); math.Abs(v-w) > 1e-7 {
					t.Fatalf("point %d, element %d: expected %v, found %v", index, i, w, v)
				}
			}
		}
	}
	if found < 2 {
		t.Errorf("%d images are found", found)
	}
}

// TestCarliniLinear compares the smallest distance that the attack finds with the distance to the boundary of a linear classifier,
// 0.48. Adam's steps of 0.01 leave up to 4 % at distances of 0.15.
func TestCarliniLinear(t *testing.T) {
	weights := normals(2, 0.05)
	image := point(5)
	z := [2]float64{}
	for k := range z {
		for i, w := range weights[k] {
			image.Image[i] = float32(grey(5)[i])
			z[k] += float64(w) * float64(image.Image[i])
		}
	}
	want := math.Abs(z[0]-z[1]) / math.Sqrt(power(minus(float64s(weights[0]), float64s(weights[1])), 2))
	s := Settings{Norm: "l2", Epsilon: 10 * want}
	d := &desk{points: []int{5}, image: func(int) Point {
		image.Label = 0
		if z[1] > z[0] {
			image.Label = 1
		}
		return image
	}}
	work(t, stageOf(t, "cw-l2"), linear(t, weights), 1, s, d)
	if got := s.Size(d.images[5], image.Image); got < want*(1-1e-4) || got > want*1.02 {
		t.Errorf("expected a distance of %v, found %v", want, got)
	}
}

// TestCarliniPoints checks that a result depends neither on the row nor on the other points, and that what failed ends early.
func TestCarliniPoints(t *testing.T) {
	c := convnet(t)
	points := classified(t, c, 5)
	s := Settings{Norm: "l2", Epsilon: 1}
	seen := map[int][]float32{}
	for _, batch := range []int{1, 5, 2} {
		slices.Reverse(points)
		d := attacked(t, stageOf(t, "cw-l2-30"), c, batch, s, points...)
		for p, x := range d.images {
			if seen[p] == nil {
				seen[p] = x
			} else if !slices.Equal(seen[p], x) {
				t.Errorf("batch %d: the image of point %d differs", batch, p)
			}
			if size := s.Size(x, point(p).Image); size > 1+1e-6 || size == 0 {
				t.Errorf("point %d: size %v", p, size)
			}
		}
	}
	s.Epsilon = 1e-3
	d := attacked(t, stageOf(t, "cw-l2-30"), c, 5, s, points...)
	if d.counts.Forwards >= 5*9*30 || d.counts.Forwards < 5*9 {
		t.Errorf("expected fewer than %d passes, found %+v", 5*9*30, d.counts)
	}
	for p, x := range d.images {
		if !slices.Equal(x, point(p).Image) {
			t.Errorf("point %d: an image outside of the ball", p)
		}
	}
	for name, want := range map[string]int{"cw-l2": 9000, "cw-l2-10000": 90000, "cw-l2-10": 90} {
		if m := stageOf(t, name).(method); m.steps != want {
			t.Errorf("%s: expected %d steps, found %d", name, want, m.steps)
		}
	}
	for _, name := range []string{"cw-l2-9", "cw-l2-", "cw-l2-100000", "cw-l2-010"} {
		if _, err := Parse(name); err == nil {
			t.Errorf("%s: expected an error", name)
		}
	}
}
