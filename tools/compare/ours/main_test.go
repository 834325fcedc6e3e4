package main

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"rnas/internal/pythontest"
	"rnas/internal/rng"
	"rnas/internal/tensor"
	"rnas/runtime/ort/orttest"
)

// prepare does what torch_side.py does for a small case: weights and inputs.
func prepare(t *testing.T, c benchCase) string {
	t.Helper()
	c.Channels, c.Layers, c.Classes, c.Size, c.Batch = 4, 3, 10, 16, 4
	c.Dir, c.Threads = t.TempDir(), 1
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name string, data []byte) {
		if err := os.WriteFile(c.file(name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("case.json", text)
	path := c.file("case.json")
	if err := run([]string{path, "weights"}, nil, nil); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(c.file("initial.safetensors"), c.file("weights.safetensors")); err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"images", "start", "noise"} {
		x := tensor.Zeros(tensor.Float32, int64(c.Batch), 3, int64(c.Size), int64(c.Size))
		s := rng.New(1, rng.Probe, 0, 0, i)
		s.FillUniform(x.Float32s(), 0, []float32{1, epsilon, epsilon}[i])
		write(name+".bin", tensor.Bytes(x))
	}
	write("labels.bin", tensor.Bytes(tensor.Vector[int64](0, 3, 6, 9)))
	return path
}

func TestCases(t *testing.T) {
	orttest.Open(t)
	for _, c := range []struct {
		name   string
		of     benchCase
		parts  []string
		values int
	}{
		{"forward", benchCase{Kind: "forward", Network: "DARTS_V2"}, []string{"step"}, 4 * 10},
		{"pgd", benchCase{Kind: "pgd", Network: "DARTS_V2", Steps: 2}, []string{"step"}, 4 * 3 * 16 * 16},
		{"train", benchCase{Kind: "train", Network: "DARTS_V2", Recipe: "standard"}, []string{"step"}, 2},
		{"train pgd", benchCase{Kind: "train", Network: "DARTS_V2", Recipe: "pgd", Steps: 2}, []string{"step"}, 2},
		{"search", benchCase{Kind: "search", Network: "supernet"}, []string{"alphas", "weights"}, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := prepare(t, c.of)
			var out bytes.Buffer
			if err := run([]string{path}, strings.NewReader("first\nstep 2\nmemory\n"), &out); err != nil {
				t.Fatal(err)
			}
			var loaded struct {
				Load       float64 `json:"load_s"`
				Parameters int     `json:"parameters"`
				Version    string  `json:"version"`
			}
			var first struct {
				Seconds float64 `json:"first_s"`
			}
			var times map[string][]float64
			var memory struct {
				MiB float64 `json:"memory_mib"`
			}
			d := json.NewDecoder(&out)
			for _, v := range []any{&loaded, &first, &times, &memory} {
				if err := d.Decode(v); err != nil {
					t.Fatal(err)
				}
			}
			if !(loaded.Load > 0) || loaded.Parameters == 0 || loaded.Version == "" || !(first.Seconds > 0) || !(memory.MiB > 1) || len(times) != len(c.parts) {
				t.Errorf("found %+v, %+v, %v, %+v", loaded, first, times, memory)
			}
			for _, part := range c.parts {
				if ms := times[part]; len(ms) != 2 || !(ms[0] > 0) {
					t.Errorf("part %s: expected two times, found %v", part, ms)
				}
			}
			data, err := os.ReadFile(filepath.Join(filepath.Dir(path), "values.f32"))
			if err != nil || len(data) != 4*c.values {
				t.Fatalf("expected %d values, found %d bytes, %v", c.values, len(data), err)
			}
			values := tensor.Zeros(tensor.Float32, int64(c.values))
			copy(tensor.Bytes(values), data)
			for _, v := range values.Float32s() {
				if v := float64(v); math.IsNaN(v) || math.IsInf(v, 0) {
					t.Fatalf("found %v", v)
				}
			}
		})
	}
}

func TestErrors(t *testing.T) {
	orttest.Open(t)
	good := prepare(t, benchCase{Kind: "forward", Network: "DARTS_V2"})
	for _, c := range []struct{ path, in, want string }{
		{"missing.json", "", "missing.json"},
		{prepare(t, benchCase{Kind: "juggle", Network: "DARTS_V2"}), "", `kind "juggle"`},
		{good, "dance\n", "expected first, memory or step N"},
		{good, "step many\n", "many"},
	} {
		err := run([]string{c.path}, strings.NewReader(c.in), &bytes.Buffer{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s, %q: expected an error with %q, found %v", c.path, c.in, c.want, err)
		}
	}
	images := filepath.Join(filepath.Dir(good), "images.bin")
	if err := os.Truncate(images, 100); err != nil {
		t.Fatal(err)
	}
	if err := run([]string{good}, strings.NewReader(""), &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "images.bin: expected 12288 bytes, found 100") {
		t.Errorf("found %v", err)
	}
}

// TestScripts runs the tests of the scripts, which need Python only.
func TestScripts(t *testing.T) {
	pythontest.Need(t, "unittest")
	cmd := exec.Command("python3", "-B", "-m", "unittest", "compare_test")
	cmd.Dir = ".."
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
