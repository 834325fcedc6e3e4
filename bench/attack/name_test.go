package attack

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for list, want := range map[string][]string{
		"clean": nil, "clean,fgsm,pgd20": {"fgsm", "pgd20"}, "pgd100, fgsm-rs": {"pgd100", "fgsm-rs"}, "pgd1": {"pgd1"},
		"cw,pgd20-t,pgd5-tx3,apgd-ce-eot7": {"cw", "pgd20-t", "pgd5-tx3", "apgd-ce-eot7"},
	} {
		attacks, err := Parse(list)
		var names []string
		for _, a := range attacks {
			names = append(names, a.Name)
		}
		if err != nil || !reflect.DeepEqual(names, want) {
			t.Errorf("%q: expected %q, found %q, %v", list, want, names, err)
		}
	}
	for list, part := range map[string]string{
		"": "expected clean, fgsm, fgsm-rs, pgdK[-dlr|-margin|-t][xR]", "fgsm,": `found ""`, "fgsm,fgsm": "twice", "PGD20": `found "PGD20"`,
		"pgd": `found "pgd"`, "pgd0": `found "pgd0"`, "pgd-1": "found", "pgd07": "found", "pgd+7": "found",
		"pgd99999999999": "found", "pgd1000001": "found", "fgsm20": "found", "pgd20-ce": "found", "pgd20x0": "found",
	} {
		if a, err := Parse(list); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%q: expected an error with %q, found %v, %v", list, part, a, err)
		}
	}
}

// TestAccessors checks what is asked of attacks besides their names.
func TestAccessors(t *testing.T) {
	attacks, err := Parse("fgsm,pgd20,pgd100,pgd20-dlr,pgd20x2,pgd100x2,cw-l2-100,cw-l2-200,mifgsm,apgd-ce-eot7,fab,fab-t,deepfool,square,autoattack")
	if err != nil {
		t.Fatal(err)
	}
	var fewer []string
	for _, a := range attacks {
		for _, b := range attacks {
			if a.FewerSteps(b) {
				fewer = append(fewer, a.Name+" "+b.Name)
			}
		}
	}
	if want := []string{"pgd20 pgd100", "pgd20x2 pgd100x2"}; !slices.Equal(fewer, want) {
		t.Errorf("fewer steps: expected %q, found %q", want, fewer)
	}
	for _, a := range attacks {
		for _, p := range a.Parts {
			if p.Gradients() != (p.Name != "square") {
				t.Errorf("%s of %s: found gradients %v", p.Name, a.Name, p.Gradients())
			}
		}
	}
	for i, a := range []Attack{FGSM(), PGD(20), PGD(100)} {
		if b := attacks[i]; a.Name != b.Name || a.Stages()[0].Key() != b.Stages()[0].Key() {
			t.Errorf("expected %s as parsed, found %s of key %s", b.Name, a.Name, a.Stages()[0].Key())
		}
	}
}
