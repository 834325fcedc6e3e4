// Package runtimetest opens ONNX Runtime for tests.
package runtimetest

import (
	"os"
	"testing"

	"rnas/runtime"
)

// Open loads the library that runtime.Find finds. Without one the test is skipped, or fails when the environment
// variable CI is set, so that an automated run cannot pass by skipping.
func Open(t testing.TB) *runtime.Library {
	t.Helper()
	l, err := runtime.OpenDefault("")
	if err == nil {
		return l
	}
	if os.Getenv("CI") != "" {
		t.Fatalf("ONNX Runtime: %v", err)
	}
	t.Skipf("ONNX Runtime: %v", err)
	return nil
}
