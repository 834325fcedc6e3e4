package bench

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"rnas/bench/attack"
	"rnas/bench/report"
	"rnas/compiler/op"
	"rnas/internal/tensor"
	"rnas/runtime/ort"
)

// profileRuns is the number of runs of plain inference in a profile. The first run is a warm-up. An attack runs on one batch twice, and the
// first time is a warm-up.
const profileRuns = 11

// profile measures where the time of plain inference and of each attack goes, on the first batch of the data.
func (s *subject) profile(ctx context.Context) ([]report.Profile, error) {
	points := make([]int, min(s.model.batch, s.job.data.Len()))
	for i := range points {
		points[i] = i
	}
	s.fill(points)
	forward, err := s.trace("forward", profileRuns, func(o ort.Options) error { return s.inference(ctx, o) })
	if err != nil {
		return nil, err
	}
	out := []report.Profile{forward}
	for _, a := range s.job.Attacks {
		stages := a.Stages()
		for _, st := range stages {
			p, err := s.trace(a.Name, 2, func(o ort.Options) error { return s.attackTwice(ctx, st, points, o) })
			if err != nil {
				return nil, fmt.Errorf("%s: %w", a.Name, err)
			}
			if len(stages) > 1 {
				p.Stage = st.Key()
			}
			out = append(out, p)
		}
	}
	return out, nil
}

// inference runs the model profileRuns times on the buffers.
func (s *subject) inference(ctx context.Context, o ort.Options) error {
	session, err := ort.NewSession(s.model.runs, o)
	if err != nil {
		return err
	}
	defer session.Close()
	in := []*tensor.Tensor{s.model.input(s.images)}
	for range profileRuns {
		if err := ctx.Err(); err != nil {
			return err
		}
		if _, err := session.RunAlloc(in); err != nil {
			return err
		}
	}
	return session.Close()
}

// attackTwice runs a stage twice on points.
func (s *subject) attackTwice(ctx context.Context, st attack.Stage, points []int, o ort.Options) error {
	runner, err := st.Compile(s.setup(o))
	if err != nil {
		return err
	}
	defer runner.Close()
	for range 2 {
		w := &stageWorker{subject: s, left: points, emit: func(record) error { return nil }}
		if err := runner.Run(ctx, w); err != nil {
			return err
		}
	}
	return nil
}

// trace calls do, which works on the batch the given number of times, in sessions of the options that it gets, and closes the sessions. The
// profile is the sum of what ONNX Runtime recorded of all times but the first.
func (s *subject) trace(program string, times int, do func(o ort.Options) error) (report.Profile, error) {
	p := report.Profile{Program: program, Batch: s.model.batch}
	dir, err := os.MkdirTemp("", "rnas-profile-")
	if err != nil {
		return p, err
	}
	defer os.RemoveAll(dir)
	o := s.job.Runtime
	o.Profile = filepath.Join(dir, "trace")
	if err := do(o); err != nil {
		return p, err
	}
	files, err := filepath.Glob(filepath.Join(dir, "trace*.json"))
	if err != nil || len(files) == 0 {
		return p, fmt.Errorf("ONNX Runtime wrote no trace in %s, %w", dir, err)
	}
	var runs []ort.TracedRun
	for _, f := range files {
		r, err := ort.ReadTrace(f)
		if err != nil {
			return p, err
		}
		runs = append(runs, r[len(r)/times:]...)
	}
	summarize(&p, runs, times-1)
	return p, nil
}

// summarize adds runs to the profile. Together they worked on the batch the given number of times.
func summarize(p *report.Profile, runs []ort.TracedRun, times int) {
	type sum struct {
		calls int
		time  time.Duration
	}
	sums := map[report.ProfileRow]sum{}
	var keys []report.ProfileRow
	var total, inside time.Duration
	for _, r := range runs {
		total += r.Time
		for _, n := range r.Nodes {
			layer, backward := place(n.Name)
			key := report.ProfileRow{Layer: layer, Backward: backward, Operator: n.Op}
			old, ok := sums[key]
			if !ok {
				keys = append(keys, key)
			}
			sums[key] = sum{old.calls + n.Calls, old.time + n.Time}
			inside += n.Time
		}
	}
	millis := func(d time.Duration) float64 { return d.Seconds() * 1e3 / float64(times) }
	for _, row := range keys {
		of := sums[row]
		row.Calls, row.Millis = float64(of.calls)/float64(times), millis(of.time)
		p.Rows = append(p.Rows, row)
	}
	p.Runs, p.Millis, p.Outside = len(runs), millis(total), max(millis(total-inside), 0)
	report.SortProfile(p.Rows)
}

// place is the layer of a node by its name: the path in front of the operator, without the scopes of the attack. The gradient of a layer
// stands below "grad". Nodes that ONNX Runtime adds keep the name of the node that they belong to, if any.
func place(node string) (layer string, backward bool) {
	var path []string
	for _, part := range strings.Split(node, "/") {
		switch {
		case part == "", part == "attack" && len(path) == 0:
		case part == "grad" && len(path) == 0:
			backward = true
		case isOperator(part):
			return strings.Join(path, "/"), backward
		default:
			path = append(path, part)
		}
	}
	if len(path) > 0 { // the last part names the node
		path = path[:len(path)-1]
	}
	return strings.Join(path, "/"), backward
}

// isOperator reports whether part of a name is the name of an operator, perhaps with a number or the name of a value behind it.
func isOperator(part string) bool {
	name, _, _ := strings.Cut(part, ".")
	name, _, _ = strings.Cut(name, "_")
	return op.Lookup("", name) != nil || name == "ReorderInput" || name == "ReorderOutput"
}
