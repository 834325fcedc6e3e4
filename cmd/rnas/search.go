package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"rnas/compiler/lower"
	"rnas/compiler/program"
	"rnas/genotype"
	"rnas/internal/dataset"
	"rnas/internal/fault"
	"rnas/runtime/ort"
	"rnas/search"
)

const searchDetail = `Writes genotype.json, log.jsonl, alphas.jsonl and a checkpoint into --out. The same command line run again takes up a
search that was stopped. With --lambda auto the weight of the robustness term follows the ratio of --lambda-ratio
between the weighted term and the cross-entropy.`

// searchFlags are the choices of rnas search.
type searchFlags struct {
	config search.Config
	method string
	space  string
	nodes  int
	lambda string
	eps    epsValue
	step   epsValue
	reg    string
	out    string
}

func (s *searchFlags) add(f *pflag.FlagSet) {
	s.config = search.Default("rnas", lower.Macro{Channels: 16})
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
	f.StringVar(&s.reg, "reg", string(c.Reg), "robustness term, between the logits f of clean and f' of perturbed images:\n"+program.RegularizersUsage())
	f.StringVar(&c.RegOn, "reg-on", c.RegOn, "steps with the robustness term: alpha, weights or both")
	f.StringVar(&s.lambda, "lambda", "auto", "weight of the robustness term, a number or auto")
	f.Float64Var(&c.LambdaAuto, "lambda-ratio", c.LambdaAuto, "ratio of the weighted term to the cross-entropy that --lambda auto holds")
	f.StringVar(&c.Noise.Kind, "noise", c.Noise.Kind, "noise of the perturbed images: uniform, gaussian or sign")
	s.eps = newEps("8/255")
	f.Var(&s.eps, "eps", "size of the noise and radius of the attack, in pixels of [0,1], such as 8/255")
	f.IntVar(&c.Attack.Steps, "attack-steps", c.Attack.Steps, "steps of the attack of --method adv")
	s.step = newEps("2/255")
	f.Var(&s.step, "step-size", "step of that attack")
	addAugment(f, &c.Augment)
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

func joined[S ~string](names []S) string {
	var list []string
	for _, n := range names {
		list = append(list, string(n))
	}
	return strings.Join(list, ", ")
}

func addAugment(f *pflag.FlagSet, a *dataset.Augment) {
	f.IntVar(&a.Crop, "crop", a.Crop, "pixels of padding for random crops")
	f.BoolVar(&a.Flip, "flip", a.Flip, "flip images at random")
	f.IntVar(&a.Cutout, "cutout", a.Cutout, "side of the square that is cut out of images")
}

// complete is the configuration for images of a data set.
func (s *searchFlags) complete(d *dataset.Dataset) (search.Config, error) {
	c := s.config
	c.Method, c.Reg = s.method, program.Regularizer(s.reg)
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
	if s.lambda != "auto" {
		v, err := strconv.ParseFloat(s.lambda, 64)
		if err != nil {
			return c, fault.Inputf("--lambda: expected a number or auto, found %q", s.lambda)
		}
		c.Lambda, c.LambdaAuto = v, 0
	}
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
	in.around(f, s.add)
	return func(ctx context.Context, c *console, args []string) error {
		if err := arguments(args, 0, 0, "no arguments"); err != nil {
			return err
		}
		if s.out == "" {
			return fault.Inputf("--out: expected a folder, found none")
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

// run searches in a folder.
func (s *searchFlags) run(ctx context.Context, train *dataset.Dataset, dir string, o ort.Options, progress io.Writer) (*search.Result, error) {
	c, err := s.complete(train)
	if err != nil {
		return nil, err
	}
	return search.Run(ctx, c, train, dir, search.Options{Runtime: o, Progress: progress})
}
