package train

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rnas/compiler/program"
	"rnas/runtime/ort/orttest"
	"rnas/train/loop"
)

func TestDefaultsAreValid(t *testing.T) {
	for _, r := range program.Recipes() {
		c, _ := tiny(t, r)
		if err := c.Validate(); err != nil {
			t.Errorf("%s: %v", r, err)
		}
	}
}

func TestValidate(t *testing.T) {
	for part, change := range map[string]func(*Config){
		`recipe: expected one of`:       func(c *Config) { c.Recipe = "free" },
		"network: channels 0":           func(c *Config) { c.Network.Channels = 0 },
		"genotype: normal cell":         func(c *Config) { c.Network.Genotype.Normal.Edges = nil },
		"attack: eps -1":                func(c *Config) { c.Attack.Epsilon = -1 },
		"start: noise":                  func(c *Config) { c.Start.Kind = "" },
		"epochs: ":                      func(c *Config) { c.Epochs = 0 },
		"batch: ":                       func(c *Config) { c.Batch = 0 },
		"lr: ":                          func(c *Config) { c.Schedule.LR = -0.1 },
		"validate: ":                    func(c *Config) { c.ValidateEvery = -1 },
		"augment: ":                     func(c *Config) { c.Augment.Crop = -1 },
		"drop-path: ":                   func(c *Config) { c.DropPath = 1 },
		"average: ":                     func(c *Config) { c.Average = math.NaN() },
		"momentum: expected at least 0": func(c *Config) { c.SGD.Momentum = 1.5 },
	} {
		c, data := tiny(t, program.Fast)
		change(&c)
		_, err := Run(context.Background(), c, data, t.TempDir(), Options{})
		if err == nil || !strings.Contains(err.Error(), part) || strings.Contains(err.Error(), "\n") {
			t.Errorf("expected %q, found %v", part, err)
		}
	}
}

func TestDataThatDoesNotFit(t *testing.T) {
	for part, change := range map[string]func(*Config){
		"expects images 3x32x16 of 4 classes, found 3x16x16 of 4": func(c *Config) { c.Network.Height = 32 },
		"of 7 classes":                          func(c *Config) { c.Network.Classes = 7 },
		"batch: expected at most the 96 images": func(c *Config) { c.Batch = 97 },
	} {
		c, data := tiny(t, program.Standard)
		change(&c)
		_, err := Run(context.Background(), c, data, t.TempDir(), Options{})
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("expected %q, found %v", part, err)
		}
	}
}

func TestDivergence(t *testing.T) {
	orttest.Open(t)
	c, data := tiny(t, program.Standard)
	c.Schedule = loop.Schedule{Kind: loop.Stepwise, LR: 0.01, Gamma: 1}
	c.SGD.Clip = 0
	dir := t.TempDir()
	if _, err := Run(&countdown{t.Context(), 3}, c, data, dir, Options{}); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, loop.CheckpointFile)); err != nil {
		t.Error(err)
	}
	dir = t.TempDir()
	c.Schedule.LR = 1e30
	_, err := Run(context.Background(), c, data, dir, Options{})
	if !errors.Is(err, ErrDiverged) || !strings.Contains(err.Error(), "epoch 1, step ") {
		t.Errorf("found %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, WeightsFile)); err == nil {
		t.Error("expected no weights")
	}
	c.Schedule.LR = 0.02
	if _, err := Run(context.Background(), c, data, dir, Options{}); err != nil {
		t.Errorf("there was no checkpoint of the other configuration: %v", err)
	}
	c.Schedule.LR = 0.03
	_, err = Run(context.Background(), c, data, dir, Options{})
	if err == nil || !strings.Contains(err.Error(), "schedule.lr was 0.02, is 0.03") {
		t.Errorf("found %v", err)
	}
}
