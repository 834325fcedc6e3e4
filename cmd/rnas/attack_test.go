package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rnas/bench/attack"
	"rnas/compiler/ir"
	"rnas/export"
	"rnas/internal/rng"
	"rnas/internal/tensor"
	"rnas/runtime/ort"
	"rnas/runtime/ort/orttest"
	"rnas/train"
)

// Attacks on an exported model: names, types and shapes as promised, standard operators only, the record, equal bytes, and
// images that are in the ball and differ with the start.
func TestAttack(t *testing.T) {
	orttest.Open(t)
	model := exported(t)
	dir := t.TempDir()
	for _, c := range []attackCase{
		{
			"default", nil,
			"[images float32[N,3,16,16] labels int64[N] start float32[N,3,16,16]]", 3,
			attackRecord{Kind: "pgd20", Norm: "linf", Eps: 8. / 255, Steps: 20, StepSize: 2. / 255},
		},
		{
			"fixed",
			[]string{"--kind", "mifgsm", "--batch", "2", "--eps", "0.5", "--norm", "l2", "--steps", "3", "--step-size", "0.1", "--opset", "17"},
			"[images float32[2,3,16,16] labels int64[2] start float32[2,3,16,16]]", 2,
			attackRecord{Kind: "mifgsm", Norm: "l2", Eps: 0.5, Steps: 3, StepSize: 0.1},
		},
		{
			"one",
			[]string{"--kind", "fgsm", "--steps", "1"},
			"[images float32[N,3,16,16] labels int64[N] start float32[N,3,16,16]]", 1,
			attackRecord{Kind: "fgsm", Norm: "linf", Eps: 8. / 255, Steps: 1, StepSize: 8. / 255},
		},
		{
			"auto",
			[]string{"--kind", "apgd-ce", "--steps", "12"},
			"[images float32[N,3,16,16] labels int64[N] start float32[N,3,16,16]]", 4,
			attackRecord{Kind: "apgd-ce", Norm: "linf", Eps: 8. / 255, Steps: 12},
		},
		{
			"targeted",
			[]string{"--kind", "apgd-t", "--steps", "5", "--batch", "2"},
			"[images float32[2,3,16,16] labels int64[2] start float32[2,3,16,16] targets int64[2]]", 2,
			attackRecord{Kind: "apgd-t", Norm: "linf", Eps: 8. / 255, Steps: 5},
		},
		{
			"nearest",
			[]string{"--kind", "deepfool", "--norm", "l2", "--eps", "1"},
			"[images float32[N,3,16,16] labels int64[N] start float32[N,3,16,16]]", 2,
			attackRecord{Kind: "deepfool", Norm: "l2", Eps: 1, Steps: 50},
		},
	} {
		c.check(t, model, filepath.Join(dir, c.name+".onnx"))
	}
}

// attackCase is a call of rnas attack: its inputs, a batch to run, and the record of its settings.
type attackCase struct {
	name  string
	args  []string
	in    string
	batch int64
	want  attackRecord
}

