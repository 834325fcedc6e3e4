package bench

import (
	"testing"

	"rnas/runtime/ort"
)

func TestDefaultBatch(t *testing.T) {
	for _, c := range []struct {
		provider string
		threads  int
		side     int
		want     int
	}{
		{"cpu", 2, 8, 64},
		{"cpu", 1, 32, 16},
		{"cpu", 2, 32, 32},
		{"cpu", 16, 32, 64},
		{"cpu", 4, 64, 16},
		{"cpu", 2, 224, 8},
		{"cuda", 2, 224, 64},
	} {
		if got := defaultBatch(ort.Options{Provider: ort.Provider(c.provider), Threads: c.threads}, []int{3, c.side, c.side}); got != c.want {
			t.Errorf("%+v: found %d", c, got)
		}
	}
}
