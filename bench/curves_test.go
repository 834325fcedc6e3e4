package bench

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rnas/bench/adapt"
	"rnas/bench/report"
	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/dataset"
)

// TestCurves checks both curves of a network against attacks that are run by themselves, and that points of the curves
// which are among the attacks are not run again.
func TestCurves(t *testing.T) {
	d := images(50, classes, 0, 255)
	model := save(t, "convnet", -1, convnet)
	o := options(t, "pgd20")
	o.Settings.Epsilon = 2. / 255
	o.Batch, o.Curves, o.Dir = 64, true, t.TempDir()
	runs := map[string]int{}
	o.Progress = func(p Progress) {
		if p.Done == 0 {
			runs[p.Task]++
		}
	}
	m := run(t, o, d, model).Models[0]
	if len(m.Curves) != 2 {
		t.Fatalf("found %+v", m.Curves)
	}
	radii, steps := m.Curves[0], m.Curves[1]
	if radii.Attack != "pgd20" || radii.Over != "eps" || len(radii.Points) != 6 || len(radii.Flags) != 0 {
		t.Errorf("found %+v", radii)
	}
	if steps.Attack != "pgdK" || steps.Over != "steps" || len(steps.Points) != 7 || len(steps.Flags) != 0 {
		t.Errorf("found %+v", steps)
	}
	if p := radii.Points[0]; p.Eps != 0 || p.Robust.Robust != m.Clean.Correct {
		t.Errorf("expected the clean accuracy at eps 0, found %+v", p)
	}
	if a := m.Attacks[0].Robust; radii.Points[3].Robust != a || steps.Points[4].Robust != a {
		t.Errorf("expected %+v in both curves, found %+v and %+v", a, radii.Points[3], steps.Points[4])
	}
	if runs["pgd20"] != 5 || runs["pgd100"] != 1 { // at 5 radii; the one of the attack itself is in both curves too
		t.Errorf("found runs %v", runs)
	}
	seconds := m.Attacks[0].Seconds
	if again := run(t, o, d, model).Models[0]; again.Attacks[0].Seconds != seconds || !slices.Equal(again.Curves[1].Points, steps.Points) {
		t.Errorf("another run is not the same: %+v", again)
	}

	o.Curves, o.Dir = false, ""
	o.Attacks, o.Settings.Epsilon = options(t, "pgd20").Attacks, 8./255
	if a := run(t, o, d, model).Models[0].Attacks[0]; radii.Points[5].Eps != 8./255 || radii.Points[5].Robust != a.Robust {
		t.Errorf("eps 8/255: expected %+v, found %+v", a.Robust, radii.Points[5])
	}
	o.Attacks, o.Settings.Epsilon = options(t, "pgd2").Attacks, 2./255
	if a := run(t, o, d, model).Models[0].Attacks[0]; steps.Points[1].Steps != 2 || steps.Points[1].Robust != a.Robust {
		t.Errorf("pgd2: expected %+v, found %+v", a.Robust, steps.Points[1])
	}
}

// TestCurveFlags raises the alarm for a model whose gradient leads nowhere, at every radius.
func TestCurveFlags(t *testing.T) {
	d := images(60, classes, 0, 255)
	o := options(t, "clean")
	o.Curves, o.Batch, o.Dir = true, 64, t.TempDir()
	path := save(t, "dead", -1, func(b op.B, x *ir.Value) *ir.Value { // logits favour the label of all images with it, whatever the pixels
		return b.Scale(linear(classes)(b, x), 1e6)
	})
	d.Labels = predictions(t, o, d, path)
	m := run(t, o, d, path).Models[0]
	flags := m.Curves[0].Flags
	if m.Clean.Correct != 60 || len(flags) != 1 || flags[0].Kind != report.FlagEps || !strings.HasPrefix(flags[0].Detail, "accuracy ") {
		t.Errorf("found %+v with %d right", m.Curves[0], m.Clean.Correct)
	}
	text := string(contents(t, filepath.Join(o.Dir, "result.md")))
	if !strings.Contains(text, "accuracy against eps: "+flags[0].String()) {
		t.Errorf("result.md does not tell: %s", text)
	}
}

// TestFalls checks when a rise counts as noise: by McNemar's test on the same points.
func TestFalls(t *testing.T) {
	mask := func(n, from, to int) []bool {
		m := make([]bool, n)
		for i := from; i < to; i++ {
			m[i] = true
		}
		return m
	}
	for _, c := range []struct {
		name   string
		robust [][]bool
		want   []string
	}{
		{"falls", [][]bool{mask(100, 0, 60), mask(100, 0, 40), mask(100, 0, 40)}, nil},
		{"noise", [][]bool{mask(100, 0, 60), mask(100, 0, 40), mask(100, 0, 47)}, nil},          // 7 to 0: p = 0.016
		{"rises", [][]bool{mask(100, 0, 60), mask(100, 0, 40), mask(100, 0, 50)}, []string{""}}, // 10 to 0: p = 0.002
		{"other points", [][]bool{mask(100, 0, 40), mask(100, 35, 80)}, nil},                    // 40 to 35
	} {
		x := curve{kind: report.FlagSteps, of: report.Curve{Over: "steps"}, robust: c.robust}
		for i, r := range c.robust {
			n := 0
			for _, ok := range r {
				if ok {
					n++
				}
			}
			x.of.Points = append(x.of.Points, report.CurvePoint{Steps: i + 1, Robust: report.NewRobust(n, len(r))})
		}
		x.falls()
		if len(x.of.Flags) != len(c.want) {
			t.Errorf("%s: found %q", c.name, x.of.Flags)
		}
		if c.want != nil && x.of.Flags[0].String() != "steps: accuracy rises from 40.0% at 2 steps to 50.0% at 3 steps (p = 0.002)" {
			t.Errorf("%s: found %q", c.name, x.of.Flags)
		}
	}
}

// predictions are those of a model on clean images.
func predictions(t *testing.T, o Options, d *dataset.Dataset, path string) []int32 {
	t.Helper()
	m, err := openModel(path, d, o.Batch, adapt.Flags{}, o.Runtime)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	s := (&job{Options: o, data: d}).subject(m)
	labels := make([]int32, d.Len())
	for p := range labels {
		s.fill([]int{p})
		logits, err := m.logits(s.images)
		if err != nil {
			t.Fatal(err)
		}
		labels[p] = int32(predict(logits[:m.classes]))
	}
	return labels
}
