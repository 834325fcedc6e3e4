package lower

import (
	"math"
	"testing"

	"rnas/genotype"
)

func macro(c, l int) Macro {
	return Macro{Channels: c, Layers: l, Classes: 10, Height: 32, Width: 32, Depth: 3}
}

// Parameter and multiply-add counts of every published genotype at C=36 L=20 on 32x32 images, against the counts listed
// with the zoo, which were made by another program.
func TestZooCounts(t *testing.T) {
	for _, z := range genotype.Zoo() {
		n := Evaluation{Macro: macro(36, 20), Genotype: z.Genotype}
		params, err := Params(n, true)
		if err != nil {
			t.Fatalf("%s: %v", z.Name, err)
		}
		if got := Count(params); got != int64(z.Params) {
			t.Errorf("%s: %d parameters, listed %d", z.Name, got, z.Params)
		}
		n.Aux = true
		if params, err = Params(n, true); err != nil {
			t.Fatalf("%s: %v", z.Name, err)
		}
		if got := Count(params); got != int64(z.ParamsAux) {
			t.Errorf("%s: %d parameters with auxiliary head, listed %d", z.Name, got, z.ParamsAux)
		}
		macs, err := MACs(n)
		if err != nil {
			t.Fatalf("%s: %v", z.Name, err)
		}
		if got := float64(macs) / 1e6; math.Abs(got-z.MACs) > 0.1 {
			t.Errorf("%s: %.2f million multiply-adds, listed %.1f", z.Name, got, z.MACs)
		}
	}
}

// The count of the public DARTS supernet (C=16, L=8) without architecture parameters.
func TestSupernetCount(t *testing.T) {
	params, err := Params(Supernet{Macro: macro(16, 8), Nodes: 4, Primitives: genotype.DARTSPrimitives}, true)
	if err != nil {
		t.Fatal(err)
	}
	if got := Count(params); got != 1930618 {
		t.Errorf("%d parameters, expected 1930618", got)
	}
}
