package search

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rnas/compiler/lower"
	"rnas/compiler/program"
	"rnas/genotype"
	"rnas/internal/dataset"
	"rnas/runtime/ort/orttest"
)

// tiny is a configuration and data that search in a second.
func tiny(t testing.TB, method string) (Config, *dataset.Dataset) {
	t.Helper()
	data, err := dataset.Open(context.Background(), "synthetic:classes=4,size=16,train=64,test=8", dataset.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c := Default(method, lower.Macro{Channels: 4, Layers: 3, Classes: 4, Height: 16, Width: 16, Depth: 3})
	c.Super.Nodes = 2
	c.Super.Primitives = []genotype.Primitive{genotype.None, genotype.MaxPool3x3, genotype.SkipConnect, genotype.SepConv3x3}
	c.Epochs, c.Batch, c.Seed, c.Attack.Steps = 2, 8, 5, 2
	return c, data.Train
}

func read(t testing.TB, parts ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(parts...))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// records are the epochs of a log.
func records(t testing.TB, dir string) []Epoch {
	t.Helper()
	lines := bytes.Split(bytes.TrimSpace(read(t, dir, "log.jsonl")), []byte("\n"))
	out := make([]Epoch, len(lines)-1)
	for i := range out {
		if err := json.Unmarshal(lines[1+i], &out[i]); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// Every gradient method searches to the end, counts its passes and logs what its objective consists of.
func TestMethods(t *testing.T) {
	orttest.Open(t)
	for _, c := range []struct {
		method string
		change func(c *Config)
		passes int64 // a step
		reg    bool
	}{
		{"darts", func(*Config) {}, 2, false},
		{"darts2", func(*Config) {}, 5, false},
		{"pcdarts", func(c *Config) { c.AlphaWarmup = 0 }, 2, false},
		{"sdarts-rs", func(*Config) {}, 2, false},
		{"sdarts-adv", func(*Config) {}, 9, false},
		{"rnas", func(*Config) {}, 3, true},
		{"rnas", func(c *Config) { c.Draws, c.Antithetic, c.RegMean = 2, true, 0.9 }, 4, true},
		{"rnas", func(c *Config) { c.RegOn, c.Reg, c.Balance = OnWeights, program.MSE, Balance{Ratio, 0.5} }, 3, true},
		{"rnas", func(c *Config) { c.RegOn, c.Reg, c.Balance = OnBoth, program.SymKL, Balance{Fixed, 10} }, 4, true},
		{"darts", func(c *Config) { c.Input = program.NoiseExamples }, 2, false},
		{"adv", func(c *Config) { c.Reg = program.CE }, 5, true},
		{"adv", func(c *Config) { c.RegOn, c.Reg, c.Balance = OnBoth, program.ReverseKL, Balance{Ratio, 0.5} }, 8, true},
		{"darts", func(c *Config) { c.Input, c.InputOn = program.Adversarial, OnWeights }, 4, false},
		{"dsrna", func(*Config) {}, 4, true},
	} {
		config, data := tiny(t, c.method)
		c.change(&config)
		t.Run(fmt.Sprintf("%s %s %s %s", c.method, config.RegOn, config.Reg, config.Input), func(t *testing.T) {
			dir := t.TempDir()
			r, err := Run(context.Background(), config, data, dir, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if err := r.Genotype.Validate(); err != nil {
				t.Error(err)
			}
			written, err := genotype.Load(r.Path)
			if err != nil || written.String() != r.Genotype.String() {
				t.Errorf("%v: file holds %s, found %s", err, written, r.Genotype)
			}
			if want := 2 * 4 * c.passes; r.Passes != want {
				t.Errorf("expected %d passes, found %d", want, r.Passes)
			}
			checkLog(t, config, r, records(t, dir), c.reg)
		})
	}
}

// checkLog holds the last lines of a log against what a search found.
func checkLog(t *testing.T, c Config, r *Result, log []Epoch, reg bool) {
	t.Helper()
	if len(log) != 2 || log[1].Genotype != r.Genotype.String() || log[0].ValLoss == nil {
		t.Fatalf("log %+v", log)
	}
	if has := log[1].Reg != nil; has != reg {
		t.Errorf("regularizer in the log: %v", has)
	}
	if has := log[1].RegShare != nil; has != (reg && c.Balance.Kind == Share) {
		t.Errorf("share in the log: %v", has)
	} else if has && math.Abs(*log[1].RegShare-c.Balance.Value) > 1e-5 {
		t.Errorf("expected a share of %v, found %v", c.Balance.Value, *log[1].RegShare)
	}
	if log[1].Entropy >= math.Log(4) || r.Seconds <= 0 {
		t.Errorf("entropy %v, seconds %v", log[1].Entropy, r.Seconds)
	}
	if log[1].Passes != r.Passes || 2*log[0].Passes != r.Passes {
		t.Errorf("expected %d passes in two equal epochs, found %d and %d", r.Passes, log[0].Passes, log[1].Passes)
	}
}

// The regularizer of advrush acts in the last epochs only, on perturbations that grow.
func TestRegularizerWarmup(t *testing.T) {
	orttest.Open(t)
	c, data := tiny(t, "advrush")
	c.RegWarmup, c.Epochs = 1, 3
	dir := t.TempDir()
	if _, err := Run(context.Background(), c, data, dir, Options{}); err != nil {
		t.Fatal(err)
	}
	log := records(t, dir)
	if log[0].Reg != nil || log[1].Reg == nil || log[2].Reg == nil || !(*log[2].Reg > *log[1].Reg) {
		t.Errorf("log %+v", log)
	}
}

// Between the steps with the regularizer, its running mean keeps its share of the gradient and costs no pass; the first epochs have neither.
func TestRegularizerEvery(t *testing.T) {
	orttest.Open(t)
	c, data := tiny(t, "rnas")
	c.RegMean, c.RegEvery, c.RegWarmup, c.Epochs = 0.9, 2, 1, 2
	dir := t.TempDir()
	r, err := Run(context.Background(), c, data, dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	log := records(t, dir)
	if log[0].RegShare != nil || log[1].RegShare == nil || math.Abs(*log[1].RegShare-c.Balance.Value) > 1e-5 {
		t.Errorf("log %+v", log)
	}
	if want := int64(2*4*2 + 2); r.Passes != want {
		t.Errorf("expected %d passes, found %d", want, r.Passes)
	}
}

// A search ends early for either reason, says so, and does no more when it is taken up again.
func TestEarlyStop(t *testing.T) {
	orttest.Open(t)
	for _, stop := range []EarlyStop{{Skips: 1}, {Curvature: 1.0001}} {
		c, data := tiny(t, "darts")
		c.Stop, c.Epochs, c.Adam.LR = stop, 12, 0.05
		if stop.Skips > 0 {
			c.Super.Primitives = []genotype.Primitive{genotype.SkipConnect, genotype.AvgPool3x3}
		}
		dir := t.TempDir()
		first, err := Run(context.Background(), c, data, dir, Options{})
		if err != nil {
			t.Fatal(err)
		}
		log := records(t, dir)
		if last := log[len(log)-1]; last.Stopped == "" || len(log) == c.Epochs {
			t.Errorf("%+v: %d epochs, the last %+v", stop, len(log), last)
		}
		again, err := Run(context.Background(), c, data, dir, Options{})
		if err != nil || again.Genotype.String() != first.Genotype.String() || len(records(t, dir)) != len(log) {
			t.Errorf("%+v: taken up again: %v, %v, %d epochs", stop, err, again, len(records(t, dir)))
		}
	}
}

// A search that learnt nothing says so.
func TestLearntNothing(t *testing.T) {
	orttest.Open(t)
	c, data := tiny(t, "darts")
	c.Adam.LR = 0
	r, err := Run(context.Background(), c, data, t.TempDir(), Options{})
	if err != nil || !strings.Contains(r.Warning, "learnt little") {
		t.Errorf("%v: %+v", err, r)
	}
	c.Adam.LR = 0.3
	if r, err = Run(context.Background(), c, data, t.TempDir(), Options{}); err != nil || r.Warning != "" {
		t.Errorf("%v: %+v", err, r)
	}
}

// Architecture parameters leave their start, and decide.
func TestAlphasDecide(t *testing.T) {
	orttest.Open(t)
	c, data := tiny(t, "darts")
	c.Super.Primitives, c.Adam.LR, c.AlphaWarmup, c.Epochs = genotype.DARTSPrimitives, 0.03, 1, 4
	dir := t.TempDir()
	r, err := Run(context.Background(), c, data, dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	log := records(t, dir)
	if log[0].ValLoss != nil || log[1].ValLoss == nil {
		t.Error("expected no alpha step in the first epoch and some in the second")
	}
	for i := 1; i < len(log); i++ {
		if log[i].Entropy >= log[i-1].Entropy-1e-4 {
			t.Errorf("entropy %v after epoch %d, %v after the next", log[i-1].Entropy, i, log[i].Entropy)
		}
	}
	if want := int64(4*4 + 3*4); r.Passes != want {
		t.Errorf("expected %d passes, found %d", want, r.Passes)
	}
	var lines []EpochAlphas
	for line := range bytes.Lines(read(t, dir, AlphasFile)) {
		var l EpochAlphas
		if err := json.Unmarshal(line, &l); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, l)
	}
	if len(lines) != 4 || len(lines[3].Normal) != 5 || len(lines[3].Reduce[4]) != 8 || lines[3].Normal[0][1] != r.Alphas[1] {
		t.Fatalf("alphas by epoch: %+v", lines)
	}
	for i, a := range r.Alphas {
		if start := slices.Concat(slices.Concat(lines[0].Normal...), slices.Concat(lines[0].Reduce...))[i]; a == start || math.Abs(float64(start)) > 0.006 {
			t.Errorf("architecture parameter %d: %v from %v", i, a, start)
		}
	}
}

func TestLambdaReachesTarget(t *testing.T) {
	orttest.Open(t)
	c, data := tiny(t, "rnas")
	c.Balance, c.Epochs = Balance{Ratio, 0.5}, 15
	dir := t.TempDir()
	if _, err := Run(context.Background(), c, data, dir, Options{}); err != nil {
		t.Fatal(err)
	}
	log := records(t, dir)
	last := log[len(log)-1]
	if *last.RegOverCE < 0.25 || *last.RegOverCE > 1 {
		t.Errorf("expected lambda*R/CE near 0.5, found %v with lambda %v", *last.RegOverCE, *last.Lambda)
	}
	t.Logf("first %v %v last %v %v", *log[0].RegOverCE, *log[0].Lambda, *last.RegOverCE, *last.Lambda)
}

func TestRandom(t *testing.T) {
	c := Config{Method: "random", Super: lower.Supernet{Space: genotype.Space{Nodes: 4, Primitives: genotype.DARTSPrimitives}}, Seed: 1}
	var found []string
	for _, seed := range []uint64{1, 1, 2} {
		c.Seed = seed
		r, err := Run(context.Background(), c, nil, t.TempDir(), Options{})
		if err != nil {
			t.Fatal(err)
		}
		g, err := genotype.Load(r.Path)
		if err != nil || g.Validate() != nil {
			t.Errorf("%v: %v", err, g)
		}
		found = append(found, g.String())
	}
	if found[0] != found[1] || found[0] == found[2] {
		t.Errorf("found %q", found)
	}
}
