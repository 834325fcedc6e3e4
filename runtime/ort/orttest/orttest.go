// Package orttest opens ONNX Runtime for tests.
package orttest

import (
	"os"
	"testing"

	"rnas/internal/tensor"
	"rnas/runtime/ort"
)

// Open loads the library that ort.Find finds. Without one the test is skipped, or fails when the environment
// variable CI is set, so that an automated run cannot pass by skipping.
func Open(t testing.TB) *ort.Library {
	t.Helper()
	l, err := ort.OpenDefault("")
	if err == nil {
		return l
	}
	if os.Getenv("CI") != "" {
		t.Fatalf("ONNX Runtime: %v", err)
	}
	t.Skipf("ONNX Runtime: %v", err)
	return nil
}

// Store is a store of the named tensors, in that order, which is closed when the test ends.
func Store(t testing.TB, entries map[string]*tensor.Tensor, order ...string) *ort.Store {
	t.Helper()
	st := ort.NewStore()
	for _, name := range order {
		if err := st.Add(name, entries[name]); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { st.Close() })
	return st
}
