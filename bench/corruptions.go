package bench

import (
	"context"
	"fmt"
	goruntime "runtime"
	"sync"

	"rnas/bench/corruption"
	"rnas/bench/report"
	"rnas/internal/dataset"
	"rnas/internal/fault"
)

// corruptions is the source of images of every corruption and severity. The zero value has none.
type corruptions struct {
	source     *corruption.Source
	published  *corruption.Published   // nil for generated images
	generators []*corruption.Generator // one for each thread
	seed       uint64
}

// openCorruptions opens a source of corrupted images, nil for none, for images of the shape and classes of data.
func openCorruptions(source *corruption.Source, data *dataset.Dataset, seed uint64) (corruptions, error) {
	c := corruptions{source: source, seed: seed}
	if source == nil {
		return c, nil
	}
	if source.Path != "" {
		var err error
		c.published, err = corruption.OpenPublished(source.Path, source.Limit, data.Shape, data.Classes)
		return c, fault.Input(err)
	}
	for range goruntime.GOMAXPROCS(0) {
		g, err := corruption.NewGenerator(data.Shape, seed)
		if err != nil {
			return c, fault.Input(err)
		}
		c.generators = append(c.generators, g)
	}
	return c, nil
}

func (c *corruptions) Close() error {
	if c.published == nil {
		return nil
	}
	return c.published.Close()
}

// corruptions measures the accuracy under every corruption and severity, each as a task of its own; nil if the job has no source.
func (s *subject) corruptions(ctx context.Context) (*report.Corruptions, error) {
	source := s.job.corrupt.source
	if source == nil {
		return nil, nil
	}
	var rows []report.Corruption
	points := 0
	for _, kind := range corruption.All() {
		for severity := 1; severity <= corruption.Severities; severity++ {
			correct, of, err := s.corruption(ctx, kind, severity)
			if err != nil {
				return nil, fmt.Errorf("%s, severity %d: %w", kind.Name, severity, err)
			}
			rows = append(rows, report.Corruption{Name: kind.Name, Severity: severity, Clean: report.NewClean(correct, of)})
			points = of
		}
	}
	return report.NewCorruptions(source.Name(), source.About(s.job.data.Shape), points, rows), nil
}

// corruption counts the images of one corruption and severity, and those that are classified rightly.
func (s *subject) corruption(ctx context.Context, kind corruption.Corruption, severity int) (correct, points int, err error) {
	t := task{name: fmt.Sprintf("%s %d", kind.Name, severity), key: []any{"generated", s.job.corrupt.seed}}
	if s.job.corrupt.published != nil {
		data, err := s.job.corrupt.published.Load(kind, severity)
		if err != nil {
			return 0, 0, fault.Input(err)
		}
		if data, _, err = fitClasses(data, s.model.names, s.model.classes); err != nil {
			return 0, 0, fault.Input(err)
		}
		j := *s.job
		j.data, j.digest = data, data.Digest()
		s, t.key = j.subject(s.model), "published"
		t.open = func(int) (worker, error) { return plain{s}, nil }
	} else {
		t.open = func(int) (worker, error) {
			return &generated{s, kind, severity, make([]float32, len(s.images))}, nil
		}
	}
	all := make([]int, s.job.data.Len())
	for i := range all {
		all[i] = i
	}
	out, err := s.do(ctx, t, all)
	return len(s.surviving(all, out.values)), len(all), err
}

// generated is the worker of a generated corruption. A value is the prediction on the corrupted image.
type generated struct {
	*subject
	kind      corruption.Corruption
	severity  int
	corrupted []float32 // [batch,C,H,W]
}

func (w *generated) run(ctx context.Context, points []int, emit func(record) error) error {
	return w.batches(ctx, points, emit, w.one)
}

func (w *generated) one(points []int) (record, error) {
	elems, generators := w.job.data.Elems(), w.job.corrupt.generators
	clear(w.corrupted[len(points)*elems:])
	var threads sync.WaitGroup
	for first, g := range generators {
		threads.Go(func() {
			for row := first; row < len(points); row += len(generators) {
				g.Apply(w.corrupted[row*elems:(row+1)*elems], w.images[row*elems:(row+1)*elems], w.kind, w.severity, points[row])
			}
		})
	}
	threads.Wait()
	logits, err := w.model.logits(w.corrupted)
	if err != nil {
		return record{}, err
	}
	r := record{Values: make([]int, len(points))}
	for row := range points {
		r.Values[row] = predict(w.model.row(logits, row))
	}
	return r, nil
}

func (w *generated) Close() error { return nil }
