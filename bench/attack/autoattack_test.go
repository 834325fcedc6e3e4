package attack

import "testing"

// TestAutoAttackPasses has the passes through the classifier for a point that no attack breaks: 1,910 backward, and of the
// 7,857 forward those that are not for scoring or for the clean image, as worked out from the code of AutoAttack.
func TestAutoAttackPasses(t *testing.T) {
	c := convnet(t)
	attacks, err := Parse("autoattack")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]Counts{"apgd-ce": {101, 101}, "apgd-t": {4*101 + 1, 4 * 101}, "fab-t": {4*200 + 1, 400}, "square": {5001, 0}}
	s := Settings{Norm: "linf", Epsilon: 1e-6, Seed: 5}
	for _, p := range attacks[0].Parts {
		d := attacked(t, p.Stages[0], c, 1, s, 0)
		if d.counts != want[p.Name] {
			t.Errorf("%s: %+v, expected %+v for 5 classes", p.Name, d.counts, want[p.Name])
		}
		delete(want, p.Name)
	}
	if len(want) > 0 {
		t.Errorf("parts that are missing: %v", want)
	}
	// With 9 targets instead of 4: 101 + 9*101 + 9*100 backward, and the forward passes beside them.
	passes := Counts{}
	for _, p := range attacks[0].Parts {
		m := p.Stages[0].(method)
		tries, one := int64(m.tries(10)), m.passing(10)
		passes.Forwards += tries * (m.perTry.Forwards + int64(m.steps)*one.Forwards)
		passes.Backwards += tries * (m.perTry.Backwards + int64(m.steps)*one.Backwards)
	}
	if passes.Backwards != 1910 || passes.Forwards > 7857 || passes.Forwards < 7800 {
		t.Errorf("10 classes: %+v", passes)
	}
}

// TestAutoAttackVersions has the parts and starts of AutoAttack's versions plus and rand.
func TestAutoAttackVersions(t *testing.T) {
	for name, want := range map[string][]struct {
		part  string
		tries int
	}{
		"autoattack":      {{"apgd-ce", 1}, {"apgd-t", 9}, {"fab-t", 9}, {"square", 1}},
		"autoattack-plus": {{"apgd-ce", 5}, {"apgd-dlr", 5}, {"fab", 5}, {"square", 1}, {"apgd-t", 9}, {"fab-t", 9}},
		"autoattack-rand": {{"apgd-ce-eot20", 1}, {"apgd-dlr-eot20", 1}},
	} {
		attacks, err := Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(attacks[0].Parts); n != len(want) {
			t.Fatalf("%s: %d parts, expected %d", name, n, len(want))
		}
		for i, p := range attacks[0].Parts {
			if tries := p.Stages[0].(method).tries(10); p.Name != want[i].part || tries != want[i].tries || len(p.Stages) != 1 {
				t.Errorf("%s: part %s of %d tries, expected %+v", name, p.Name, tries, want[i])
			}
		}
	}
}
