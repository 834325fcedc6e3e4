package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/pflag"

	"rnas/compiler/lower"
	"rnas/compiler/program"
	"rnas/genotype"
	"rnas/internal/dataset"
	"rnas/internal/fault"
	"rnas/page"
	"rnas/runtime/ort"
	"rnas/study"
	"rnas/train"
	"rnas/train/loop"
)

const trainDetail = `Writes weights.safetensors, model.onnx, log.jsonl, a checkpoint and report.html, a page about the training, into --out. The
same command line run again takes up a training that was stopped.

Recipes: standard learns from clean images; fast from one signed-gradient step of 1.25 eps from a random start (Wong et
al. 2020); pgd from projected gradient descent (Madry et al. 2018); trades from clean images and the divergence of
adversarial logits from clean ones (Zhang et al. 2019).`

// trainFlags are the choices of rnas train. Those of the attack have the recipe's value unless they are given.
type trainFlags struct {
	flags       *pflag.FlagSet
	config      train.Config
	genotype    string
	recipe      string
	eps, step   epsValue
	attackSteps int
	beta        float64
	out         string
}

func (t *trainFlags) add(f *pflag.FlagSet) {
	t.flags = f
	t.config = train.Default(lower.Evaluation{Macro: lower.Macro{Channels: 36, Layers: 20}}, program.Fast)
	c := &t.config
	f.StringVar(&t.genotype, "genotype", "", "genotype, a file, zoo:NAME or a string of NAS-Bench-201 (required)")
	f.StringVar(&t.recipe, "recipe", string(program.Fast), "what is learnt from:\n"+program.RecipesUsage())
	f.IntVar(&c.Network.Channels, "channels", c.Network.Channels, "channels of the first cells")
	f.IntVar(&c.Network.Layers, "layers", c.Network.Layers, "cells")
	f.Float32SliceVar(&c.Network.Mean, "mean", nil, "mean of each colour channel, subtracted from the image")
	f.Float32SliceVar(&c.Network.Std, "std", nil, "standard deviation of each colour channel, which the image is divided by")
	f.BoolVar(&c.Network.Aux, "aux", false, "train with the auxiliary head")
	f.Float64Var(&c.AuxWeight, "aux-weight", c.AuxWeight, "weight of its loss")
	f.Float64Var(&c.DropPath, "drop-path", c.DropPath, "probability of dropping an edge, reached at the last epoch")
	f.IntVar(&c.Epochs, "epochs", c.Epochs, "epochs")
	f.IntVar(&c.Batch, "batch", c.Batch, "images in a batch")
	f.StringVar(&c.Schedule.Kind, "schedule", c.Schedule.Kind, "learning rate: one-cycle, cosine or step")
	f.Float64Var(&c.Schedule.LR, "lr", c.Schedule.LR, "largest learning rate")
	f.Float64Var(&c.Schedule.MinLR, "min-lr", c.Schedule.MinLR, "last learning rate of one-cycle and cosine")
	f.Float64Var(&c.Schedule.Peak, "peak", c.Schedule.Peak, "one-cycle: fraction of all steps before the largest rate")
	f.IntSliceVar(&c.Schedule.Milestones, "milestones", nil, "step: epochs, from 0, that begin with a smaller rate")
	f.Float64Var(&c.Schedule.Gamma, "gamma", 0.1, "step: factor of the rate at each")
	f.IntVar(&c.Schedule.WarmupEpochs, "warmup-epochs", 0, "cosine and step: epochs of a linear rise to the largest rate")
	f.Float64Var(&c.SGD.Momentum, "momentum", c.SGD.Momentum, "momentum")
	f.Float64Var(&c.SGD.WeightDecay, "weight-decay", c.SGD.WeightDecay, "weight decay")
	f.Float64Var(&c.SGD.Clip, "clip", c.SGD.Clip, "largest norm of the gradient, 0 for no limit")
	f.Float64Var(&c.Average, "average", c.Average, "decay of a moving average of the weights that is kept instead of the last ones, 0 for none")
	f.Float64Var(&c.Smoothing, "smoothing", c.Smoothing, "label smoothing")
	addAugment(f, &c.Augment)
	t.eps = newEps("8/255")
	f.Var(&t.eps, "eps", "radius of the attack, in pixels of [0,1], such as 8/255")
	f.Var(&t.step, "step-size", "step of the attack (default: 1.25 eps for fast, else 2/255)")
	f.IntVar(&t.attackSteps, "attack-steps", 0, "steps of the attack (default: 1 for fast, 7 for pgd, 10 for trades)")
	f.Float64Var(&t.beta, "beta", 0, "trades: weight of the divergence (default: 6)")
	f.BoolVar(&c.AttackTrain, "attack-train", false, "attack the network with batch statistics instead of running ones")
	f.IntVar(&c.ValidateEvery, "validate", c.ValidateEvery, "measure clean accuracy after every so many epochs, 0 for never")
	f.IntVar(&c.ValidateImages, "validate-images", c.ValidateImages, "on so many test images, 0 for all")
	f.Uint64Var(&c.Seed, "seed", 0, "seed of everything random")
	f.StringVar(&t.out, "out", "", "folder of the training (required)")
}

