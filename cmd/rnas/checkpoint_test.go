package main

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rnas/compiler/interp"
	"rnas/export"
	"rnas/internal/npy"
	"rnas/internal/tensor"
)

const torchNetwork = "../../testdata/torch/DARTS_V2_C6_L5_aux."

// A network that PyTorch saved gives the same model from each form of file, with PyTorch's logits.
func TestExportTorch(t *testing.T) {
	dir := t.TempDir()
	var models [][]byte
	for _, form := range []string{"safetensors", "pt", "legacy.pth", "ckpt.pth.tar"} {
		path := filepath.Join(dir, form+".onnx")
		succeed(t, "export", "--genotype", "zoo:DARTS_V2", "--channels", "6", "--layers", "5", "--weights", torchNetwork+form, "--out", path)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if models = append(models, data); !bytes.Equal(data, models[0]) {
			t.Errorf("%s: the model differs from that of %s", form, "safetensors")
		}
	}
	checkLogits(t, models[0], torchNetwork+"npz")
}

// Networks of the other forms have the logits of the public code of their authors.
func TestExportForms(t *testing.T) {
	for _, c := range []struct{ name, genotype, layers string }{
		{"NASBench201_C4_L3", "|avg_pool_3x3~0|+|nor_conv_1x1~0|none~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_1x1~2|", "3"},
		{"ARNAS_C4_L5", "zoo:ARNAS", "5"},
	} {
		path := filepath.Join(t.TempDir(), "m.onnx")
		succeed(t, "export", "--genotype", c.genotype, "--channels", "4", "--layers", c.layers, "--weights", "../../testdata/torch/"+c.name+".pt", "--out", path)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		checkLogits(t, data, "../../testdata/torch/"+c.name+".npz")
		if out, _ := succeed(t, "inspect", path); !strings.Contains(out, strings.TrimPrefix(c.genotype, "zoo:")) {
			t.Errorf("%s: the model does not tell its genotype:\n%s", c.name, out)
		}
	}
	if out, _ := succeed(t, "inspect", "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"); !strings.Contains(out, "16 channels, 15 layers, 10 classes: 73306 parameters, 7.8 million") {
		t.Errorf("found %s", out)
	}
}

// checkLogits compares the logits of a model with those that PyTorch computed.
func checkLogits(t *testing.T, model []byte, fixture string) {
	t.Helper()
	g, err := export.Unmarshal(model, export.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	arrays, err := npy.ReadNPZ(fixture)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]*tensor.Tensor{}
	for _, a := range arrays {
		want[a.Name] = a.Tensor
	}
	out, err := interp.Run(g, map[string]*tensor.Tensor{"input": want["x"]})
	if err != nil {
		t.Fatal(err)
	}
	got := out["logits"]
	for i, w := range want["logits_eval"].Float64s() {
		if d := math.Abs(got.Float64At(i) - w); !(d <= 1e-5) {
			t.Fatalf("%s: logit %d is %v, PyTorch's is %v", fixture, i, got.Float64At(i), w)
		}
	}
}

// A checkpoint of another network is told by the names that differ.
func TestExportTorchOther(t *testing.T) {
	out := filepath.Join(t.TempDir(), "m.onnx")
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--genotype", "zoo:DARTS_V2", "--channels", "8", "--layers", "5", "--weights", torchNetwork + "pt"}, "another network: of another shape cells.0._ops.0.op.1.weight (expected [8 1 3 3], found [6 1 3 3]), cells.0._ops.0.op.2.weight (expected"},
		{[]string{"--genotype", "zoo:PDARTS", "--channels", "6", "--layers", "5", "--weights", torchNetwork + "ckpt.pth.tar"}, "missing cells.0._ops."},
		{[]string{"--genotype", "zoo:DARTS_V2", "--channels", "6", "--layers", "4", "--weights", torchNetwork + "legacy.pth"}, "; unknown cells.2._ops.0.op.1.weight, "},
		{[]string{"--genotype", "zoo:DARTS_V2", "--weights", "../../testdata/torch/mixed.pt"}, "unknown module.base, module.bfloat16, module.block, module.bool, module.channels_last and 16 more"},
		{[]string{"--weights", torchNetwork + "pt"}, "--genotype: the weights do not describe their network"},
		{[]string{"--genotype", "zoo:DARTS_V2", "--weights", torchNetwork + "npz"}, "PyTorch checkpoint: the archive has no data.pkl"},
		{[]string{"--genotype", "zoo:DARTS_V2", "--weights", "checkpoint_test.go"}, "expected safetensors or a PyTorch checkpoint"},
	} {
		status, _, err := rnas(t, append(append([]string{"export"}, c.args...), "--out", out)...)
		if status != statusUsage || !strings.Contains(err, c.want) || strings.Count(err, "\n") != 1 {
			t.Errorf("%v: status %d, expected %q, found %q", c.args, status, c.want, err)
		}
	}
}
