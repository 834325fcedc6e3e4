package dataset

import (
	"path/filepath"
	"strings"
	"testing"
)

// Every source has a usage, takes the common options, and says which file or folder is missing.
func TestSources(t *testing.T) {
	for _, s := range sources {
		if !strings.Contains(Usage(), s.usage()) {
			t.Errorf("%s is not in %q", s.usage(), Usage())
		}
		text := s.name
		if s.path {
			text += ":" + filepath.Join(t.TempDir(), "none")
			refuse(t, text, "none: no such file or directory")
		}
		spec, err := ParseSpec(text + "?limit=3&train=2&test=1&seed=5")
		if err != nil || spec.Kind != s.name || spec.Limit != 3 || spec.Train != 2 || spec.Test != 1 || spec.Seed != 5 {
			t.Errorf("%s: got %+v, %v", text, spec, err)
		}
		refuse(t, text+"?colour=3", `unknown option "colour"`)
	}
	const want = "synthetic[:OPTIONS], cifar10:PATH, cifar100:PATH, folder:PATH, idx:PATH or npz:PATH, each with ?OPTIONS"
	if Usage() != want {
		t.Errorf("got %q, want %q", Usage(), want)
	}
}
