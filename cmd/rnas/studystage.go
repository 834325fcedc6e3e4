package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"sync"

	"github.com/spf13/pflag"

	"rnas/compiler/lower"
	"rnas/genotype"
	"rnas/internal/dataset"
	"rnas/internal/fault"
	"rnas/internal/rng"
	"rnas/runtime/ort"
	"rnas/search"
	"rnas/study"
	"rnas/train"
)

// studyStages are the stages of studies whose settings are the flags of commands.
type studyStages struct {
	input   inputFlags
	data    *dataset.Splits
	runtime ort.Options
	command []string
	digests sync.Map // of limited data, by the number of images: two texts
}

func (s *studyStages) list() []study.Stage {
	return []study.Stage{
		{Name: study.Search, Check: s.checkSearch, Open: s.openSearch},
		{Name: study.Train, Check: s.checkTrain, Open: s.openTrain},
		{Name: study.Bench, Check: s.checkBench, Open: s.openBench},
	}
}

// studyOwn are flags of the stages that a study sets itself, or that make no sense in one.
var studyOwn = []string{"out", "seed", "protocol", "transfer", "corruptions"}

// settle gives flags the settings of a stage.
func settle(f *pflag.FlagSet, settings study.Settings, own ...string) error {
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		value := settings[name]
		fail := func(err error) error { return &study.SettingError{Line: value.Line, Err: err} }
		switch {
		case slices.Contains(studyOwn, name) || slices.Contains(own, name):
			return fail(fmt.Errorf("%s: expected a flag that a study leaves to its file, found one that it does not", name))
		case f.Lookup(name) == nil:
			return fail(fmt.Errorf("unknown flag %q; see rnas help %s", name, f.Name()))
		}
		if err := f.Set(name, value.Text); err != nil {
			return fail(err)
		}
	}
	return nil
}

// limited is at most so many images of the data, and their digests.
func (s *studyStages) limited(limit int) (*dataset.Splits, map[string]string, error) {
	d, err := limited(s.data, limit, s.input.data.seed())
	if err != nil {
		return nil, nil, err
	}
	known, ok := s.digests.Load(limit)
	if !ok {
		known, _ = s.digests.LoadOrStore(limit, map[string]string{"train": d.Train.Digest(), "test": d.Test.Digest()})
	}
	return d, known.(map[string]string), nil
}

// searchOf is the search of an arm.
func (s *studyStages) searchOf(a *study.Arm, seed uint64) (f searchFlags, data *dataset.Splits, digests map[string]string, err error) {
	set, limit := newFlagSet(study.Search), 0
	f.add(set)
	addLimit(set, &limit)
	if err = settle(set, a.Search); err != nil {
		return
	}
	if err = set.Set("seed", strconv.FormatUint(seed, 10)); err != nil {
		return
	}
	data, digests, err = s.limited(limit)
	return
}

func (s *studyStages) checkSearch(a *study.Arm) ([]string, error) {
	f, data, _, err := s.searchOf(a, 0)
	if err != nil {
		return nil, err
	}
	if a.Match != nil && f.method != "random" {
		return nil, fmt.Errorf("match: expected the method random, found %s", f.method)
	}
	_, err = f.complete(data.Train)
	return []string{"passes"}, err
}

func (s *studyStages) openSearch(j study.Job) (*study.Work, error) {
	f, data, digests, err := s.searchOf(j.Arm, j.Seed)
	if err != nil {
		return nil, err
	}
	config, err := f.complete(data.Train)
	if err != nil {
		return nil, err
	}
	return &study.Work{
		Config:  map[string]any{"search": config, "images": digests["train"]},
		Results: []string{search.GenotypeFile},
		Do: func(ctx context.Context, progress io.Writer) (study.Outcome, error) {
			find := func(seed uint64) (*search.Result, error) {
				if err := f.flags.Set("seed", strconv.FormatUint(seed, 10)); err != nil {
					return nil, err
				}
				return f.run(ctx, data.Train, j.Dir, s.runtime, progress)
			}
			r, err := find(j.Seed)
			if err == nil && j.Arm.Match != nil {
				r, err = s.match(ctx, j, r, find)
			}
			if err != nil {
				return study.Outcome{}, err
			}
			return study.Outcome{Genotype: r.Genotype.String(), Values: map[string]float64{"passes": float64(r.Passes)}}, nil
		},
	}, nil
}

// mostMatches bounds the searches for a genotype of about as many parameters as another's.
const mostMatches = 10_000

