// Package pythontest runs Python scripts for tests.
package pythontest

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Run runs a script with the Python packages onnx and onnxruntime and returns what it prints; see Need. A script that
// fails, fails the test.
func Run(t testing.TB, script string, args ...string) string {
	t.Helper()
	Need(t, "onnx", "onnxruntime")
	out, err := exec.Command("python3", append([]string{script}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
	return string(out)
}

// Need skips the test where python3 cannot import packages, or fails it when the environment variable CI is set, so that
// an automated run cannot pass by skipping.
func Need(t testing.TB, packages ...string) {
	t.Helper()
	list := strings.Join(packages, ", ")
	out, err := exec.Command("python3", "-c", "import "+list).CombinedOutput()
	switch {
	case err == nil:
	case os.Getenv("CI") != "":
		t.Fatalf("python3 with the packages %s is needed: %v\n%s", list, err, out)
	default:
		t.Skipf("python3 with the packages %s is needed: %v\n%s", list, err, out)
	}
}
