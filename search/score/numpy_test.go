package score

import (
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"rnas/internal/pythontest"
	"rnas/internal/rng"
)

// The linear algebra of jacov and naswot is that of numpy.
func TestLinearAlgebraOfNumpy(t *testing.T) {
	pythontest.Need(t, "numpy")
	const n, width, units = 8, 30, 200
	s := rng.New(1, rng.Probe, 0, 0, 0)
	gradients := make([]float64, n*width)
	for i := range gradients {
		gradients[i] = s.NormFloat64()
	}
	code := make([]bool, n*units)
	for i := range code {
		code[i] = s.Uint32()&1 == 1
	}
	kernel := make([]float64, n*n)
	for i := range n {
		for j := range n {
			for u := range units {
				if code[i*units+u] == code[j*units+u] {
					kernel[i*n+j]++
				}
			}
		}
	}
	input, err := json.Marshal(map[string]any{"n": n, "gradients": gradients, "kernel": kernel})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "case.json")
	if err := os.WriteFile(path, input, 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("python3", filepath.Join("testdata", "scores.py"), path).Output()
	if err != nil {
		t.Fatal(err)
	}
	var want []float64
	if err := json.Unmarshal(out, &want); err != nil || len(want) != 2 {
		t.Fatalf("found %s: %v", out, err)
	}
	for i, got := range []float64{spread(n, gradients), logDeterminant(n, kernel)} {
		if math.Abs(got-want[i]) > 1e-9*math.Abs(want[i]) {
			t.Errorf("value %d: found %v, numpy has %v", i, got, want[i])
		}
	}
}
