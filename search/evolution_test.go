package search

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rnas/genotype"
	"rnas/internal/dataset"
	"rnas/internal/fault"
	"rnas/internal/folderlock"
	"rnas/runtime/ort"
	"rnas/runtime/ort/orttest"
)

// small is an evolution of a second.
func small(t *testing.T, objectives ...string) (Config, *dataset.Dataset) {
	t.Helper()
	c, data := tiny(t, "evolution")
	c.Super.Space, _ = genotype.LookupSpace("nas-bench-201")
	c.Evolution = Evolution{Objectives: objectives, Population: 5, Tournament: 2, Evaluations: 14}
	return c, data
}

func evaluations(t *testing.T, dir string) (all []evaluation) {
	t.Helper()
	for _, line := range bytes.Split(bytes.TrimSpace(read(t, dir, HistoryFile)), []byte("\n"))[1:] {
		var e evaluation
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

// Parents are of the youngest genotypes, children differ from them in one edge, and a cost is lowered.
func TestEvolution(t *testing.T) {
	orttest.Open(t)
	c, data := small(t, "params")
	c.Evolution.Evaluations = 200
	dir := t.TempDir()
	r, err := Run(context.Background(), c, data, dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range r.Genotype.Edges { // a cost is lowered
		if p == genotype.NorConv3x3 || p == genotype.NorConv1x1 {
			t.Errorf("found %s, expected no convolution, since fewer parameters are better", r.Genotype)
			break
		}
	}
	all := evaluations(t, dir)
	if len(all) != 200 {
		t.Fatalf("found %d evaluations", len(all))
	}
	for i, e := range all {
		if i < 5 != (e.Parent == 0) {
			t.Errorf("evaluation %d: parent %d", e.Number, e.Parent)
		}
		if e.Parent == 0 {
			continue
		}
		if e.Parent < e.Number-5 || e.Parent >= e.Number {
			t.Errorf("evaluation %d: parent %d is not among the 5 youngest", e.Number, e.Parent)
		}
		a, _ := genotype.Parse(all[e.Parent-1].Genotype)
		b, _ := genotype.Parse(e.Genotype)
		if n := differing(a, b); n != 1 {
			t.Errorf("evaluation %d: differs from its parent in %d edges", e.Number, n)
		}
	}
	if !c.Super.Space.Contains(r.Genotype) {
		t.Errorf("%s is not in the space", r.Genotype)
	}
}

// A search that is stopped, or cut off within a line as by kill -9, ends with the same history and genotype byte for byte.
func TestEvolutionTakenUp(t *testing.T) {
	orttest.Open(t)
	c, data := small(t, "combined", "params")
	whole := t.TempDir()
	want, err := Run(context.Background(), c, data, whole, Options{Runtime: ort.Options{Threads: 1}})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if _, err := Run(&countdown{t.Context(), 4}, c, data, dir, Options{}); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if n := len(evaluations(t, dir)); n == 0 || n >= 14 {
		t.Fatalf("found %d evaluations after the stop", n)
	}
	path := filepath.Join(dir, HistoryFile)
	text := read(t, path)
	for _, cut := range []int{len(text), len(text) - 9, bytes.IndexByte(text, '\n'), 5, 0} {
		if err := os.WriteFile(path, text[:cut], 0o644); err != nil {
			t.Fatal(err)
		}
		r, err := Run(context.Background(), c, data, dir, Options{Runtime: ort.Options{Threads: 2}})
		if err != nil {
			t.Fatal(err)
		}
		if r.Genotype.String() != want.Genotype.String() {
			t.Errorf("cut at %d: found %s, expected %s", cut, r.Genotype, want.Genotype)
		}
		for _, name := range []string{HistoryFile, GenotypeFile, FrontFile, PlotFile} {
			if !bytes.Equal(read(t, dir, name), read(t, whole, name)) {
				t.Errorf("cut at %d: %s differs", cut, name)
			}
		}
	}
	front := strings.Split(strings.TrimSpace(string(read(t, dir, FrontFile))), "\n")
	if !strings.Contains(front[0], want.Genotype.String()) || strings.Count(string(read(t, dir, PlotFile)), `class="front"`) != len(front) {
		t.Errorf("found the front\n%s", strings.Join(front, "\n"))
	}

	other := c
	other.Seed++
	if _, err := Run(context.Background(), other, data, dir, Options{}); !fault.IsInput(err) || !strings.Contains(err.Error(), HistoryFile+": the history is of another configuration: seed") {
		t.Errorf("another seed: found %v", err)
	}
	release, err := folderlock.Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if _, err := Run(context.Background(), c, data, dir, Options{}); !fault.IsInput(err) || !strings.Contains(err.Error(), "locked") {
		t.Errorf("a second process: found %v", err)
	}
}

// With a score that trains, the images that test are not those that train.
func TestEvolutionShort(t *testing.T) {
	orttest.Open(t)
	c, data := small(t, "short:0.01")
	c.Evolution.Population, c.Evolution.Tournament, c.Evolution.Evaluations = 2, 1, 3
	dir := t.TempDir()
	if _, err := Run(context.Background(), c, data, dir, Options{}); err != nil {
		t.Fatal(err)
	}
	for _, e := range evaluations(t, dir) {
		if v := float64(e.Scores[0]); !(v >= 0 && v <= 1) {
			t.Errorf("found an accuracy of %v", v)
		}
	}
}

func TestEvolutionSettings(t *testing.T) {
	for part, change := range map[string]func(*Config){
		"objectives: expected a score among": func(c *Config) { c.Evolution.Objectives = []string{"speed"} },
		"objectives: expected swap once":     func(c *Config) { c.Evolution.Objectives = []string{"swap", "swap"} },
		"population: ":                       func(c *Config) { c.Evolution.Population = 0 },
		"tournament: expected 1 to 5":        func(c *Config) { c.Evolution.Tournament = 6 },
		"evaluations: expected 5":            func(c *Config) { c.Evolution.Evaluations = 4 },
		"split: ":                            func(c *Config) { c.Split = 1 },
		"max-params, max-macs, max-latency":  func(c *Config) { c.Bounds.MACs = -1 },
		"train-channels, train-layers: ":     func(c *Config) { c.Bounds.Params = 5 },
	} {
		c, data := small(t, "combined")
		change(&c)
		if _, err := Run(context.Background(), c, data, t.TempDir(), Options{}); !fault.IsInput(err) || !strings.Contains(err.Error(), part) {
			t.Errorf("expected %q, found %v", part, err)
		}
	}
	if c, _ := tiny(t, "darts"); !slices.Equal(c.Evolution.Objectives, nil) {
		t.Errorf("darts: found %+v", c.Evolution)
	}
}
