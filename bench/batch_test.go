package bench

import "testing"

func TestDefaultBatch(t *testing.T) {
	for _, c := range []struct {
		provider string
		side     int
		want     int
	}{
		{"cpu", 8, 64},
		{"cpu", 32, 64},
		{"cpu", 64, 16},
		{"cpu", 224, 8},
		{"cuda", 224, 64},
	} {
		if got := defaultBatch(c.provider, []int{3, c.side, c.side}); got != c.want {
			t.Errorf("%+v: found %d", c, got)
		}
	}
}
