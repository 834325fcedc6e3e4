package score

import (
	"fmt"

	"rnas/compiler/lower"
	"rnas/compiler/program"
	"rnas/genotype"
	"rnas/internal/dataset"
)

// Config is all that scores depend on, apart from the data.
type Config struct {
	Scores   []string `json:"scores"`
	Channels int      `json:"channels"`
	Layers   int      `json:"layers"`
	Batch    int      `json:"batch"` // images of the scores at initialisation
	Seed     uint64   `json:"seed"`  // of weights, images and noise
	// Repeats is the number of draws of weights, images and noise over which scores are averaged, 0 for one. Draw r, from 0, has the seed
	// Seed+r.
	Repeats int `json:"repeats,omitempty"`
	// Epsilon is the size of the noise of noise-kl and of the step of fgsm-kl, in pixels of [0,1].
	Epsilon float64 `json:"epsilon"`
}

// Default is the size at which scores at initialisation are usually taken: 8 channels, one cell a stage, a batch of 32 images.
func Default(scores ...string) Config {
	return Config{Scores: scores, Channels: 8, Layers: 3, Batch: 32, Epsilon: 8. / 255}
}

// Validate reports the first setting that cannot be, by its name. Data are the images.
func (c Config) Validate(data *dataset.Splits) error {
	const most = 4096 // images: a kernel of them is 16 million numbers
	if _, err := parseAll(c.Scores); err != nil {
		return fmt.Errorf("scores: %w", err)
	}
	switch {
	case c.Batch < 2 || c.Batch > min(most, data.Train.Len()):
		return fmt.Errorf("batch: expected 2 to %d images, found %d", min(most, data.Train.Len()), c.Batch)
	case c.Repeats < 0 || c.Repeats > 1000:
		return fmt.Errorf("repeats: expected 1 to 1000, found %d", c.Repeats)
	case !(c.Epsilon >= 0 && c.Epsilon <= 1):
		return fmt.Errorf("eps: expected 0 to 1, found %v", c.Epsilon)
	}
	return c.macro(data.Train).Validate()
}

func (c Config) macro(d *dataset.Dataset) lower.Macro {
	return lower.Macro{
		Channels: c.Channels, Layers: c.Layers, Classes: len(d.Classes),
		Depth: d.Shape[0], Height: d.Shape[1], Width: d.Shape[2],
	}
}

func (c Config) network(g genotype.Genotype, d *dataset.Dataset) lower.Evaluation {
	return lower.Evaluation{Macro: c.macro(d), Genotype: g}
}

func (c Config) noise() program.Noise { return program.Noise{Kind: program.Uniform, Size: c.Epsilon} }

// Shrink makes images of size*size pixels, each the mean of a block, rounded to the nearest byte. Size must divide both sides; 0 leaves
// the images as they are.
func Shrink(d *dataset.Dataset, size int) (*dataset.Dataset, error) {
	height, width := d.Shape[1], d.Shape[2]
	if size == 0 || height == size && width == size {
		return d, nil
	}
	if size < 4 || height%size != 0 || width%size != 0 {
		return nil, fmt.Errorf("size: expected 0 or at least 4 and a divisor of the %dx%d pixels of %s, found %d", height, width, d.Name, size)
	}
	return d.Shrink(size)
}
