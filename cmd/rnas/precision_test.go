package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rnas/bench/adapt"
	"rnas/bench/inspect"
	"rnas/internal/npy"
	"rnas/internal/pythontest"
	"rnas/internal/rng"
	"rnas/internal/tensor"
	"rnas/runtime/ort/orttest"
)

// pictures are images of the size and the number of classes of tiny.
const pictures = "synthetic:classes=4,size=16,train=40,test=12"

func TestExportPrecision(t *testing.T) {
	orttest.Open(t)
	dir := t.TempDir()
	weights := saved(t, dir)
	for _, c := range []struct {
		format string
		args   []string
		flag   string // of the attack
		share  float64
	}{
		{"fp16", []string{"--check", pictures}, "", 1},
		{"int8", []string{"--calibrate", pictures, "--calibrate-method", "percentile"}, "straight-through gradient: at ", 0},
	} {
		path := filepath.Join(dir, c.format+".onnx")
		args := append([]string{"export", "--weights", weights, "--precision", c.format, "--out", path, "--limit", "12"}, c.args...)
		out, _ := succeed(t, append(args, "--json")...)
		var r comparison
		if err := json.Unmarshal([]byte(out), &r); err != nil {
			t.Fatal(err)
		}
		if r.Precision != c.format || r.Path != path || r.Bytes == 0 || c.share > 0 && float64(r.Bytes) > c.share*float64(r.BytesFloat32) {
			t.Errorf("%s: found %+v", c.format, r)
		}
		if r.Before == nil || r.After == nil || r.Before.Points != 12 || r.After.Points != 12 || math.Abs(r.Before.Clean.Accuracy-r.After.Clean.Accuracy) > 0.25 {
			t.Fatalf("%s: before %+v, after %+v", c.format, r.Before, r.After)
		}
		for _, a := range r.Before.Attacks {
			if strings.Contains(fmt.Sprint(a.Flags), "straight-through") {
				t.Errorf("fp32: flags %q", a.Flags)
			}
		}
		flags := fmt.Sprint(r.After.Attacks[0].Flags)
		if c.flag != "" && !strings.Contains(flags, c.flag) || c.flag == "" && strings.Contains(flags, "straight-through") {
			t.Errorf("%s: flags %s", c.format, flags)
		}
		first, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		table, _ := succeed(t, append(args, "--threads", "1")...)
		if !strings.Contains(table, "pgd20  format") || strings.Count(table, " 12 ") != 2 {
			t.Errorf("%s: found\n%s", c.format, table)
		}
		if again, err := os.ReadFile(path); err != nil || !bytes.Equal(first, again) {
			t.Errorf("%s: a second export differs (%v)", c.format, err)
		}
		if table, _ := succeed(t, "verify", path, "--tol", "0.1"); strings.Count(table, " ok ") != 3 {
			t.Errorf("%s: expected 3 checks to pass, found\n%s", c.format, table)
		}
		m, _, err := inspect.ReadModel(path, adapt.Flags{})
		if err != nil {
			t.Fatal(err)
		}
		if m.Meta[metaPrecision] != c.format || !m.Attack.Possible || (len(m.Attack.Findings) > 0) != (c.flag != "") {
			t.Errorf("%s: metadata %v, attack %+v", c.format, m.Meta, m.Attack)
		}
		if want := "12 images, percentile=99.99"; c.format == "int8" && !strings.HasSuffix(m.Meta[metaCalibration], want) {
			t.Errorf("calibration %q, expected %s", m.Meta[metaCalibration], want)
		}
	}
}

// The exports pass the checker of ONNX and give nearly the logits of the model in float32.
func TestPrecisionInPython(t *testing.T) {
	orttest.Open(t)
	dir := t.TempDir()
	weights := saved(t, dir)
	paths := []string{filepath.Join(dir, "fp32.onnx"), filepath.Join(dir, "fp16.onnx"), filepath.Join(dir, "int8.onnx")}
	s := rng.New(7, rng.Probe, 0, 0, 0)
	images, labels := tensor.Zeros(tensor.Uint8, 8, 3, 16, 16), tensor.Vector[int64](0, 1, 2, 3, 0, 1, 2, 3)
	for i := range images.Data.([]uint8) {
		images.Data.([]uint8)[i] = uint8(256 * s.Float64())
	}
	data := filepath.Join(dir, "images.npz")
	if err := npy.WriteNPZ(data, []npy.Array{{Name: "x_train", Tensor: images}, {Name: "y_train", Tensor: labels}, {Name: "x_test", Tensor: images}, {Name: "y_test", Tensor: labels}}); err != nil {
		t.Fatal(err)
	}
	succeed(t, "export", "--weights", weights, "--out", paths[0])
	succeed(t, "export", "--weights", weights, "--out", paths[1], "--precision", "fp16")
	succeed(t, "export", "--weights", weights, "--out", paths[2], "--precision", "int8", "--calibrate", "npz:"+data, "--opset", "13")
	out := pythontest.Run(t, "testdata/precision.py", append([]string{data}, paths...)...)
	for i, line := range strings.Split(strings.TrimSpace(out), "\n") {
		var in, logits string
		var distance float64
		if _, err := fmt.Sscan(line, &in, &logits, &distance); err != nil {
			t.Fatal(err)
		}
		most := []float64{0, 5e-3, 0.2}[i]
		if in != "float32" || logits != "float32" || distance > most || i > 0 && distance == 0 {
			t.Errorf("%s: found %q, expected a distance up to %v", filepath.Base(paths[i]), line, most)
		}
	}
}

// Models that ONNX Runtime's own quantizer made are read, computed alike and can be attacked.
func TestQuantizedByONNXRuntime(t *testing.T) {
	orttest.Open(t)
	dir := t.TempDir()
	model := exported(t)
	pythontest.Run(t, "testdata/quantize.py", model, dir)
	for name, tol := range map[string]string{"qoperator": "1e-3", "dynamic": "1e-3", "qdq": "0.1"} {
		path := filepath.Join(dir, name+".onnx")
		if table, _ := succeed(t, "verify", path, "--tol", tol); strings.Count(table, " ok ") != 3 {
			t.Errorf("%s: expected 3 checks to pass, found\n%s", name, table)
		}
		m, _, err := inspect.ReadModel(path, adapt.Flags{})
		if err != nil {
			t.Fatal(err)
		}
		if !m.Attack.Possible || len(m.Attack.Findings) == 0 {
			t.Errorf("%s: attack %+v", name, m.Attack)
		}
	}
	out, _ := succeed(t, "bench", filepath.Join(dir, "qoperator.onnx"), "--data", pictures, "--limit", "8", "--attacks", "clean,fgsm", "--json")
	if !strings.Contains(out, "straight-through gradient: at ") {
		t.Errorf("expected a flag, found\n%s", out)
	}
}
