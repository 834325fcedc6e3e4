package study

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"time"

	"rnas/internal/fault"
	"rnas/internal/folderlock"
	"rnas/search/table"
	"rnas/train/loop"
)

// Options are what a study is run with.
type Options struct {
	Dir     string
	Version string // of the program
	Stages  []Stage
	Table   *table.Table // for the stage lookup; nil for none
	// Inputs are the digests of what all jobs work on, such as the data, by name.
	Inputs   map[string]string
	Progress io.Writer
}

// Check reports the first setting of f that cannot be, as ParseFile does.
func Check(f *File, o Options) error {
	stages, err := o.stages(f)
	if err != nil {
		return err
	}
	return f.check(stages)
}

// stages are those that f can have, by name.
func (o Options) stages(f *File) (map[string]Stage, error) {
	all := map[string]Stage{}
	for _, s := range o.Stages {
		all[s.Name] = s
	}
	if f.Lookup != nil {
		if o.Table == nil {
			return nil, fmt.Errorf(" lookup: expected a table by --table, found none")
		}
		all[LookedUp] = lookupStage(f.Lookup, o.Table)
	}
	return all, nil
}

// Run does the jobs of a study that are not finished and writes its tables and its page into o.Dir. When ctx is cancelled it
// stops at the next safe point of the job and returns an error that wraps that of ctx. Run the same way again, a study goes
// on where it was, and the tables are the same byte for byte however often it was stopped.
func Run(ctx context.Context, f *File, o Options) (*Summary, error) {
	stages, err := o.stages(f)
	if err == nil {
		err = f.check(stages)
	}
	if err != nil {
		return nil, fault.Input(err)
	}
	release, err := folderlock.Lock(o.Dir)
	if err != nil {
		return nil, err
	}
	defer release()
	inputs := maps.Clone(o.Inputs)
	if o.Table != nil && f.Lookup != nil {
		inputs["table"] = o.Table.Digest
	}
	versions, added, err := enter(o.Dir, f, o.Version, inputs)
	if err != nil {
		return nil, err
	}
	if added != "" {
		fmt.Fprintf(o.Progress, "study: since it was begun there are more: %s\n", added)
	}
	if len(versions) > 1 {
		fmt.Fprintf(o.Progress, "study: versions of rnas that have worked on it: %q\n", versions)
	}
	r := &runner{Options: o, file: f, stages: stages, inputs: inputs, done: map[string]record{}}
	if err := r.all(ctx); err != nil {
		return nil, err
	}
	results := collect(f, r.done, inputs)
	s := results.summarise()
	if err := results.write(o.Dir, s); err != nil {
		return nil, err
	}
	return s, writeCost(o.Dir, f, results)
}

// runner is a study in execution.
type runner struct {
	Options
	file   *File
	stages map[string]Stage
	inputs map[string]string
	done   map[string]record // by the name of the job
	pace   pace
}

// all does every job: all arms from the first seed, then from the next, so that what there is can be compared early.
func (r *runner) all(ctx context.Context) error {
	for i := range r.file.Arms {
		for _, stage := range r.file.stages(&r.file.Arms[i]) {
			r.pace.plan(stage, len(r.file.Seeds))
		}
	}
	for _, seed := range r.file.Seeds {
		for i := range r.file.Arms {
			if err := r.cell(ctx, &r.file.Arms[i], seed); err != nil {
				return err
			}
		}
	}
	return nil
}

