package attack

import (
	"math"
	"slices"
	"testing"

	"rnas/compiler/interp"
	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/compiler/program"
	"rnas/internal/tensor"
	"rnas/runtime/ort"
	"rnas/runtime/ort/orttest"
)

// fabByHand is FAB for one image, written as the code of AutoAttack is: at gives the logits and rise the functions that the
// hyperplanes come from. It stops at the first misclassified image in the ball.
func fabByHand(norm string, image, from []float64, eps float64, label int, at func(x []float64) []float64,
	rise func(x []float64) (d []float64, w [][]float64),
) (adversarial []float64, found bool) {
	length := func(x []float64) float64 { return norms[norm].size(narrow(x), make([]float32, len(x))) }
	dual := map[string]string{"linf": "l1", "l2": "l2", "l1": "linf"}[norm]
	x := make([]float64, len(image))
	for i := range x {
		x[i] = max(0, min(1, image[i]+from[i]))
	}
	for range fabSteps {
		differences, gradients := rise(x)
		best, nearest := 0, math.Inf(1)
		for k, w := range gradients {
			if d := math.Abs(differences[k]) / (1e-12 + norms[dual].size(narrow(w), make([]float32, len(w)))); d < nearest {
				best, nearest = k, d
			}
		}
		w, d := gradients[best], differences[best]
		there := d
		for i := range x {
			there += w[i] * (image[i] - x[i])
		}
		d1, d2 := projectByHand(norm, x, w, d), projectByHand(norm, image, w, there)
		a1, a2 := max(length(d1), 1e-8), max(length(d2), 1e-8)
		alpha := min(a1/(a1+a2), 0.1)
		moved := make([]float64, len(x))
		for i := range x {
			x[i] = max(0, min(1, (x[i]+1.05*d1[i])*(1-alpha)+(image[i]+1.05*d2[i])*alpha))
			moved[i] = x[i] - image[i]
		}
		z := at(x)
		if slices.Index(z, slices.Max(z)) == label {
			continue
		}
		if length(moved) <= eps {
			return x, true
		}
		for i := range x {
			x[i] = image[i] + 0.9*moved[i]
		}
	}
	return image, false
}