// complete is the configuration for a genotype and images of a data set.
func (t *trainFlags) complete(g genotype.Genotype, d *dataset.Dataset) (train.Config, error) {
	c := t.config
	c.Recipe = program.Recipe(t.recipe)
	recipe := train.Default(c.Network, c.Recipe)
	c.Attack, c.Start, c.Beta = recipe.Attack, recipe.Start, recipe.Beta
	if c.Recipe.Attacks() {
		c.Attack.Epsilon = t.eps.size
	}
	if c.Start.Kind == program.Uniform {
		c.Start.Size = t.eps.size
	}
	if d := c.Recipe.Defaults(); d.StepOverEpsilon > 0 {
		c.Attack.StepSize = d.StepOverEpsilon * t.eps.size
	}
	if t.step.text != "" {
		c.Attack.StepSize = t.step.size
	}
	if t.attackSteps != 0 {
		c.Attack.Steps = t.attackSteps
	}
	if t.beta != 0 {
		c.Beta = t.beta
	}
	if c.Schedule.Kind != loop.Stepwise {
		c.Schedule.Gamma = 0
	}
	c.Network.Genotype, c.Network.Macro = g, fit(c.Network.Macro, d)
	if err := c.Validate(); err != nil {
		return c, fault.Input(err)
	}
	return c, nil
}

// size gives the flags of the network's size that were not given what networks of the genotype's form have.
func (t *trainFlags) size(g genotype.Genotype) {
	net := &t.config.Network
	size := macroFlags{channels: net.Channels, layers: net.Layers}.fit(t.flags, g.Form)
	net.Channels, net.Layers = size.channels, size.layers
}

func trainCommand(f *pflag.FlagSet) action {
	var in inputFlags
	var t trainFlags
	var seeds string
	in.around(f, t.add)
	addSeeds(f, &seeds)
	return func(ctx context.Context, c *console, args []string) error {
		if err := arguments(args, 0, 0, "no arguments"); err != nil {
			return err
		}
		if t.genotype == "" || t.out == "" {
			return fault.Inputf("--genotype and --out: expected both")
		}
		g, err := genotype.Load(t.genotype)
		if err != nil {
			return fault.Inputf("--genotype: %w", err)
		}
		t.size(g)
		if seeds != "" {
			file := &study.File{
				Arms:       []study.Arm{{Name: "train", Stages: study.Stages{Train: settings(f, ofStudy...)}}},
				Statistics: study.Statistics{Measures: []string{"params"}},
			}
			if t.config.ValidateEvery > 0 {
				file.Statistics.Measures = []string{"val_accuracy", "params"}
			}
			return overSeeds(ctx, c, f, seeds, t.out, in, file, false)
		}
		data, o, err := in.open(ctx, c.err)
		if err != nil {
			return err
		}
		_, err = t.run(ctx, g, data, t.out, o, c.err)
		return err
	}
}

// run trains a genotype in a folder and writes the model and the page beside the weights.
func (t *trainFlags) run(ctx context.Context, g genotype.Genotype, data *dataset.Splits, dir string, o ort.Options, progress io.Writer) (*train.Result, error) {
	c, err := t.complete(g, data.Train)
	if err != nil {
		return nil, err
	}
	r, err := train.Run(ctx, c, data, dir, train.Options{Runtime: o, Progress: progress})
	if err != nil {
		return nil, err
	}
	d := train.Deployed()
	d.Options.ProducerVersion = versionText()
	path := filepath.Join(dir, train.ModelFile)
	if _, err := r.Write(path, d); err != nil {
		return nil, err
	}
	fmt.Fprintf(progress, "wrote %s and %s\n", r.Path, path)
	return r, page.Write(dir)
}
