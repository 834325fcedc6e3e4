package bench

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"rnas/bench/adapt"
	"rnas/bench/report"
	"rnas/runtime/ort"
)

// TestAgree compares two ways to run a model on the CPU: the same one, and one that rounds differently.
func TestAgree(t *testing.T) {
	o := options(t, "clean")
	first := ort.Options{Provider: "cpu", Threads: 1}
	other := ort.Options{Provider: "cpu", Threads: 2, Optimize: ort.LevelOff}
	path := save(t, "convnet", -1, convnet)
	for _, n := range []int{100, 13} { // whole batches, and a part of one
		d := images(n, classes, 0, 255)
		same, err := agree(path, d, o.Batch, adapt.Flags{}, first, first)
		if err != nil || same.Largest != 0 || same.Differ != 0 || same.Points != min(n, probePoints) || same.Logit == 0 {
			t.Errorf("found %+v, %v", same, err)
		}
		near, err := agree(path, d, o.Batch, adapt.Flags{}, first, other)
		if err != nil || near.Largest > 1e-5*near.Logit || near.Differ != 0 || near.Logit != same.Logit {
			t.Errorf("found %+v, %v", near, err)
		}
	}

	nan := float32(math.NaN())
	a := report.Agreement{Points: 3}
	judge(&a, []float32{1, 2, 3, -7, nan, 0}, []float32{1, 2.5, 2, 3, 0, 0}, 2)
	if want := (report.Agreement{Points: 3, Largest: 10, Logit: 7, Differ: 2}); a != want {
		t.Errorf("expected %+v, found %+v", want, a)
	}
	inf := float32(math.Inf(1))
	a = report.Agreement{Points: 2}
	judge(&a, []float32{inf, 1, inf, 2}, []float32{inf, 1.5, 3, 2}, 2)
	if want := (report.Agreement{Points: 2, Largest: 0.5, Logit: 2}); a.Largest != want.Largest || a.Logit != want.Logit {
		t.Errorf("infinite logits: expected %+v, found %+v", want, a)
	}
}

// TestProviders measures two models with two options of the runtime, which stand for two providers.
func TestProviders(t *testing.T) {
	d := images(30, classes, 0, 255)
	o := options(t, "fgsm")
	o.Runtime = ort.Options{Provider: "cpu", Threads: 1}
	paths := []string{save(t, "linear", -1, linear(classes)), save(t, "convnet", -1, convnet)}
	want := run(t, o, d, paths...)
	if want.Agreements != nil || want.Models[0].Provider != "" {
		t.Errorf("one provider: found %+v", want)
	}
	o.Others = []ort.Options{{Provider: "cpu", Threads: 2}}
	j := &job{Options: o, data: d, digest: d.Digest(), progress: &progress{}}
	got := &report.Result{Provider: "cpu"}
	points, _, err := j.measureAll(t.Context(), paths, got)
	if err != nil || got.Provider != "cpu,cpu" || len(got.Models) != 4 || len(got.Agreements) != 2 || points[3].path != paths[1]+" (cpu)" {
		t.Fatalf("found %+v, %v", got, err)
	}
	for i := range got.Models {
		m := got.Models[i]
		if m.Provider != "cpu" || m.Attacks[0].Robust != want.Models[i%2].Attacks[0].Robust {
			t.Errorf("model %d: found %+v", i, m)
		}
	}
	if !reflect.DeepEqual(points[0].clean, points[2].clean) {
		t.Error("predictions differ")
	}
	j.Others = append(j.Others, ort.Options{Provider: "abacus"})
	if _, _, err := j.measureAll(t.Context(), paths, &report.Result{}); err == nil || !strings.Contains(err.Error(), "provider abacus: ") {
		t.Errorf("expected an error about abacus, found %v", err)
	}
	j.Others[1] = ort.Options{Provider: "cpu", Threads: 2, Optimize: ort.LevelOff}
	got = &report.Result{}
	if _, _, err := j.measureAll(t.Context(), paths, got); err != nil || len(got.Models) != 6 || len(got.Agreements) != 6 {
		t.Errorf("expected 3 pairs of 2 models, found %+v, %v", got.Agreements, err)
	}
	if _, err := Run(t.Context(), o, paths, d); err == nil || err.Error() != "providers to compare: expected others than cpu" {
		t.Errorf("found %v", err)
	}
}
