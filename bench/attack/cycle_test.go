package attack

import (
	"math"
	"slices"
	"testing"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/compiler/program"
	"rnas/internal/tensor"
)

func TestTrail(t *testing.T) {
	var tr trail
	x := make([]float32, 2)
	for i, k := range []struct {
		v   float32
		ago int
	}{{1, 0}, {2, 0}, {1, 2}, {1, 1}, {3, 0}, {4, 0}, {5, 0}, {6, 0}, {2, 0}, {1, 6}, {0, 0}, {float32(math.Copysign(0, -1)), 0}, {0, 2}} {
		x[1] = k.v
		if ago := tr.add(x); ago != k.ago {
			t.Errorf("look %d at %v: expected one %d looks before, found %d", i, k.v, k.ago, ago)
		}
	}
	if len(tr) != cycleLooks {
		t.Errorf("expected the latest %d iterates, found %d", cycleLooks, len(tr))
	}
}

// TestCycles checks that the steps left out change no bit of an image, whether what is left is whole cycles or not.
func TestCycles(t *testing.T) {
	c := convnet(t)
	s := Settings{Norm: "linf", Epsilon: 8. / 255, Seed: 4}
	points := []int{0, 1, 2, 3, 4, 5, 6}
	for _, name := range []string{"pgd50", "pgd97", "pgd101-marginx2", "pgd100-t"} {
		m := stageOf(t, name).(method)
		if !m.repeats(c.Graph) {
			t.Fatalf("%s: a step depends on the image alone, but no cycles are looked for", name)
		}
		found := attacked(t, m, c, 3, s, points...)
		m.memoryless = false
		all := attacked(t, m, c, 3, s, points...)
		if found.counts.Forwards >= all.counts.Forwards || found.counts.Backwards >= all.counts.Backwards {
			t.Errorf("%s: expected fewer passes than %+v, found %+v", name, all.counts, found.counts)
		}
		for _, p := range points {
			if !slices.Equal(found.images[p], all.images[p]) {
				t.Errorf("%s: the image of point %d is another one without steps left out", name, p)
			}
		}
	}
}

// TestFixedPoint has the steps that the attack of a linear model of two classes takes. The sign of its gradient never changes, so
// every pixel is at its bound after the 8 steps of eps/4 that cross the ball, and stays: looks after 8 and 12 steps find the same
// image. Of the 89 steps left, 88 are whole runs.
func TestFixedPoint(t *testing.T) {
	b := op.NewB("linear")
	w := tensor.Zeros(tensor.Float32, 2, elems)
	for i := range elems {
		w.Float32s()[i] = float32(i%7-3) / 100
	}
	b.Output("logits", b.Gemm(b.Flatten(b.Input("input", ir.Float32, -1, 3, size, size)), b.NamedConst("w", w), nil, false, true))
	g, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	c, err := program.NewClassifier(g)
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{points: []int{0, 1, 2}, image: func(index int) Point {
		p := point(index)
		p.Label %= 2
		return p
	}}
	work(t, stageOf(t, "pgd101"), c, 2, Settings{Norm: "linf", Epsilon: 8. / 255, Seed: 4}, d)
	if want := (Counts{3 * 13, 3 * 13}); d.counts != want {
		t.Errorf("expected %+v, found %+v", want, d.counts)
	}
}

// TestRepeats checks that no steps are left out where a step depends on more than the image: momentum, the number of the
// step, random numbers of the model, be it in a branch.
func TestRepeats(t *testing.T) {
	steady := convnet(t).Graph
	for name, want := range map[string]bool{"pgd100": true, "cw": true, "fgsm": true, "mifgsm": false, "apgd-ce": false, "deepfool": false} {
		if repeats := stageOf(t, name).(method).repeats(steady); repeats != want {
			t.Errorf("%s: expected %v", name, want)
		}
	}
	for name, noisy := range map[string]func(b op.B, x *ir.Value) *ir.Value{
		"node": func(b op.B, x *ir.Value) *ir.Value { return b.One("RandomUniformLike", nil, x) },
		"loop": func(b op.B, x *ir.Value) *ir.Value {
			return b.Loop("loop", 2, []*ir.Value{x}, func(b op.B, _ *ir.Value, v []*ir.Value) []*ir.Value {
				return []*ir.Value{b.One("Bernoulli", nil, v[0])}
			})[0]
		},
	} {
		b := op.NewB(name)
		b.Output("y", noisy(b, b.Input("x", ir.Float32, 1, 2)))
		g, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		if stageOf(t, "pgd100").(method).repeats(g) {
			t.Errorf("%s: random numbers are not seen", name)
		}
	}
}
