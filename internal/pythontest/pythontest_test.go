package pythontest

import (
	"os/exec"
	"testing"
)

// recorder is a test that only records how it ends.
type recorder struct {
	testing.TB
	skipped, failed bool
}

func (r *recorder) Helper()               {}
func (r *recorder) Skipf(string, ...any)  { r.skipped = true }
func (r *recorder) Fatalf(string, ...any) { r.failed = true }

func TestNeed(t *testing.T) {
	if _, err := exec.LookPath("python3"); err != nil {
		Missing(t, "python3 is needed")
	}
	for _, c := range []struct {
		ci, pkg         string
		skipped, failed bool
	}{
		{"", "json", false, false},
		{"", "rnas_no_such_package", true, false},
		{"true", "json", false, false},
		{"true", "rnas_no_such_package", false, true},
	} {
		t.Setenv("CI", c.ci)
		r := &recorder{}
		Need(r, "sys", c.pkg)
		if r.skipped != c.skipped || r.failed != c.failed {
			t.Errorf("CI=%q, %s: skipped %v, failed %v", c.ci, c.pkg, r.skipped, r.failed)
		}
	}
}
