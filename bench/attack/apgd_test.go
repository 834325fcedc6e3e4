package attack

import (
	"math"
	"slices"
	"testing"

	"rnas/compiler/interp"
	"rnas/internal/tensor"
)

// TestCheckpoints has the checkpoints that the paper and the code of AutoAttack give.
func TestCheckpoints(t *testing.T) {
	for steps, want := range map[int][]int{100: {22, 41, 57, 70, 80, 87, 93, 99}, 50: {11, 21, 30, 38, 45}} {
		var got []int
		for i, k := range checkpoints(steps) {
			if k > 0 {
				got = append(got, i+1)
			}
		}
		if !slices.Equal(got[:len(want)], want) {
			t.Errorf("%d steps: expected %v, found %v", steps, want, got)
		}
	}
}

// apgdByHand is Auto-PGD for one image in the maximum norm, written as the code of AutoAttack is: with the history of losses.
func apgdByHand(image, from []float64, eps float64, at func(x []float64) (wrong bool, loss float64, g []float64)) []float64 {
	clip := func(x []float64) []float64 {
		y := make([]float64, len(x))
		for i, v := range x {
			y[i] = max(0, min(1, max(image[i]-eps, min(image[i]+eps, v))))
		}
		return y
	}
	x := make([]float64, len(image))
	for i := range x {
		x[i] = max(0, min(1, image[i]+from[i]))
	}
	found, loss, g := at(x)
	best, bestG, bestLoss, adversarial, old := x, g, loss, x, x
	step, k, since, reduced, checked := 2*eps, 22, 0, true, loss
	losses := make([]float64, apgdSteps)
	for i := range losses {
		a := 0.75
		if i == 0 {
			a = 1
		}
		z := make([]float64, len(x))
		for j := range z {
			sign := 0.0
			if g[j] != 0 {
				sign = math.Copysign(1, g[j])
			}
			z[j] = x[j] + step*sign
		}
		z = clip(z)
		for j := range z {
			z[j] = x[j] + a*(z[j]-x[j]) + (1-a)*(x[j]-old[j])
		}
		old, x = x, clip(z)
		var wrong bool
		wrong, losses[i], g = at(x)
		if wrong && !found {
			adversarial, found = x, true
		}
		if losses[i] > bestLoss {
			best, bestG, bestLoss = x, g, losses[i]
		}
		if since++; since == k {
			rises := 0
			for j := range k {
				if losses[i-j] > losses[(i-j-1+apgdSteps)%apgdSteps] {
					rises++
				}
			}
			halve := float64(rises) <= 0.75*float64(k) || !reduced && checked >= bestLoss
			reduced, checked = halve, bestLoss
			if halve {
				step, x, g = step/2, best, bestG
			}
			since, k = 0, max(k-3, 6)
		}
	}
	return adversarial
}

// TestAPGD compares the graph, in float64, with Auto-PGD by hand.
func TestAPGD(t *testing.T) {
	const eps = 8. / 255
	c := convnet(t)
	gradient, err := c.Gradient(1)
	if err != nil {
		t.Fatal(err)
	}
	s := Settings{Norm: "linf", Epsilon: eps, Seed: 4}
	m := apgd{loss: "ce"}.method()
	p, err := m.Program(c, 2, s)
	if err != nil {
		t.Fatal(err)
	}
	in := inputs(m, s, 0, 7, 8)
	out, err := interp.Run(p.Graph, in)
	if err != nil {
		t.Fatal(err)
	}
	images, from, labels := in["images"].Float32s(), in["start"].Float32s(), in["labels"].Int64s()
	for row := range 2 {
		image := make([]float64, elems)
		begin := make([]float64, elems)
		for i := range elems {
			image[i], begin[i] = float64(images[row*elems+i]), float64(from[row*elems+i])
		}
		label := labels[row]
		want := apgdByHand(image, begin, eps, func(x []float64) (bool, float64, []float64) {
			out, err := interp.Run(gradient.Graph, map[string]*tensor.Tensor{
				"images": tensor.FromFloat64s(tensor.Float64, []int64{1, 3, size, size}, x), "labels": tensor.Vector(label),
			})
			if err != nil {
				t.Fatal(err)
			}
			z := out["logits"].Float64s()
			return slices.Index(z, slices.Max(z)) != int(label), out["loss"].Float64s()[0], out["gradient"].Float64s()
		})
		for i, w := range want {
			if v := out["adversarial"].Float64At(row*elems + i); math.Abs(v-w) > 1e-6 {
				t.Fatalf("image %d, element %d: expected %v, found %v", row, i, w, v)
			}
		}
	}
}

// TestTargets runs the targeted attack towards each class there is.
func TestTargets(t *testing.T) {
	c := convnet(t)
	m := stageOf(t, "apgd-t").(method)
	if n := m.tries(5); n != 4 {
		t.Errorf("%d tries for 5 classes", n)
	}
	if n := m.tries(100); n != 9 {
		t.Errorf("%d tries for 100 classes", n)
	}
	if err := m.Supports(Settings{Norm: "l1"}, 5); err != nil {
		t.Error(err)
	}
	s := Settings{Norm: "l2", Epsilon: 0.5, Seed: 3}
	d := attacked(t, m, c, 3, s, 0, 1, 2, 3)
	if want := (Counts{4 * (1 + 4*101), 4 * 4 * 101}); d.counts != want {
		t.Errorf("expected %+v, found %+v", want, d.counts)
	}
	for p, x := range d.images {
		if d := s.Size(x, point(p).Image); d > 0.5*(1+1e-6) {
			t.Errorf("point %d: size %v", p, d)
		}
	}
}