// differences is a program of the logits and of a difference of two of them with its gradient.
func differences(t *testing.T, c program.Classifier) *program.Program {
	t.Helper()
	b := op.NewB("differences")
	images, labels := c.Open(b, 1)
	logits := c.Logits(b, images)
	d := program.TargetedMargin(b, logits, labels, b.Input("targets", ir.Int64, 1))
	b.Output("logits", b.Identity(logits))
	b.Output("difference", d)
	b.Output("gradient", program.InputGradient(b, d, images))
	p, err := program.Finish(b)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestFAB compares the graph, in float64, with FAB by hand.
func TestFAB(t *testing.T) {
	c := convnet(t)
	two := differences(t, c)
	look := func(x []float64, label, target int64) map[string]*tensor.Tensor {
		out, err := interp.Run(two.Graph, map[string]*tensor.Tensor{
			"images": tensor.FromFloat64s(tensor.Float64, []int64{1, 3, size, size}, x),
			"labels": tensor.Vector(label), "targets": tensor.Vector(target),
		})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	successes := 0
	points := []int{0, 4}
	for norm, eps := range map[string]float64{"linf": 8. / 255, "l2": 0.3, "l1": 3} {
		for _, f := range []fab{{targeted: true}, {restarts: 2}} {
			s := Settings{Norm: norm, Epsilon: eps, Seed: 4}
			m := f.method()
			p, err := m.Program(c, len(points), s)
			if err != nil {
				t.Fatal(err)
			}
			in := inputs(m, s, 1, points...)
			targets := make([]int64, len(points))
			images, from, labels := in["images"].Float32s(), in["start"].Float32s(), in["labels"].Int64s()
			for row := range points {
				out := look(wide(images[row*elems:(row+1)*elems]), 0, 1)
				z := out["logits"].Float64s()
				labels[row] = int64(slices.Index(z, slices.Max(z)))
				targets[row] = (labels[row] + 1 + int64(row)) % 5
			}
			if targets := tensor.Vector(targets...); f.targeted {
				in["targets"] = targets
			}
			out, err := interp.Run(p.Graph, in)
			if err != nil {
				t.Fatal(err)
			}
			for row, label := range labels {
				if targets[row] == label {
					targets[row] = (label + 1) % 5
				}
				want, found := fabByHand(norm, wide(images[row*elems:(row+1)*elems]), wide(from[row*elems:(row+1)*elems]), eps, int(label),
					func(x []float64) []float64 { return look(x, 0, 1)["logits"].Float64s() },
					func(x []float64) (d []float64, w [][]float64) {
						for k := range int64(5) {
							if k != label && (!f.targeted || k == targets[row]) {
								out := look(x, label, k)
								d, w = append(d, out["difference"].Float64s()[0]), append(w, out["gradient"].Float64s())
							}
						}
						return d, w
					})
				if found {
					successes++
				}
				if (out["found"].Float64At(row) > 0.5) != found {
					t.Errorf("%s, %+v, image %d: found is %v", norm, f, row, found)
					continue
				}
				for i, w := range want {
					if v := out["adversarial"].Float64At(row*elems + i); math.Abs(v-w) > 1e-6 {
						t.Fatalf("%s, %+v, image %d, element %d: expected %v, found %v", norm, f, row, i, w, v)
					}
				}
			}
		}
	}
	if successes < 3 || successes > 9 {
		t.Errorf("%d of 12 tries succeed", successes)
	}
}

func wide(v []float32) []float64 {
	out := make([]float64, len(v))
	for i := range v {
		out[i] = float64(v[i])
	}
	return out
}

// TestNearest compares the class of the nearest hyperplane among many, for which the classifier is run again and again, with those
// of all classes.
func TestNearest(t *testing.T) {
	const classes = fabUnrolled + 3
	b := op.NewB("many")
	pooled := b.AveragePool(b.Input("input", ir.Float32, -1, 3, size, size), op.Conv2D{Kernel: [2]int64{4, 4}, Stride: 4})
	hidden := b.Tanh(b.Gemm(b.Flatten(pooled), b.NamedConst("in", random(2, 8, 12)), nil, false, true))
	b.Output("logits", b.Gemm(hidden, b.NamedConst("out", random(1, classes, 8)), nil, false, true))
	g, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	c, err := program.NewClassifier(g)
	if err != nil {
		t.Fatal(err)
	}
	images, labels := tensor.Zeros(tensor.Float32, 3, 3, size, size), []int64{0, 7, classes - 1}
	for i := range labels {
		copy(images.Float32s()[i*elems:], point(i).Image)
	}
	two := differences(t, c)
	for norm := range norms {
		b := op.NewB("nearest")
		s := scene{Classifier: c, Settings: Settings{Norm: norm}}
		s.Images, s.Labels = c.Open(b, len(labels))
		d, w := fab{}.nearest(b, s, s.Images)
		b.Output("difference", b.Identity(d))
		b.Output("gradient", b.Identity(w))
		p, err := program.Finish(b)
		if err != nil {
			t.Fatal(err)
		}
		got, err := interp.Run(p.Graph, map[string]*tensor.Tensor{"images": images, "labels": tensor.Vector(labels...)})
		if err != nil {
			t.Fatal(err)
		}
		dual := map[string]string{"linf": "l1", "l2": "l2", "l1": "linf"}[norm]
		for i, label := range labels {
			var want map[string]*tensor.Tensor
			least := math.Inf(1)
			for k := range int64(classes) {
				if k == label {
					continue
				}
				out, err := interp.Run(two.Graph, map[string]*tensor.Tensor{
					"images": tensor.Of([]int64{1, 3, size, size}, images.Float32s()[i*elems:(i+1)*elems]...),
					"labels": tensor.Vector(label), "targets": tensor.Vector(k),
				})
				if err != nil {
					t.Fatal(err)
				}
				w := norms[dual].size(narrow(out["gradient"].Float64s()), make([]float32, elems))
				if d := math.Abs(out["difference"].Float64s()[0]) / w; d < least {
					want, least = out, d
				}
			}
			if v, w := got["difference"].Float64At(i), want["difference"].Float64At(0); math.Abs(v-w) > 1e-9 {
				t.Errorf("%s, label %d: expected the difference %v, found %v", norm, label, w, v)
			}
			for j, w := range want["gradient"].Float64s() {
				if v := got["gradient"].Float64At(i*elems + j); math.Abs(v-w) > 1e-9 {
					t.Fatalf("%s, label %d, element %d: expected %v, found %v", norm, label, j, w, v)
				}
			}
		}
	}
	if n := (fab{}).method().passing(classes); n != (Counts{classes, classes - 1}) {
		t.Errorf("found %+v", n)
	}
}

// TestFABPoints checks that a point's result depends neither on its row nor on the batch, that it is in the ball and the box, the
// passes, and that starts are random but for the first.
func TestFABPoints(t *testing.T) {
	c := convnet(t)
	const steps = 25
	for _, f := range []fab{{targeted: true, steps: steps}, {restarts: 2, steps: steps}} {
		s := Settings{Norm: "l2", Epsilon: 0.1, Seed: 8}
		m := f.method()
		want := Counts{2 * 2 * steps, 2 * 4 * steps}
		if f.targeted {
			want = Counts{1 + 4*2*steps, 4 * steps}
		}
		seen := map[int][]float32{}
		for _, run := range [][]int{{0, 1, 4}, {4, 0}} {
			d := attacked(t, m, c, len(run), s, run...)
			n := int64(len(run))
			if want := (Counts{n * want.Forwards, n * want.Backwards}); d.counts != want {
				t.Errorf("%+v: expected %+v, found %+v", f, want, d.counts)
			}
			for p, x := range d.images {
				if seen[p] == nil {
					seen[p] = x
				}
				if !slices.Equal(seen[p], x) {
					t.Errorf("%+v: the image of point %d differs", f, p)
				}
				if size := s.Size(x, point(p).Image); size > 0.1*(1+1e-6) || slices.Max(x) > 1 || slices.Min(x) < 0 {
					t.Errorf("%+v, point %d: size %v", f, p, size)
				}
			}
		}
	}
}

// TestFABStart checks that the first start is the image and the second one half way to the sphere.
func TestFABStart(t *testing.T) {
	orttest.Open(t)
	c := convnet(t)
	target := Setup{Classifier: func(int) (program.Classifier, error) { return c, nil }, Batch: 1, Runtime: ort.Options{Provider: "cpu"}, Settings: Settings{Norm: "l2", Epsilon: 1}}
	compiled, err := fab{restarts: 2}.method().Compile(target)
	if err != nil {
		t.Fatal(err)
	}
	defer compiled.Close()
	r := compiled.(*runner)
	for _, try := range []int{1, 0} {
		p := point(3)
		p.Tries = try
		r.rows = []row{{Point: p}}
		r.begin(0)
		if got := sizeL2(r.engine.Input("start").Float32s(), make([]float32, elems)); math.Abs(got-0.5*float64(try)) > 1e-6 {
			t.Errorf("try %d starts at a distance of %v", try, got)
		}
	}
}
