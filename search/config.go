package search

import (
	"fmt"
	"math"
	"slices"

	"rnas/compiler/lower"
	"rnas/compiler/program"
	"rnas/genotype"
	"rnas/internal/dataset"
	"rnas/train/loop"
)

// Places where a regularizer acts, or a source of images takes the place of the clean ones.
const (
	OnAlpha   = "alpha"
	OnWeights = "weights"
	OnBoth    = "both"
)

// Config is all that the result of a search depends on, apart from the data.
type Config struct {
	Method string         `json:"method"`
	Super  lower.Supernet `json:"super"`

	Epochs int `json:"epochs"`
	// Batch is the number of images of both steps. With the term in the alpha step, 16 channels and 8 cells on images of 32x32,
	// the two programs take about 1.1 GB and 0.33 GB an image of memory.
	Batch int `json:"batch"`
	// Steps limits the steps of an epoch; 0 for all batches of the training part.
	Steps int `json:"steps"`
	// Split is the fraction of the images for the weight step; the others are for the alpha step.
	Split    float64       `json:"split"`
	Schedule loop.Schedule `json:"schedule"` // of the weights
	SGD      program.SGD   `json:"sgd"`      // of the weights
	Adam     program.Adam  `json:"adam"`     // of the architecture parameters
	// AlphaWarmup is the number of first epochs without an alpha step.
	AlphaWarmup int `json:"alpha_warmup"`

	// The objective is CE + lambda*R, with the regularizer R in the steps of RegOn, but for the alpha steps of the first RegWarmup epochs.
	Reg       program.Regularizer `json:"reg"`
	RegOn     string              `json:"reg_on"`
	RegWarmup int                 `json:"reg_warmup,omitempty"`
	Balance   Balance             `json:"balance"` // chooses lambda
	// Draws is the number of noise examples of an image in a step, Antithetic makes pairs of them, and RegMean is the decay of a running
	// mean of the regularizer's gradient in the alpha step, 0 for none.
	Draws      int     `json:"draws"`
	Antithetic bool    `json:"antithetic,omitempty"`
	RegMean    float64 `json:"reg_mean,omitempty"`
	// RegEvery takes the regularizer in the first of so many alpha steps only, and the running mean as it is in the others; 0 and 1
	// stand for all steps.
	RegEvery int `json:"reg_every,omitempty"`
	// Input gives the images of the cross-entropy in the steps of InputOn; elsewhere they are clean.
	Input   program.Source `json:"input"`
	InputOn string         `json:"input_on"`
	// Noise makes noise examples, and the start of Attack.
	Noise  program.Noise  `json:"noise"`
	Attack program.Attack `json:"attack"`
	Stop   EarlyStop      `json:"early_stop"`

	Evolution Evolution `json:"evolution,omitzero"` // of the method evolution alone
	Bounds    Bounds    `json:"bounds,omitzero"`

	Augment dataset.Augment `json:"augment"`
	Seed    uint64          `json:"seed"`
}

// Default are the settings of DARTS (Liu et al. 2019, section 3.1.1) with uniform noise of 8/255, a regularizer's share of the alpha
// gradient of DefaultShare, PGD with 7 steps as the attack, and what the source of the method asks for besides.
func Default(method string, m lower.Macro) Config {
	const eps = 8. / 255
	c := Config{
		Method: method,
		Super:  lower.Supernet{Macro: m, Space: genotype.Space{Nodes: 4, Primitives: genotype.DARTSPrimitives}},
		Epochs: 50, Batch: 64, Split: 0.5,
		Schedule: loop.Schedule{Kind: loop.Cosine, LR: 0.025, MinLR: 0.001, PerEpoch: true},
		SGD:      program.SGD{Momentum: 0.9, WeightDecay: 3e-4, Clip: 5},
		Adam:     program.Adam{LR: 3e-4, Beta1: 0.5, Beta2: 0.999, Epsilon: 1e-8, WeightDecay: 1e-3},
		RegOn:    OnAlpha,
		Balance:  Balance{Share, DefaultShare},
		Draws:    1,
		Input:    program.Clean,
		InputOn:  OnBoth,
		Noise:    program.Noise{Kind: program.Uniform, Size: eps},
		Attack:   program.Attack{Epsilon: eps, StepSize: 2. / 255, Steps: 7},
		Augment:  dataset.Augment{Crop: 4, Flip: true},
	}
	_ = c.Adapt() // an unknown method is found by Validate
	return c
}

// Adapt sets what the source of c.Method asks for, given c.Epochs.
func (c *Config) Adapt() error {
	row, err := Lookup(c.Method)
	if err != nil {
		return err
	}
	c.Reg = row.reg
	if row.defaults != nil {
		row.defaults(c)
	}
	return nil
}

