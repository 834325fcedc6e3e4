package bench

import (
	"context"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"rnas/bench/attack"
	"rnas/bench/report"
	"rnas/compiler/ir"
	"rnas/compiler/op"
)

func TestFlags(t *testing.T) {
	d := images(30, classes, 0, 255)
	for _, c := range []struct {
		name  string
		flags []string // expected beginnings
		body  func(b op.B, x *ir.Value) *ir.Value
	}{
		{"plain", nil, linear(classes)},
		{"softmax", nil, func(b op.B, x *ir.Value) *ir.Value { return b.Softmax(linear(classes)(b, x), -1) }}, // left out
		{"softmax by hand", []string{"softmax:"}, func(b op.B, x *ir.Value) *ir.Value {
			e := b.Exp(linear(classes)(b, x))
			return b.Div(e, b.ReduceSum(e, true, 1))
		}},
		{"dead", []string{"zero gradient: at ", "loss: "}, func(b op.B, x *ir.Value) *ir.Value { // Relu(x-2) is 0 on all images
			return linear(classes)(b, b.Relu(b.Sub(x, b.Float(x, 2))))
		}},
		{"saturated", []string{"zero gradient: at ", "saturated: ", "loss: "}, func(b op.B, x *ir.Value) *ir.Value { // the softmax rounds to 0 and 1
			return b.Scale(linear(classes)(b, x), 1e6)
		}},
		{"rounded", []string{"straight-through gradient: at 1 "}, func(b op.B, x *ir.Value) *ir.Value {
			s := b.Float(x, 1./255)
			return linear(classes)(b, b.One("DequantizeLinear", nil, b.One("QuantizeLinear", nil, x, s), s))
		}},
		{"cut", []string{"cut gradient: values pass but no gradient at 1 ", "constant gradient: "}, func(b op.B, x *ir.Value) *ir.Value {
			return linear(classes)(b, b.Add(x, b.One("Round", nil, x)))
		}},
		{"nan", []string{"nan: logits of 30 of 30 images"}, func(b op.B, x *ir.Value) *ir.Value {
			return linear(classes)(b, b.Sqrt(b.Sub(x, b.Float(x, 2))))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := run(t, options(t, "pgd2"), d, save(t, c.name, -1, c.body)).Models[0].Attacks[0]
			ok := len(a.Flags) == len(c.flags)
			for i := range c.flags {
				ok = ok && strings.HasPrefix(a.Flags[i].String(), c.flags[i])
			}
			if !ok {
				t.Errorf("expected flags %q, found %q", c.flags, a.Flags)
			}
			if strings.HasPrefix(c.name, "nan") && a.Robust.Robust != 0 {
				t.Errorf("expected no robust points, found %d", a.Robust.Robust)
			}
		})
	}
}

// cheat is an attack whose results are not admissible in three ways.
type cheat struct{}

func (cheat) Key() string                                 { return "cheat" }
func (cheat) Gradients() bool                             { return true }
func (cheat) Supports(attack.Settings, int64) error       { return nil }
func (cheat) Compile(attack.Setup) (attack.Runner, error) { return cheat{}, nil }
func (cheat) Close() error                                { return nil }

func (cheat) Run(_ context.Context, w attack.Work) error {
	for {
		points := w.Next(7)
		if len(points) == 0 {
			return nil
		}
		var attempts []attack.Attempt
		for _, p := range points {
			x := slices.Clone(p.Image)
			switch p.Index % 3 {
			case 0:
				for i := range x {
					x[i] = 1 - x[i] // outside the ball
				}
			case 1:
				x[0] = float32(math.NaN())
			case 2:
				x[slices.Index(x, 0)] = -1e-3 // outside the box, inside the ball
			}
			attempts = append(attempts, attack.Attempt{Point: p, Adversarial: x, Over: true, Last: true})
		}
		if _, err := w.Judge(attempts); err != nil {
			return err
		}
	}
}

// TestInadmissible checks that images which break the rules do not count as successes.
func TestInadmissible(t *testing.T) {
	d := images(30, classes, 0, 3) // every image has pixels 0
	o := options(t, "clean")
	o.Attacks = []attack.Attack{{Name: "cheat", Parts: []attack.Part{{Name: "cheat", Stages: []attack.Stage{cheat{}}}}}}
	m := run(t, o, d, save(t, "linear", -1, linear(classes))).Models[0]
	a := m.Attacks[0]
	if m.Clean.Correct == 0 || a.Robust.Robust != m.Clean.Correct || !slices.ContainsFunc(a.Flags, func(f report.Flag) bool {
		return f.Kind == report.FlagInvalid && strings.HasPrefix(f.Detail, strconv.Itoa(m.Clean.Correct)+" ")
	}) {
		t.Errorf("expected %d survivors and a flag, found %+v", m.Clean.Correct, a)
	}
	if a.Norm != "linf" || m.WorstCase != report.NewRobust(m.Clean.Correct, 30) {
		t.Errorf("found %+v", m)
	}
}

func TestLogitChecks(t *testing.T) {
	nan := float32(math.NaN())
	for _, c := range []struct {
		logits        []float32
		prediction    int
		probabilities bool
	}{
		{[]float32{1, 3, 3}, 1, false},
		{[]float32{0.25, 0.25, 0.5}, 2, true},
		{[]float32{-1, 1, 1}, 1, false},
		{[]float32{nan, 1, 2}, noClass, false},
		{[]float32{1, 2, nan}, noClass, false},
		{[]float32{1, float32(math.Inf(1)), 0}, 1, false},
		{[]float32{0, 0, 1}, 2, true},
	} {
		if p, q := predict(c.logits), probabilities(c.logits); p != c.prediction || q != c.probabilities {
			t.Errorf("%v: expected %d and %v, found %d and %v", c.logits, c.prediction, c.probabilities, p, q)
		}
	}
	for _, c := range []struct {
		a, b []float32
		want bool
	}{
		{[]float32{1, 2}, []float32{1, 2}, false},
		{[]float32{1, 2}, []float32{1.00001, 2}, false},
		{[]float32{1, 2}, []float32{1.01, 2}, true},
		{[]float32{0, 0}, []float32{0, 0}, false},
		{[]float32{0, 0}, []float32{0, 1}, true},
		{[]float32{nan, 0}, []float32{nan, 1}, false},
		{[]float32{nan, 0}, []float32{0, 1}, true},
	} {
		if got := differ(c.a, c.b); got != c.want {
			t.Errorf("%v and %v: expected %v, found %v", c.a, c.b, c.want, got)
		}
	}
}
