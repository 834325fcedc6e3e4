package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rnas/internal/dataset"
	"rnas/internal/rng"
	"rnas/runtime/ort/orttest"
	"rnas/study"
)

// asProgram is the environment variable that makes the test binary the program.
const asProgram = "RNAS_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	os.Exit(m.Run())
}

const tinyStudy = `name: Tiny
seeds: 0-1
defaults:
  search: {channels: 2, layers: 3, nodes: 1, batch: 8, epochs: 1, steps: 2}
  train: {channels: 2, layers: 3, batch: 16, epochs: 2}
  bench: {attacks: "clean,fgsm", limit: 20}
arms:
  - {name: darts, search: {method: darts}}
  - {name: random, search: {method: random}, match: {arm: darts, within: 0.3}}
statistics: {measures: [fgsm, clean, params], reference: random, tests: [wilcoxon], goals: [{measure: clean, at_least: 2}]}
`

// studyFile writes a study with replacements, in pairs, and returns its path.
func studyFile(t *testing.T, replacements ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "study.yaml")
	if err := os.WriteFile(path, []byte(strings.NewReplacer(replacements...).Replace(tinyStudy)), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestStudy(t *testing.T) {
	orttest.Open(t)
	file, dir := studyFile(t), t.TempDir()
	args := []string{"study", file, "--data", tinyData, "--out", dir}
	out, _ := succeed(t, with(args, "--json")...)
	var s study.Summary
	if err := json.Unmarshal([]byte(out), &s); err != nil {
		t.Fatal(err)
	}
	if s.Jobs != 12 || len(s.Cells) != 4 || len(s.Measures) != 3 || s.Goals[0].Met {
		t.Errorf("found %+v", s)
	}
	for i := range 2 { // matched in parameters
		a, b := s.Cells[i].Values["params"], s.Cells[2+i].Values["params"]
		if !(b >= 0.7*a && b <= 1.3*a) {
			t.Errorf("seed %d: %v parameters, to match %v", i, b, a)
		}
	}
	out, told := succeed(t, args...)
	if strings.Contains(told, "epoch") || !strings.Contains(out, "goal: clean at least 2: darts has") {
		t.Errorf("found\n%s%s", told, out)
	}
}

// TestStudyKilled ends a study of real searches, trainings and benchmarks by SIGKILL at five random moments; it ends with the
// tables of one that was left alone.
func TestStudyKilled(t *testing.T) {
	orttest.Open(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	file, whole, dir := studyFile(t), t.TempDir(), t.TempDir()
	args := func(dir string) []string { return []string{"study", file, "--data", tinyData, "--out", dir} }
	succeed(t, args(whole)...)
	moments := rng.New(2, rng.Probe, 0, 0, 0)
	jobs := func(name string) int {
		paths, _ := filepath.Glob(filepath.Join(dir, "jobs", "*", "*", "*", name)) // the pattern is well formed
		return len(paths)
	}
	for kill := range 5 {
		child := exec.Command(self, args(dir)...)
		child.Env = append(os.Environ(), asProgram+"=1")
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		for jobs(study.JobFile) < 1+2*kill { // of 12
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Duration(moments.IntN(200)) * time.Millisecond)
		child.Process.Kill() // an error says that it has ended
		if child.Wait() == nil {
			t.Logf("the study was complete before kill %d", kill+1)
		}
	}
	succeed(t, args(dir)...)
	for _, name := range []string{"table.csv", "summary.json", "summary.md", "summary.tex", "report.html"} {
		if a, b := content(t, whole, name), content(t, dir, name); !bytes.Equal(a, b) {
			t.Errorf("%s: expected\n%s\nfound\n%s", name, a, b)
		}
	}
}

func TestStudyStops(t *testing.T) {
	orttest.Open(t)
	ctx, stop := context.WithCancel(context.Background())
	args := []string{"study", studyFile(t), "--data", tinyData, "--out", t.TempDir()}
	err := dispatch(ctx, &console{out: new(bytes.Buffer), err: &stopAt{"train epoch 1/2", stop}, words: args}, args)
	if status(err) != statusStopped || !strings.Contains(err.Error(), "study: darts/0/train: stopped in epoch") {
		t.Errorf("status %d, %v", status(err), err)
	}
	succeed(t, args...)
}

func TestBadStudies(t *testing.T) {
	orttest.Open(t)
	cells := filepath.Join("..", "..", "study", "testdata", "cells.csv")
	const lookup = "lookup: {columns: [accuracy]}\nstatistics"
	for _, c := range []struct {
		old, new string
		more     []string
		want     string
	}{
		{"method: darts", "metod: darts", nil, `:8: arm darts: search: unknown flag "metod"; see rnas help search`},
		{"method: darts", "method: dart", nil, ": arm darts: search: method: expected one of"},
		{"method: darts", "method: darts, space: moon", nil, `: arm darts: search: --space: expected`},
		{"method: darts", "method: darts, seed: 3", nil, ":8: arm darts: search: seed: expected a flag that a study leaves to its file"},
		{"{name: random, search: {method: random}", "{name: random, search: {method: rnas}", nil, ": arm random: search: match: expected the method random, found rnas"},
		{"epochs: 2}", "epochs: two}", nil, `:5: arm darts: train: invalid argument "two" for "--epochs" flag`},
		{"clean,fgsm", "clean,fgms", nil, `: arm darts: bench: --attacks:`},
		{"measures: [fgsm", "measures: [pgd20", nil, `: statistics: measures: expected some of clean, fgsm, macs, params, passes, val_accuracy, worst_case, found "pgd20"`},
		{"statistics", lookup, nil, ": lookup: expected a table by --table, found none"},
		{"statistics", strings.Replace(lookup, "accuracy", "speed", 1), []string{"--table", cells}, `: arm darts: lookup: ` + cells + `: expected a column among`},
		{"statistics", lookup, []string{"--table", "none.csv"}, "--table: open none.csv"},
		{"seeds", "seed", nil, `:2: unknown field "seed"`},
	} {
		dir := filepath.Join(t.TempDir(), "out")
		code, _, told := rnas(t, with([]string{"study", studyFile(t, c.old, c.new), "--data", tinyData, "--out", dir}, c.more...)...)
		if code != statusUsage || !strings.Contains(told, c.want) || strings.Count(told, "rnas: ") != 1 {
			t.Errorf("%s: status %d, expected %q, found\n%s", c.new, code, c.want, told)
		}
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%s: a folder was made", c.new)
		}
	}
	// Genotypes of another space are not in the table: what was found stays.
	dir := t.TempDir()
	code, _, told := rnas(t, "study", studyFile(t, "statistics", lookup), "--data", tinyData, "--out", dir, "--table", cells)
	if code != statusUsage || !strings.Contains(told, "darts/0/lookup: "+cells+": there is no row of the genotype Genotype(") {
		t.Errorf("status %d\n%s", code, told)
	}
	if _, err := os.Stat(filepath.Join(dir, "jobs", "darts", "0", "bench", "result.json")); err != nil {
		t.Error(err)
	}
}

// The studies of the documentation can be run as they stand.
func TestStudiesOfDocs(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join("..", "..", "docs", "studies", "*.yaml"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("found %v, %v", paths, err)
	}
	data, err := dataset.Open(t.Context(), "synthetic:train=5000,test=1000,size=16", dataset.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		file, err := study.ReadFile(path)
		if err != nil {
			t.Error(err)
			continue
		}
		file.Lookup = nil // without the table
		file.Statistics.Measures = nil
		s := studyStages{data: data}
		if err := study.Check(file, study.Options{Stages: s.list()}); err != nil {
			t.Errorf("%s:%v", path, err)
		}
	}
}
