package study

import (
	"strings"
	"testing"

	"rnas/internal/pagetest"
)

// The page loads nothing, breaks none of its own rules and fits 390 and 1280 pixels.
func TestPageInBrowser(t *testing.T) {
	r := comparedResults(t)
	page, err := r.summarise().html(r.file)
	if err != nil {
		t.Fatal(err)
	}
	s := pagetest.Look(t, page)
	if len(s.Requests) != 1 || !strings.HasPrefix(s.Requests[0], "file:") || len(s.Faults) > 0 || len(s.Misfits) > 0 {
		t.Errorf("found %+v", s)
	}
}
