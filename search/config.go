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

// Places where the robustness term acts.
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

	// The objective is CE + lambda*R, with R between clean images and their perturbed twins, in the steps of RegOn.
	Reg   program.Regularizer `json:"reg"`
	RegOn string              `json:"reg_on"`
	// Noise makes the twin, or the start of Attack where the method is adv.
	Noise  program.Noise  `json:"noise"`
	Attack program.Attack `json:"attack"`
	// Lambda is the weight of R, or its first value if LambdaAuto is positive. Then it is changed after every step with the
	// term, so that the ratio lambda*R/CE comes to LambdaAuto.
	Lambda     float64 `json:"lambda"`
	LambdaAuto float64 `json:"lambda_auto"`

	Augment dataset.Augment `json:"augment"`
	Seed    uint64          `json:"seed"`
}

// Default are the settings of DARTS (Liu et al. 2019, section 3.1.1) with uniform noise of 8/255 and the KL term in the
// alpha step, held at half of the cross-entropy, or PGD with 7 steps for the method adv.
func Default(method string, m lower.Macro) Config {
	const eps = 8. / 255
	return Config{
		Method: method,
		Super:  lower.Supernet{Macro: m, Space: genotype.Space{Nodes: 4, Primitives: genotype.DARTSPrimitives}},
		Epochs: 50, Batch: 64, Split: 0.5,
		Schedule: loop.Schedule{Kind: loop.Cosine, LR: 0.025, MinLR: 0.001, PerEpoch: true},
		SGD:      program.SGD{Momentum: 0.9, WeightDecay: 3e-4, Clip: 5},
		Adam:     program.Adam{LR: 3e-4, Beta1: 0.5, Beta2: 0.999, Epsilon: 1e-8, WeightDecay: 1e-3},
		Reg:      program.KL, RegOn: OnAlpha,
		Noise:      program.Noise{Kind: program.Uniform, Size: eps},
		Attack:     program.Attack{Epsilon: eps, StepSize: 2. / 255, Steps: 7},
		Lambda:     1,
		LambdaAuto: 0.5,
		Augment:    dataset.Augment{Crop: 4, Flip: true},
	}
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
	if m.Name == "random" {
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
	if m.twin == noTwin {
		return nil
	}
	if err := c.Reg.Validate(); err != nil {
		return err
	}
	if !slices.Contains([]string{OnAlpha, OnWeights, OnBoth}, c.RegOn) {
		return fmt.Errorf("reg-on: expected %s, %s or %s, found %q", OnAlpha, OnWeights, OnBoth, c.RegOn)
	}
	if m.twin == attackTwin {
		if err := c.Attack.Validate(); err != nil {
			return err
		}
	}
	return c.Noise.Validate()
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
		{"lambda", c.Lambda, 0, maxLambda},
		{"lambda-auto", c.LambdaAuto, 0, 1e3},
	} {
		if !(f.v >= f.low && f.v < f.high) {
			return fmt.Errorf("%s: expected at least %v and less than %v, found %v", f.name, f.low, f.high, f.v)
		}
	}
	return nil
}
