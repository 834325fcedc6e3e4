package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"

	"github.com/spf13/pflag"

	"rnas/genotype"
	"rnas/internal/dataset"
	"rnas/internal/fault"
	"rnas/internal/stats"
	"rnas/search/score"
	genotable "rnas/search/table"
)

const rankDetail = `GENOTYPES is a table: lines of JSON objects, each with a genotype in any published form and any further columns, or a file
that ends in .csv. Scores of a genotype at initial weights are taken on one batch of images. With --against, the order by every
score is compared with that by a column of GENOTYPES, or of --table, in which genotypes are then looked up; intervals are of 95%
and from resampled genotypes. A score that is no finite number for a genotype is missing there, and its coefficients are of the
others. Rows are selected by --where, then --distinct, then --sample. With --out, scores are appended to FILE.log as they are made, and the same command line run again
takes up a ranking that was stopped. Without --threads an operator uses one thread, and genotypes are scored side by side.`

// rankFlags are the choices of rnas rank.
type rankFlags struct {
	config   score.Config
	eps      epsValue
	size     int
	jobs     int
	key      string
	against  string
	table    string
	space    string
	sample   int
	where    string
	class    string
	distinct string
	out      string
	json     *bool
}

func (r *rankFlags) add(f *pflag.FlagSet) {
	r.config = score.Default()
	c := &r.config
	f.StringSliceVar(&c.Scores, "scores", []string{"combined"}, "scores, separated by commas:\n"+score.Usage())
	f.StringVar(&r.against, "against", "", "column of measured values to compare with")
	f.StringVar(&r.table, "table", "", "table that has this column, if GENOTYPES has not")
	f.StringVar(&r.key, "genotype-column", genotable.GenotypeColumn, "column of the genotypes in both tables")
	f.StringVar(&r.space, "space", "", "space that all genotypes have to be in: "+"darts, nas-bench-201 or a JSON file")
	f.StringVar(&r.class, "class", "", "column of classes of genotypes that compute the same; a record with too few or too many fields, but with this column, has the values of its class")
	f.StringVar(&r.where, "where", "", "take the rows with COLUMN%N==K, COLUMN==V or COLUMN<V, such as class%2==1")
	f.StringVar(&r.distinct, "distinct", "", "take the first genotype of every value of this column")
	f.IntVar(&r.sample, "sample", 0, "draw so many genotypes, 0 for all")
	f.IntVar(&c.Channels, "channels", c.Channels, "channels of the first cells")
	f.IntVar(&c.Layers, "layers", c.Layers, "cells")
	f.IntVar(&r.size, "size", 16, "height and width to which images are averaged down, 0 for theirs")
	f.IntVar(&c.Batch, "batch", c.Batch, "images of the scores at initial weights")
	f.IntVar(&c.Repeats, "repeats", 1, "draws of weights, images and noise, with the seed and those after it, over which scores are averaged")
	r.eps = newEps("8/255")
	f.Var(&r.eps, "eps", "size of the noise of noise-kl and of the step of fgsm-kl, in pixels of [0,1]")
	f.Uint64Var(&c.Seed, "seed", 0, "seed of weights, images, noise, the draw and intervals")
	f.IntVar(&r.jobs, "jobs", 0, "genotypes scored at a time, 0 for one per core")
	f.StringVar(&r.out, "out", "", "file for a table of the scores, .csv or .jsonl")
	r.json = addJSON(f)
}

// ranking is the outcome of rnas rank.
type ranking struct {
	Config       score.Config        `json:"config"`
	Against      string              `json:"against,omitempty"`
	Correlations []score.Correlation `json:"correlations,omitempty"`
	Genotypes    []ranked            `json:"genotypes"`
	columns      []string
}

// ranked is a genotype with its scores, in the order of the columns.
type ranked struct {
	Genotype string
	Scores   []float64
	Measured *float64
	columns  []string
	against  string
}

