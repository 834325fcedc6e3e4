package attack

import (
	"cmp"
	"context"
	"errors"
	"sync"

	"rnas/runtime/ort"
)

// leastRows is how many points a session should work on at a time.
const leastRows = smallest

// Open compiles a stage. Unless the batch is fixed, it becomes smaller so that batch after batch the points fill it. On the CPU it is
// divided among several sessions of fewer threads each, as long as each has rows enough: threads that work on images of their own
// wait less for each other than threads that share every operator.
func Open(st Stage, t Target) (Runner, error) {
	sessions := 1
	if !t.Fixed && t.Points > 0 {
		t.Batch = min(max(even(t.Points, t.Batch), smallest), t.Batch)
	}
	if !t.Fixed && t.Runtime.Provider.IsCPU() {
		t.Runtime.Threads = cmp.Or(t.Runtime.Threads, ort.PhysicalCores())
		for sessions*2 <= t.Runtime.Threads && t.Batch/(sessions*2) >= leastRows {
			sessions *= 2
		}
		t.Runtime.Threads /= sessions
		t.Batch = (t.Batch + sessions - 1) / sessions
	}
	if sessions == 1 {
		return st.Compile(t)
	}
	var c crew
	for range sessions {
		r, err := st.Compile(t)
		if err != nil {
			return nil, errors.Join(err, c.Close())
		}
		c = append(c, r)
	}
	return c, nil
}

// even is the smallest batch with which as few batches hold all points as with most.
func even(points, most int) int {
	batches := (points + most - 1) / most
	return (points + batches - 1) / batches
}

// crew is several runners that share the work.
type crew []Runner

// Run implements Runner.
func (c crew) Run(ctx context.Context, w Work) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	desk := &locked{Work: w}
	errs := make([]error, len(c))
	var wait sync.WaitGroup
	for i, r := range c {
		wait.Go(func() {
			if errs[i] = r.Run(ctx, desk); errs[i] != nil {
				stop()
			}
		})
	}
	wait.Wait()
	for _, err := range errs {
		if err != nil && !errors.Is(err, context.Canceled) {
			return err
		}
	}
	return cmp.Or(errs...)
}

// Close implements Runner.
func (c crew) Close() error {
	var errs []error
	for _, r := range c {
		errs = append(errs, r.Close())
	}
	return errors.Join(errs...)
}

// locked is work for several runners.
type locked struct {
	sync.Mutex
	Work
}

// Next implements Work.
func (l *locked) Next(n int) []Point {
	l.Lock()
	defer l.Unlock()
	return l.Work.Next(n)
}

// Logits implements Work. The result is a copy: Work may use its memory again.
func (l *locked) Logits(points []Point) ([][]float32, error) {
	l.Lock()
	defer l.Unlock()
	rows, err := l.Work.Logits(points)
	for i, r := range rows {
		rows[i] = append([]float32(nil), r...)
	}
	return rows, err
}

// Judge implements Work.
func (l *locked) Judge(attempts []Attempt) ([]bool, error) {
	l.Lock()
	defer l.Unlock()
	return l.Work.Judge(attempts)
}
