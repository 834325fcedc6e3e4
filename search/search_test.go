package search

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
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
func records(t testing.TB, dir string) []record {
	t.Helper()
	lines := bytes.Split(bytes.TrimSpace(read(t, dir, "log.jsonl")), []byte("\n"))
	out := make([]record, len(lines)-1)
	for i := range out {
		if err := json.Unmarshal(lines[1+i], &out[i]); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func TestMethods(t *testing.T) {
	orttest.Open(t)
	for _, c := range []struct {
		method, on string
		reg        program.Regularizer
		passes     int64 // a step
	}{
		{"darts", OnAlpha, program.KL, 2},
		{"rnas", OnAlpha, program.KL, 3},
		{"rnas", OnWeights, program.MSE, 3},
		{"rnas", OnBoth, program.SymKL, 4},
		{"adv", OnAlpha, program.CE, 5},
		{"adv", OnBoth, program.ReverseKL, 8},
	} {
		t.Run(c.method+" "+c.on+" "+string(c.reg), func(t *testing.T) {
			config, data := tiny(t, c.method)
			config.RegOn, config.Reg = c.on, c.reg
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
			log := records(t, dir)
			if len(log) != 2 || log[1].Genotype != r.Genotype.String() || log[0].ValLoss == nil {
				t.Fatalf("log %+v", log)
			}
			if has := log[1].Reg != nil; has != (c.method != "darts") {
				t.Errorf("term in the log: %v", has)
			}
			if log[1].Entropy >= math.Log(4) || r.Seconds <= 0 {
				t.Errorf("entropy %v, seconds %v", log[1].Entropy, r.Seconds)
			}
		})
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
	var lines []epochAlphas
	for line := range bytes.Lines(read(t, dir, AlphasFile)) {
		var l epochAlphas
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
	c.LambdaAuto, c.Lambda, c.Epochs = 0.5, 1000, 15
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
