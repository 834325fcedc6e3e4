package main

import (
	"context"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"

	"rnas/genotype"
	"rnas/internal/atomicfile"
	"rnas/internal/dataset"
	"rnas/internal/fault"
	"rnas/internal/rng"
	"rnas/runtime/ort"
	"rnas/search"
	"rnas/train"
)

const runDetail = `Searches in OUT/search, trains the genotype that was found in OUT/train and, with --compare, a random one alike in
OUT/random, and measures both. Leaves OUT/model.onnx, OUT/genotype.json and OUT/result.json (.csv, .md). The same command
line run again takes up a run that was stopped; a step that is complete is not done again.

The flags are those of rnas search, train and bench. Flags that several of them have are there once for each, with its
name before them, such as --search-epochs and --train-epochs; --seed and --eps are the same for all.`

// runFlags are the choices of rnas run.
type runFlags struct {
	input   inputFlags
	preset  string
	compare bool
	out     string
	search  searchFlags
	train   trainFlags
	bench   benchFlags
	limit   struct{ search, train, bench int }
	seeds   string
	steps   []step
}

func (r *runFlags) add(f *pflag.FlagSet) {
	f.StringVar(&r.preset, "preset", "demo", presetUsage())
	f.StringVar(&r.out, "out", "", "folder of the run (required)")
	f.BoolVar(&r.compare, "compare", false, "train and measure a random genotype alike")
	r.input.data.addSource(f)
	r.steps = []step{{"search", newFlagSet("search")}, {"train", newFlagSet("train")}, {"bench", newFlagSet("bench")}}
	for i, add := range []func(*pflag.FlagSet){r.search.add, r.train.add, r.bench.add} {
		addLimit(r.steps[i].flags, []*int{&r.limit.search, &r.limit.train, &r.limit.bench}[i])
		add(r.steps[i].flags)
	}
	adopt(f, r.steps, []string{"seed", "eps"}, []string{"out", "genotype", "protocol", "transfer", "train-channels", "train-layers"})
	addSeeds(f, &r.seeds)
	r.input.runtime.add(f)
}

func runCommand(f *pflag.FlagSet) action {
	var r runFlags
	r.add(f)
	asJSON := addJSON(f)
	return func(ctx context.Context, c *console, args []string) error {
		if err := arguments(args, 0, 0, "no arguments"); err != nil {
			return err
		}
		if err := applyPreset(f, r.preset); err != nil {
			return err
		}
		if r.out == "" {
			return fault.Inputf("--out: expected a folder, found none")
		}
		if err := r.bound(); err != nil {
			return err
		}
		if r.seeds != "" {
			return r.overSeeds(ctx, c, f, *asJSON)
		}
		data, o, err := r.input.open(ctx, c.err)
		if err != nil {
			return err
		}
		models, err := r.build(ctx, data, o, c)
		if err != nil {
			return err
		}
		test, err := limited(data, r.limit.bench, r.input.data.seed())
		if err != nil {
			return err
		}
		r.bench.options.Command, r.bench.limit = c.words, r.limit.bench
		result, err := r.bench.run(ctx, models, test, r.out, o, c.err)
		if err != nil {
			return err
		}
		if *asJSON {
			return printJSON(c.out, result)
		}
		return printResult(c.out, result)
	}
}

// build makes the models to be measured, that of the found genotype first.
func (r *runFlags) build(ctx context.Context, data *dataset.Splits, o ort.Options, c *console) (models []string, err error) {
	if err := os.MkdirAll(r.out, 0o777); err != nil {
		return nil, fault.Inputf("--out: %w", err)
	}
	if err := r.trainable(data); err != nil {
		return nil, err
	}
	found, err := r.find(ctx, "search", r.search, data, o, c)
	if err != nil {
		return nil, err
	}
	if err := copyFile(filepath.Join(r.out, search.GenotypeFile), filepath.Join(r.out, "search", search.GenotypeFile)); err != nil {
		return nil, err
	}
	trained, err := r.fit(ctx, "train", found, data, o, c)
	if err != nil {
		return nil, err
	}
	model := filepath.Join(r.out, train.ModelFile)
	if err := copyFile(model, trained); err != nil {
		return nil, err
	}
	models = append(models, model)
	if !r.compare {
		return models, nil
	}
	other := r.search
	other.method = "random"
	drawn, err := r.find(ctx, filepath.Join("random", "search"), other, data, o, c)
	if err != nil {
		return nil, err
	}
	trained, err = r.fit(ctx, "random", drawn, data, o, c)
	return append(models, trained), err
}

// trainable tells before the search whether networks of the space fit the settings of the training.
func (r *runFlags) trainable(data *dataset.Splits) error {
	c, err := r.search.complete(data.Train)
	if err != nil {
		return err
	}
	s := rng.New(c.Seed, rng.Architecture, 0, 0, 0)
	_, err = r.train.complete(c.Super.Random(&s), data.Train)
	return err
}

// bound makes the bounds of the search those of the network that is trained.
func (r *runFlags) bound() error {
	f := r.search.flags
	if !given(f, "max-params") && !given(f, "max-macs") && !given(f, "max-latency") {
		return nil
	}
	for _, name := range []string{"channels", "layers"} {
		if err := f.Set("train-"+name, r.train.flags.Lookup(name).Value.String()); err != nil {
			return err
		}
	}
	return nil
}

// find searches in a folder of the run.
func (r *runFlags) find(ctx context.Context, dir string, s searchFlags, data *dataset.Splits, o ort.Options, c *console) (genotype.Genotype, error) {
	d, err := limited(data, r.limit.search, r.input.data.seed())
	if err != nil {
		return genotype.Genotype{}, err
	}
	config, err := s.complete(d.Train)
	if err != nil {
		return genotype.Genotype{}, err
	}
	dir = filepath.Join(r.out, dir)
	once := phase{dir: dir, results: []string{search.GenotypeFile}, key: []any{config, d.Train.Digest()}}
	err = once.do(c.err, func() error {
		_, err := s.run(ctx, d.Train, dir, o, c.err)
		return err
	})
	if err != nil {
		return genotype.Genotype{}, err
	}
	return genotype.Load(filepath.Join(dir, search.GenotypeFile))
}

// fit trains a genotype in a folder of the run and returns the path of its model.
func (r *runFlags) fit(ctx context.Context, dir string, g genotype.Genotype, data *dataset.Splits, o ort.Options, c *console) (string, error) {
	d, err := limited(data, r.limit.train, r.input.data.seed())
	if err != nil {
		return "", err
	}
	config, err := r.train.complete(g, d.Train)
	if err != nil {
		return "", err
	}
	dir = filepath.Join(r.out, dir)
	once := phase{dir: dir, results: []string{train.WeightsFile, train.ModelFile}, key: []any{config, d.Train.Digest(), d.Test.Digest()}}
	err = once.do(c.err, func() error {
		_, err := r.train.run(ctx, g, d, dir, o, c.err)
		return err
	})
	return filepath.Join(dir, train.ModelFile), err
}

func copyFile(to, from string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return atomicfile.WriteBytes(to, data)
}
