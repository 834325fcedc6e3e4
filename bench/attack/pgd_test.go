package attack

import (
	"math"
	"testing"

	"rnas/compiler/interp"
	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/compiler/program"
	"rnas/internal/tensor"
)

// TestPGDCriterion has the losses of cw and of pgdK-t and their gradients by hand: that of cw is zero once the margin exceeds
// the confidence.
func TestPGDCriterion(t *testing.T) {
	z := []float64{1, 4, 2, 3, -60, 0, 10, -5}
	for _, k := range []struct {
		name     string
		value    [2]float64
		gradient [8]float64
	}{
		// The label of both rows is 0: the margins are 3 and 70.
		{"cw", [2]float64{3 - 50, 0}, [8]float64{-1, 1}},
		// Towards class 2.
		{"pgd5-t", [2]float64{1, 70}, [8]float64{-1, 0, 1, 0, -1, 0, 1}},
	} {
		m := stageOf(t, k.name).(method)
		if m.targeted != (k.name != "cw") {
			t.Errorf("%s: targeted is %v", k.name, m.targeted)
		}
		p := pgd{loss: "margin", targeted: m.targeted}
		if !m.targeted {
			p.confidence = 50
		}
		b := op.NewB("criterion")
		logits := b.Input("logits", ir.Float64, 2, 4)
		s := scene{Labels: b.Input("labels", ir.Int64, 2), Targets: b.Input("targets", ir.Int64, 2)}
		value := p.criterion(s)(b, logits)
		b.Output("value", value)
		b.Output("gradient", program.InputGradient(b, value, logits))
		g, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		out, err := interp.Run(g, map[string]*tensor.Tensor{
			"logits": tensor.Of([]int64{2, 4}, z...), "labels": tensor.Vector[int64](0, 0), "targets": tensor.Vector[int64](2, 2),
		})
		if err != nil {
			t.Fatal(err)
		}
		for i, w := range k.value {
			if v := out["value"].Float64At(i); math.Abs(v-w) > 1e-12 {
				t.Errorf("%s: expected the loss %v, found %v", k.name, w, v)
			}
		}
		for i, w := range k.gradient {
			if v := out["gradient"].Float64At(i); math.Abs(v-w) > 1e-12 {
				t.Errorf("%s, logit %d: expected the derivative %v, found %v", k.name, i, w, v)
			}
		}
	}
}

// TestTargetedPGD counts the tries of each target and restart, and checks that each target comes closer.
func TestTargetedPGD(t *testing.T) {
	c := convnet(t)
	s := Settings{Norm: "linf", Epsilon: 4. / 255, Seed: 3}
	d := attacked(t, stageOf(t, "pgd3-tx2"), c, 2, s, 0, 1, 2)
	if want := (Counts{3 * (1 + 2*4*3), 3 * 2 * 4 * 3}); d.counts != want {
		t.Errorf("expected %+v, found %+v", want, d.counts)
	}
	m := stageOf(t, "pgd4-t").(method)
	p, err := m.Program(c, 2, s)
	if err != nil {
		t.Fatal(err)
	}
	score, err := c.Score(2)
	if err != nil {
		t.Fatal(err)
	}
	in := inputs(m, s, 0, 5, 6)
	labels := in["labels"].Int64s()
	for target := range int64(5) {
		in["targets"] = tensor.Vector(target, target)
		out, err := interp.Run(p.Graph, in)
		if err != nil {
			t.Fatal(err)
		}
		lead := func(images *tensor.Tensor, row int) float64 {
			scored, err := interp.Run(score.Graph, map[string]*tensor.Tensor{"images": images, "labels": tensor.Vector(labels...)})
			if err != nil {
				t.Fatal(err)
			}
			z := scored["logits"].Float64s()[5*row:]
			return z[target] - z[labels[row]]
		}
		for row := range 2 {
			before, after := lead(in["images"], row), lead(out["adversarial"], row)
			if target != labels[row] && after <= before {
				t.Errorf("row %d: the lead of target %d goes from %v to %v", row, target, before, after)
			}
		}
	}
}