// check writes the attack to path twice and runs it.
func (c attackCase) check(t *testing.T, model, path string) {
	t.Helper()
	args := append([]string{"attack", model, "--json", "--out", path}, c.args...)
	out, told := succeed(t, args...)
	if !strings.HasSuffix(told, "read back by onnx-go\n") {
		t.Errorf("%s: found %q", c.name, told)
	}
	first := read(t, path)
	g, err := export.Unmarshal(first, export.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := "[adversarial " + strings.TrimPrefix(g.Inputs[0].String(), "images ") + "]"
	if in, out := values(g.Inputs), values(g.Outputs); in != c.in || out != want {
		t.Errorf("%s: found inputs %s, outputs %s", c.name, in, out)
	}
	g.Walk(func(n *ir.Node) {
		if n.Domain != "" {
			t.Errorf("%s: %s is not a standard operator", c.name, n)
		}
	})
	var s attackSummary
	var r attackRecord
	if err := json.Unmarshal([]byte(out), &s); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(g.Meta[train.MetaAttack]), &r); err != nil || g.Meta[train.MetaClasses] == "" {
		t.Errorf("%s: metadata %v, %v", c.name, g.Meta, err)
	}
	if len(r.Inputs) != len(g.Inputs) || len(r.ModelSHA256) != 64 || s.Batch != max(0, g.Inputs[0].Shape[0]) || s.Kind != r.Kind || s.Nodes == 0 {
		t.Errorf("%s: found %+v, %+v", c.name, r, s)
	}
	if used := !strings.HasPrefix(r.Inputs["start"], "not used"); used != (c.name != "nearest") {
		t.Errorf("%s: the start is %q", c.name, r.Inputs["start"])
	}
	r.Inputs, r.Output, r.ModelSHA256 = nil, "", ""
	if a, b := mustJSON(t, r), mustJSON(t, c.want); a != b {
		t.Errorf("%s: expected %s, found %s", c.name, b, a)
	}
	succeed(t, args...)
	if string(read(t, path)) != string(first) {
		t.Errorf("%s: two files differ", c.name)
	}
	attacked(t, first, c.batch, c.name != "nearest", attack.Settings{Norm: c.want.Norm, Epsilon: c.want.Eps})
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// attacked runs an attack from two starts: the images stay in the ball and in [0,1], and differ with the start where it is used.
func attacked(t *testing.T, model []byte, batch int64, starts bool, s attack.Settings) {
	t.Helper()
	session, err := ort.NewSession(model, ort.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	images, start := tensor.Zeros(tensor.Float32, batch, 3, 16, 16), tensor.Zeros(tensor.Float32, batch, 3, 16, 16)
	noise := rng.New(1, rng.Probe, 0, 0, 0)
	noise.FillUniform(images.Float32s(), 0, 1)
	in := []*tensor.Tensor{images, tensor.Zeros(tensor.Int64, batch), start}
	if len(session.Inputs()) == 4 {
		targets := tensor.Zeros(tensor.Int64, batch)
		for i := range targets.Int64s() {
			targets.Int64s()[i] = 1
		}
		in = append(in, targets)
	}
	var results [2]*tensor.Tensor
	for i := range results {
		out, err := session.RunAlloc(in)
		if err != nil {
			t.Fatal(err)
		}
		results[i] = out[0].Clone()
		x := out[0].Float32s()
		n := len(x) / int(batch)
		for k := range int(batch) {
			if size := s.Size(x[k*n:(k+1)*n], images.Float32s()[k*n:(k+1)*n]); !(size <= s.Epsilon+1e-6) {
				t.Errorf("image %d moves by %g in norm %s, expected at most %g", k, size, s.Norm, s.Epsilon)
			}
		}
		if slices.Min(x) < 0 || slices.Max(x) > 1 {
			t.Errorf("pixels in [%g,%g]", slices.Min(x), slices.Max(x))
		}
		noise.FillUniform(start.Float32s(), -0.01, 0.01)
	}
	if starts && tensor.Equal(results[0], results[1]) {
		t.Error("two starts give the same images")
	}
}

// What has no such model is told in one line that names the flag or the file.
func TestAttackErrors(t *testing.T) {
	dir := t.TempDir()
	model, fixed, out := exported(t), filepath.Join(dir, "fixed.onnx"), filepath.Join(dir, "out.onnx")
	succeed(t, "export", "--weights", saved(t, dir), "--batch", "2", "--out", fixed)
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{model}, "--out: expected a file to write"},
		{[]string{model, "--out", out, "--kind", "pgd"}, "--kind: expected fgsm, "},
		{[]string{model, "--out", out, "--kind", "clean"}, "--kind: expected fgsm, "},
		{[]string{model, "--out", out, "--kind", "pgd20x5"}, "--kind: pgd20x5 has 5 starts"},
		{[]string{model, "--out", out, "--kind", "square"}, "--kind: square draws random numbers"},
		{[]string{model, "--out", out, "--steps", "-1"}, "--steps: pgd20: expected 1 to 1000000 steps, found -1"},
		{[]string{model, "--out", out, "--kind", "fgsm", "--steps", "2"}, "--steps: fgsm: the attack has 1 steps"},
		{[]string{model, "--out", out, "--kind", "fgsm", "--step-size", "0.01"}, "--step-size: fgsm chooses its steps itself"},
		{[]string{model, "--out", out, "--kind", "apgd-ce", "--step-size", "1/255"}, "--step-size: apgd-ce chooses its steps itself, found 1/255"},
		{[]string{model, "--out", out, "--kind", "deepfool", "--norm", "l1"}, "--kind: deepfool"},
		{[]string{model, "--out", out, "--norm", "l0"}, `norm "l0": expected linf, l2, l1`},
		{[]string{model, "--out", out, "--eps", "2"}, "eps 2: expected 0 to 1"},
		{[]string{model, "--out", out, "--batch", "-1"}, "--batch: expected at least 0"},
		{[]string{model, "--out", out, "--opset", "12"}, "--opset: expected 13 to 27"},
		{[]string{fixed, "--out", out, "--batch", "3"}, "--batch 3: the model has the fixed batch size 2"},
		{[]string{filepath.Join(dir, "none.onnx"), "--out", out}, "none.onnx"},
		{[]string{filepath.Join(dir, "w.safetensors"), "--out", out}, "w.safetensors: "},
	} {
		status, _, err := rnas(t, append([]string{"attack"}, c.args...)...)
		if status != statusUsage || !strings.Contains(err, c.want) || strings.Count(err, "\n") != 1 {
			t.Errorf("%v: status %d, expected %q, found %q", c.args, status, c.want, err)
		}
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("a model was written")
	}
	succeed(t, "attack", fixed, "--out", out, "--kind", "fgsm")
}
