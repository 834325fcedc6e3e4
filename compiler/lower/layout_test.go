package lower

import (
	"math"
	"strings"
	"testing"

	"rnas/genotype"
)

func macro(c, l int) Macro {
	return Macro{Channels: c, Layers: l, Classes: 10, Height: 32, Width: 32, Depth: 3}
}

// Parameter and multiply-add counts of every published genotype on 32x32 images, against the counts listed with the zoo,
// which were made by another program; those of ARNAS and RobNet, by tools/public-networks.py with PyTorch.
func TestZooCounts(t *testing.T) {
	for _, z := range genotype.Zoo() {
		n := Evaluation{Macro: macro(z.Channels, z.Layers), Genotype: z.Genotype}
		params, err := Params(n, true)
		if err != nil {
			t.Fatalf("%s: %v", z.Name, err)
		}
		if got := Count(params); got != int64(z.Params) {
			t.Errorf("%s: %d parameters, listed %d", z.Name, got, z.Params)
		}
		if n.Aux = z.ParamsAux > 0; n.Aux {
			if params, err = Params(n, true); err != nil {
				t.Fatalf("%s: %v", z.Name, err)
			}
			if got := Count(params); got != int64(z.ParamsAux) {
				t.Errorf("%s: %d parameters with auxiliary head, listed %d", z.Name, got, z.ParamsAux)
			}
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

// Counts of the supernets of public codes without architecture parameters: DARTS and PC-DARTS with C=16 and L=8. That of
// NAS-Bench-201 with C=16 and 15 cells is the published count of its network of empty cells, 73,306, and for each of the six
// edges of a cell a 1x1 and a 3x3 convolution: 6*10*(16*16+32*32+64*64)*5.
func TestSupernetCount(t *testing.T) {
	darts := genotype.Space{Nodes: 4, Primitives: genotype.DARTSPrimitives}
	bench, err := genotype.LookupSpace("nas-bench-201")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		net  Supernet
		want int64
	}{
		{Supernet{Macro: macro(16, 8), Space: darts}, 1930618},
		{Supernet{Macro: macro(16, 8), Space: darts, Partial: 4, EdgeNorm: true}, 299578},
		{Supernet{Macro: macro(16, 15), Space: bench}, 73306 + 6*10*(16*16+32*32+64*64)*5},
	} {
		params, err := Params(c.net, true)
		if err != nil {
			t.Fatal(err)
		}
		if got := Count(params); got != c.want {
			t.Errorf("%+v: %d parameters, expected %d", c.net, got, c.want)
		}
	}
}

func TestSupernetErrors(t *testing.T) {
	darts := genotype.Space{Nodes: 1, Primitives: genotype.DARTSPrimitives}
	bench, err := genotype.LookupSpace("nas-bench-201")
	if err != nil {
		t.Fatal(err)
	}
	for want, n := range map[string]Supernet{
		"partial channels: expected a divisor of 6 channels, found 4":                {Macro: macro(6, 3), Space: darts, Partial: 4},
		"partial channels: expected a divisor of 8 channels, found -1":               {Macro: macro(8, 3), Space: darts, Partial: -1},
		"8 layers: networks of NAS-Bench-201 have as many cells in each of 3 stages": {Macro: macro(8, 8), Space: bench},
		"nodes: expected at least 1":                                                 {Macro: macro(8, 8)},
		"channels 0, layers 8":                                                       {Macro: macro(0, 8), Space: darts},
	} {
		if _, err := Params(n, true); err == nil || !strings.Contains(err.Error(), "supernet: "+want) {
			t.Errorf("expected %q, found %v", want, err)
		}
	}
}

// Counts of networks of NAS-Bench-201. The first two are the extremes that the benchmark publishes for CIFAR-10 (0.073306
// and 1.531546 million parameters, 7.78305 and 220.11969 million operations, the 10 biases of the classifier among them);
// the others are those of tools/public-networks.py with PyTorch.
func TestBench201Counts(t *testing.T) {
	for _, c := range []struct {
		text         string
		params, macs int64
	}{
		{"|none~0|+|none~0|none~1|+|none~0|none~1|none~2|", 73306, 7783040},
		{"|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|nor_conv_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|", 1531546, 220119680},
		{"|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|", 1288506, 184730240},
		{"|avg_pool_3x3~0|+|nor_conv_1x1~0|none~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_1x1~2|", 372346, 51036800},
	} {
		g, err := genotype.Parse(c.text)
		if err != nil {
			t.Fatal(err)
		}
		n := Evaluation{Macro: macro(g.Form.Size()), Genotype: g}
		params, err := Params(n, true)
		if err != nil {
			t.Fatal(err)
		}
		macs, err := MACs(n)
		if err != nil {
			t.Fatal(err)
		}
		if Count(params) != c.params || macs != c.macs {
			t.Errorf("%s: %d parameters and %d multiply-adds, expected %d and %d", c.text, Count(params), macs, c.params, c.macs)
		}
	}
}

// What does not fit a form is told before anything is built.
func TestFormErrors(t *testing.T) {
	bench, err := genotype.Parse("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|")
	if err != nil {
		t.Fatal(err)
	}
	free, err := genotype.Lookup("RobNet_free")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		n    Evaluation
		want string
	}{
		{Evaluation{Macro: macro(16, 14), Genotype: bench}, "14 layers: networks of NAS-Bench-201 have as many cells in each of 3 stages"},
		{Evaluation{Macro: macro(16, 15), Genotype: bench, Aux: true}, "genotypes of the form nb201 have no auxiliary head"},
		{Evaluation{Macro: macro(36, 8), Genotype: free.Genotype}, "8 layers: the genotype has 20 cells"},
		{Evaluation{Macro: macro(36, 8)}, "genotype: normal cell: no edges"},
	} {
		_, err := Params(c.n, false)
		if invalid := c.n.Validate(); err == nil || invalid == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(invalid.Error(), c.want) {
			t.Errorf("expected %q, found %v and %v", c.want, err, invalid)
		}
	}
}