// cell does the jobs of an arm with a seed, up to one that has failed.
func (r *runner) cell(ctx context.Context, a *Arm, seed uint64) error {
	before := map[string]string{}
	failed := ""
	for _, stage := range r.file.stages(a) {
		j := Job{Arm: a, Seed: seed, Stage: stage, Before: maps.Clone(before)}
		j.Dir = filepath.Join(r.Dir, jobsDir, a.Name, fmt.Sprint(seed), stage)
		if a.Match != nil && stage == Search {
			other := Job{Arm: r.file.Arm(a.Match.Arm), Seed: seed, Stage: Search}
			j.Matched = filepath.Join(r.Dir, jobsDir, other.Arm.Name, fmt.Sprint(seed), Search)
			if o := r.done[other.Name()].Outcome; o == nil || o.Failed != "" {
				failed = other.Name()
			}
		}
		if failed != "" { // nothing to work on
			r.done[j.Name()] = record{RNAS: r.Version, Outcome: &Outcome{Failed: failed + " has no result"}}
			r.pace.skip(stage)
			continue
		}
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("stopped before %s: %w", j.Name(), err)
		}
		result, err := r.job(ctx, j)
		if err != nil {
			return fmt.Errorf("%s: %w", j.Name(), err)
		}
		r.done[j.Name()], before[stage] = result, j.Dir
		if result.Outcome.Failed != "" {
			failed = j.Name()
		}
	}
	return nil
}

// job does what is left of a job.
func (r *runner) job(ctx context.Context, j Job) (record, error) {
	w, err := r.stages[j.Stage].Open(j)
	if err != nil {
		return record{}, err
	}
	rec, err := describe(j, w, r.Version, r.inputs)
	if err != nil {
		return record{}, err
	}
	if err := rec.recall(j.Dir); err != nil {
		return record{}, err
	}
	if rec.Outcome != nil {
		cost, err := readCost(j.Dir)
		r.pace.recall(j.Stage, cost)
		return rec, err
	}
	if rec.replaced {
		fmt.Fprintf(r.Progress, "study: %s: a result has changed or is missing; the job is done again\n", j.Name())
	}
	if err := os.MkdirAll(j.Dir, 0o777); err != nil {
		return record{}, err
	}
	if err := rec.write(j.Dir); err != nil {
		return record{}, err
	}
	c, err := startClock(j.Dir)
	if err != nil {
		return record{}, err
	}
	outcome, err := w.Do(ctx, r.Progress)
	cost, noteErr := c.stop()
	switch {
	case errors.Is(err, loop.ErrDiverged):
		outcome = Outcome{Failed: err.Error()}
	case err != nil:
		return record{}, err
	case noteErr != nil:
		return record{}, noteErr
	default:
		outcome.Files = map[string]string{}
		for _, name := range w.Results {
			if outcome.Files[name], err = FileDigest(filepath.Join(j.Dir, name)); err != nil {
				return record{}, err
			}
		}
	}
	rec.Outcome = &outcome
	if err := rec.write(j.Dir); err != nil {
		return record{}, err
	}
	fmt.Fprintf(r.Progress, "study: %s  %s  %s\n", j.Name(), cost.text(), r.pace.did(j.Stage, cost))
	return rec, nil
}

// pace tells how fast a study goes.
type pace struct {
	left        map[string]int     // jobs by stage
	count       map[string]int     // jobs by stage whose cost is known
	wall        map[string]float64 // their seconds
	total, done int
	here        int // jobs done by this process
	began       time.Time
}

func (p *pace) plan(stage string, jobs int) {
	if p.left == nil {
		p.left, p.count, p.wall, p.began = map[string]int{}, map[string]int{}, map[string]float64{}, time.Now()
	}
	p.left[stage] += jobs
	p.total += jobs
}

func (p *pace) skip(stage string) {
	p.left[stage]--
	p.done++
}

func (p *pace) recall(stage string, c Cost) {
	p.skip(stage)
	p.count[stage]++
	p.wall[stage] += c.Wall
}

// did counts a job and tells how many are done, the rate and the time left by the mean of each stage so far.
func (p *pace) did(stage string, c Cost) string {
	p.recall(stage, c)
	p.here++
	text := fmt.Sprintf("%d/%d jobs", p.done, p.total)
	if seconds := time.Since(p.began).Seconds(); seconds > 0 {
		text += fmt.Sprintf("  %.3g jobs/min", 60*float64(p.here)/seconds)
	}
	left := 0.0
	for s, n := range p.left { // a sum for people: its order does not matter
		if n > 0 && p.count[s] == 0 {
			return text
		}
		if n > 0 {
			left += float64(n) * p.wall[s] / float64(p.count[s])
		}
	}
	return text + fmt.Sprintf("  %s left", time.Duration(left*float64(time.Second)).Round(time.Second))
}
