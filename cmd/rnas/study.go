package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/pflag"

	"rnas/internal/fault"
	"rnas/study"
)

const studyDetail = `Runs every arm of a study with every seed: search, train and bench with the flags that the study's file gives the arm, and
the look-up of the genotype in the table of --table. The same command line run again takes up a study that was stopped;
its tables are the same however often it was. Seeds and arms may be added to the file later, all else may not be changed.

A study is a YAML or JSON file:

  name: Does the term help?
  seeds: 0-9                           # or a list
  defaults:                            # of all arms, flags without their dashes
    search: {channels: 8, layers: 3, epochs: 2, batch: 32}
    train: {channels: 8, layers: 3, epochs: 8}
    bench: {attacks: "clean,pgd20", limit: 1000}
  arms:
    - {name: rnas, search: {method: rnas}}
    - {name: random, search: {method: random}, match: {arm: rnas, within: 0.1}}   # in parameters
  lookup: {columns: [accuracy], class: class, weights: parameters, nearest: 50}   # columns of --table
  statistics:
    measures: [pgd20, clean]           # what bench, train, search or the look-up give
    reference: random
    interval: t                        # or bootstrap
    tests: [wilcoxon]                  # exact, paired by seed, with Holm's correction
    hypotheses: [{name: H1, measure: pgd20, arm: rnas, above: random}]          # tested as a family of their own
    goals: [{measure: pgd20, at_least: 0.3}]

Leaves in --out a folder for each job, jobs/ARM/SEED/STAGE, with job.json and the files of the stage; table.csv with a row a
job; summary.json, summary.md, summary.tex and report.html; and the times in cost.csv and cost.md.`

func studyCommand(f *pflag.FlagSet) action {
	var s studyStages
	var table, out string
	s.input.data.addSource(f)
	f.StringVar(&table, "table", "", "CSV file of measured genotypes for the look-up")
	f.StringVar(&out, "out", "", "folder of the study (required)")
	s.input.runtime.add(f)
	asJSON := addJSON(f)
	return func(ctx context.Context, c *console, args []string) error {
		if err := arguments(args, 1, 1, "the file of one study"); err != nil {
			return err
		}
		if out == "" {
			return fault.Inputf("--out: expected a folder, found none")
		}
		file, err := study.ReadFile(args[0])
		if err != nil {
			return err
		}
		o := study.Options{Dir: out}
		if table != "" {
			if o.Table, err = study.ReadTable(table); err != nil {
				return fault.Inputf("--table: %w", err)
			}
		}
		return s.run(ctx, c, args[0], file, o, *asJSON)
	}
}

// run runs a study of the stages that have flags. From is where it is described: errors of it begin with that.
func (s *studyStages) run(ctx context.Context, c *console, from string, file *study.File, o study.Options, asJSON bool) error {
	o.Version, o.Stages, o.Progress = versionText(), s.list(), c.err
	var err error
	if s.data, s.runtime, err = s.input.open(ctx, c.err); err != nil {
		return err
	}
	s.command = c.words
	o.Inputs = map[string]string{"data_train": s.data.Train.Digest(), "data_test": s.data.Test.Digest()}
	if err := study.Check(file, o); err != nil {
		return fault.Inputf("%s:%w", from, err)
	}
	summary, err := study.Run(ctx, file, o)
	if err != nil {
		return err
	}
	if asJSON {
		err = printJSON(c.out, summary)
	} else {
		err = printStudy(c.out, summary)
	}
	if err == nil && len(summary.Failed) > 0 {
		return fmt.Errorf("%d of %d jobs have no result, the first is %s: %s", len(summary.Failed), summary.Jobs, summary.Failed[0].Job, summary.Failed[0].Why)
	}
	return err
}

// printStudy prints every measure as a table.
func printStudy(w io.Writer, s *study.Summary) error {
	for _, m := range s.Measures {
		fmt.Fprintln(w, m.Name)
		t := newNumbers(w)
		for _, row := range m.Table() {
			var cells []any
			for _, field := range row {
				cells = append(cells, field)
			}
			t.row(append(cells, "")...) // what follows the last tab is in no column
		}
		if err := t.flush(); err != nil {
			return err
		}
	}
	for _, h := range s.Hypotheses {
		fmt.Fprintln(w, h)
	}
	for _, g := range s.Goals {
		fmt.Fprintln(w, g)
	}
	return nil
}
