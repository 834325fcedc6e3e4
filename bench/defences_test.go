package bench

import (
	"slices"
	"strings"
	"testing"

	"rnas/bench/attack"
	"rnas/bench/report"
	"rnas/compiler/ir"
	"rnas/compiler/op"
)

// defences wrap a classifier in ways that hide its gradient and leave it as easy to fool as it is, or nearly so.
var defences = []struct {
	name  string
	flags []string // beginnings of those that it raises
	wrap  func(b op.B, x *ir.Value, classifier func(b op.B, x *ir.Value) *ir.Value) *ir.Value
}{
	// Attacks by gradients are refused here.
	{"quantised input", []string{"cut gradient: values pass but no gradient at 1 ", "blocked gradient: none reaches"}, func(b op.B, x *ir.Value, classifier func(b op.B, x *ir.Value) *ir.Value) *ir.Value {
		return classifier(b, b.Scale(b.One("Round", nil, b.Scale(x, 32)), 1./32))
	}},
	{"scaled logits", []string{"zero gradient: at ", "saturated: ", "loss: "}, func(b op.B, x *ir.Value, classifier func(b op.B, x *ir.Value) *ir.Value) *ir.Value {
		return b.Softmax(b.Scale(classifier(b, x), 1e4), -1)
	}},
	{"noise", []string{"random: logits of "}, func(b op.B, x *ir.Value, classifier func(b op.B, x *ir.Value) *ir.Value) *ir.Value {
		return classifier(b, b.Add(x, b.One("RandomNormalLike", ir.Attrs{"scale": float32(0.1), "seed": float32(1)}, x)))
	}},
}

// TestDefences checks that three broken defences of a classifier which attacks by gradients break raise the warnings that say
// why they do not break them any more, and that the classifier raises none.
func TestDefences(t *testing.T) {
	d := images(30, classes, 0, 255)
	o := options(t, "pgd20,square")
	o.Batch, o.Settings.Epsilon = 64, 24./255
	bare := save(t, "bare", -1, convnet)
	d.Labels = predictions(t, o, d, bare)
	m := run(t, o, d, bare).Models[0]
	if left := m.Attacks[0].Robust.Robust; m.Clean.Correct != 30 || left > 20 || len(m.Warnings()) != 0 {
		t.Fatalf("%d of %d points left, warnings %v", left, m.Clean.Correct, m.Warnings())
	}
	for _, c := range defences {
		t.Run(c.name, func(t *testing.T) {
			path := save(t, "defence", -1, func(b op.B, x *ir.Value) *ir.Value { return c.wrap(b, x, convnet) })
			o := o
			if c.name == "quantised input" {
				_, err := Run(t.Context(), o, []string{path}, d)
				if err == nil || !strings.Contains(err.Error(), "attacks pgd20: no gradient passes from logits to input: cut: node ") || !strings.Contains(err.Error(), "Round: piecewise constant") {
					t.Errorf("found %v", err)
				}
				o.Attacks = o.Attacks[1:]
			}
			m := run(t, o, d, path).Models[0]
			var found []string
			for _, w := range m.Warnings() {
				found = append(found, w.Flag.String())
				if w.Meaning == "" || w.Next == "" {
					t.Errorf("no meaning of %q", w.Flag)
				}
			}
			for _, flag := range c.flags {
				if !slices.ContainsFunc(found, func(f string) bool { return strings.HasPrefix(f, flag) }) {
					t.Errorf("expected %q, found %q", flag, found)
				}
			}
			t.Logf("%d right, %d after pgd20, %d after square: %q", m.Clean.Correct, m.Attacks[0].Robust.Robust, m.Attacks[len(m.Attacks)-1].Robust.Robust, found)
		})
	}
}