// match repeats a search, with seeds drawn from the job's, until the genotype has about as many parameters as the matched
// one.
func (s *studyStages) match(ctx context.Context, j study.Job, r *search.Result, find func(seed uint64) (*search.Result, error)) (*search.Result, error) {
	other, err := genotype.Load(filepath.Join(j.Matched, search.GenotypeFile))
	if err != nil {
		return nil, err
	}
	wanted, err := s.params(j.Arm, other)
	if err != nil {
		return nil, err
	}
	m := j.Arm.Match
	for try := 1; ; try++ {
		n, err := s.params(j.Arm, r.Genotype)
		if err != nil {
			return nil, err
		}
		if low, high := (1-m.Within)*wanted, (1+m.Within)*wanted; n >= low && n <= high {
			return r, nil
		} else if try == mostMatches {
			return nil, fault.Inputf("match: expected a genotype of %.0f to %.0f parameters, found none in %d draws", low, high, try)
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		stream := rng.New(j.Seed, rng.Architecture, 0, try, 0)
		if r, err = find(stream.Uint64()); err != nil {
			return nil, err
		}
	}
}

// params counts the parameters of a genotype in the network that an arm trains.
func (s *studyStages) params(a *study.Arm, g genotype.Genotype) (float64, error) {
	f, data, _, err := s.trainOf(a, 0, &g)
	if err != nil {
		return 0, err
	}
	c, err := f.complete(g, data.Train)
	if err != nil {
		return 0, err
	}
	params, err := lower.Params(c.Network, false)
	return float64(lower.Count(params)), err
}

// trainOf is the training of an arm, of its own genotype if g is nil, which is then found.
func (s *studyStages) trainOf(a *study.Arm, seed uint64, g *genotype.Genotype) (f trainFlags, data *dataset.Splits, digests map[string]string, err error) {
	set, limit := newFlagSet(study.Train), 0
	f.add(set)
	addLimit(set, &limit)
	var own []string
	if a.Search != nil {
		own = append(own, "genotype")
	}
	if err = settle(set, a.Train, own...); err != nil {
		return
	}
	if g != nil {
		f.size(*g)
	}
	f.config.Seed = seed
	data, digests, err = s.limited(limit)
	return
}

// placeholder stands for a genotype that is not found yet, where settings are checked.
const placeholder = "zoo:DARTS_V2"

func (s *studyStages) checkTrain(a *study.Arm) ([]string, error) {
	f, data, _, err := s.trainOf(a, 0, nil)
	if err != nil {
		return nil, err
	}
	if a.Search != nil {
		f.genotype = placeholder
	}
	if f.genotype == "" {
		return nil, errors.New("genotype: expected one, or the stage search, found none")
	}
	g, err := genotype.Load(f.genotype)
	if err != nil {
		return nil, err
	}
	f.size(g)
	outputs := []string{"params", "macs"}
	if f.config.ValidateEvery > 0 {
		outputs = append(outputs, "val_accuracy")
	}
	_, err = f.complete(g, data.Train)
	return outputs, err
}

func (s *studyStages) openTrain(j study.Job) (*study.Work, error) {
	f, data, digests, err := s.trainOf(j.Arm, j.Seed, nil)
	if err != nil {
		return nil, err
	}
	source := f.genotype
	if dir, ok := j.Before[study.Search]; ok {
		source = filepath.Join(dir, search.GenotypeFile)
	}
	g, err := genotype.Load(source)
	if err != nil {
		return nil, err
	}
	f.size(g)
	config, err := f.complete(g, data.Train)
	if err != nil {
		return nil, err
	}
	return &study.Work{
		Config:  map[string]any{"train": config, "images": digests},
		Results: []string{train.WeightsFile, train.ModelFile},
		Do: func(ctx context.Context, progress io.Writer) (study.Outcome, error) {
			r, err := f.run(ctx, g, data, j.Dir, s.runtime, progress)
			if err != nil {
				return study.Outcome{}, err
			}
			params, err := lower.Params(config.Network, false)
			if err != nil {
				return study.Outcome{}, err
			}
			macs, err := lower.MACs(config.Network)
			if err != nil {
				return study.Outcome{}, err
			}
			values := map[string]float64{"params": float64(lower.Count(params)), "macs": float64(macs)}
			if config.ValidateEvery > 0 {
				values["val_accuracy"] = r.ValAccuracy
			}
			return study.Outcome{Genotype: g.String(), Values: values}, nil
		},
	}, nil
}

// benchOf is the measurement of an arm.
func (s *studyStages) benchOf(a *study.Arm, seed uint64) (f benchFlags, all map[string]string, err error) {
	set := newFlagSet(study.Bench)
	f.add(set)
	addLimit(set, &f.limit)
	if err = settle(set, a.Bench); err != nil {
		return
	}
	f.seed = seed
	all = map[string]string{}
	set.VisitAll(func(flag *pflag.Flag) { all[flag.Name] = flag.Value.String() })
	return
}

func (s *studyStages) checkBench(a *study.Arm) ([]string, error) {
	f, _, err := s.benchOf(a, 0)
	if err != nil {
		return nil, err
	}
	m, err := f.measurement()
	if err != nil {
		return nil, err
	}
	outputs := []string{"clean", "worst_case"}
	for _, attack := range m.Attacks {
		outputs = append(outputs, attack.Name)
	}
	_, _, err = s.limited(f.limit)
	return outputs, err
}

func (s *studyStages) openBench(j study.Job) (*study.Work, error) {
	f, all, err := s.benchOf(j.Arm, j.Seed)
	if err != nil {
		return nil, err
	}
	data, digests, err := s.limited(f.limit)
	if err != nil {
		return nil, err
	}
	model := filepath.Join(j.Before[study.Train], train.ModelFile)
	sum, err := study.FileDigest(model)
	if err != nil {
		return nil, err
	}
	return &study.Work{
		Config: map[string]any{"bench": all, "images": digests, "model": sum},
		Do: func(ctx context.Context, progress io.Writer) (study.Outcome, error) {
			f.options.Command = s.command
			r, err := f.run(ctx, []string{model}, data, j.Dir, s.runtime, progress)
			if err != nil {
				return study.Outcome{}, err
			}
			m := r.Models[0]
			values := map[string]float64{"clean": m.Clean.Accuracy, "worst_case": m.WorstCase.RobustAccuracy}
			for _, a := range m.Attacks {
				values[a.Name] = a.RobustAccuracy
			}
			return study.Outcome{Values: values}, nil
		},
	}, nil
}
