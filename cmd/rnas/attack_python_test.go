package main

import (
	"math"
	"path/filepath"
	"strings"
	"testing"

	"rnas/bench/attack"
	"rnas/compiler/pass"
	"rnas/compiler/program"
	"rnas/export"
	"rnas/internal/npy"
	"rnas/internal/pythontest"
	"rnas/internal/rng"
	"rnas/internal/tensor"
	"rnas/runtime"
	"rnas/runtime/ort"
	"rnas/runtime/ort/orttest"
)

const cifarModel = "../../testdata/examples/model.onnx"

// battle is a batch of the inputs of attacks on the model of the examples: its images, their classes as it sees them, and a
// start in the ball.
func battle(t *testing.T, eps float64) map[string]*tensor.Tensor {
	t.Helper()
	paths, err := filepath.Glob("../../testdata/examples/*.ppm")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no images: %v", err)
	}
	const pixels = 32 * 32
	n := int64(len(paths))
	images, labels, start := tensor.Zeros(tensor.Float32, n, 3, 32, 32), tensor.Zeros(tensor.Int64, n), tensor.Zeros(tensor.Float32, n, 3, 32, 32)
	for i, path := range paths {
		data := read(t, path)
		for k, v := range data[len(data)-3*pixels:] {
			images.Float32s()[3*pixels*i+k%3*pixels+k/3] = float32(v) / 255
		}
	}
	logits := execute(t, read(t, cifarModel), map[string]*tensor.Tensor{"input": images})
	k := len(logits.Float32s()) / len(paths)
	for i := range labels.Int64s() {
		row := logits.Float32s()[i*k : (i+1)*k]
		for class, v := range row {
			if v > row[labels.Int64s()[i]] {
				labels.Int64s()[i] = int64(class)
			}
		}
	}
	noise := rng.New(1, rng.Start, 0, 0, 0)
	noise.FillUniform(start.Float32s(), float32(-eps), float32(eps))
	return map[string]*tensor.Tensor{"images": images, "labels": labels, "start": start}
}

// execute is the first output of a model in our runtime.
func execute(t *testing.T, model []byte, in map[string]*tensor.Tensor) *tensor.Tensor {
	t.Helper()
	session, err := ort.NewSession(model, ort.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	var list []*tensor.Tensor
	for _, v := range session.Inputs() {
		list = append(list, in[v.Name])
	}
	out, err := session.RunAlloc(list)
	if err != nil {
		t.Fatal(err)
	}
	return out[0]
}

// benched is the result of the program that rnas bench would run for all steps at once.
func benched(t *testing.T, kind string, s attack.Settings, in map[string]*tensor.Tensor) *tensor.Tensor {
	t.Helper()
	batch := in["images"].Shape[0]
	g, err := export.ReadFile(cifarModel, export.ReadOptions{Batch: batch})
	if err != nil {
		t.Fatal(err)
	}
	if err := pass.Run(g, pass.Inference()); err != nil {
		t.Fatal(err)
	}
	c, err := program.NewClassifier(g)
	if err != nil {
		t.Fatal(err)
	}
	single, err := attack.Alone(kind)
	if err != nil {
		t.Fatal(err)
	}
	p, err := single.Program(c, int(batch), s)
	if err != nil {
		t.Fatal(err)
	}
	state := ort.NewStore()
	defer state.Close()
	r, err := runtime.Launch(p, state, ort.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	copy(r.Input("images").Float32s(), in["images"].Float32s())
	copy(r.Input("labels").Int64s(), in["labels"].Int64s())
	copy(r.Input("start").Float32s(), in["start"].Float32s())
	if err := r.Step(); err != nil {
		t.Fatal(err)
	}
	return r.Output("adversarial").Clone()
}

// Python's ONNX Runtime computes the images that ours does, bit for bit, with the optimisation level that is the default of both
// and for any number of threads. In the maximum norm, where steps are signs, the images are also those of rnas bench, which lays out
// its graph differently; in other norms rounding shows.
func TestAttackInPython(t *testing.T) {
	orttest.Open(t)
	pythontest.Need(t, "numpy", "onnxruntime")
	const eps = 8. / 255
	in := battle(t, eps)
	dir := t.TempDir()
	var arrays []npy.Array
	for _, name := range []string{"images", "labels", "start"} {
		arrays = append(arrays, npy.Array{Name: name, Tensor: in[name]})
	}
	inputs, outputs := filepath.Join(dir, "in.npz"), filepath.Join(dir, "out.npz")
	if err := npy.WriteNPZ(inputs, arrays); err != nil {
		t.Fatal(err)
	}
	args := []string{inputs, outputs}
	type result struct{ file, bench *tensor.Tensor }
	ours := map[string]result{}
	for _, c := range []struct{ kind, norm, batch string }{
		{"pgd20", "linf", "4"}, {"mifgsm", "linf", "0"}, {"apgd-ce", "linf", "0"}, {"pgd5", "l2", "0"},
	} {
		name := c.kind + "-" + c.norm
		path := filepath.Join(dir, name+".onnx")
		succeed(t, "attack", cifarModel, "--kind", c.kind, "--norm", c.norm, "--batch", c.batch, "--out", path)
		args = append(args, name+"="+path)
		ours[name] = result{execute(t, read(t, path), in), benched(t, c.kind, attack.Settings{Norm: c.norm, Epsilon: eps}, in)}
		if n := unequal(ours[name].file, in["images"]); n < 1000 {
			t.Errorf("%s moves %d pixels", name, n)
		}
	}
	version := strings.TrimSpace(pythontest.Run(t, "testdata/attack.py", args...))
	library, err := ort.OpenDefault("")
	if err != nil {
		t.Fatal(err)
	}
	if version != library.Version() {
		pythontest.Missing(t, "Python has ONNX Runtime %s, ours is %s: bits are not compared", version, library.Version())
	}
	found, err := npy.ReadNPZ(outputs)
	if err != nil {
		t.Fatal(err)
	}
	if len(found) != 2*len(ours) {
		t.Errorf("expected 2 results of %d attacks, found %d", len(ours), len(found))
	}
	for _, a := range found {
		name, _, _ := strings.Cut(a.Name, ".")
		if n := unequal(a.Tensor, ours[name].file); n != 0 {
			t.Errorf("%s: %d of %d pixels differ from ours", a.Name, n, a.Tensor.Len())
		}
		n, d := unequal(a.Tensor, ours[name].bench), apart(a.Tensor, ours[name].bench)
		t.Logf("%s: %d of %d pixels differ from those of the benchmark, by at most %.2g", a.Name, n, a.Tensor.Len(), d)
		if n != 0 && strings.HasSuffix(name, "linf") || d > 1e-5 {
			t.Errorf("%s: %d pixels differ from those of the benchmark, by at most %.2g", a.Name, n, d)
		}
	}
}

// unequal is the number of elements that differ in any bit.
func unequal(a, b *tensor.Tensor) int {
	n := 0
	for i, v := range a.Float32s() {
		if math.Float32bits(v) != math.Float32bits(b.Float32s()[i]) {
			n++
		}
	}
	return n
}

// apart is the largest difference of two elements.
func apart(a, b *tensor.Tensor) float64 {
	largest := 0.0
	for i, v := range a.Float32s() {
		largest = max(largest, math.Abs(float64(v)-float64(b.Float32s()[i])))
	}
	return largest
}
