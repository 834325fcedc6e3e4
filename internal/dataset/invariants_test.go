package dataset

import (
	"slices"
	"testing"
)

// checkInvariants checks what every reader promises about its splits.
func checkInvariants(t *testing.T, s *Splits) {
	t.Helper()
	if s.Train.Shape != s.Test.Shape || !slices.Equal(s.Train.Classes, s.Test.Classes) {
		t.Errorf("splits of shapes %v and %v", s.Train.Shape, s.Test.Shape)
	}
	for _, d := range []*Dataset{s.Train, s.Test} {
		if d.Elems() < 1 || len(d.Images)+len(d.Floats) != d.Len()*d.Elems() || len(d.Images) > 0 && len(d.Floats) > 0 {
			t.Errorf("%d bytes for %d images of %v", len(d.Images), d.Len(), d.Shape)
		}
		for i, label := range d.Labels {
			if label < 0 || int(label) >= len(d.Classes) {
				t.Errorf("image %d has label %d of %d classes", i, label, len(d.Classes))
			}
		}
	}
}
