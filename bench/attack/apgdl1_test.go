package attack

import (
	"math"
	"slices"
	"testing"

	"rnas/compiler/interp"
	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/rng"
	"rnas/internal/tensor"
)

// boxByHand is projectBox by bisection of the amount by which entries shrink.
func boxByHand(d, image []float64, radius float64) []float64 {
	shrunk := func(amount float64) []float64 {
		x := make([]float64, len(d))
		for i, v := range d {
			room := image[i]
			if v > 0 {
				room = 1 - image[i]
			}
			x[i] = math.Copysign(min(max(0, math.Abs(v)-amount), room), v)
		}
		return x
	}
	low, high := 0.0, 0.0
	for _, v := range d {
		high = max(high, math.Abs(v))
	}
	if power(shrunk(0), 1) > radius {
		for range 200 {
			middle := (low + high) / 2
			if power(shrunk(middle), 1) > radius {
				low = middle
			} else {
				high = middle
			}
		}
	} else {
		high = 0
	}
	x := shrunk(high)
	for i := range x {
		x[i] += image[i]
	}
	return x
}

// TestProjectBox compares the projection with bisection in float64, and checks that float32 keeps to the radius.
func TestProjectBox(t *testing.T) {
	const rows = 6
	b := op.NewB("project")
	d, images := b.Input("d", ir.Float32, rows, 3, size, size), b.Input("images", ir.Float32, rows, 3, size, size)
	b.Output("x", projectBox(b, d, images, b.Input("radius", ir.Float32, rows, 1, 1, 1)))
	g, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	shape := []int64{rows, 3, size, size}
	radii := []float64{0, 1e-3, 1, 12, 60, 1000}
	in := map[string]*tensor.Tensor{
		"d": tensor.Zeros(tensor.Float64, shape...), "images": tensor.Zeros(tensor.Float64, shape...),
		"radius": tensor.FromFloat64s(tensor.Float64, []int64{rows, 1, 1, 1}, radii),
	}
	for row := range rows {
		s := rng.New(7, rng.Synthetic, 0, 0, row)
		for i := range elems {
			in["d"].Data.([]float64)[row*elems+i] = 2*s.Float64() - 1
			in["images"].Data.([]float64)[row*elems+i] = max(0, min(1, 1.4*s.Float64()-0.2)) // some at the bounds
		}
		copy(in["d"].Data.([]float64)[row*elems:], []float64{0, 0.5, 0.5, -0.5, 0.5}) // and equal ones
	}
	out, err := interp.Run(g, in)
	if err != nil {
		t.Fatal(err)
	}
	for row, radius := range radii {
		part := func(name string) []float64 { return in[name].Float64s()[row*elems : (row+1)*elems] }
		for i, w := range boxByHand(part("d"), part("images"), radius) {
			if v := out["x"].Float64At(row*elems + i); math.Abs(v-w) > 1e-9 {
				t.Fatalf("radius %v, element %d: expected %v, found %v", radius, i, w, v)
			}
		}
	}
}

// apgdL1ByHand is Auto-PGD in l1 for one image as the code of AutoAttack runs it, phase by phase.
func apgdL1ByHand(image, start []float64, eps float64, at func(x []float64) (wrong bool, loss float64, g []float64)) (adversarial []float64, reset int) {
	count := func(x []float64) float64 {
		n := 0.0
		for i := range x {
			if x[i] != image[i] {
				n++
			}
		}
		return n
	}
	n := len(image)
	begin := boxByHand(start, image, 3*eps)
	for phase, steps := range []int{30, 30, 40} {
		radius := float64(3-phase) * eps
		x := boxByHand(minus(begin, image), image, radius)
		wrong, loss, g := at(x)
		look := func() {
			if wrong && adversarial == nil && phase == 2 {
				adversarial = x
			}
		}
		look()
		best, bestG, bestLoss := x, g, loss
		pixels, size := count(x), radius
		for range steps {
			order := make([]float64, n)
			for i, v := range g {
				order[i] = math.Abs(v)
			}
			slices.Sort(order)
			index := int(max(0, min(float64(n-1), (1-pixels/float64(n)/1.5)*float64(n)+1e-9)))
			d, chosen := make([]float64, n), 0.0
			for i, v := range g {
				if math.Abs(v) >= order[index] && v != 0 {
					d[i] = math.Copysign(1, v)
					chosen++
				}
			}
			for i := range d {
				d[i] = x[i] + size*d[i]/(chosen+1e-10) - image[i]
			}
			x = boxByHand(d, image, radius)
			wrong, loss, g = at(x)
			look()
			if loss > bestLoss {
				best, bestG, bestLoss = x, g, loss
			}
			// A checkpoint after every step: 4 percent of 30 and of 40 are one.
			now := count(best)
			if now/pixels < 0.95 {
				size, x, g = radius, best, bestG
				reset++
			} else {
				size = max(radius/10, size/1.5)
			}
			pixels = now
		}
		begin = best
	}
	return adversarial, reset
}

