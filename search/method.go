// Package search finds genotypes: by gradient descent over the architecture parameters of a supernet, with a term for
// robustness or without, by evolution over scores, and at random.
package search

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"rnas/compiler/program"
	"rnas/genotype"
	"rnas/internal/dataset"
	"rnas/internal/fault"
	"rnas/internal/folderlock"
	"rnas/runtime/ort"
	"rnas/train/loop"
)

// ErrDiverged says that a loss or a parameter is no longer a finite number. The checkpoint before is kept.
var ErrDiverged = loop.ErrDiverged

// Names of the files of a search in its folder, besides its checkpoint and its log.
const (
	GenotypeFile = "genotype.json"
	AlphasFile   = "alphas.jsonl"  // the architecture parameters after every epoch
	HistoryFile  = "history.jsonl" // of the method evolution: its configuration, and all genotypes that were scored
	FrontFile    = "front.jsonl"   // of evolution for several objectives: the genotypes that none dominates
	PlotFile     = "front.svg"     // likewise: the same and all others, drawn
)

// Method is a way to search: which perturbed images, which term, which level. The gradient methods are rows over one loop.
type Method struct {
	Name  string
	About string // with its source

	perturb  program.Source       // of the images that a comparing regularizer gets; "" for none
	reg      program.Regularizer  // by default; "" for a method without a regularizer
	mix      program.MixNoise     // of the weight step
	unrolled bool                 // second order
	gradient bool                 // over a supernet
	defaults func(c *Config)      // settings of the source that differ from those of DARTS; may be nil
	valid    func(c Config) error // checks settings that the method alone has; nil for a method without
	run      func(ctx context.Context, m Method, c Config, train *dataset.Dataset, dir string, o Options) (*Result, error)
}

// methods are in the order of the documentation.
var methods = []Method{
	{Name: "rnas", About: "a regularizer between images and noise examples (our reading of Zhu et al. 2023)", perturb: program.NoiseExamples, reg: program.KL, gradient: true, run: bilevel},
	{Name: "darts", About: "no regularizer, first order (Liu et al. 2019)", gradient: true, run: bilevel},
	{Name: "darts2", About: "no regularizer, second order (Liu et al. 2019, section 2.3)", unrolled: true, gradient: true, run: bilevel},
	{Name: "pcdarts", About: "partial channels and edge normalisation (Xu et al. 2020)", defaults: pcdarts, gradient: true, run: bilevel},
	{Name: "sdarts-rs", About: "weights learn under random noise on the architecture weights (Chen and Hsieh 2020)", mix: program.MixNoise{Random: true}, gradient: true, run: bilevel},
	{Name: "sdarts-adv", About: "weights learn under an attack on the architecture weights (Chen and Hsieh 2020)", mix: program.MixNoise{Random: true, Steps: 7}, gradient: true, run: bilevel},
	{Name: "adv", About: "a regularizer between images and adversarial images", perturb: program.Adversarial, reg: program.KL, gradient: true, run: bilevel},
	{Name: "advrush", About: "curvature of the loss over images in the last sixth of the epochs (Mok et al. 2021)", reg: program.Curvature, defaults: advrush, gradient: true, run: bilevel},
	{Name: "dsrna", About: "norm of the input Jacobian (after Hosseini et al. 2021)", reg: program.Jacobian, defaults: dsrna, gradient: true, run: bilevel},
	{Name: "random", About: "a genotype drawn uniformly, without training", run: random},
	{Name: "evolution", About: "regularized evolution over scores (Real et al. 2019), with several a Pareto front (Deb et al. 2002)", defaults: evolving, valid: Config.validEvolution, run: evolution},
}

// pcdarts are the settings of Xu et al. 2020, section 4.2, with the learning rate of the weights, 0.1 for a batch of 256, scaled to 64.
func pcdarts(c *Config) {
	c.Super.Partial, c.Super.EdgeNorm = 4, true
	c.Schedule.LR, c.Schedule.MinLR, c.Adam.LR = 0.025, 0, 6e-4
	c.AlphaWarmup = c.Epochs * 3 / 10
}

// advrush are the settings of the public code: gamma 0.01 times 4, after 50 of 60 epochs.
func advrush(c *Config) {
	c.Balance = Balance{Kind: Fixed, Value: 0.04}
	c.RegWarmup = c.Epochs * 5 / 6
}

// dsrna holds the norm of the Jacobian by a fixed weight of 0.01.
func dsrna(c *Config) { c.Balance = Balance{Kind: Fixed, Value: 0.01} }

// Methods lists all methods.
func Methods() []Method { return slices.Clone(methods) }

// Lookup finds a method by its name.
func Lookup(name string) (Method, error) {
	var names []string
	for _, m := range methods {
		if m.Name == name {
			return m, nil
		}
		names = append(names, m.Name)
	}
	return Method{}, fmt.Errorf("method: expected one of %s, found %q", strings.Join(names, ", "), name)
}

// Gradient reports whether the method descends along gradients over a supernet, in epochs.
func (m Method) Gradient() bool { return m.gradient }

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
	Warning  string    // why the genotype says little; "" if nothing speaks against it
}

// Run searches in a folder, or takes up the search whose checkpoint or history is there, and writes GenotypeFile. The result is the
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
	release, err := folderlock.Lock(dir)
	if err != nil {
		return nil, err
	}
	defer release()
	return m.run(ctx, m, c, train, dir, o)
}