// Validate reports the first setting that cannot be, by its name.
func (c Config) Validate() error {
	m, err := Lookup(c.Method)
	if err != nil {
		return err
	}
	if err := c.Super.Space.Validate(); err != nil {
		return err
	}
	if err := c.Bounds.validate(); err != nil {
		return err
	}
	if m.valid != nil {
		return m.valid(c)
	}
	if !m.gradient {
		return nil
	}
	if err := c.Super.Validate(); err != nil {
		return fmt.Errorf("network: %w", err)
	}
	switch {
	case c.Epochs < 1 || c.Epochs >= 1<<24:
		return fmt.Errorf("epochs: expected at least 1 and less than %d, found %d", 1<<24, c.Epochs)
	case c.Batch < 1:
		return fmt.Errorf("batch: expected at least 1, found %d", c.Batch)
	case c.Steps < 0:
		return fmt.Errorf("steps: expected at least 0, found %d", c.Steps)
	case c.AlphaWarmup < 0:
		return fmt.Errorf("alpha-warmup: expected at least 0, found %d", c.AlphaWarmup)
	case c.Augment.Crop < 0 || c.Augment.Cutout < 0:
		return fmt.Errorf("augment: expected a crop and a cutout of at least 0, found %d and %d", c.Augment.Crop, c.Augment.Cutout)
	}
	if err := c.Schedule.Validate(c.Epochs); err != nil {
		return err
	}
	if err := c.validNumbers(); err != nil {
		return err
	}
	if err := c.Stop.Validate(); err != nil {
		return err
	}
	for _, f := range []struct{ name, place string }{{"reg-on", c.RegOn}, {"input-on", c.InputOn}} {
		if !slices.Contains([]string{OnAlpha, OnWeights, OnBoth}, f.place) {
			return fmt.Errorf("%s: expected %s, %s or %s, found %q", f.name, OnAlpha, OnWeights, OnBoth, f.place)
		}
	}
	if err := c.validRegularizer(m); err != nil {
		return err
	}
	alpha, weight := c.levels(m)
	for _, l := range []program.Level{alpha, weight} {
		if err := l.Validate(); err != nil {
			return err
		}
		if l.NoiseRows() > 0 {
			if err := c.Noise.Validate(); err != nil {
				return err
			}
		}
	}
	return nil
}

// validRegularizer checks that the method has a use for the regularizer and its balance.
func (c Config) validRegularizer(m Method) error {
	switch {
	case m.reg == "" && c.Reg != "":
		return fmt.Errorf("reg: method %s has no regularizer, found %q", m.Name, c.Reg)
	case m.reg == "":
		return nil
	case c.RegWarmup < 0:
		return fmt.Errorf("reg-warmup: expected at least 0, found %d", c.RegWarmup)
	}
	if err := c.Reg.Validate(); err != nil {
		return err
	}
	if c.RegEvery < 0 || c.RegEvery > 1 && (c.RegMean == 0 || c.RegOn == OnWeights) {
		return fmt.Errorf("reg-every: expected 1, or more with a running mean (reg-mean) in the alpha step, found %d", c.RegEvery)
	}
	if c.Reg.Compares() != m.reg.Compares() {
		return fmt.Errorf("reg: method %s compares perturbed images: %v; regularizer %s does: %v", m.Name, m.reg.Compares(), c.Reg, c.Reg.Compares())
	}
	return c.Balance.Validate()
}

// Objectives are those of the alpha step and the weight step of a gradient method. An error names an unknown method.
func (c Config) Objectives() (alpha, weight program.Level, err error) {
	m, err := Lookup(c.Method)
	if err != nil {
		return alpha, weight, err
	}
	alpha, weight = c.levels(m)
	return alpha, weight, nil
}

// levels are the objectives of the two steps.
func (c Config) levels(m Method) (alpha, weight program.Level) {
	level := func(on string) program.Level {
		l := program.Level{Input: program.Clean, Draws: c.Draws, Antithetic: c.Antithetic, Attack: c.Attack}
		if c.InputOn == on || c.InputOn == OnBoth {
			l.Input = c.Input
		}
		if m.reg != "" && (c.RegOn == on || c.RegOn == OnBoth) {
			l.Reg, l.Perturb = c.Reg, m.perturb
			if c.Balance.Kind == Share {
				l.Share = c.Balance.Value
			}
		}
		return l
	}
	alpha, weight = level(OnAlpha), level(OnWeights)
	if alpha.Reg != "" {
		alpha.Mean = c.RegMean
	}
	alpha.Unrolled, weight.Mix = m.unrolled, m.mix
	return alpha, weight
}

// validNumbers checks the settings that are numbers in a range.
func (c Config) validNumbers() error {
	for _, f := range []struct {
		name      string
		v         float64
		low, high float64
	}{
		{"split", c.Split, math.SmallestNonzeroFloat64, 1},
		{"momentum", c.SGD.Momentum, 0, 1},
		{"weight-decay", c.SGD.WeightDecay, 0, 1},
		{"clip", c.SGD.Clip, 0, 1e6},
		{"alpha-lr", c.Adam.LR, 0, 1e3},
		{"alpha-beta1", c.Adam.Beta1, 0, 1},
		{"alpha-beta2", c.Adam.Beta2, 0, 1},
		{"alpha-epsilon", c.Adam.Epsilon, 0, 1},
		{"alpha-weight-decay", c.Adam.WeightDecay, 0, 1},
	} {
		if !(f.v >= f.low && f.v < f.high) {
			return fmt.Errorf("%s: expected at least %v and less than %v, found %v", f.name, f.low, f.high, f.v)
		}
	}
	return nil
}
