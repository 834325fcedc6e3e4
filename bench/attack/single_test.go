package attack

import (
	"slices"
	"strings"
	"testing"

	"rnas/compiler/interp"
	"rnas/compiler/ir"
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
		"clean": "found", "pgd": "found", "": "found", "pgd20x2": "2 starts", "square": "draws random numbers", "autoattack": "sequence of 4 attacks",
	} {
		if s, err := Alone(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: expected an error with %q, found %v, %v", name, want, s, err)
		}
	}
}

// A program for any number of images gives what one for as many as there are gives.
func TestSymbolicBatch(t *testing.T) {
	c := convnet(t)
	in := inputs(deepfool, Settings{}, 0, classified(t, c, 2)...)
	for _, name := range []string{"pgd2", "deepfool", "cw-l2", "apgd-ce-eot2"} {
		single, err := Alone(name)
		if err != nil {
			t.Fatal(err)
		}
		if name != "deepfool" {
			if single, err = single.Resized(2); err != nil {
				t.Fatal(err)
			}
		}
		var found [][]float64
		for _, batch := range []int64{2, ir.N} {
			p, err := single.Program(c, int(batch), Settings{Norm: "l2", Epsilon: 0.2})
			if err != nil {
				t.Fatalf("%s, batch %d: %v", name, batch, err)
			}
			out, err := interp.Run(p.Graph, in)
			if err != nil {
				t.Fatalf("%s, batch %d: %v", name, batch, err)
			}
			found = append(found, out["adversarial"].Float64s())
		}
		if !slices.Equal(found[0], found[1]) {
			t.Errorf("%s: images differ", name)
		}
	}
}
