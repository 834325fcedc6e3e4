package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

func TestPhase(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "result")
	calls := 0
	do := func(key string, fail error) error {
		t.Helper()
		return phase{dir: dir, results: []string{"result"}, key: key}.do(io.Discard, func() error {
			calls++
			if fail != nil {
				return fail
			}
			return os.WriteFile(file, []byte(key), 0o644)
		})
	}
	expect := func(what string, n int, err error) {
		t.Helper()
		if err != nil || calls != n {
			t.Errorf("%s: expected %d calls, found %d, %v", what, n, calls, err)
		}
	}
	broken := errors.New("broken")
	if err := do("a", broken); !errors.Is(err, broken) {
		t.Errorf("found %v", err)
	}
	expect("after a failure", 2, do("a", nil))
	expect("complete", 2, do("a", nil))
	expect("another configuration", 3, do("b", nil))
	if err := os.WriteFile(file, []byte("changed"), 0o644); err != nil {
		t.Fatal(err)
	}
	expect("changed result", 4, do("b", nil))
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	expect("missing result", 5, do("b", nil))
	expect("complete again", 5, do("b", nil))
}
