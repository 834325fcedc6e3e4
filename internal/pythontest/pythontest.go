// Package pythontest is for tests that need Python or other programs from outside.
package pythontest

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Run runs a Python script and returns what it prints. The packages onnx and onnxruntime must be there, as Need says. A
// script that fails makes the test fail.
func Run(t testing.TB, script string, args ...string) string {
	t.Helper()
	Need(t, "onnx", "onnxruntime")
	out, err := exec.Command("python3", append([]string{script}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
	return string(out)
}

// Need ends the test, as Missing does, if python3 cannot import all packages.
func Need(t testing.TB, packages ...string) {
	t.Helper()
	list := strings.Join(packages, ", ")
	out, err := exec.Command("python3", "-c", "import "+list).CombinedOutput()
	if err != nil {
		Missing(t, "python3 with the packages %s is needed: %v\n%s", list, err, out)
	}
}

// Missing ends a test that needs something the machine does not have; the message says what. The test is skipped, or
// fails if the environment variable CI is set, so that an automated run cannot pass by skipping.
func Missing(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf(format, args...)
		return
	}
	t.Skipf(format, args...)
}