func rankCommand(f *pflag.FlagSet) action {
	var in inputFlags
	var r rankFlags
	in.around(f, r.add)
	return func(ctx context.Context, c *console, args []string) error {
		if err := arguments(args, 1, 1, "one table of genotypes"); err != nil {
			return err
		}
		if r.config.Repeats < 1 {
			return fault.Inputf("--repeats: expected at least 1, found %d", r.config.Repeats)
		}
		if r.config.Repeats == 1 {
			r.config.Repeats = 0 // a log that says nothing of repeats is of one draw
		}
		r.config.Epsilon = r.eps.size
		if r.against != "" && !slices.Contains(r.config.Scores, "params") {
			r.config.Scores = append(r.config.Scores, "params")
		}
		list, measured, err := r.read(args[0], c.err)
		if err != nil {
			return fault.Input(err)
		}
		data, o, err := in.open(ctx, c.err)
		if err != nil {
			return err
		}
		if data, err = shrink(data, r.size); err != nil {
			return fault.Inputf("--%w", err)
		}
		options := score.Options{Runtime: o, Jobs: r.jobs, Progress: c.err}
		if r.out != "" {
			options.Log = r.out + ".log"
		}
		result, err := score.Run(ctx, r.config, data, list, options)
		if err != nil {
			return err
		}
		out := r.collect(list, measured, result)
		for i, name := range result.Columns {
			if n := missing(result.Values[i]); n > 0 {
				fmt.Fprintf(c.err, "rank: %s is missing for %d of %d genotypes, where it is no finite number; fewer channels or layers help\n", name, n, len(list))
			}
		}
		if r.out != "" {
			if err := out.write(r.out); err != nil {
				return err
			}
		}
		if *r.json {
			return printJSON(c.out, out)
		}
		return out.print(c.out)
	}
}

// read checks the flags and reads the genotypes, and their measured values if these are asked for.
func (r *rankFlags) read(path string, warnings io.Writer) ([]genotype.Genotype, []float64, error) {
	if _, err := score.Columns(r.config.Scores); err != nil {
		return nil, nil, fmt.Errorf("--scores: %w", err)
	}
	if r.sample < 0 || r.jobs < 0 {
		return nil, nil, fmt.Errorf("--sample, --jobs: expected at least 0, found %d and %d", r.sample, r.jobs)
	}
	if r.table != "" && r.against == "" {
		return nil, nil, fmt.Errorf("--table: expected a column of it by --against, found none")
	}
	if r.out != "" {
		if err := checkOutput("--out", r.out); err != nil {
			return nil, nil, err
		}
		if ext := filepath.Ext(r.out); ext != ".csv" && ext != ".jsonl" {
			return nil, nil, fmt.Errorf("--out: expected a file name that ends in .csv or .jsonl, found %s", r.out)
		}
	}
	inside := func(genotype.Genotype) bool { return true }
	if r.space != "" {
		space, err := genotype.LookupSpace(r.space)
		if err != nil {
			return nil, nil, fmt.Errorf("--space: %w", err)
		}
		inside = space.Contains
	}
	t, err := r.open(path, warnings)
	if err != nil {
		return nil, nil, err
	}
	rows, err := r.choose(t)
	if err != nil {
		return nil, nil, err
	}
	var list []genotype.Genotype
	for _, i := range rows {
		g := t.Rows[i].Genotype
		if !inside(g) {
			return nil, nil, fmt.Errorf("%s:%d: --space %s: the genotype is not in it: %.100s", path, t.Rows[i].Line, r.space, g)
		}
		list = append(list, g)
	}
	measured, err := r.measured(t, rows, warnings)
	return list, measured, err
}

// open reads a table, with the classes of --class where it has them, and tells what was left out of it.
func (r *rankFlags) open(path string, warnings io.Writer) (*genotable.Table, error) {
	t, err := genotable.Read(path, r.key)
	if err == nil && r.class != "" && slices.Contains(t.Columns, r.class) {
		err = t.Fill(r.class)
	}
	if err == nil && t.Warning() != "" {
		fmt.Fprintln(warnings, t.Warning())
	}
	return t, err
}

