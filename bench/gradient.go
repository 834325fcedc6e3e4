package bench

import (
	"context"
	"math"

	"rnas/runtime"
)

// gradient is the worker of task "gradient": a value is 0, or 1 for a point where the gradient of the cross-entropy is
// zero in every pixel, or 2 where it is not a number.
type gradient struct {
	*subject
	state   *runtime.State
	running *runtime.Running
}

func (s *subject) gradient() (worker, error) {
	c, err := s.classifier()
	if err != nil {
		return nil, err
	}
	p, err := c.Gradient(s.batch)
	if err != nil {
		return nil, err
	}
	state := runtime.NewState()
	running, err := runtime.Launch(p, state, s.Runtime)
	if err != nil {
		state.Close()
		return nil, err
	}
	return gradient{s, state, running}, nil
}

func (w gradient) run(ctx context.Context, points []int, emit func(record) error) error {
	return w.batches(ctx, points, emit, w.one)
}

func (w gradient) one(points []int) (record, error) {
	copy(w.running.Input("images").Float32s(), w.images)
	copy(w.running.Input("labels").Int64s(), w.labels)
	if err := w.running.Step(); err != nil {
		return record{}, err
	}
	g := w.running.Output("gradient").Float32s()
	r := record{Values: make([]int, len(points))}
	elems := w.data.Elems()
	for row := range points {
		switch n := norm(g[row*elems : (row+1)*elems]); {
		case math.IsNaN(n):
			r.Values[row] = 2
		case n == 0:
			r.Values[row] = 1
		}
	}
	return r, nil
}

func (w gradient) Close() error {
	err := w.running.Close()
	if cerr := w.state.Close(); err == nil {
		err = cerr
	}
	return err
}
