package genotype_test

import (
	"reflect"
	"regexp"
	"strings"
	"testing"

	"rnas/genotype"
)

func TestZooEntries(t *testing.T) {
	zoo := genotype.Zoo()
	if len(zoo) != 46 {
		t.Errorf("%d entries, expected 46", len(zoo))
	}
	source := regexp.MustCompile(`^[\w-]+/[\w-]+ [\w/]+\.py @ [0-9a-f]{7}$`)
	seen := map[string]bool{}
	for _, e := range zoo {
		if err := e.Genotype.Validate(); err != nil {
			t.Errorf("%s: %v", e.Name, err)
		}
		if e.Name == "" || e.Name != e.Genotype.Name || seen[strings.ToLower(e.Name)] {
			t.Errorf("entry %q: genotype named %q, expected the same, and no other entry of that name", e.Name, e.Genotype.Name)
		}
		seen[strings.ToLower(e.Name)] = true
		if !source.MatchString(e.Source) {
			t.Errorf("%s: source %q, expected owner/repository path @ commit", e.Name, e.Source)
		}
		checkRoundTrip(t, e.Genotype)
	}
}

// The auxiliary head of the DARTS evaluation network on 10 classes (a 1x1 convolution to 128 and a 2x2 convolution to
// 768 channels, each followed by a batch norm, and the classifier) reads the output of the second reduction cell, which
// has 4*36 channels per concatenated state.
func TestZooAuxiliaryCounts(t *testing.T) {
	for _, e := range genotype.Zoo() {
		if e.ParamsAux == 0 && e.Genotype.Form != genotype.DARTS {
			continue
		}
		in := 4 * 36 * len(e.Genotype.Reduce.Concat)
		want := in*128 + 2*128 + 4*128*768 + 2*768 + 768*10 + 10
		if got := e.ParamsAux - e.Params; got != want {
			t.Errorf("%s: the auxiliary head has %d parameters, expected %d", e.Name, got, want)
		}
	}
}

func TestZooIsFresh(t *testing.T) {
	genotype.Zoo()[0].Genotype.Normal.Edges[0].From = 7
	if first := genotype.Zoo()[0]; first.Genotype.Validate() != nil {
		t.Error("a caller of Zoo can change the zoo")
	}
}

func TestLookup(t *testing.T) {
	for name, want := range map[string]string{"DARTS_V1": "DARTS_V1", "advrush": "ADVRUSH", "rnas_h": "RNAS_H"} {
		if e := mustLookup(t, name); e.Name != want {
			t.Errorf("%s finds %s, expected %s", name, e.Name, want)
		}
	}
	for name, want := range map[string]string{
		"DARTS":                   `no genotype "DARTS" in the zoo; the nearest names are PDARTS, iDARTS and DARTS_V1`,
		"pc-darts-cifar":          `no genotype "pc-darts-cifar" in the zoo; the nearest names are PC_DARTS_cifar, PC_DARTS_image and PDARTS`,
		strings.Repeat("x", 9999): `no genotype "` + strings.Repeat("x", 40) + `..." in the zoo; the nearest names are NASNet, AmoebaNet and DARTS_V1`,
	} {
		_, err := genotype.Lookup(name)
		checkError(t, err, want)
	}
}

func mustLookup(t *testing.T, name string) genotype.Entry {
	t.Helper()
	e, err := genotype.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestZooOrderIsStable(t *testing.T) {
	if !reflect.DeepEqual(genotype.Zoo(), genotype.Zoo()) {
		t.Error("two calls of Zoo differ")
	}
}
