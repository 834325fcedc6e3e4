package folderlock

import (
	"path/filepath"
	"strings"
	"testing"

	"rnas/internal/fault"
)

func TestLock(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	release, err := Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Lock(dir); !fault.IsInput(err) || !strings.Contains(err.Error(), dir) {
		t.Errorf("a second lock: found %v", err)
	}
	release()
	release, err = Lock(dir)
	if err != nil {
		t.Fatalf("after the release: %v", err)
	}
	release()
}

func TestLockFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.log")
	release, err := LockFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := LockFile(path); !fault.IsInput(err) || !strings.Contains(err.Error(), path+": expected a file that no process works on") {
		t.Errorf("a second lock: found %v", err)
	}
	release()
	release, err = LockFile(path)
	if err != nil {
		t.Fatalf("after the release: %v", err)
	}
	release()
}
