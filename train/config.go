// Package train drives training programs from the host: batches and their augmentation, random starts, learning rates,
// averaging of weights, validation, checkpoints and resumption.
package train

import (
	"fmt"

	"rnas/compiler/lower"
	"rnas/compiler/program"
	"rnas/internal/dataset"
	"rnas/train/loop"
)

// Config is all that the result of a training depends on, apart from the data.
type Config struct {
	Network lower.Evaluation `json:"network"`
	Recipe  program.Recipe   `json:"recipe"`
	// Attack makes the images of adversarial recipes, from the noise Start; AttackTrain runs it with batch statistics.
	Attack      program.Attack `json:"attack"`
	Start       program.Noise  `json:"start"`
	AttackTrain bool           `json:"attack_train"`
	Beta        float64        `json:"beta"` // weight of the divergence in TRADES

	Epochs   int           `json:"epochs"`
	Batch    int           `json:"batch"`
	Schedule loop.Schedule `json:"schedule"`
	SGD      program.SGD   `json:"sgd"`
	// Average is the decay of the exponential moving average of weights and statistics that is validated and written
	// instead of the last ones; 0 for none. At step t from 0 the decay is at most (1+t)/(10+t), so that the first weights
	// are forgotten.
	Average float64 `json:"average"`

	Smoothing float64         `json:"smoothing"`  // of the labels
	AuxWeight float64         `json:"aux_weight"` // of the auxiliary loss, if the network has that head
	DropPath  float64         `json:"drop_path"`  // probability, rising linearly from 0 over the epochs
	Augment   dataset.Augment `json:"augment"`
	Seed      uint64          `json:"seed"`

	// ValidateEvery measures clean accuracy on ValidateImages test images (0 for all) after every so many epochs and after the
	// last; 0 for never.
	ValidateEvery  int `json:"validate_every"`
	ValidateImages int `json:"validate_images"`
}

// Default is adversarial training by one gradient step from a random start (Wong et al. 2020: step 1.25 eps, one-cycle
// learning rate) or by the attacks and weights of the respective papers (Madry et al. 2018, Zhang et al. 2019).
func Default(network lower.Evaluation, recipe program.Recipe) Config {
	c := Config{
		Network: network, Recipe: recipe, Epochs: 30, Batch: 64,
		Schedule: loop.Schedule{Kind: loop.OneCycle, LR: 0.1, Peak: 0.4},
		SGD:      program.SGD{Momentum: 0.9, WeightDecay: 5e-4, Clip: 5},
		Augment:  dataset.Augment{Crop: 4, Flip: true}, AuxWeight: 0.4, ValidateEvery: 1, ValidateImages: 1000,
	}
	d := recipe.Defaults()
	c.Attack, c.Start, c.Beta = d.Attack, d.Start, d.Beta
	return c
}

// Validate reports the first setting that cannot be, by its name.
func (c Config) Validate() error {
	between := func(name string, v, low, high float64) error {
		if !(v >= low && v < high) {
			return fmt.Errorf("%s: expected at least %v and less than %v, found %v", name, low, high, v)
		}
		return nil
	}
	if err := c.Recipe.Validate(); err != nil {
		return err
	}
	if err := c.Network.Validate(); err != nil {
		return fmt.Errorf("network: %w", err)
	}
	if err := c.Network.Genotype.Validate(); err != nil {
		return fmt.Errorf("genotype: %w", err)
	}
	if c.Recipe.Attacks() {
		if err := c.Attack.Validate(); err != nil {
			return err
		}
		if err := c.Start.Validate(); err != nil {
			return fmt.Errorf("start: %w", err)
		}
	}
	if c.Epochs < 1 || c.Epochs >= 1<<24 {
		return fmt.Errorf("epochs: expected at least 1 and less than %d, found %d", 1<<24, c.Epochs)
	}
	if c.Batch < 1 {
		return fmt.Errorf("batch: expected at least 1, found %d", c.Batch)
	}
	if err := c.Schedule.Validate(c.Epochs); err != nil {
		return err
	}
	if c.ValidateEvery < 0 || c.ValidateImages < 0 {
		return fmt.Errorf("validate: expected at least 0 epochs and images, found %d and %d", c.ValidateEvery, c.ValidateImages)
	}
	if a := c.Augment; a.Crop < 0 || a.Cutout < 0 {
		return fmt.Errorf("augment: expected a crop and a cutout of at least 0, found %d and %d", a.Crop, a.Cutout)
	}
	for _, f := range []struct {
		name      string
		v         float64
		low, high float64
	}{
		{"beta", c.Beta, 0, 1e6},
		{"momentum", c.SGD.Momentum, 0, 1},
		{"weight-decay", c.SGD.WeightDecay, 0, 1},
		{"clip", c.SGD.Clip, 0, 1e6},
		{"average", c.Average, 0, 1},
		{"smoothing", c.Smoothing, 0, 1},
		{"aux-weight", c.AuxWeight, 0, 1e6},
		{"drop-path", c.DropPath, 0, 1},
	} {
		if err := between(f.name, f.v, f.low, f.high); err != nil {
			return err
		}
	}
	return nil
}

// fits checks that the data suits the network and the batch.
func (c Config) fits(d *dataset.Dataset) error {
	if err := loop.Fits(c.Network.Macro, d); err != nil {
		return err
	}
	if d.Len() < c.Batch {
		return fmt.Errorf("batch: expected at most the %d images of %s, found %d", d.Len(), d.Name, c.Batch)
	}
	return nil
}
