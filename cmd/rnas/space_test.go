package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rnas/genotype"
	"rnas/runtime/ort/orttest"
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
