package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rnas/bench/adapt"
	"rnas/bench/inspect"
	"rnas/compiler/ir"
	"rnas/compiler/lower"
	"rnas/compiler/program"
	"rnas/export/checkpoint"
	"rnas/genotype"
	"rnas/runtime/ort/orttest"
	"rnas/train"
)

// tiny is an untrained network whose statistics are not the initial ones.
func tiny(t testing.TB) *train.Weights {
	t.Helper()
	e, err := genotype.Lookup("DARTS_V2")
	if err != nil {
		t.Fatal(err)
	}
	w := &train.Weights{
		Network: lower.Evaluation{
			Macro:    lower.Macro{Channels: 2, Layers: 3, Classes: 4, Height: 16, Width: 16, Depth: 3, Mean: []float32{0.5, 0.4, 0.3}, Std: []float32{0.2, 0.3, 0.4}},
			Genotype: e.Genotype,
		},
		Classes: []string{"ant", "bee", "cat", "dog"},
		Record:  `{"epochs":0,"attack":{"epsilon":0.03125}}`,
	}
	if w.Layout, err = program.NewLayout(w.Network); err != nil {
		t.Fatal(err)
	}
	w.Params, w.Stats = w.Layout.Init(5)
	for i := range w.Stats {
		w.Stats[i] += 0.01 * float32(i%7)
	}
	return w
}

// saved puts the weights of tiny into a folder.
func saved(t testing.TB, dir string) string {
	t.Helper()
	path := filepath.Join(dir, "w.safetensors")
	if err := tiny(t).Save(path); err != nil {
		t.Fatal(err)
	}
	return path
}

// exported is the model of tiny, in a folder of its own.
func exported(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "m.onnx")
	succeed(t, "export", "--weights", saved(t, dir), "--out", path)
	return path
}

func TestExport(t *testing.T) {
	dir := t.TempDir()
	weights := saved(t, dir)
	for _, c := range []struct {
		name  string
		args  []string
		opset int64
		batch int64
		bn    bool // more than what has no convolution before it
	}{
		{"default", nil, 18, ir.N, false},
		{"old", []string{"--opset", "13"}, 13, ir.N, false},
		{"new", []string{"--opset", "21", "--batch", "3"}, 21, 3, false},
		{"bn", []string{"--keep-bn"}, 18, ir.N, true},
		{"named", []string{"--genotype", "zoo:DARTS_V2", "--channels", "2", "--layers", "3"}, 18, ir.N, false},
	} {
		path := filepath.Join(dir, c.name+".onnx")
		_, told := succeed(t, append([]string{"export", "--weights", weights, "--out", path}, c.args...)...)
		if !strings.HasSuffix(told, "read back by onnx-go\n") {
			t.Errorf("%s: found %q", c.name, told)
		}
		m, g, err := inspect.ReadModel(path, adapt.Flags{})
		if err != nil {
			t.Fatal(err)
		}
		norms := 0
		for _, o := range m.Operators {
			if o.Name == "BatchNormalization" {
				norms = o.Count
			}
		}
		if m.Header.Opsets[0].Version != c.opset || m.Inputs[0].Shape[0] != c.batch || (norms > 10) != c.bn {
			t.Errorf("%s: operator sets %v, inputs %v, %d normalisations", c.name, m.Header.Opsets, m.Inputs, norms)
		}
		for key, want := range map[string]string{
			train.MetaTraining: `{"epochs":0,"attack":{"epsilon":0.03125}}`, train.MetaEps: "0.03125",
			train.MetaMean: "[0.5,0.4,0.3]", train.MetaStd: "[0.2,0.3,0.4]", train.MetaInputRange: "[0,1]",
		} {
			if m.Meta[key] != want {
				t.Errorf("%s: metadata %s: expected %s, found %s", c.name, key, want, m.Meta[key])
			}
		}
		for _, want := range []string{"stem/Conv", "cells.0.normal/preprocess1/", "cells.1.reduce/edge.0.max_pool_3x3/MaxPool", "cells.2.reduce/node.2/Add", "classifier/Gemm"} {
			if !slices.ContainsFunc(g.Nodes, func(n *ir.Node) bool { return strings.HasPrefix(n.Name, want) }) {
				t.Errorf("%s: no node is named %s", c.name, want)
			}
		}
		if strings.Join(m.Classes(), " ") != "ant bee cat dog" || m.Genotype == nil {
			t.Errorf("%s: metadata %v", c.name, m.Meta)
		}
	}
}

// Equal inputs give equal files.
func TestExportDeterministic(t *testing.T) {
	a, err := os.ReadFile(exported(t))
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(exported(t))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a, b) {
		t.Error("two exports differ")
	}
}

func TestVerify(t *testing.T) {
	orttest.Open(t)
	dir := t.TempDir()
	weights := saved(t, dir)
	folded, layered, other := filepath.Join(dir, "a.onnx"), filepath.Join(dir, "b.onnx"), filepath.Join(dir, "c.onnx")
	succeed(t, "export", "--weights", weights, "--out", folded)
	succeed(t, "export", "--weights", weights, "--out", layered, "--keep-bn", "--opset", "15")
	succeed(t, "export", "--weights", weights, "--out", other, "--mean", "0.5,0.4,0.2")
	table, _ := succeed(t, "verify", layered, "--against", folded)
	if n := strings.Count(table, " ok "); n != 4 {
		t.Errorf("expected 4 checks to pass, found\n%s", table)
	}
	status, out, _ := rnas(t, "verify", folded, "--against", other, "--json")
	var checks []inspect.Check
	if err := json.Unmarshal([]byte(out), &checks); err != nil {
		t.Fatal(err)
	}
	last := checks[len(checks)-1]
	if status != statusFailed || len(checks) != 4 || last.OK || last.Difference < 1e-3 || !checks[2].OK {
		t.Errorf("status %d, checks %+v", status, checks)
	}
}

