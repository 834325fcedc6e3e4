package search

import (
	"bytes"
	"context"
	"errors"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rnas/export/checkpoint"
	"rnas/internal/tensor"
	"rnas/runtime/ort"
	"rnas/runtime/ort/orttest"
	"rnas/train/loop"
)

// countdown is a context that is cancelled when its error has been asked for so many times.
type countdown struct {
	context.Context
	left int
}

func (c *countdown) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return nil
}

// states are the tensors of the last checkpoint, one after the other; its free text holds times.
func states(t *testing.T, dir string) (all []byte) {
	t.Helper()
	list, _, err := checkpoint.ReadSafetensors(filepath.Join(dir, loop.CheckpointFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range list {
		all = append(append(all, s.Name...), tensor.Bytes(s.Tensor)...)
	}
	return all
}

// A search gives the same bits whether it runs through, with one thread or two, or is stopped in between.
func TestSameResult(t *testing.T) {
	orttest.Open(t)
	c, data := tiny(t, "rnas")
	c.RegOn, c.AlphaWarmup, c.Steps, c.Draws, c.Antithetic, c.RegMean, c.RegEvery = OnBoth, 1, 3, 2, true, 0.9, 2
	var first *Result
	var want []byte
	for i, o := range []ort.Options{{Threads: 1}, {Threads: 1}, {Threads: 2}} {
		dir := t.TempDir()
		if i == 1 {
			_, err := Run(&countdown{t.Context(), 4}, c, data, dir, Options{Runtime: o}) // in the second epoch
			if !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
		}
		r, err := Run(context.Background(), c, data, dir, Options{Runtime: o})
		if err != nil {
			t.Fatal(err)
		}
		if n := bytes.Count(read(t, dir, AlphasFile), []byte("\n")); n != 2 {
			t.Errorf("expected 2 lines of architecture parameters, found %d", n)
		}
		if i == 0 {
			first, want = r, states(t, dir)
			continue
		}
		if !slices.Equal(first.Alphas, r.Alphas) || !bytes.Equal(want, states(t, dir)) || first.Genotype.String() != r.Genotype.String() {
			t.Errorf("run %d with %d threads differs", i, o.Threads)
		}
	}
}

func TestDivergence(t *testing.T) {
	orttest.Open(t)
	c, data := tiny(t, "rnas")
	c.Schedule = loop.Schedule{Kind: loop.Stepwise, LR: 1e30, Gamma: 1}
	c.SGD.Clip = 0
	_, err := Run(context.Background(), c, data, t.TempDir(), Options{})
	if !errors.Is(err, ErrDiverged) || !strings.Contains(err.Error(), "epoch 1, step ") {
		t.Errorf("found %v", err)
	}
}

func TestValidate(t *testing.T) {
	for part, change := range map[string]func(*Config){
		"method: expected one of rnas, darts, darts2": func(c *Config) { c.Method = "best" },
		"nodes: ":                    func(c *Config) { c.Super.Nodes = 0 },
		"primitives: ":               func(c *Config) { c.Super.Primitives = nil },
		"network: channels 0":        func(c *Config) { c.Super.Channels = 0 },
		"epochs: ":                   func(c *Config) { c.Epochs = 0 },
		"batch: expected at least 1": func(c *Config) { c.Batch = 0 },
		"steps: ":                    func(c *Config) { c.Steps = -1 },
		"alpha-warmup: ":             func(c *Config) { c.AlphaWarmup = -1 },
		"augment: ":                  func(c *Config) { c.Augment.Cutout = -1 },
		"min-lr: ":                   func(c *Config) { c.Schedule.MinLR = 1 },
		"split: ":                    func(c *Config) { c.Split = 0 },
		"lambda: expected a share":   func(c *Config) { c.Balance.Value = math.NaN() },
		"lambda: expected a ratio":   func(c *Config) { c.Balance = Balance{Ratio, -1} },
		"share, a ratio or a fixed":  func(c *Config) { c.Balance.Kind = "sum" },
		"input-on: ":                 func(c *Config) { c.InputOn = "none" },
		"source of images: ":         func(c *Config) { c.Input = "blurred" },
		"draws: ":                    func(c *Config) { c.Draws = 65 },
		"antithetic: ":               func(c *Config) { c.Antithetic = true },
		"reg-mean: ":                 func(c *Config) { c.RegMean = 1 },
		"reg-every: ":                func(c *Config) { c.RegEvery = 2 },
		"early-stop: ":               func(c *Config) { c.Stop.Curvature = 0.5 },
		"alpha-lr: ":                 func(c *Config) { c.Adam.LR = math.Inf(1) },
		`regularizer "huber"`:        func(c *Config) { c.Reg = "huber" },
		"reg-on: ":                   func(c *Config) { c.RegOn = "all" },
		`noise: expected uniform`:    func(c *Config) { c.Noise.Kind = "salt" },
		"attack: ":                   func(c *Config) { c.Attack.Steps = 0 },
		"of 9 classes":               func(c *Config) { c.Super.Classes = 9 },
		"batch: expected at most 32": func(c *Config) { c.Batch = 33 },
		"split: split of 64 images":  func(c *Config) { c.Split = 0.001 },
	} {
		c, data := tiny(t, "adv")
		change(&c)
		_, err := Run(context.Background(), c, data, t.TempDir(), Options{})
		if err == nil || !strings.Contains(err.Error(), part) || strings.Contains(err.Error(), "\n") {
			t.Errorf("expected %q, found %v", part, err)
		}
	}
}