// TestAPGDL1 compares the graph, in float64, with Auto-PGD in l1 by hand.
func TestAPGDL1(t *testing.T) {
	const eps = 2
	c := convnet(t)
	gradient, err := c.Gradient(1)
	if err != nil {
		t.Fatal(err)
	}
	s := Settings{Norm: "l1", Epsilon: eps, Seed: 4}
	points := classified(t, c, 4)
	m := apgd{loss: "ce"}.method().in("l1")
	if m.steps != 103 || m.iterations != 100 {
		t.Errorf("found %d steps, %d iterations", m.steps, m.iterations)
	}
	p, err := m.Program(c, len(points), s)
	if err != nil {
		t.Fatal(err)
	}
	in := inputs(m, s, 0, points...)
	out, err := interp.Run(p.Graph, in)
	if err != nil {
		t.Fatal(err)
	}
	broken, resets := 0, 0
	for row := range points {
		part := func(name string) []float64 { return in[name].Float64s()[row*elems : (row+1)*elems] }
		label := in["labels"].Int64s()[row]
		want, reset := apgdL1ByHand(part("images"), part("start"), eps, func(x []float64) (bool, float64, []float64) {
			out, err := interp.Run(gradient.Graph, map[string]*tensor.Tensor{
				"images": tensor.FromFloat64s(tensor.Float64, []int64{1, 3, size, size}, x), "labels": tensor.Vector(label),
			})
			if err != nil {
				t.Fatal(err)
			}
			z := out["logits"].Float64s()
			return slices.Index(z, slices.Max(z)) != int(label), out["loss"].Float64s()[0], out["gradient"].Float64s()
		})
		resets += reset
		if (want != nil) != (out["found"].Float64At(row) == 1) {
			t.Fatalf("row %d: found is %v, by hand %v", row, out["found"].Float64At(row), want != nil)
		}
		if want == nil {
			want = part("images")
		} else {
			broken++
		}
		for i, w := range want {
			if v := out["adversarial"].Float64At(row*elems + i); math.Abs(v-w) > 1e-6 {
				t.Fatalf("row %d, element %d: expected %v, found %v", row, i, w, v)
			}
		}
	}
	if broken == 0 || resets == 0 {
		t.Errorf("%d images are broken, %d steps reset", broken, resets)
	}
	// With restarts, in batches and in float32: the balls are kept to, as the benchmark measures them.
	d := attacked(t, apgd{loss: "dlr", restarts: 2}.method(), c, 3, s, points...)
	if want := int64(len(points) * 2 * 103); d.counts != (Counts{want, want}) {
		t.Errorf("expected %d passes, found %+v", want, d.counts)
	}
	for p, x := range d.images {
		if size := s.Size(x, point(p).Image); size > eps*(1+1e-6) {
			t.Errorf("point %d: size %v", p, size)
		}
	}
	for _, steps := range []int{1, 2, 3, 7, 1000} {
		single, err := apgd{loss: "ce"}.method().Resized(steps)
		if err != nil {
			t.Fatal(err)
		}
		if single.(method).in("l1").steps != steps+3 {
			t.Errorf("%d steps: found %d", steps, single.(method).in("l1").steps)
		}
	}
}
