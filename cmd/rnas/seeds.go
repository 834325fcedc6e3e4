package main

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"rnas/internal/fault"
	"rnas/study"
)

// addSeeds adds the short form of a study.
func addSeeds(f *pflag.FlagSet, seeds *string) {
	f.StringVar(seeds, "seeds", "", "do it once for each of several seeds, such as 0-9, as a study in --out (see rnas help study)")
}

// settings are the flags of a set that were given or have another value than by default, but for some.
func settings(f *pflag.FlagSet, without ...string) study.Settings {
	s := study.Settings{}
	f.VisitAll(func(flag *pflag.Flag) {
		text := textOf(flag)
		if slices.Contains(without, flag.Name) || !(flag.Changed || given(f, flag.Name) || flag.Value.String() != flag.DefValue) {
			return
		}
		s[flag.Name] = study.Setting{Text: text}
	})
	return s
}

// ofStudy are the flags of commands that a study has once for all jobs.
var ofStudy = []string{"data", "provider", "device", "threads", "ort-lib", "out", "seed", "seeds"}

// overSeeds runs arms, which have their settings from the flags f of a command, with each of several seeds.
func overSeeds(ctx context.Context, c *console, f *pflag.FlagSet, seeds, out string, in inputFlags, file *study.File, asJSON bool) error {
	if f.Changed("seed") {
		return fault.Inputf("--seed, --seeds: expected one of them, found both")
	}
	var err error
	if file.Seeds, err = study.ParseSeeds(seeds); err != nil {
		return fault.Inputf("--seeds: %w", err)
	}
	file.Name, file.Statistics.Interval = strings.Join(c.words, " "), study.StudentT
	s := studyStages{input: in}
	return s.run(ctx, c, "--seeds", file, study.Options{Dir: out}, asJSON)
}

// overSeeds runs the whole job with each of several seeds, with a random genotype trained alike if that is asked for.
func (r *runFlags) overSeeds(ctx context.Context, c *console, f *pflag.FlagSet, asJSON bool) error {
	m, err := r.bench.measurement()
	if err != nil {
		return err
	}
	var stages study.Stages
	for _, s := range r.steps {
		*stages.Of(s.name) = settings(s.flags, ofStudy...)
	}
	file := &study.File{Arms: []study.Arm{{Name: "found", Stages: stages}}}
	for _, a := range m.Attacks {
		file.Statistics.Measures = append(file.Statistics.Measures, a.Name)
	}
	file.Statistics.Measures = append(file.Statistics.Measures, "clean", "params")
	if r.compare {
		drawn := study.Arm{Name: "random", Stages: stages}
		drawn.Search = settings(r.steps[0].flags, ofStudy...)
		drawn.Search["method"] = study.Setting{Text: "random"}
		file.Arms = append(file.Arms, drawn)
		file.Statistics.Reference, file.Statistics.Tests = drawn.Name, []string{study.Wilcoxon}
	}
	return overSeeds(ctx, c, f, r.seeds, r.out, r.input, file, asJSON)
}
