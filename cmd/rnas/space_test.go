package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rnas/genotype"
	"rnas/runtime/ort/orttest"
	"rnas/search"
)

// A search in each kind of space, and what follows it: training, export, verification, drawing.
func TestSpaces(t *testing.T) {
	orttest.Open(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "space.json")
	if err := os.WriteFile(file, []byte(`{"primitives": ["none", "skip_connect", "sep_conv_3x3"], "nodes": 2, "edges_per_node": 3}`), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, spec := range map[string]string{"bench": "nas-bench-201", "file": file} {
		at := func(part string) string { return filepath.Join(dir, name, part) }
		if err := os.Mkdir(at(""), 0o755); err != nil {
			t.Fatal(err)
		}
		search := []string{"search", "--data", tinyData, "--space", spec, "--channels", "2", "--layers", "3", "--batch", "8", "--epochs", "1", "--steps", "2"}
		text, _ := succeed(t, with(search, "--out", at("s"))...)
		g, err := genotype.Load(filepath.Join(at("s"), "genotype.json"))
		if err != nil || text != g.String()+"\n" {
			t.Fatalf("%s: printed %q, found %s, %v", spec, text, g, err)
		}
		if space, err := genotype.LookupSpace(spec); err != nil || !space.Contains(g) {
			t.Errorf("%s: found %s, which is not in it, %v", spec, g, err)
		}
		succeed(t, with(append([]string{"train"}, tinyTrain...), "--genotype", filepath.Join(at("s"), "genotype.json"), "--out", at("t"))...)
		model := at("model.onnx")
		succeed(t, "export", "--weights", filepath.Join(at("t"), "weights.safetensors"), "--out", model)
		succeed(t, "verify", model)
		succeed(t, "inspect", model, "--draw", at("cells.svg"))
		if drawn := string(content(t, at("cells.svg"))); !strings.Contains(drawn, "</svg>") {
			t.Errorf("%s: drawing %q", spec, drawn)
		}
		if out, _ := succeed(t, "inspect", at("s")); !strings.Contains(out, g.String()) {
			t.Errorf("%s: expected %s, found\n%s", spec, g, out)
		}
	}
}

// What does not fit a space is told before the search.
func TestSpaceErrors(t *testing.T) {
	orttest.Open(t)
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.json")
	if err := os.WriteFile(bad, []byte(`{"primitives": ["conv"], "nodes": 1}`), 0o644); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "out")
	search := with(append([]string{"search"}, "--data", tinyData, "--batch", "8"), "--out", out)
	for _, c := range []struct {
		args []string
		want string
	}{
		{with(search, "--space", "nasbench"), `--space: expected darts, nas-bench-201 or a JSON file, found "nasbench"`},
		{with(search, "--space", bad), `--space: ` + bad + `: primitives: expected some of`},
		{with(search, "--space", "nas-bench-201", "--nodes", "4"), "nodes: expected 3 in the form nb201, found 4"},
		{with(search, "--space", "nas-bench-201", "--layers", "8"), "8 layers: networks of NAS-Bench-201 have as many cells in each of 3 stages"},
		{
			[]string{"run", "--data", tinyData, "--space", "nas-bench-201", "--out", out},
			"5 layers: networks of NAS-Bench-201 have as many cells in each of 3 stages",
		},
	} {
		status, _, message := rnas(t, c.args...)
		if status != statusUsage || !strings.Contains(message, c.want) {
			t.Errorf("%v: status %d, expected %q, found %q", c.args, status, c.want, message)
		}
		if _, err := os.Stat(filepath.Join(out, "search")); err == nil {
			t.Errorf("%v: a search was begun", c.args)
		}
	}
}

// Evolution for several objectives leaves a front, and its flags and the bounds are told when they cannot be.
func TestSearchEvolution(t *testing.T) {
	orttest.Open(t)
	dir := t.TempDir()
	common := []string{"search", "--method", "evolution", "--space", "nas-bench-201", "--channels", "2", "--batch", "4", "--population", "4", "--tournament", "2", "--evaluations", "8", "--data", "synthetic:size=16,train=40,test=10"}
	out, _ := succeed(t, append(slices.Clone(common), "--objectives", "balanced,params", "--max-params", "40000", "--train-channels", "4", "--train-layers", "3", "--out", filepath.Join(dir, "a"))...)
	if g, err := genotype.Parse(strings.TrimSpace(out)); err != nil || g.Form != genotype.NASBench201 {
		t.Errorf("found %q and %v", out, err)
	}
	for _, name := range []string{search.HistoryFile, search.FrontFile, search.PlotFile, search.GenotypeFile} {
		if _, err := os.Stat(filepath.Join(dir, "a", name)); err != nil {
			t.Error(err)
		}
	}
	for _, c := range []struct{ args, want string }{
		{"--max-params 10", "--max-params: expected at most 10; even |"},
		{"--score swap --objectives swap,params", "--score, --objectives: expected one of them, found both"},
		{"--repeats 0", "--repeats: expected at least 1, found 0"},
		{"--score speed", "objectives: expected a score among "},
		{"--tournament 9", "tournament: expected 1 to 4, the population, found 9"},
	} {
		status, _, err := rnas(t, append(append(slices.Clone(common), "--out", filepath.Join(dir, "b")), strings.Fields(c.args)...)...)
		if status != statusUsage || !strings.Contains(err, "rnas: search: "+c.want) {
			t.Errorf("%s: status %d, %s", c.args, status, err)
		}
	}
}
