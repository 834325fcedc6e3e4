package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"

	"rnas/compiler/lower"
	"rnas/compiler/program"
	"rnas/genotype"
	"rnas/internal/dataset"
	"rnas/internal/fault"
	"rnas/page"
	"rnas/runtime/ort"
	"rnas/search"
	"rnas/study"
)

const searchDetail = `Writes genotype.json, log.jsonl, alphas.jsonl, a checkpoint and report.html, a page about the search, into --out; the method evolution writes history.jsonl, and with
--objectives front.jsonl and front.svg, the genotypes that no other one dominates. The same command line run again takes up a
search that was stopped. Flags that are not given have the values of the method's source, such as the fixed weight of
advrush or the 8 channels, 3 layers and 32 images with which evolution scores; those listed are of rnas.

--max-params, --max-macs and --max-latency bound the network of --train-channels and --train-layers on the images of the search. random and
evolution draw only cells within the bounds. A gradient method changes operations of the cell that it derives for cheaper ones until
the cell is within them, each time the one that loses least architecture weight. The latency is measured on --provider.`

// searchFlags are the choices of rnas search.
type searchFlags struct {
	flags  *pflag.FlagSet // those of add, to tell which were given
	config search.Config
	method string
	space  string
	nodes  int
	lambda string
	share  float64
	eps    epsValue
	step   epsValue
	reg    string
	input  string
	out    string

	score     string
	evolution search.Evolution
	bounds    search.Bounds
}

func (s *searchFlags) add(f *pflag.FlagSet) {
	s.flags = f
	s.define(f, search.Default("rnas", lower.Macro{Channels: 16}))
	track(f)
}

// define adds the flags with defaults from a configuration.
func (s *searchFlags) define(f *pflag.FlagSet, defaults search.Config) {
	s.config = defaults
	c := &s.config
	f.StringVar(&s.method, "method", "rnas", methodUsage())
	f.StringVar(&s.space, "space", "darts", spaceUsage())
	f.IntVar(&c.Super.Channels, "channels", c.Super.Channels, "channels of the first cells of the supernet")
	f.IntVar(&c.Super.Layers, "layers", c.Super.Layers, "cells of the supernet, 0 for as many as the space is searched with: 8, or 15 of nas-bench-201")
	f.IntVar(&s.nodes, "nodes", 0, "nodes of a cell, 0 for as many as the space has")
	f.IntVar(&c.Epochs, "epochs", c.Epochs, "epochs")
	f.IntVar(&c.Batch, "batch", c.Batch, "images in a batch")
	f.IntVar(&c.Steps, "steps", c.Steps, "at most so many steps in an epoch, 0 for all")
	f.Float64Var(&c.Split, "split", c.Split, "fraction of the images that the weights learn from; the others are for the architecture")
	f.Float64Var(&c.Schedule.LR, "lr", c.Schedule.LR, "first learning rate of the weights, of a cosine")
	f.Float64Var(&c.Schedule.MinLR, "min-lr", c.Schedule.MinLR, "last learning rate of the weights")
	f.Float64Var(&c.SGD.WeightDecay, "weight-decay", c.SGD.WeightDecay, "weight decay of the weights")
	f.Float64Var(&c.Adam.LR, "alpha-lr", c.Adam.LR, "learning rate of the architecture")
	f.IntVar(&c.AlphaWarmup, "alpha-warmup", c.AlphaWarmup, "first epochs without a step of the architecture")
	f.StringVar(&s.reg, "reg", string(c.Reg), "regularizer, between the logits f of clean and f' of perturbed images:\n"+program.RegularizersUsage())
	f.StringVar(&c.RegOn, "reg-on", c.RegOn, "steps with the regularizer: alpha, weights or both")
	f.IntVar(&c.RegWarmup, "reg-warmup", c.RegWarmup, "first epochs whose alpha steps have no regularizer")
	f.StringVar(&s.lambda, "lambda", "auto", "weight of the regularizer: auto holds its share of the gradient, ratio:0.5 the ratio of the weighted term to the cross-entropy, a number stays as it is")
	f.Float64Var(&s.share, "share", search.DefaultShare, "share of the regularizer in the sum of both gradients' norms that --lambda auto holds")
	f.IntVar(&c.Draws, "draws", c.Draws, "noise examples of an image in a step")
	f.BoolVar(&c.Antithetic, "antithetic", c.Antithetic, "draw noise in pairs of a perturbation and its negative")
	f.Float64Var(&c.RegMean, "reg-mean", c.RegMean, "decay of a running mean of the regularizer's gradient in the alpha step, 0 for none")
	f.IntVar(&c.RegEvery, "reg-every", c.RegEvery, "take the regularizer in one of so many alpha steps, and its running mean in the others; 0 for all steps")
	f.StringVar(&s.input, "input", string(c.Input), "images of the cross-entropy: clean, noise or adv")
	f.StringVar(&c.InputOn, "input-on", c.InputOn, "steps whose cross-entropy is of these images: alpha, weights or both")
	f.IntVar(&c.Stop.Skips, "stop-skips", c.Stop.Skips, "end the search when the normal cell has so many skip connections, 0 for never")
	f.Float64Var(&c.Stop.Curvature, "stop-curvature", c.Stop.Curvature, "end the search when the curvature of the validation loss by alpha has grown by this factor, 0 for never")
	f.StringVar(&c.Noise.Kind, "noise", c.Noise.Kind, "noise of noise examples: uniform, gaussian or sign")
	s.eps = newEps("8/255")
	f.Var(&s.eps, "eps", "size of the noise and radius of the attack, in pixels of [0,1], such as 8/255")
	f.IntVar(&c.Attack.Steps, "attack-steps", c.Attack.Steps, "steps of the attack that makes adversarial images")
	s.step = newEps("2/255")
	f.Var(&s.step, "step-size", "step of that attack")
	addAugment(f, &c.Augment)
	s.defineEvolution(f)
	s.defineBounds(f)
	f.Uint64Var(&c.Seed, "seed", 0, "seed of everything random")
	f.StringVar(&s.out, "out", "", "folder of the search (required)")
}

