package main

import (
	"context"
	"testing"

	"rnas/bench/attack"
	"rnas/genotype"
	"rnas/internal/dataset"
)

// Every preset is a set of flags of rnas run that make a valid search, training and benchmark.
func TestPresets(t *testing.T) {
	data, err := dataset.Open(context.Background(), "synthetic:train=200,test=20", dataset.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range presets() {
		f := newFlagSet("run")
		var r runFlags
		r.add(f)
		for _, s := range p.settings {
			if f.Lookup(s.flag) == nil {
				t.Fatalf("%s: there is no flag --%s", p.name, s.flag)
			}
		}
		if err := applyPreset(f, p.name); err != nil {
			t.Fatalf("%s: %v", p.name, err)
		}
		if _, err := r.search.complete(data.Train); err != nil {
			t.Errorf("%s: search: %v", p.name, err)
		}
		if _, err := r.train.complete(genotype.Zoo()[0].Genotype, data.Train); err != nil {
			t.Errorf("%s: train: %v", p.name, err)
		}
		if _, err := attack.Parse(r.bench.attacks); err != nil {
			t.Errorf("%s: bench: %v", p.name, err)
		}
	}
}

func TestPresetGivesWay(t *testing.T) {
	f := newFlagSet("run")
	var r runFlags
	r.add(f)
	if err := f.Parse([]string{"--train-epochs", "3", "--seed", "7", "--eps", "4/255"}); err != nil {
		t.Fatal(err)
	}
	if err := applyPreset(f, "darts"); err != nil {
		t.Fatal(err)
	}
	if r.train.config.Epochs != 3 || r.search.config.Epochs != 50 {
		t.Errorf("expected 3 epochs of training and 50 of search, found %d and %d", r.train.config.Epochs, r.search.config.Epochs)
	}
	if r.search.config.Seed != 7 || r.train.config.Seed != 7 || r.bench.seed != 7 {
		t.Error("--seed is not the same for all steps")
	}
	if e := 4. / 255; r.search.eps.size != e || r.train.eps.size != e || r.bench.eps.size != e {
		t.Error("--eps is not the same for all steps")
	}
}
