package attack

import (
	"cmp"
	"context"
	"errors"
	"sync"

	"rnas/runtime/ort"
)

// leastRows is the smallest number of points that a session works on at a time.
const leastRows = smallest

// Open compiles a stage. A batch that is not fixed becomes smaller, so that the points fill each batch evenly. On the CPU such a batch is
// divided among several sessions of fewer threads, each with leastRows rows at least: threads that work on images of their own wait
// less for each other than threads that share every operator.
func Open(st Stage, s Setup) (Runner, error) {
	sessions := 1
	if !s.Fixed && s.Points > 0 {
		s.Batch = min(max(even(s.Points, s.Batch), smallest), s.Batch)
	}
	if !s.Fixed && s.Runtime.Provider.IsCPU() {
		s.Runtime.Threads = cmp.Or(s.Runtime.Threads, ort.PhysicalCores())
		for sessions*2 <= s.Runtime.Threads && s.Batch/(sessions*2) >= leastRows {
			sessions *= 2
		}
		s.Runtime.Threads /= sessions
		s.Batch = (s.Batch + sessions - 1) / sessions
	}
	if sessions == 1 {
		return st.Compile(s)
	}
	var c parallel
	for range sessions {
		r, err := st.Compile(s)
		if err != nil {
			return nil, errors.Join(err, c.Close())
		}
		c = append(c, r)
	}
	return c, nil
}

// even is the smallest batch that needs no more batches than most does.
func even(points, most int) int {
	batches := (points + most - 1) / most
	return (points + batches - 1) / batches
}

// parallel is a Runner of several that share the work.
type parallel []Runner

// Run implements Runner.
func (c parallel) Run(ctx context.Context, w Work) error {
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
func (c parallel) Close() error {
	var errs []error
	for _, r := range c {
		errs = append(errs, r.Close())
	}
	return errors.Join(errs...)
}

// locked is Work that several goroutines may use.
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

// Logits implements Work. The result is a copy, because the Work within may use its memory again.
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
