package examples

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"rnas/internal/pythontest"
	"rnas/internal/tensor"
	"rnas/runtime/ort"
)

// The example in Python attacks the trained model: classes, logits and changes of the pixels are those of our runtime, for an
// open batch and one that the images do not fill.
func TestPythonAttack(t *testing.T) {
	pythontest.Need(t, "numpy", "onnxruntime")
	compiler := tool(t, "go")
	m := trained(t)
	dir := t.TempDir()
	var images []string
	for _, p := range m.pictures {
		images = append(images, p.ppm)
	}
	for _, batch := range []int{0, 3} {
		path := filepath.Join(dir, fmt.Sprintf("attack%d.onnx", batch))
		if out, err := exec.Command(compiler, "run", "../cmd/rnas", "attack", m.path, "--kind", "mifgsm", "--batch", strconv.Itoa(batch), "--out", path).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		var stderr bytes.Buffer
		cmd := exec.Command("python3", append([]string{"python/attack.py", m.path, path}, images...)...)
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil || stderr.Len() > 0 {
			t.Fatalf("%v\n%s", err, &stderr)
		}
		lines := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
		if len(lines) != 1+4*len(images) || !strings.HasSuffix(lines[0], ": mifgsm, 10 steps, eps 0.0314 in norm linf") {
			t.Fatalf("found\n%s", out)
		}
		if batch != 0 {
			continue // another batch may be rounded differently
		}
		for i, p := range m.pictures {
			told(t, m, path, p, lines[1+4*i:5+4*i])
		}
	}
	out, err := exec.Command("python3", "python/attack.py", m.path, m.path, images[0]).CombinedOutput()
	if want := "attack: " + m.path + ": expected a model that rnas attack wrote\n"; err == nil || string(out) != want {
		t.Errorf("found %v, %q", err, out)
	}
}

// told compares what the example prints about a picture with our runtime's results of one picture at a time.
func told(t *testing.T, m *model, attack string, p picture, lines []string) {
	t.Helper()
	session, err := ort.NewSession(contents(t, attack), ort.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	before := m.logits(t, p.pixels)
	out, err := session.RunAlloc([]*tensor.Tensor{p.pixels, tensor.Vector(int64(largest(before))), tensor.Zeros(tensor.Float32, p.pixels.Shape...)})
	if err != nil {
		t.Fatal(err)
	}
	after := m.logits(t, out[0])
	if lines[0] != p.ppm {
		t.Errorf("expected %s, found %q", p.ppm, lines[0])
	}
	for i, logits := range [][]float32{before, after} {
		k := largest(logits)
		field := strings.Fields(lines[1+i])
		logit, err := strconv.ParseFloat(field[3], 64)
		if err != nil || field[0] != []string{"before", "after"}[i] || field[4] != m.classes[k] || math.Abs(logit-float64(logits[k])) > tolerance {
			t.Errorf("%s: found %q, expected %s with logit %.7f, %v", p.name(), lines[1+i], m.classes[k], logits[k], err)
		}
	}
	if k := largest(before); after[k] >= before[k] || lines[3] != "  largest change of a pixel 8.0000/255" {
		t.Errorf("%s: found %q", p.name(), lines)
	}
}

func largest(logits []float32) int {
	best := 0
	for k, v := range logits {
		if v > logits[best] {
			best = k
		}
	}
	return best
}

func contents(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
