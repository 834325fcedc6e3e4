package inspect

import (
	"path/filepath"
	"testing"

	"rnas/compiler/op"
	"rnas/export"
	"rnas/runtime/ort/orttest"
)

// TestMicrosoft: the reader puts standard operators in the place of those that ONNX Runtime's optimiser makes, and the interpreter computes of
// them what ONNX Runtime computes of the file. testdata/microsoft.py writes the files.
func TestMicrosoft(t *testing.T) {
	orttest.Open(t)
	files, err := filepath.Glob("testdata/microsoft.*.onnx")
	if err != nil || len(files) < 12 {
		t.Fatalf("found %v, %v", files, err)
	}
	for _, path := range files {
		checks, err := Verify(t.Context(), path, VerifyOptions{Tolerance: 1e-5, Batch: 3})
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		for _, c := range checks {
			if !c.OK {
				t.Errorf("%s: %+v", path, c)
			}
		}
		g, err := export.ReadFile(path, export.ReadOptions{})
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		for _, n := range g.Nodes {
			if n.Domain == op.Microsoft {
				t.Errorf("%s: found %s", path, n.Op)
			}
		}
	}
}