// TestContradictions checks what attacks say about each other.
func TestContradictions(t *testing.T) {
	row := func(name string, robust int, parts ...report.Part) report.Attack {
		return report.Attack{Name: name, Robust: report.NewRobust(robust, 1000), Parts: parts}
	}
	part := func(name string, robust int) report.Part {
		return report.Part{Name: name, Robust: report.NewRobust(robust, 1000)}
	}
	for _, c := range []struct {
		name    string
		attacks []report.Attack
		flagged []string // attack: flag
	}{
		{"as it should be", []report.Attack{row("pgd20", 300), row("square", 400)}, nil},
		{"by 2 in 1000", []report.Attack{row("pgd20", 300), row("square", 298)}, nil},
		{"by 3 in 1000", []report.Attack{row("pgd20", 320), row("square", 297), row("fgsm", 300)}, []string{"square: it leaves 29.7%, gradients leave 30.0% (fgsm)"}},
		{"square alone", []report.Attack{row("square", 297)}, nil},
		{"part", []report.Attack{row("autoattack", 90, part("apgd-ce", 100), part("apgd-t", 100), part("fab-t", 100), part("square", 90))}, []string{"autoattack: it leaves 9.0%, gradients leave 10.0% (apgd-ce)"}},
		{"part, then more", []report.Attack{row("autoattack-plus", 80, part("apgd-ce", 100), part("apgd-dlr", 100), part("fab", 100), part("square", 90), part("apgd-t", 80), part("fab-t", 80))}, nil},
		{"beside an ensemble that has it", []report.Attack{row("autoattack", 90, part("apgd-ce", 90), part("apgd-t", 90), part("fab-t", 90), part("square", 90)), row("square", 70)}, nil},
	} {
		squareHelps(parse(t, c.attacks), c.attacks)
		var found []string
		for _, a := range c.attacks {
			for _, f := range a.Flags {
				found = append(found, strings.Replace(f.String(), "square", a.Name, 1))
			}
		}
		if !slices.Equal(found, c.flagged) {
			t.Errorf("%s: expected %q, found %q", c.name, c.flagged, found)
		}
	}

	d := images(40, classes, 0, 255)
	broken := func(n int) map[int]int {
		out := map[int]int{}
		for p := range d.Len() {
			out[p] = int(d.Labels[p])
			if p < n {
				out[p] = noClass
			}
		}
		return out
	}
	attacks := []report.Attack{{Name: "pgd100"}, {Name: "pgd20"}, {Name: "pgd100-dlr"}, {Name: "pgd7x2"}, {Name: "fgsm"}}
	s := &subject{job: &job{data: d, Options: Options{Attacks: parse(t, attacks)}}}
	s.contradictions(attacks, modelPoints{attacks: []map[int]int{broken(20), broken(30), broken(0), broken(40), broken(40)}})
	for i, a := range attacks {
		if raised := i == 0; (len(a.Flags) == 1) != raised || raised && a.Flags[0].String() != "steps: pgd100 leaves 10 points that pgd20 breaks, which leaves 0 (p = 0.002)" {
			t.Errorf("%s: found %q", a.Name, a.Flags)
		}
	}
	attacks[0].Flags = nil
	s.contradictions(attacks[:2], modelPoints{attacks: []map[int]int{broken(20), broken(24)}})
	if len(attacks[0].Flags) != 0 {
		t.Errorf("4 points are noise, found %q", attacks[0].Flags)
	}
}

// parse is the attacks of results.
func parse(t *testing.T, results []report.Attack) []attack.Attack {
	t.Helper()
	var names []string
	for _, r := range results {
		names = append(names, r.Name)
	}
	attacks, err := attack.Parse(strings.Join(names, ","))
	if err != nil {
		t.Fatal(err)
	}
	return attacks
}

// TestConstantGradient tells a linear model, whose gradient is the same everywhere, from one that hides its gradient.
func TestConstantGradient(t *testing.T) {
	s := slope{image: []float32{0.5, 0.5}, gradient: []float32{1, 2}, value: 3}
	for _, c := range []struct {
		other slope
		want  int
	}{
		{s, slopeSame},
		{slope{[]float32{1, 0.5}, []float32{1, 2}, 3.5}, slopeSame},
		{slope{[]float32{1, 0.5}, []float32{1, 2}, 3}, slopeSame | slopeBent},
		{slope{[]float32{1, 0.5}, []float32{1, 2.001}, 3.5}, 0},
	} {
		if got := s.compare(c.other); got != c.want {
			t.Errorf("%+v: expected %d, found %d", c.other, c.want, got)
		}
	}
	if got := (slope{image: []float32{0}, gradient: []float32{0}}).compare(slope{image: []float32{1}, gradient: []float32{0}}); got != 0 {
		t.Errorf("no gradient at all: found %d", got)
	}
	for _, c := range []struct {
		logits []float32
		want   bool
	}{
		{[]float32{0, 86, 0}, false},
		{[]float32{0, 88, -5}, true},
		{[]float32{87, 88, -5}, false},
		{[]float32{0, 1, 0}, true},
		{[]float32{0.5, 0.5, 0}, false},
	} {
		if saturated(c.logits) != c.want {
			t.Errorf("logits %v: expected saturated %v", c.logits, c.want)
		}
	}
}
