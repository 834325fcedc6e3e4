package attack

import (
	"math"
	"slices"
	"testing"

	"rnas/compiler/interp"
	"rnas/internal/tensor"
)

// TestPoints checks that what happens to a point depends neither on its row nor on the other points nor on the size of the
// batch, that only its own passes are counted, and that no image leaves the ball or the box.
func TestPoints(t *testing.T) {
	const eps = 4. / 255
	c := convnet(t)
	s := Settings{Norm: "linf", Epsilon: eps, Seed: 8}
	for name, passes := range map[string]int64{"pgd4": 4, "pgd16x2": 32, "mifgsm": 10, "apgd-ce": 101} {
		seen := map[int][]float32{}
		for _, run := range []struct {
			batch  int
			points []int
		}{{5, []int{0, 1, 2, 3, 4}}, {2, []int{4, 2, 0}}, {9, []int{3, 4, 2}}, {2, []int{1, 0, 2, 4, 3}}} {
			d := attacked(t, stageOf(t, name), c, run.batch, s, run.points...)
			if want := passes * int64(len(run.points)); d.counts != (Counts{want, want}) {
				t.Errorf("%s, points %v: expected %d passes, found %+v", name, run.points, want, d.counts)
			}
			for p, x := range d.images {
				if seen[p] == nil {
					seen[p] = x
				} else if !slices.Equal(seen[p], x) {
					t.Errorf("%s, points %v: the image of point %d differs", name, run.points, p)
				}
				for i, v := range x {
					if d := math.Abs(float64(v) - float64(point(p).Image[i])); d > eps+1e-7 || v < 0 || v > 1 {
						t.Fatalf("%s, point %d, element %d: %v from %v", name, p, i, v, point(p).Image[i])
					}
				}
			}
		}
	}
}

// TestStop checks that an attack with early stop spends fewer passes on the same points, and breaks the same ones.
func TestStop(t *testing.T) {
	const batch = 8
	c := convnet(t)
	score, err := c.Score(batch)
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{classify: func(images []float32) []int64 {
		out, err := interp.Run(score.Graph, map[string]*tensor.Tensor{
			"images": tensor.Of([]int64{batch, 3, size, size}, images...), "labels": tensor.Vector(make([]int64, batch)...),
		})
		if err != nil {
			t.Fatal(err)
		}
		classes := make([]int64, batch)
		for i := range classes {
			z := out["logits"].Float64s()[5*i : 5*i+5]
			classes[i] = int64(slices.Index(z, slices.Max(z)))
		}
		return classes
	}}
	s := Settings{Norm: "linf", Epsilon: 2. / 255, Seed: 8}
	m := stageOf(t, "apgd-ce").(method)
	for p := range 40 {
		d.points = append(d.points, p)
	}
	work(t, m, c, batch, s, d)
	p, err := m.Program(c, len(d.points), s)
	if err != nil {
		t.Fatal(err)
	}
	out, err := interp.Run(p.Graph, inputs(m, s, 0, d.points...))
	if err != nil {
		t.Fatal(err)
	}
	broken := 0
	for i, p := range d.points {
		if (out["found"].Float64At(i) > 0.5) != d.broken[p] {
			t.Errorf("point %d: broken is %v, in one piece %v", p, d.broken[p], out["found"].Float64At(i))
		}
		if d.broken[p] {
			broken++
		}
	}
	if broken < 5 || broken > 38 {
		t.Errorf("%d of 40 points are broken", broken)
	}
	if most := int64(101*(40-broken) + 40*broken); d.counts.Forwards > most || d.counts.Forwards != d.counts.Backwards {
		t.Errorf("expected at most %d passes, found %+v", most, d.counts)
	}
}
