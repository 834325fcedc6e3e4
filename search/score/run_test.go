package score

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"rnas/genotype"
	"rnas/internal/dataset"
	"rnas/internal/fault"
	"rnas/runtime/ort/orttest"
)

func config(scores ...string) Config {
	return Config{Scores: scores, Channels: 2, Layers: 3, Batch: 3, Seed: 5, Epsilon: 8. / 255}
}

func list(t *testing.T) []genotype.Genotype {
	return []genotype.Genotype{parsed(t, bench201), parsed(t, darts), parsed(t, strings.Replace(bench201, "3x3~0", "1x1~0", 1)), parsed(t, strings.Replace(bench201, "none", "skip_connect", 1))}
}

func mustRun(t *testing.T, c Config, g []genotype.Genotype, o Options) *Result {
	t.Helper()
	r, err := Run(context.Background(), c, tiny(6), g, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Neither the number of jobs nor a stop changes a score, and the log is the same byte for byte.
func TestRunTakesUp(t *testing.T) {
	orttest.Open(t)
	dir := t.TempDir()
	c, g := config("combined", "snip"), list(t)
	whole, parts := filepath.Join(dir, "whole"), filepath.Join(dir, "parts")
	want := mustRun(t, c, g, Options{Jobs: 1, Log: whole})
	if cols := []string{"snip", "params", "naswot", "jacov", "input-gradient", "combined"}; !reflect.DeepEqual(want.Columns, cols) {
		t.Errorf("found columns %v, expected %v", want.Columns, cols)
	}
	mustRun(t, c, g[:2], Options{Jobs: 1, Log: parts})
	f, err := os.OpenFile(parts, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`{"genotype": "cut o`); err != nil {
		t.Fatal(err)
	}
	f.Close()
	got := mustRun(t, c, g, Options{Jobs: 3, Log: parts})
	if !reflect.DeepEqual(got, want) {
		t.Errorf("found %v, expected %v", got, want)
	}
	a, _ := os.ReadFile(whole)
	b, _ := os.ReadFile(parts)
	if string(a) != string(b) || len(a) == 0 {
		t.Errorf("found the log\n%s\nexpected\n%s", b, a)
	}
	for i, v := range Combine(want.Column("params"), want.Column("naswot"), want.Column("jacov"), want.Column("input-gradient")) {
		if v != want.Column("combined")[i] {
			t.Errorf("combined of genotype %d: found %v, expected %v", i, want.Column("combined")[i], v)
		}
	}

	other := c
	other.Seed++
	for _, e := range []struct {
		c    Config
		g    []genotype.Genotype
		want string
	}{
		{other, g, "is of another configuration or other images"},
		{c, g[:3], "expected at most 3 genotypes, found 4"},
		{c, []genotype.Genotype{g[1], g[0], g[2], g[3]}, "line 2: expected 5 scores of "},
	} {
		_, err := Run(context.Background(), e.c, tiny(6), e.g, Options{Log: parts})
		if err == nil || !fault.IsInput(err) || !strings.Contains(err.Error(), e.want) {
			t.Errorf("expected %q, found %v", e.want, err)
		}
	}
	if after, _ := os.ReadFile(parts); string(after) != string(b) {
		t.Error("a refused log was changed")
	}
}

func TestRunStops(t *testing.T) {
	orttest.Open(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Run(ctx, config("params"), tiny(6), list(t), Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("found %v, expected that the context was cancelled", err)
	}
}

func TestBadConfigurations(t *testing.T) {
	g := list(t)
	for _, e := range []struct {
		change func(c *Config)
		want   string
	}{
		{func(c *Config) { c.Scores = []string{"speed"} }, `scores: expected a score among params, macs, latency, naswot, `},
		{func(c *Config) { c.Scores = []string{"short"} }, `short:SECONDS, combined, weakest, balanced, found "short"`},
		{func(c *Config) { c.Scores = []string{"short:0"} }, `scores: short: expected CPU seconds above 0 and at most 1e+06, found "0"`},
		{func(c *Config) { c.Scores = nil }, "found none"},
		{func(c *Config) { c.Batch = 7 }, "batch: expected 2 to 6 images, found 7"},
		{func(c *Config) { c.Epsilon = 2 }, "eps: expected 0 to 1, found 2"},
		{func(c *Config) { c.Channels = 0 }, "channels 0, layers 3"},
		{func(c *Config) { c.Layers = 4 }, "genotype 1 of 4: 4 layers: networks of NAS-Bench-201 have as many cells in each of 3 stages"},
	} {
		c := config("params")
		e.change(&c)
		_, err := Run(context.Background(), c, tiny(6), g, Options{})
		if err == nil || !fault.IsInput(err) || !strings.Contains(err.Error(), e.want) {
			t.Errorf("expected %q, found %v", e.want, err)
		}
	}
}

func TestShrink(t *testing.T) {
	d := &dataset.Dataset{Name: "d", Classes: []string{"a", "b"}, Shape: [3]int{2, 8, 8}, Labels: []int32{1}, Images: make([]uint8, 128)}
	d.Images[0], d.Images[1], d.Images[8], d.Images[9] = 1, 2, 3, 4 // the first block: mean 2.5, rounded up
	d.Images[64+63] = 10                                            // the last block of the second channel
	s, err := Shrink(d, 4)
	if err != nil {
		t.Fatal(err)
	}
	want := make([]uint8, 32)
	want[0], want[31] = 3, 3
	if s.Shape != [3]int{2, 4, 4} || !reflect.DeepEqual(s.Images, want) {
		t.Errorf("found %v: %v", s.Shape, s.Images)
	}
	if same, err := Shrink(d, 0); same != d || err != nil {
		t.Errorf("size 0: found %v and %v", same, err)
	}
	if _, err := Shrink(d, 5); err == nil || err.Error() != "size: expected 0 or at least 4 and a divisor of the 8x8 pixels of d, found 5" {
		t.Errorf("found %v", err)
	}
}

// Short training learns, and gives the same number again.
func TestShort(t *testing.T) {
	orttest.Open(t)
	if n := shortSteps(60, 42e6); n != 56 {
		t.Errorf("found %d steps, expected 90e10/(64*6*42e6) = 56", n)
	}
	if n := shortSteps(1e-9, 1e9); n != 1 {
		t.Errorf("found %d steps, expected at least 1", n)
	}
	data := separable()
	c := config("short:0.02")
	score := func() float64 {
		r, err := Run(context.Background(), c, data, list(t)[:1], Options{})
		if err != nil {
			t.Fatal(err)
		}
		return r.Values[0][0]
	}
	first := score()
	if again := score(); again != first {
		t.Errorf("found %v, then %v", first, again)
	}
	if first < 0.9 {
		t.Errorf("found an accuracy of %v on images that differ by more than the attack can change", first)
	}
}

// separable are dark and bright images.
func separable() *dataset.Splits {
	d := tiny(128).Train
	d.Classes = d.Classes[:2]
	for i := range d.Labels {
		d.Labels[i] = int32(i % 2)
		for k := range 16 {
			v := &d.Images[i*16+k]
			*v = *v/8 + uint8(d.Labels[i])*200
		}
	}
	return &dataset.Splits{Train: d, Test: d}
}
