package main

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"rnas/runtime/ort/orttest"
	"rnas/study"
)

// A seed of --seeds gives what the command gives with that seed.
func TestSeeds(t *testing.T) {
	orttest.Open(t)
	dir, one := t.TempDir(), t.TempDir()
	args := with([]string{"search"}, tinySearch...)
	succeed(t, with(args, "--seed", "1", "--out", one)...)
	succeed(t, with(args, "--seeds", "0-1", "--out", dir)...)
	found := filepath.Join(dir, "jobs", "rnas", "1", "search")
	for _, name := range []string{"genotype.json", "alphas.jsonl"} {
		if !bytes.Equal(content(t, one, name), content(t, found, name)) {
			t.Errorf("%s differs", name)
		}
	}
	dir, one = t.TempDir(), t.TempDir()
	args = with(with([]string{"train"}, tinyTrain...), "--genotype", filepath.Join(found, "genotype.json"), "--mean", "0.5,0.4,0.3", "--std", "1,1,1")
	succeed(t, with(args, "--seed", "3", "--out", one)...)
	out, _ := succeed(t, with(args, "--seeds", "3", "--out", dir)...)
	if !bytes.Equal(content(t, one, "weights.safetensors"), content(t, dir, "jobs", "train", "3", "train", "weights.safetensors")) || !strings.HasPrefix(out, "val_accuracy\n") {
		t.Errorf("the weights differ, or the table does:\n%s", out)
	}
	for _, more := range [][]string{{"--seeds", "1-0"}, {"--seeds", "0-1", "--seed", "0"}} {
		if code, _, told := rnas(t, with(with(args, "--out", t.TempDir()), more...)...); code != statusUsage || !strings.Contains(told, "--seeds: expected") {
			t.Errorf("%v: status %d\n%s", more, code, told)
		}
	}
}

// The whole job over seeds measures what rnas run measures with one.
func TestRunSeeds(t *testing.T) {
	orttest.Open(t)
	dir, one := t.TempDir(), t.TempDir()
	succeed(t, with(tinyRun, "--seed", "1", "--out", one)...)
	out, _ := succeed(t, with(tinyRun, "--seeds", "1", "--out", dir, "--json")...)
	var s study.Summary
	if err := json.Unmarshal([]byte(out), &s); err != nil {
		t.Fatal(err)
	}
	if len(s.Cells) != 2 || s.Reference != "random" || s.Measures[0].Name != "fgsm" {
		t.Errorf("found %+v", s)
	}
	for arm, folder := range map[string]string{"found": "train", "random": "random"} {
		if !bytes.Equal(content(t, one, folder, "weights.safetensors"), content(t, dir, "jobs", arm, "1", "train", "weights.safetensors")) {
			t.Errorf("%s: the weights differ", arm)
		}
	}
}
