package attack

import (
	"errors"
	"math"
	"slices"
	"testing"

	"rnas/internal/interp"
	"rnas/internal/rng"
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
	_, loss, g := at(x)
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
		if wrong {
			adversarial = x
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
	p, err := apgd{loss: "ce"}.stage().Program(c, 2, s)
	if err != nil {
		t.Fatal(err)
	}
	b := batch(2, 7, 8)
	from := tensor.Zeros(tensor.Float32, 2, 3, size, size)
	for row := range 2 {
		apgdStart(from.Float32s()[row*elems:(row+1)*elems], s, rng.New(1, rng.Start, 0, 0, row))
	}
	out, err := interp.Run(p.Graph, map[string]*tensor.Tensor{
		"images": tensor.Of([]int64{2, 3, size, size}, b.Images...), "labels": tensor.Vector(b.Labels...), "start": from,
	})
	if err != nil {
		t.Fatal(err)
	}
	for row := range 2 {
		image := make([]float64, elems)
		begin := make([]float64, elems)
		for i := range elems {
			image[i], begin[i] = float64(b.Images[row*elems+i]), float64(from.Float32s()[row*elems+i])
		}
		label := b.Labels[row]
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
	attacks, err := Parse("apgd-t,apgd-dlr")
	if err != nil {
		t.Fatal(err)
	}
	able := 0
	for _, st := range attacks[0].Stages() {
		for _, norm := range []string{"linf", "l2"} {
			s := Settings{Norm: norm, Epsilon: radii[norm], Seed: 3}
			switch err := st.Supports(s, c.Classes()); {
			case errors.Is(err, ErrNoTarget):
			case err != nil:
				t.Error(err)
			default:
				able++
			}
		}
	}
	if able != 2*4 {
		t.Errorf("%d stages for 5 classes and two norms, expected 8", able)
	}
	if err := attacks[1].Stages()[0].Supports(Settings{Norm: "l1"}, 5); err == nil {
		t.Error("expected an error for l1")
	}
	s := Settings{Norm: "l2", Epsilon: 0.5, Seed: 3}
	b := batch(3, 0, 1, 2)
	attackBatch(t, compile(t, "apgd-t", c, 3, s), b)
	for row := range 3 {
		if d := s.Size(b.Adversarial[row*elems:(row+1)*elems], b.Images[row*elems:(row+1)*elems]); d > 0.5*(1+1e-6) {
			t.Errorf("row %d: size %v", row, d)
		}
	}
}
