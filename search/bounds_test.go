package search

import (
	"context"
	"strings"
	"testing"

	"rnas/compiler/lower"
	"rnas/genotype"
	"rnas/internal/fault"
	"rnas/runtime/ort"
	"rnas/runtime/ort/orttest"
)

var trained = lower.Macro{Channels: 8, Layers: 3, Classes: 4, Height: 16, Width: 16, Depth: 3}

// Methods that draw find only genotypes within the bounds.
func TestBoundedDraws(t *testing.T) {
	orttest.Open(t)
	for _, method := range []string{"random", "evolution"} {
		c, data := small(t, "naswot")
		c.Method, c.Bounds = method, Bounds{Params: 25_000, MACs: 600_000, Net: trained}
		if method == "random" {
			c.Evolution = Evolution{}
		}
		l, err := newLimiter(c, ort.Options{})
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		r, err := Run(context.Background(), c, data, dir, Options{})
		if err != nil {
			t.Fatal(err)
		}
		list := []genotype.Genotype{r.Genotype}
		if method == "evolution" {
			for _, e := range evaluations(t, dir) {
				g, _ := genotype.Parse(e.Genotype)
				list = append(list, g)
			}
		}
		for _, g := range list {
			if n, err := l.counts(g); err != nil || n[0] > 25_000 || n[1] > 600_000 {
				t.Errorf("%s: %s has %v and %v", method, g, n, err)
			}
		}
	}
}

// Bounds that no cell meets are told before a search, for every kind of method.
func TestImpossibleBounds(t *testing.T) {
	orttest.Open(t)
	for method, b := range map[string]Bounds{"random": {Params: 10}, "darts": {MACs: 10}, "evolution": {Latency: 1e-9}} {
		c, data := tiny(t, method)
		b.Net = trained
		c.Bounds = b
		_, err := Run(context.Background(), c, data, t.TempDir(), Options{})
		if !fault.IsInput(err) || !strings.Contains(err.Error(), "no cell is within it") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: found %v", method, err)
		}
	}
}

// By hand: all edges are convolutions of 3x3. The bound asks for two fewer of 3x3; the edges whose next best operation loses least are
// those that get it.
func TestMeet(t *testing.T) {
	c, _ := tiny(t, "darts")
	c.Super.Space, _ = genotype.LookupSpace("nas-bench-201")
	alphas := make([]float32, 6*5)
	at := func(edge int, p genotype.Primitive) *float32 {
		for i, q := range c.Super.Primitives {
			if p == q {
				return &alphas[edge*5+i]
			}
		}
		panic(p)
	}
	for edge := range 6 {
		*at(edge, genotype.NorConv3x3) = 2
	}
	*at(4, genotype.SkipConnect), *at(1, genotype.NorConv1x1) = 1.9, 1.8
	g, err := Derive(alphas, c.Super)
	if err != nil {
		t.Fatal(err)
	}
	whole := &limiter{Bounds{Net: trained}, c.Super.Space, 0, ort.Options{}}
	n, err := whole.counts(g)
	if err != nil {
		t.Fatal(err)
	}
	// Over three stages of 8, 16 and 32 channels a convolution of 3x3 has 9*(64+256+1024) weights, one of 1x1 a ninth; a skip connection has
	// none, and not the 2*(8+16+32) of normalisation.
	const conv, scales = 64 + 256 + 1024, 2 * (8 + 16 + 32)
	l := &limiter{Bounds{Params: n[0] - 9*conv - scales - 8*conv, Net: trained}, c.Super.Space, 0, ort.Options{}}
	got, changed, err := l.meet(context.Background(), g, alphas, c.Super)
	if err != nil {
		t.Fatal(err)
	}
	want := "|nor_conv_3x3~0|+|nor_conv_1x1~0|nor_conv_3x3~1|+|nor_conv_3x3~0|skip_connect~1|nor_conv_3x3~2|"
	if got.String() != want || changed != 2 {
		t.Errorf("found %s after %d changes, expected %s after 2", got, changed, want)
	}
	if g.Edges[4] != genotype.NorConv3x3 {
		t.Error("the derived genotype was changed itself")
	}
	if _, _, err := (&limiter{Bounds{Params: 1, Net: trained}, c.Super.Space, 0, ort.Options{}}).meet(context.Background(), g, alphas, c.Super); !fault.IsInput(err) {
		t.Errorf("found %v", err)
	}
}

// A gradient search in the space of DARTS ends within the bound, and its inputs stay.
func TestBoundedGradient(t *testing.T) {
	orttest.Open(t)
	c, data := tiny(t, "darts")
	c.Epochs, c.Steps = 1, 2
	free, err := Run(context.Background(), c, data, t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	l := &limiter{Bounds{Net: trained}, c.Super.Space, 0, ort.Options{}}
	n, err := l.counts(free.Genotype)
	if err != nil {
		t.Fatal(err)
	}
	c.Bounds = Bounds{Params: n[0] - 1, Net: trained}
	r, err := Run(context.Background(), c, data, t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if m, err := l.counts(r.Genotype); err != nil || m[0] >= n[0] {
		t.Errorf("found %v parameters and %v, expected fewer than %d", m, err, n[0])
	}
	for i, e := range r.Genotype.Normal.Edges {
		if e.From != free.Genotype.Normal.Edges[i].From {
			t.Errorf("edge %d: another input", i)
		}
	}
	if differing(free.Genotype, r.Genotype) == 0 {
		t.Error("no operation was changed")
	}
}
