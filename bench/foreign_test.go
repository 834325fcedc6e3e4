package bench

import (
	"context"
	"path/filepath"
	"testing"

	"rnas/bench/attack"
	"rnas/export"
	"rnas/internal/dataset"
	"rnas/runtime/ort/orttest"
)

// TestForeignModels attacks models of other frameworks: computed shapes and an open batch size, float16 inputs and
// outputs, tensors in another file.
func TestForeignModels(t *testing.T) {
	orttest.Open(t)
	splits, err := dataset.Open(context.Background(), "synthetic:classes=10,size=32,train=20,test=12", dataset.Options{})
	if err != nil {
		t.Fatal(err)
	}
	g, err := export.ReadFile("../testdata/models/vit-n.ts.onnx", export.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	apart := filepath.Join(t.TempDir(), "apart.onnx")
	if err := export.WriteFile(apart, g, export.Options{ExternalOver: 1000}); err != nil {
		t.Fatal(err)
	}
	attacks, err := attack.Parse("fgsm,pgd3")
	if err != nil {
		t.Fatal(err)
	}
	correct := map[string]int{}
	for _, path := range []string{
		"../testdata/models/vit-n.ts.onnx", apart, "../testdata/models/resnet-h.dynamo.onnx", "../testdata/models/swin.dynamo.onnx",
		"../testdata/models/keras-n.tf.onnx",
	} {
		o := Options{Attacks: attacks, Batch: 8, Settings: attack.Settings{Norm: "linf", Epsilon: 8.0 / 255}}
		result, err := Run(context.Background(), o, []string{path}, splits.Test)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		m := result.Models[0]
		if correct[path] = m.Clean.Correct; len(m.Attacks) != 2 || m.Points != 12 {
			t.Errorf("%s: found %+v", path, m)
		}
	}
	if correct[apart] != correct["../testdata/models/vit-n.ts.onnx"] {
		t.Errorf("the model in two files has another accuracy: %v", correct)
	}
}
