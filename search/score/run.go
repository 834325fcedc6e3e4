package score

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"

	"rnas/genotype"
	"rnas/internal/dataset"
	"rnas/internal/fault"
	"rnas/runtime/ort"
)

// Options do not change the result.
type Options struct {
	Runtime ort.Options // an operator uses one thread unless Runtime says otherwise
	// Jobs is the number of genotypes that are scored at a time; 0 for one a physical core.
	Jobs     int
	Progress io.Writer // for people; nil for none
	// Log is the file that scores are appended to, and from which a run is taken up; "" for none.
	Log string
}

// Result are the scores of genotypes.
type Result struct {
	Columns []string    // see Columns
	Values  [][]float64 // by column, then by genotype; NaN where a score is missing
}

// Column finds the values of a score; nil when there is none.
func (r *Result) Column(name string) []float64 {
	if i := slices.Index(r.Columns, name); i >= 0 {
		return r.Values[i]
	}
	return nil
}

// Run scores genotypes on images. Scores of a genotype depend on nothing but the configuration, the images and itself, sums of ranks
// excepted. A score that is no finite number for a genotype is missing: NaN. When ctx is cancelled it returns the error of ctx; what was
// scored is in the log.
func Run(ctx context.Context, c Config, data *dataset.Splits, list []genotype.Genotype, o Options) (*Result, error) {
	if o.Runtime.Threads == 0 {
		o.Runtime.Threads = 1
	}
	s, err := NewScorer(c, data, o.Runtime)
	if err != nil {
		return nil, err
	}
	for i, g := range list {
		if err := s.Check(g); err != nil {
			return nil, fault.Inputf("genotype %d of %d: %w", i+1, len(list), err)
		}
	}
	c.Scores = s.Columns()
	journal, done, err := openJournal(o.Log, c, data, list)
	if err != nil {
		return nil, err
	}
	defer journal.close()
	k := &crew{scorer: s, list: list, rows: done, journal: journal, meter: NewMeter(o.Progress, "rank", len(done), len(list))}
	if err := k.run(ctx, o.jobs(c.Scores)); err != nil {
		return nil, err
	}
	return s.Result(k.rows), nil
}

// jobs is the number of genotypes at a time: one where time is measured.
func (o Options) jobs(scores []string) int {
	switch {
	case slices.Contains(scores, "latency"):
		return 1
	case o.Jobs > 0:
		return o.Jobs
	}
	return ort.PhysicalCores()
}

// crew scores genotypes side by side and keeps their order: a row is kept, and written, after all rows before it.
type crew struct {
	scorer  *Scorer
	list    []genotype.Genotype
	journal *journal
	meter   *Meter

	mu      sync.Mutex
	rows    [][]float64 // of the first genotypes
	waiting map[int][]float64
	next    int // the genotype that is scored next
	err     error
}

func (k *crew) run(ctx context.Context, jobs int) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	k.next, k.waiting = len(k.rows), map[int][]float64{}
	var wait sync.WaitGroup
	for range jobs {
		wait.Go(func() {
			for {
				i, ok := k.take(ctx)
				if !ok {
					return
				}
				row, err := k.scorer.Score(ctx, k.list[i])
				if err != nil {
					err = fmt.Errorf("genotype %d of %d: %w", i+1, len(k.list), err)
				}
				if !k.put(i, row, err) {
					cancel()
				}
			}
		})
	}
	wait.Wait()
	k.meter.End()
	if k.err != nil {
		return k.err
	}
	if len(k.rows) < len(k.list) {
		return fmt.Errorf("stopped after %d of %d genotypes: %w", len(k.rows), len(k.list), ctx.Err())
	}
	return nil
}

// take hands out the next genotype; false when there is none or the run ends.
func (k *crew) take(ctx context.Context) (int, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if ctx.Err() != nil || k.err != nil || k.next == len(k.list) {
		return 0, false
	}
	k.next++
	return k.next - 1, true
}

// put takes a row in; false when the run has to end.
func (k *crew) put(i int, row []float64, err error) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err != nil {
		if k.err == nil {
			k.err = err
		}
		return false
	}
	k.waiting[i] = row
	for {
		row, ok := k.waiting[len(k.rows)]
		if !ok {
			return true
		}
		delete(k.waiting, len(k.rows))
		if k.err = k.journal.append(k.list[len(k.rows)], row); k.err != nil {
			return false
		}
		k.rows = append(k.rows, row)
		k.meter.Step()
	}
}