// choose are the rows that are ranked.
func (r *rankFlags) choose(t *genotable.Table) ([]int, error) {
	rows := t.All()
	if r.where != "" {
		condition, err := genotable.ParseCondition(r.where)
		if err == nil {
			rows, err = t.Where(rows, condition)
		}
		if err != nil {
			return nil, fmt.Errorf("--where: %w", err)
		}
	}
	if r.distinct != "" {
		var err error
		if rows, err = t.Distinct(rows, r.distinct); err != nil {
			return nil, fmt.Errorf("--distinct: %w", err)
		}
	}
	if r.sample == 0 {
		return rows, nil
	}
	drawn, err := genotable.Draw(rows, r.sample, r.config.Seed)
	if err != nil {
		err = fmt.Errorf("--sample: %w", err)
	}
	return drawn, err
}

// measured are the values of the column --against of rows; nil without.
func (r *rankFlags) measured(t *genotable.Table, rows []int, warnings io.Writer) ([]float64, error) {
	if r.against == "" {
		return nil, nil
	}
	from := t
	if r.table != "" {
		var err error
		if from, err = r.open(r.table, warnings); err != nil {
			return nil, fmt.Errorf("--table: %w", err)
		}
	}
	column, err := from.Column(r.against)
	if err != nil {
		return nil, fmt.Errorf("--against: %w", err)
	}
	var values []float64
	for _, i := range rows {
		if from != t {
			if i, err = from.Find(t.Rows[i].Genotype); err != nil {
				return nil, fmt.Errorf("--table: %w", err)
			}
		}
		v, err := from.Number(i, column)
		if err != nil {
			return nil, fmt.Errorf("--against: %w", err)
		}
		values = append(values, v)
	}
	return values, nil
}

// missing counts the genotypes without a score.
func missing(values []float64) (n int) {
	for _, v := range values {
		if math.IsNaN(v) {
			n++
		}
	}
	return n
}

// shrink averages both splits down.
func shrink(s *dataset.Splits, size int) (*dataset.Splits, error) {
	train, err := score.Shrink(s.Train, size)
	if err != nil {
		return nil, err
	}
	test, err := score.Shrink(s.Test, size)
	return &dataset.Splits{Train: train, Test: test}, err
}

func (r *rankFlags) collect(list []genotype.Genotype, measured []float64, result *score.Result) *ranking {
	out := &ranking{Config: r.config, Against: r.against, columns: result.Columns}
	for i, g := range list {
		row := ranked{Genotype: g.String(), columns: result.Columns, against: r.against}
		for _, values := range result.Values {
			row.Scores = append(row.Scores, values[i])
		}
		if measured != nil {
			row.Measured = &measured[i]
		}
		out.Genotypes = append(out.Genotypes, row)
	}
	if measured != nil {
		out.Correlations = score.Correlations(result, measured, stats.Resamples, r.config.Seed)
	}
	return out
}

// print writes the correlations, or the scores where there is nothing to compare with.
func (r *ranking) print(w io.Writer) error {
	t := newTable(w)
	if r.Against != "" {
		t.row("score", "genotypes", "Spearman", "Kendall", "Spearman given params", "Kendall given params")
		for _, c := range r.Correlations {
			t.row(c.Score, len(r.Genotypes)-c.Missing, c.Spearman, c.Kendall, c.PartialSpearman, c.PartialKendall)
		}
		return t.flush()
	}
	heading := []any{}
	for _, name := range r.columns {
		heading = append(heading, name)
	}
	t.row(append(heading, "genotype")...)
	for _, g := range r.Genotypes {
		var cells []any
		for _, v := range g.Scores {
			cell := "-" // missing
			if !math.IsNaN(v) {
				cell = fmt.Sprintf("%.6g", v)
			}
			cells = append(cells, cell)
		}
		t.row(append(cells, g.Genotype)...)
	}
	return t.flush()
}
