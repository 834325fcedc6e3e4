package attack

import (
	"strings"
	"testing"
)

// An attack with another number of steps is the one of that name.
func TestAlone(t *testing.T) {
	s, err := Alone("pgd20-dlr")
	if err != nil || s.Steps() != 20 || s.Targeted() {
		t.Fatalf("found %+v, %v", s, err)
	}
	more, err := s.Resized(50)
	if err != nil {
		t.Fatal(err)
	}
	named, err := Alone("pgd50-dlr")
	if err != nil || more.Key() != named.Key() || more.Key() == s.Key() || more.Steps() != 50 || s.Steps() != 20 {
		t.Errorf("found %s and %s, %v", more.Key(), named.Key(), err)
	}
	s, err = Alone("apgd-t")
	if err != nil || s.Steps() != 100 || !s.Targeted() || s.StepSize(Settings{Epsilon: 1}) != 0 {
		t.Errorf("found %+v, %v", s, err)
	}
	if again, err := s.Resized(100); err != nil || again.Key() != s.Key() {
		t.Errorf("found %v, %v", again, err)
	}
	for name, want := range map[string]string{
		"clean": "found", "pgd": "found", "": "found", "pgd20x2": "2 starts", "square": "draws random numbers",
	} {
		if s, err := Alone(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: expected an error with %q, found %v, %v", name, want, s, err)
		}
	}
}
