package bench

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"rnas/bench/attack"
)

// TestTransferOfCopies scores the images of two files of one content, keeps all images, interrupts every few batches and
// loses images on the way. It expects the result and the images of a run that was left alone, and of each copy on the other
// what the attack itself leaves.
func TestTransferOfCopies(t *testing.T) {
	d := images(40, classes, 0, 255)
	a := save(t, "a", -1, convnet)
	b := filepath.Join(filepath.Dir(a), "b.onnx")
	if err := os.WriteFile(b, contents(t, a), 0o644); err != nil {
		t.Fatal(err)
	}
	o := options(t, "pgd3")
	d.Labels = predictions(t, o, d, a)
	for p := range 9 { // wrong without attack
		d.Labels[p] = (d.Labels[p] + 1) % classes
	}
	list, err := attack.Parse("pgd3")
	if err != nil {
		t.Fatal(err)
	}
	o.Settings.Epsilon, o.Transfer, o.Dir = 2./255, &list[0], t.TempDir()
	want := timeless(run(t, o, d, a, b))
	own := want.Models[0].Attacks[0].Robust
	if own.Robust == 0 || own.Robust == want.Models[0].Clean.Correct {
		t.Fatalf("expected a model between broken and robust, found %+v", want.Models[0])
	}
	for _, row := range want.Transfer.Robust {
		if row[0] != own || row[1] != own {
			t.Errorf("expected %+v, found %+v", own, row)
		}
	}
	for i := range want.Models {
		if w := want.Models[i].Warnings(); len(w) != 0 {
			t.Errorf("found %v", w)
		}
	}

	transferred := o.Dir
	o.Images, o.Dir = true, t.TempDir()
	run(t, o, d, a, b)
	whole := o.Dir
	o.Images, o.Transfer, o.Dir = false, nil, t.TempDir()
	run(t, o, d, a, b) // keeps no images
	o.Images, o.Transfer = true, &list[0]
	second := func() func(Progress) bool {
		began := false
		return func(p Progress) bool { // at the second report of unfinished work
			before := began
			began = began || p.Done < p.Total
			return before && p.Done < p.Total
		}
	}
	got, stops := interrupted(t, o, []string{a, b}, d, second, func(stops int) {
		kept, err := filepath.Glob(filepath.Join(o.Dir, "*pgd3.*"))
		if err != nil || len(kept) == 0 {
			t.Fatalf("expected images, found %v, %v", kept, err)
		}
		if stops == 3 {
			for _, path := range kept {
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
	if !reflect.DeepEqual(timeless(got), want) {
		t.Errorf("expected\n%+v, found\n%+v", want, got)
	}
	if stops < 8 {
		t.Errorf("expected several interruptions, found %d", stops)
	}
	sameArchives(t, transferred, o.Dir, 2)
	sameArchives(t, whole, o.Dir, 4)
}
