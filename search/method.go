// Package search finds genotypes: by gradient descent over the architecture parameters of a supernet, with a term for
// robustness or without, and at random.
package search

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"rnas/genotype"
	"rnas/internal/dataset"
	"rnas/internal/fault"
	"rnas/runtime/ort"
	"rnas/train/loop"
)

// ErrDiverged says that a loss or a parameter is no longer a finite number. The checkpoint before is kept.
var ErrDiverged = loop.ErrDiverged

// Names of the files of a search in its folder, besides its checkpoint and its log.
const (
	GenotypeFile = "genotype.json"
	AlphasFile   = "alphas.jsonl" // the architecture parameters after every epoch
)

// Method is a way to search.
type Method struct {
	Name  string
	About string
	twin  twin
	run   func(ctx context.Context, m Method, c Config, train *dataset.Dataset, dir string, o Options) (*Result, error)
}

// twin is where the perturbed images of the robustness term come from.
type twin int

const (
	noTwin twin = iota
	noiseTwin
	attackTwin
)

// Methods lists all methods.
func Methods() []Method {
	return []Method{
		{"rnas", "the robustness term on images with random noise", noiseTwin, bilevel},
		{"adv", "the robustness term on adversarial images", attackTwin, bilevel},
		{"darts", "first-order DARTS: no robustness term (Liu et al. 2019)", noTwin, bilevel},
		{"random", "a genotype drawn uniformly, without training", noTwin, random},
	}
}

// Lookup finds a method by its name.
func Lookup(name string) (Method, error) {
	var names []string
	for _, m := range Methods() {
		if m.Name == name {
			return m, nil
		}
		names = append(names, m.Name)
	}
	return Method{}, fmt.Errorf("method: expected one of %s, found %q", strings.Join(names, ", "), name)
}

// Options do not change the result.
type Options struct {
	Runtime  ort.Options
	Progress io.Writer // for people; nil for none
	// Interval is the time between checkpoints within an epoch; 0 for two minutes.
	Interval time.Duration
}

// Result is what a search found.
type Result struct {
	Genotype genotype.Genotype
	Path     string    // of the genotype
	Alphas   []float32 // [2,edges,primitives], normal cells first; nil without a supernet
	Seconds  float64   // that the steps took
	Passes   int64     // forward and backward passes of the supernet over a batch
}

// Run searches in a folder, or takes up the search whose checkpoint is there, and writes GenotypeFile. The result is the
// same bit for bit however often the search was stopped. When ctx is cancelled it writes a checkpoint and returns an error
// that wraps that of ctx.
func Run(ctx context.Context, c Config, train *dataset.Dataset, dir string, o Options) (*Result, error) {
	if err := c.Validate(); err != nil {
		return nil, fault.Input(err)
	}
	m, err := Lookup(c.Method)
	if err != nil {
		return nil, err
	}
	return m.run(ctx, m, c, train, dir, o)
}
