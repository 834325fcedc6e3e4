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
