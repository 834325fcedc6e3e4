package bench

import (
	"context"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rnas/bench/report"
)

// shownOf is the part of report.html without times: galleries and matrices.
func shownOf(t *testing.T, dir string) string {
	t.Helper()
	_, page, ok := strings.Cut(string(contents(t, filepath.Join(dir, "report.html"))), `<section class="gallery">`)
	page, _, cost := strings.Cut(page, `<section id="cost">`)
	if !ok || !cost {
		t.Fatal("the report has no gallery")
	}
	return page
}

// TestGallery expects the same examples for every batch size and after an interruption, images as the attack made them
// and predictions as the points say.
func TestGallery(t *testing.T) {
	d := images(60, classes, 0, 255)
	model := save(t, "convnet", -1, convnet)
	o := options(t, "fgsm,pgd5")
	o.Settings.Epsilon = 2. / 255
	o.Dir = t.TempDir()
	run(t, o, d, model)
	want := shownOf(t, o.Dir)
	if broken, all := strings.Count(want, ", broken"), strings.Count(want, "<img"); broken == 0 || broken == 8 || all != 24 {
		t.Fatalf("expected 8 examples of both kinds, found %d broken and %d images", broken, all)
	}

	o.Batch, o.Dir = 7, t.TempDir()
	run(t, o, d, model)
	if shownOf(t, o.Dir) != want {
		t.Error("another batch size shows something else")
	}

	o.Batch, o.Dir = 8, t.TempDir()
	for calls := 12; ; calls += 12 {
		ctx, cancel := context.WithCancel(context.Background())
		left := calls
		o.Progress = func(Progress) {
			if left--; left == 0 {
				cancel()
			}
		}
		_, err := Run(ctx, o, []string{model}, d)
		cancel()
		if err == nil {
			break
		}
		if calls > 1000 {
			t.Fatal(err)
		}
	}
	if shownOf(t, o.Dir) != want {
		t.Error("a resumed run shows something else")
	}
}

func TestShown(t *testing.T) {
	image := []float32{0, 1, float32(math.Pi), math.SmallestNonzeroFloat32}
	s := newShown(3, image)
	if s.Point != 3 || !slices.Equal(s.pixels(4), image) {
		t.Errorf("found %v", s.pixels(4))
	}
	if s.pixels(3) != nil || s.pixels(5) != nil {
		t.Error("expected no image of another size")
	}
}

func TestConfidence(t *testing.T) {
	for _, c := range []struct {
		logits []float32
		class  int
		want   float64
	}{
		{[]float32{0, 0}, 0, 0.5},
		{[]float32{float32(math.Log(3)), 0, 0}, 0, 0.6},
		{[]float32{float32(math.Log(3)), 0, 0}, 2, 0.2},
		{[]float32{1e30, 0}, 0, 1},
		{[]float32{1e30, 0}, 1, 0},
		{[]float32{0.25, 0.5, 0.25}, 1, 0.5}, // probabilities already
	} {
		if got := confidence(c.logits, c.class); math.Abs(got-c.want) > 1e-6 {
			t.Errorf("%v at %d: expected %v, found %v", c.logits, c.class, c.want, got)
		}
	}
}

// TestOutcomes follows four points of labels 0, 1, 1, 0 through two attacks.
func TestOutcomes(t *testing.T) {
	d := images(4, 2, 0, 255)
	d.Labels = []int32{0, 1, 1, 0}
	list := options(t, "fgsm,pgd2").Attacks
	a := modelPoints{data: d, path: "a", clean: map[int]int{0: 0, 1: 1, 2: 1, 3: 1}, attacks: []map[int]int{{0: 0, 1: 0, 2: 1}, {0: 0, 1: 1, 2: noClass}}}
	b := modelPoints{data: d, path: "b", clean: map[int]int{0: 0, 1: 1, 2: 0, 3: 0}, attacks: []map[int]int{{0: 1, 1: 1, 3: 0}, {0: 0, 1: 1, 3: 0}}}
	if got, want := a.worst(d.Labels), []int{0, 0, noClass, 1}; !slices.Equal(got, want) {
		t.Errorf("worst: expected %v, found %v", want, got)
	}
	c := a.confusion(d)
	if !slices.EqualFunc(c.Clean, [][]int{{1, 1}, {0, 2}}, slices.Equal) || !slices.EqualFunc(c.Worst, [][]int{{1, 1}, {1, 0}}, slices.Equal) {
		t.Errorf("found %+v", c)
	}
	want := []report.Comparison{
		{First: "a", Second: "b", Attack: "clean", FirstOnly: 1, SecondOnly: 1, Both: 2, P: 1},
		{First: "a", Second: "b", Attack: "fgsm", FirstOnly: 2, SecondOnly: 2, Both: 0, P: 1},
		{First: "a", Second: "b", Attack: "pgd2", FirstOnly: 0, SecondOnly: 1, Both: 2, P: 1},
		{First: "a", Second: "b", Attack: "worst_case", FirstOnly: 1, SecondOnly: 2, Both: 0, P: 1},
	}
	if got := compare(list, d, []modelPoints{a, b}); !slices.Equal(got, want) {
		t.Errorf("expected\n%+v\nfound\n%+v", want, got)
	}
}