func TestInspect(t *testing.T) {
	dir := t.TempDir()
	model := exported(t)
	out, _ := succeed(t, "inspect", model, "--passes", "--draw", filepath.Join(dir, "cells.svg"))
	for _, want := range []string{"input float32[N,3,16,16]", "logits float32[N,4]", "attackable", "ant, bee, cat, dog", "foldbn", "Genotype(normal="} {
		if !strings.Contains(out, want) {
			t.Errorf("expected %q in\n%s", want, out)
		}
	}
	if svg, err := os.ReadFile(filepath.Join(dir, "cells.svg")); err != nil || !bytes.HasPrefix(svg, []byte("<svg")) {
		t.Errorf("drawing: %.20s, %v", svg, err)
	}
	out, _ = succeed(t, "inspect", "zoo:SNAS", "--json", "--channels", "16", "--layers", "8")
	var g struct {
		Size size `json:"size"`
	}
	if err := json.Unmarshal([]byte(out), &g); err != nil || g.Size.Params == 0 || g.Size.Channels != 16 {
		t.Errorf("%s: %v", out, err)
	}
	status, _, err := rnas(t, "inspect", filepath.Dir(model), "--json")
	if status != statusUsage || !strings.Contains(err, "expected the folder of a run") {
		t.Errorf("status %d, %s", status, err)
	}
}

// Files that lie, or do not fit, are told in one line and leave nothing behind.
func TestBadFiles(t *testing.T) {
	dir := t.TempDir()
	weights := saved(t, dir)
	model := exported(t)
	put := func(name string, data []byte) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	whole, err := os.ReadFile(model)
	if err != nil {
		t.Fatal(err)
	}
	cells, _ := succeed(t, "zoo", "DARTS_V2")
	unknown := put("unknown.txt", []byte(strings.Replace(cells, "sep_conv_3x3", "sep_conv_9x9", 1)))
	short := put("short.onnx", whole[:len(whole)/2])
	lying := put("lying.safetensors", []byte("\xff\xff\xff\x00\x00\x00\x00\x00{}"))
	huge := misdescribed(t, func(n *lower.Evaluation) { n.Layers = 1 << 40 })
	wide := misdescribed(t, func(n *lower.Evaluation) { n.Channels = 1 << 28 })
	large := misdescribed(t, func(n *lower.Evaluation) { n.Channels = 1 << 14 })
	target := filepath.Join(dir, "out.onnx")
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"inspect", unknown}, `unknown primitive "sep_conv_9x9"`},
		{[]string{"inspect", short}, "short.onnx: onnx: "},
		{[]string{"verify", short}, "short.onnx: onnx: "},
		{[]string{"export", "--weights", lying, "--out", target}, "header of 16777215 bytes: the file has 2 left"},
		{[]string{"export", "--weights", huge, "--out", target}, "expected at most 1000 layers"},
		{[]string{"export", "--weights", wide, "--out", target}, "expected at most 1000 layers and 65536 of the others"},
		{[]string{"export", "--weights", large, "--out", target}, "parameters or more: expected fewer than 536870912"},
		{[]string{"export", "--weights", weights, "--out", target, "--channels", "4"}, "another network: of another shape "},
		{[]string{"export", "--weights", weights, "--out", target, "--layers", "4"}, "the weights are those of another network: missing cells.3."},
		{[]string{"export", "--weights", weights, "--out", target, "--genotype", "zoo:SNAS"}, "the weights are those of another network"},
		{[]string{"export", "--weights", weights, "--out", target, "--std", "1,0,1"}, "std [1 0 1] must be positive"},
		{[]string{"export", "--weights", weights, "--out", target, "--mean", "1"}, "mean and std: expected 3 numbers each or none"},
	} {
		status, _, err := rnas(t, c.args...)
		if status != statusUsage || !strings.Contains(err, c.want) || strings.Count(err, "\n") != 1 {
			t.Errorf("%v: status %d, expected %q, found %q", c.args, status, c.want, err)
		}
	}
	if _, err := os.Stat(target); err == nil {
		t.Error("a model was written")
	}
}

// misdescribed saves the weights of tiny under the description of another network.
func misdescribed(t *testing.T, change func(n *lower.Evaluation)) string {
	t.Helper()
	dir := t.TempDir()
	tensors, meta, err := checkpoint.ReadSafetensors(saved(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	n := tiny(t).Network
	change(&n)
	text, err := json.Marshal(n)
	if err != nil {
		t.Fatal(err)
	}
	meta[train.MetaNetwork] = string(text)
	path := filepath.Join(dir, "changed.safetensors")
	if err := checkpoint.WriteSafetensors(path, tensors, meta); err != nil {
		t.Fatal(err)
	}
	return path
}