func methodUsage() string {
	var b strings.Builder
	b.WriteString("method:")
	for _, m := range search.Methods() {
		fmt.Fprintf(&b, "\n%s: %s", m.Name, m.About)
	}
	return b.String()
}

func spaceUsage() string {
	var b strings.Builder
	b.WriteString("search space:")
	for _, s := range genotype.Spaces() {
		fmt.Fprintf(&b, "\n%s: %s", s.Name, s.About)
	}
	b.WriteString("\nFILE: a JSON file such as {\"primitives\": [\"skip_connect\", \"sep_conv_3x3\"], \"nodes\": 4}")
	return b.String()
}

// searchLayers is the number of cells of the supernet that a space is published with.
func searchLayers(form genotype.Form) int {
	if form == genotype.DARTS {
		return 8
	}
	_, layers := form.Size()
	return layers
}

func addAugment(f *pflag.FlagSet, a *dataset.Augment) {
	f.IntVar(&a.Crop, "crop", a.Crop, "pixels of padding for random crops")
	f.BoolVar(&a.Flip, "flip", a.Flip, "flip images at random")
	f.IntVar(&a.Cutout, "cutout", a.Cutout, "side of the square that is cut out of images")
}

// adapted are the choices with what the source of the method asks for in place of the defaults; flags that were given win.
func (s *searchFlags) adapted() (*searchFlags, error) {
	c := search.Default("rnas", lower.Macro{Channels: 16})
	c.Method, c.Epochs = s.method, s.config.Epochs
	if err := c.Adapt(); err != nil {
		return nil, fault.Input(err)
	}
	a := &searchFlags{flags: s.flags}
	f := newFlagSet("search")
	a.define(f, c)
	if given(s.flags, "lambda") || given(s.flags, "share") {
		balance, err := search.ParseBalance(s.lambda, s.share)
		if err != nil {
			return nil, fault.Inputf("--%w", err)
		}
		a.config.Balance = balance
	}
	return a, copyGiven(f, s.flags)
}

// complete is the configuration for images of a data set.
func (s *searchFlags) complete(d *dataset.Dataset) (search.Config, error) {
	s, err := s.adapted()
	if err != nil {
		return search.Config{}, err
	}
	c := s.config
	c.Reg, c.Input = program.Regularizer(s.reg), program.Source(s.input)
	c.Noise.Size, c.Attack.Epsilon, c.Attack.StepSize = s.eps.size, s.eps.size, s.step.size
	c.Super.Macro = fit(c.Super.Macro, d)
	space, err := genotype.LookupSpace(s.space)
	if err != nil {
		return c, fault.Inputf("--space: %w", err)
	}
	if s.nodes != 0 {
		space.Nodes = s.nodes
	}
	c.Super.Space = space
	if c.Super.Layers == 0 {
		c.Super.Layers = searchLayers(space.Form)
	}
	if err := s.completeEvolution(&c); err != nil {
		return c, err
	}
	s.completeBounds(&c)
	if err := c.Validate(); err != nil {
		return c, fault.Input(err)
	}
	return c, nil
}

// fit gives a skeleton the shape and the classes of data.
func fit(m lower.Macro, d *dataset.Dataset) lower.Macro {
	m.Depth, m.Height, m.Width, m.Classes = d.Shape[0], d.Shape[1], d.Shape[2], len(d.Classes)
	return m
}

func searchCommand(f *pflag.FlagSet) action {
	var in inputFlags
	var s searchFlags
	var seeds string
	in.around(f, s.add)
	addSeeds(f, &seeds)
	return func(ctx context.Context, c *console, args []string) error {
		if err := arguments(args, 0, 0, "no arguments"); err != nil {
			return err
		}
		if s.out == "" {
			return fault.Inputf("--out: expected a folder, found none")
		}
		if seeds != "" {
			file := &study.File{
				Arms:       []study.Arm{{Name: s.method, Stages: study.Stages{Search: settings(f, ofStudy...)}}},
				Statistics: study.Statistics{Measures: []string{"passes"}},
			}
			return overSeeds(ctx, c, f, seeds, s.out, in, file, false)
		}
		data, o, err := in.open(ctx, c.err)
		if err != nil {
			return err
		}
		result, err := s.run(ctx, data.Train, s.out, o, c.err)
		if err != nil {
			return err
		}
		fmt.Fprintln(c.out, result.Genotype)
		return nil
	}
}

// run searches in a folder and writes its page.
func (s *searchFlags) run(ctx context.Context, train *dataset.Dataset, dir string, o ort.Options, progress io.Writer) (*search.Result, error) {
	c, err := s.complete(train)
	if err != nil {
		return nil, err
	}
	r, err := search.Run(ctx, c, train, dir, search.Options{Runtime: o, Progress: progress})
	if err != nil {
		return nil, err
	}
	return r, page.Write(dir)
}
