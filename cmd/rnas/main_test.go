package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rnas/genotype"
	"rnas/runtime/ort"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// rnas runs the program in this process.
func rnas(t testing.TB, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	status = run(args, &out, &err)
	return status, out.String(), err.String()
}

// succeed runs the program and fails the test unless it ends with status 0.
func succeed(t testing.TB, args ...string) (stdout, stderr string) {
	t.Helper()
	status, out, err := rnas(t, args...)
	if status != statusDone {
		t.Fatalf("rnas %s: status %d\n%s%s", strings.Join(args, " "), status, out, err)
	}
	return out, err
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs from what is printed; look at the difference after go test ./cmd/rnas -update\n%s", path, got)
	}
}

func TestHelp(t *testing.T) {
	overview, _ := succeed(t, "help")
	for _, args := range [][]string{{"--help"}, {"-h"}} {
		if out, _ := succeed(t, args...); out != overview {
			t.Errorf("%v: expected the overview, found\n%s", args, out)
		}
	}
	var all strings.Builder
	all.WriteString(overview)
	for _, cmd := range commands() {
		text, _ := succeed(t, "help", cmd.name)
		if out, _ := succeed(t, cmd.name, "--help"); out != text {
			t.Errorf("rnas %s --help differs from rnas help %s", cmd.name, cmd.name)
		}
		all.WriteString("\n---\n" + text)
	}
	if len(ort.ProviderNames()) == 0 {
		t.Skip("a build without cgo names no providers")
	}
	golden(t, "help.golden", all.String())
}

func TestVersion(t *testing.T) {
	if out, _ := succeed(t, "--version"); out != "rnas "+versionText()+"\n" {
		t.Errorf("found %q", out)
	}
}

func TestZoo(t *testing.T) {
	table, _ := succeed(t, "zoo")
	golden(t, "zoo.golden", table)
	lines := strings.Split(strings.TrimSpace(table), "\n")
	if len(lines) != 1+len(genotype.Zoo()) {
		t.Errorf("expected a heading and %d lines, found %d", len(genotype.Zoo()), len(lines))
	}
}

// Printed genotypes are files that can be read.
func TestZooEntry(t *testing.T) {
	for _, e := range genotype.Zoo() {
		text, _ := succeed(t, "zoo", e.Name, "--channels", "2", "--layers", "3")
		g, err := genotype.Parse(text)
		if err != nil {
			t.Fatalf("%s: %v", e.Name, err)
		}
		if g.Name != e.Name || g.String() != e.Genotype.String() {
			t.Errorf("%s: found %s", e.Name, g)
		}
	}
}

