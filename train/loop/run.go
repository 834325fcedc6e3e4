package loop

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"rnas/internal/fault"
	"rnas/runtime/ort"
)

// Names of the files of a run in its folder.
const (
	CheckpointFile = "checkpoint.safetensors"
	LogFile        = "log.jsonl"
)

// defaultInterval is the time between checkpoints within an epoch.
const defaultInterval = 2 * time.Minute

// Run is a run in a folder: states that steps change, sums over the current epoch, a position and a log.
type Run struct {
	dir    string
	config []byte
	state  *ort.Store
	sums   any
	at     position
	log    *Lines
	every  time.Duration
}

// Open begins a run in a folder, which is made if need be, or takes up the one whose checkpoint is there: then state and
// sums get its values. Config is all that the result depends on, as a JSON object; a checkpoint of another configuration
// is an error that names the differences. Sums is a pointer to what is added up over an epoch, as JSON. Every is the time
// between checkpoints within an epoch, 0 for two minutes.
func Open(dir string, config any, st *ort.Store, sums any, every time.Duration) (*Run, error) {
	if every <= 0 {
		every = defaultInterval
	}
	doc, err := json.Marshal(config)
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	r := &Run{dir: dir, config: doc, state: st, sums: sums, every: every}
	at, found, err := restore(r.checkpoint(), doc, sums, st)
	if err != nil {
		return nil, fault.Input(err)
	}
	r.at = at
	keep := 0
	if found {
		keep = 1 + at.Epoch
	}
	if r.log, err = OpenLines(filepath.Join(dir, LogFile), keep); err != nil {
		return nil, err
	}
	empty, err := r.log.Empty()
	if err == nil && empty {
		err = r.log.Append(json.RawMessage(doc))
	}
	if err != nil {
		r.log.Close()
		return nil, err
	}
	return r, nil
}

func (r *Run) checkpoint() string { return filepath.Join(r.dir, CheckpointFile) }

// Position is the number of epochs that are complete and of steps done in the next one.
func (r *Run) Position() (epoch, step int) { return r.at.Epoch, r.at.Step }

// Close closes the log.
func (r *Run) Close() error { return r.log.Close() }

// Plan is what a run does.
type Plan struct {
	Epochs, Steps int
	// Step does one step; both numbers count from 0.
	Step func(epoch, step int) error
	// End closes an epoch: it measures what is to be measured, returns the line of the log and clears the sums, which it
	// leaves alone on an error. Seconds is the time that the steps took.
	End func(ctx context.Context, epoch int, seconds float64) (record any, err error)
	// Done, if set, reports after an epoch, and when a run is taken up, that the epochs left are not wanted.
	Done func() bool
}

// Do does what is left of the plan. When ctx is cancelled it finishes the step, writes a checkpoint and returns the
// error of ctx.
func (r *Run) Do(ctx context.Context, p Plan) error {
	saved := time.Now()
	for r.at.Epoch < p.Epochs && (p.Done == nil || !p.Done()) {
		began, before := time.Now(), r.at.Seconds
		for r.at.Step < p.Steps {
			if ctx.Err() != nil {
				return r.stop(ctx)
			}
			if err := p.Step(r.at.Epoch, r.at.Step); err != nil {
				return err
			}
			r.at.Step++
			r.at.Seconds = before + time.Since(began).Seconds()
			if time.Since(saved) > r.every {
				if err := r.save(); err != nil {
					return err
				}
				saved = time.Now()
			}
		}
		record, err := p.End(ctx, r.at.Epoch, r.at.Seconds)
		if err != nil && ctx.Err() != nil {
			return r.stop(ctx)
		}
		if err != nil {
			return err
		}
		if err := r.log.Append(record); err != nil {
			return err
		}
		r.at = position{Epoch: r.at.Epoch + 1}
		if err := r.save(); err != nil {
			return err
		}
		saved = time.Now()
	}
	return nil
}

func (r *Run) save() error { return save(r.checkpoint(), r.config, r.at, r.sums, r.state) }

// stop writes a checkpoint for a cancelled ctx.
func (r *Run) stop(ctx context.Context) error {
	if err := r.save(); err != nil {
		return err
	}
	return fmt.Errorf("stopped in epoch %d after %d steps, to be taken up from %s: %w", r.at.Epoch+1, r.at.Step, r.checkpoint(), ctx.Err())
}
