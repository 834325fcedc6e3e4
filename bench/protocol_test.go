package bench

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"rnas/internal/dataset"
)

func TestProtocols(t *testing.T) {
	var names []string
	for _, p := range Protocols() {
		names = append(names, p.Name)
		named, err := ProtocolNamed(p.Name)
		if err != nil || named.About != p.About {
			t.Errorf("%s: found %+v, %v", p.Name, named, err)
		}
		var o Options
		o.Settings.StepSize = 1
		if err := p.Apply(&o); err != nil {
			t.Fatalf("%s: %v", p.Name, err)
		}
		if err := o.Settings.Validate(); err != nil {
			t.Errorf("%s: %v", p.Name, err)
		}
		for _, a := range o.Attacks {
			for _, st := range a.Stages() {
				if err := st.Supports(o.Settings, 10); err != nil {
					t.Errorf("%s: %s: %v", p.Name, a.Name, err)
				}
			}
		}
		whole := &dataset.Dataset{Name: p.data[0] + ":folder test", Labels: make([]int32, p.points)}
		if r := o.Protocol.report(o, whole); len(r.Deviations) != 0 || r.Name != p.Name || r.Eps != p.Epsilon || r.Points != p.points {
			t.Errorf("%s: found %+v", p.Name, r)
		}
		few := &dataset.Dataset{Name: "synthetic test", Labels: make([]int32, 1000)}
		o.Settings.Epsilon, o.Attacks = 1./255, o.Attacks[:0]
		r := o.Protocol.report(o, few)
		if len(r.Deviations) != 4 || r.Deviations[1] != fmt.Sprintf("1000 images instead of %d", p.points) || !strings.HasPrefix(r.Deviations[0], "images of synthetic test instead of ") {
			t.Errorf("%s: found %q", p.Name, r.Deviations)
		}
	}
	if _, err := ProtocolNamed("madry"); err == nil || err.Error() != fmt.Sprintf(`expected %s, found "madry"`, strings.Join(names, ", ")) {
		t.Errorf("found %v", err)
	}
	unknown := Protocols()[0]
	unknown.Attacks = []string{"autoattack", "none-such"}
	if err := unknown.Apply(&Options{}); err == nil || !strings.Contains(err.Error(), `found "none-such"`) {
		t.Errorf("expected an error about none-such, found %v", err)
	}
}

// TestProtocolReport checks that the report tells what was not as the protocol says.
func TestProtocolReport(t *testing.T) {
	d := images(20, classes, 0, 255)
	o := options(t, "fgsm")
	p := Protocols()[0]
	o.Protocol = &p
	r := run(t, o, d, save(t, "linear", -1, linear(classes)))
	want := []string{"images of noise instead of the official files of cifar10 or cifar100", "20 images instead of 10000", "attacks fgsm instead of autoattack"}
	if r.Protocol == nil || !slices.Equal(r.Protocol.Deviations, want) {
		t.Fatalf("expected %q, found %+v", want, r.Protocol)
	}
	text, err := r.Markdown()
	if err != nil || !strings.Contains(string(text), "Not as it says: "+strings.Join(want, "; ")+".") {
		t.Errorf("%v, found\n%s", err, text)
	}
	page, err := r.HTML(nil)
	if err != nil || !strings.Contains(string(page), want[2]) {
		t.Errorf("%v, the page does not have %q", err, want[2])
	}
}