func TestUsageErrors(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		args string
		want string
	}{
		{"fly", `rnas: unknown command "fly"; see rnas help`},
		{"help fly", `rnas: unknown command "fly"; see rnas help`},
		{"help zoo doctor", "rnas: expected the name of one command, found zoo doctor"},
		{"zoo --wings", "rnas: zoo: unknown flag: --wings; see rnas help zoo"},
		{"zoo --channels x", `rnas: zoo: invalid argument "x" for "--channels" flag: must be an integer; see rnas help zoo`},
		{"zoo DARTS_V2 SNAS", "rnas: zoo: expected at most the name of one genotype, found DARTS_V2 SNAS"},
		{"zoo DARTS_V9", `rnas: zoo: no genotype "DARTS_V9" in the zoo; the nearest names are DARTS_V1, DARTS_V2 and PDARTS`},
		{"doctor now", "rnas: doctor: expected no arguments, found now"},
		{"export", "rnas: export: --weights: expected a file of safetensors or a PyTorch checkpoint, found none"},
		{"export --weights a.safetensors --out a.onnx --precision fp8", `rnas: export: --precision: expected fp32, fp16 or int8, found "fp8"`},
		{"export --weights a.safetensors --out a.onnx --precision int8", "rnas: export: --calibrate: --precision int8 needs images, found none"},
		{"export --weights a.safetensors --out a.onnx --calibrate synthetic", "rnas: export: --calibrate: only --precision int8 is calibrated, found fp32"},
		{"export --weights a.safetensors --out a.onnx --precision int8 --calibrate synthetic --calibrate-method percentile=5", `rnas: export: --calibrate-method: expected minmax, percentile or percentile=P with P over 50 and at most 100, found "percentile=5"`},
		{"export --weights a.safetensors --out a.onnx --opset 12", "rnas: export: --opset: expected 13 to 27, found 12"},
		{"export --weights a.safetensors --out a.onnx --batch -1", "rnas: export: --batch: expected at least 0, found -1"},
		{"export --weights a.safetensors", "rnas: export: --out: expected a file to write, found none"},
		{"export --weights a.safetensors --out DIR", "rnas: export: --out: expected a file, DIR is a folder"},
		{"export --weights a.safetensors --out DIR/no/a.onnx", "rnas: export: --out: stat DIR/no: no such file or directory"},
		{"export --weights DIR/a.safetensors --out DIR/a.onnx", "rnas: export: open DIR/a.safetensors: no such file or directory"},
		{"verify", "rnas: verify: expected one model file, found none"},
		{"verify DIR/a.onnx --tol 0", "rnas: verify: --tol, --batch: expected a positive tolerance and at least 1 image, found 0 and 4"},
		{"verify DIR/a.onnx --threads -1", "rnas: verify: --threads, --device: expected at least 0, found -1 and 0"},
		{"inspect", "rnas: inspect: expected one model, genotype or folder, found none"},
		{"inspect DIR/a.onnx", "rnas: inspect: stat DIR/a.onnx: no such file or directory"},
		{"inspect DIR", "rnas: inspect: DIR: expected the folder of a run, found none of log.jsonl, genotype.json and result.json"},
		{"inspect zoo:SNAS --draw DIR/a.png", "rnas: inspect: --draw DIR/a.png: expected a file name that ends in .svg or .dot"},
		{"inspect zoo:SNAS --channels 0", "rnas: inspect: channels 0, layers 20, classes 10 and images 3x32x32: expected at least 1, 1, 2 and 1x4x4"},
		{"search", "rnas: search: --out: expected a folder, found none"},
		{"search --out DIR/s --data mnist", `rnas: search: --data: data source "mnist": expected synthetic, cifar10, cifar100, folder, idx, npz, found "mnist"`},
		{"search --out DIR/s --eps 8/0", `rnas: search: invalid argument "8/0" for "--eps" flag: expected a number such as 8/255 or 0.031, found "8/0"; see rnas help search`},
		{"train --out DIR/t", "rnas: train: --genotype and --out: expected both"},
		{"train --out DIR/t --genotype zoo:SNAZ", `rnas: train: --genotype: no genotype "SNAZ" in the zoo; the nearest names are SNAS, PNAS and RNAS_H`},
		{"bench", "rnas: bench: expected one or more model files, found none"},
		{"bench a.onnx --data npz:DIR/a.npz", "rnas: bench: --data: DIR/a.npz: no such file or directory"},
		{"bench a.onnx --limit -1", "rnas: bench: --limit: expected at least 0, found -1"},
		{"run", "rnas: run: --out: expected a folder, found none"},
		{"run --out DIR/r --preset huge", `rnas: run: --preset: expected demo, small, darts, found "huge"`},
	} {
		status, out, err := rnas(t, strings.Fields(strings.ReplaceAll(c.args, "DIR", dir))...)
		lines := strings.Split(strings.TrimSpace(err), "\n")
		if last := strings.ReplaceAll(lines[len(lines)-1], dir, "DIR"); status != statusUsage || last != c.want || out != "" {
			t.Errorf("rnas %s: status %d\nfound    %s\nexpected %s", c.args, status, last, c.want)
		}
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestNoCommand(t *testing.T) {
	overview, _ := succeed(t, "help")
	if status, out, err := rnas(t); status != statusUsage || out != "" || err != overview {
		t.Errorf("status %d, stdout %q, stderr %q", status, out, err)
	}
}
