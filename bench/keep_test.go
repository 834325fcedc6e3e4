package bench

import (
	"context"
	"errors"
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
	stops := 0
	for {
		ctx, cancel := context.WithCancel(context.Background())
		began := false
		o.Progress = func(p Progress) { // ends at the second report of unfinished work
			if began && p.Done < p.Total {
				cancel()
			}
			began = began || p.Done < p.Total
		}
		got, err := Run(ctx, o, []string{a, b}, d)
		cancel()
		if err == nil {
			if !reflect.DeepEqual(timeless(got), want) {
				t.Errorf("expected\n%+v, found\n%+v", want, got)
			}
			break
		}
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if stops++; stops > 100 {
			t.Fatal("the run makes no progress")
		}
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
	}
	if stops < 8 {
		t.Errorf("expected several interruptions, found %d", stops)
	}
	for dir, n := range map[string]int{transferred: 2, whole: 4} {
		archives, err := filepath.Glob(filepath.Join(dir, "*.npz"))
		if err != nil || len(archives) != n {
			t.Fatalf("expected %d archives, found %v, %v", n, archives, err)
		}
		for _, path := range archives {
			if name := filepath.Base(path); string(contents(t, path)) != string(contents(t, filepath.Join(o.Dir, name))) {
				t.Errorf("%s differs", name)
			}
		}
	}
}
