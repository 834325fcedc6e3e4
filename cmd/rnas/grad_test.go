package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/compiler/program"
	"rnas/export"
	"rnas/internal/tensor"
	"rnas/runtime/ort/orttest"
	"rnas/train"
)

// The gradient graph of an exported model: names, types and shapes as promised, the record, equal bytes, and agreement
// of ONNX Runtime with the interpreter.
func TestGrad(t *testing.T) {
	orttest.Open(t)
	model := exported(t)
	dir := t.TempDir()
	for _, c := range []struct {
		name string
		args []string
		in   string
		out  string
	}{
		{
			"ce", nil, "[input float32[N,3,16,16] labels int64[N]]",
			"[logits float32[N,4] loss float32[N] grad.input float32[N,3,16,16]]",
		},
		{
			"fixed",
			[]string{"--loss", "dlr", "--batch", "2"},
			"[input float32[2,3,16,16] labels int64[2]]",
			"[logits float32[2,4] loss float32[2] grad.input float32[2,3,16,16]]",
		},
		{
			"weighted",
			[]string{"--loss", "output", "--output", "logits", "--name", "input", "--opset", "17"},
			"[input float32[N,3,16,16] output_gradient float32[N,4]]",
			"[logits float32[N,4] loss float32[N] grad.input float32[N,3,16,16]]",
		},
		{
			"params",
			[]string{"--wrt", "params", "--name", "classifier.weight,classifier.bias"},
			"[input float32[N,3,16,16] labels int64[N]]",
			"[logits float32[N,4] loss float32[N] grad.classifier.weight float32[4,32] grad.classifier.bias float32[4]]",
		},
	} {
		path := filepath.Join(dir, c.name+".onnx")
		args := append([]string{"grad", model, "--out", path}, c.args...)
		_, told := succeed(t, args...)
		if !strings.HasSuffix(told, "read back by onnx-go\n") {
			t.Errorf("%s: found %q", c.name, told)
		}
		first, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		g, err := export.Unmarshal(first, export.ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if in, out := values(g.Inputs), values(g.Outputs); in != c.in || out != c.out {
			t.Errorf("%s: found inputs %s, outputs %s", c.name, in, out)
		}
		var d program.Derivative
		if err := json.Unmarshal([]byte(g.Meta[train.MetaGradient]), &d); err != nil || d.Loss == "" || g.Meta[train.MetaClasses] == "" {
			t.Errorf("%s: metadata %v, %v", c.name, g.Meta, err)
		}
		succeed(t, args...)
		if second, err := os.ReadFile(path); err != nil || string(first) != string(second) {
			t.Errorf("%s: two files differ, %v", c.name, err)
		}
		succeed(t, "verify", path)
	}
	half, path := filepath.Join(dir, "half.onnx"), filepath.Join(dir, "half_grad.onnx")
	succeed(t, "export", "--weights", saved(t, dir), "--precision", "fp16", "--out", half)
	succeed(t, "grad", half, "--out", path)
	succeed(t, "verify", path)
}

func values(list []*ir.Value) string {
	var text []string
	for _, v := range list {
		text = append(text, v.String())
	}
	return "[" + strings.Join(text, " ") + "]"
}

// What cannot be differentiated is told in one line; a rule that needs a fixed batch says so.
func TestGradErrors(t *testing.T) {
	dir := t.TempDir()
	model := exported(t)
	b := op.NewB("convolution")
	x := b.Input("x", ir.Float32, ir.N, 1, 4, 4)
	w := b.NamedConst("w", tensor.Of([]int64{3, 1, 2, 2}, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, float32(12)))
	b.Output("z", b.GlobalAveragePool(b.Relu(b.Conv(x, w, nil, op.Conv2D{Kernel: [2]int64{2, 2}}))))
	g, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	conv, fixed := filepath.Join(dir, "conv.onnx"), filepath.Join(dir, "fixed.onnx")
	if err := export.WriteFile(conv, g, export.Options{}); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "out.onnx")
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"grad", model}, "--out: expected a file to write"},
		{[]string{"grad", model, "--out", out, "--loss", "l2"}, `--loss: expected ce, dlr, margin, output, found "l2"`},
		{[]string{"grad", model, "--out", out, "--wrt", "x"}, `--wrt: expected input or params, found "x"`},
		{[]string{"grad", model, "--out", out, "--batch", "-1"}, "--batch: expected at least 0"},
		{[]string{"grad", model, "--out", out, "--opset", "12"}, "--opset: expected 13 to 27"},
		{[]string{"grad", model, "--out", out, "--output", "y"}, `--output: expected one of logits float32[N,4], found "y"`},
		{[]string{"grad", model, "--out", out, "--name", "y"}, `there is no floating-point input "y"`},
		{[]string{"grad", filepath.Join(dir, "none.onnx"), "--out", out}, "none.onnx"},
	} {
		status, _, err := rnas(t, c.args...)
		if status != statusUsage || !strings.Contains(err, c.want) || strings.Count(err, "\n") != 1 {
			t.Errorf("%v: status %d, expected %q, found %q", c.args, status, c.want, err)
		}
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("a model was written")
	}
	if _, err := succeed(t, "grad", conv, "--out", fixed, "--wrt", "params"); !strings.Contains(err, "its gradient needs a batch size: 1, --batch says another") {
		t.Errorf("found %s", err)
	}
	succeed(t, "grad", conv, "--out", fixed, "--wrt", "params", "--batch", "2", "--loss", "margin")
	if g, err = export.ReadFile(fixed, export.ReadOptions{}); err != nil || values(g.Outputs) != "[z float32[2,3,1,1] loss float32[2] grad.w float32[3,1,2,2]]" {
		t.Errorf("found %v, %v", g.Outputs, err)
	}
	status, _, text := rnas(t, "grad", fixed, "--out", out, "--batch", "3")
	if status != statusUsage || !strings.Contains(text, "--batch 3: the model has the fixed batch size 2") {
		t.Errorf("status %d, found %q", status, text)
	}
}
