package program_test

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rnas/compiler/pass"
	"rnas/compiler/program"
	"rnas/export"
	"rnas/internal/npy"
	"rnas/internal/tensor"
)

// torchModels is a variable that names a folder of more models made by tools/torch_models.py.
const torchModels = "RNAS_TORCH_MODELS"

// Models that PyTorch and Keras exported give the logits and input gradients that these computed: see testdata/models/README.md.
func TestTorchModels(t *testing.T) {
	folders := []string{"../../testdata/models"}
	if more := os.Getenv(torchModels); more != "" {
		folders = append(folders, more)
	}
	for _, folder := range folders {
		paths, err := filepath.Glob(filepath.Join(folder, "*.onnx"))
		if err != nil || len(paths) == 0 {
			t.Fatalf("%s: no models (%v)", folder, err)
		}
		for _, path := range paths {
			t.Run(strings.TrimSuffix(filepath.Base(path), ".onnx"), func(t *testing.T) { testTorchModel(t, path) })
		}
	}
}

func testTorchModel(t *testing.T, path string) {
	name, _, _ := strings.Cut(filepath.Base(path), ".")
	arrays, err := npy.ReadNPZ(filepath.Join(filepath.Dir(path), name+".npz"))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]*tensor.Tensor{}
	for _, a := range arrays {
		want[a.Name] = a.Tensor
	}
	pixels := want["images"].Float64s()
	for i := range pixels {
		pixels[i] /= 255
	}
	in := map[string]*tensor.Tensor{
		"images": tensor.FromFloat64s(tensor.Float32, want["images"].Shape, pixels), "labels": want["labels"],
	}
	batch := want["labels"].Shape[0]
	g, err := export.ReadFile(path, export.ReadOptions{Batch: batch})
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
	p, err := c.Gradient(int(batch))
	if err != nil {
		t.Fatal(err)
	}
	limit := map[string]float64{"logits": 1e-4, "gradient": 1e-3}
	if strings.HasSuffix(name, "-h") { // the exporters round what they fold to float16
		limit = map[string]float64{"logits": 2e-3, "gradient": 3e-2}
	}
	for _, e := range engines {
		got := e.run(t, p, in)
		for _, output := range []string{"logits", "gradient"} {
			d, scale := maxDiff(t, got[output], want[output])
			if output == "logits" {
				scale = max(scale, 1)
			}
			t.Logf("%s: %s: relative difference %.1e", e.name, output, d/scale)
			if math.IsNaN(d) || d > limit[output]*scale {
				t.Errorf("%s: %s differs by %.2g (largest entry %.2g)", e.name, output, d, scale)
			}
		}
	}
}
