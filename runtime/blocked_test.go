package runtime_test

import (
	"testing"

	"rnas/runtime"
	"rnas/runtime/runtimetest"
)

func TestBlockSize(t *testing.T) {
	runtimetest.Open(t)
	size, err := runtime.BlockSize()
	t.Log(size, err)
	if err == nil && size != 8 && size != 16 {
		t.Errorf("expected 8 or 16, found %d", size)
	}
}
