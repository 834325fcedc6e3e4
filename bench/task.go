package bench

import (
	"context"
	"slices"
	"time"

	"rnas/bench/attack"
	"rnas/compiler/program"
	"rnas/internal/dataset"
)

// job is one run of the benchmark.
type job struct {
	Options
	data     *dataset.Dataset
	digest   string // of data
	library  string // version of ONNX Runtime
	progress *progress
}

// subject is the model under test with the buffers of one batch.
type subject struct {
	*job
	*model
	images  []float32 // [batch,C,H,W]
	labels  []int64   // [batch]
	shown   []int     // points whose adversarial images are kept, sorted
	network *program.Classifier
}

func (j *job) subject(m *model) *subject {
	return &subject{job: j, model: m, images: make([]float32, m.batch*j.data.Elems()), labels: make([]int64, m.batch)}
}

// fill writes images and labels of points to the buffers; the rest of the batch is zero.
func (s *subject) fill(points []int) {
	s.data.Fill(s.images, s.labels, points, dataset.Augment{}, 0, 0)
	clear(s.images[len(points)*s.data.Elems():])
	clear(s.labels[len(points):])
}

// classifier is the graph of the model, read when first needed.
func (s *subject) classifier() (program.Classifier, error) {
	if s.network == nil {
		c, err := s.model.classifier()
		if err != nil {
			return c, err
		}
		s.network = &c
	}
	return *s.network, nil
}

// task is work on single points that is done in batches.
type task struct {
	name string
	key  any // what the result depends on beside model, data, provider and versions
	open func() (worker, error)
}

// worker does a task. run fills in Values and what it has of Flagged and Counts.
type worker interface {
	run(ctx context.Context, points []int) (record, error)
	Close() error
}

// outcome is the result of a task.
type outcome struct {
	values  map[int]int // by point
	flagged []int       // sorted
	shown   map[int]shown
	attack.Counts
	seconds float64
}

func (o *outcome) add(r record) {
	for i, p := range r.Points {
		o.values[p] = r.Values[i]
	}
	o.flagged = append(o.flagged, r.Flagged...)
	slices.Sort(o.flagged)
	for _, image := range r.Shown {
		o.shown[image.Point] = image
	}
	o.Forwards += r.Forwards
	o.Backwards += r.Backwards
	o.seconds += r.Seconds
}

func (s *subject) key(t task) string {
	return digest(s.model.sha256, s.digest, s.Version, s.library, s.Runtime.Provider, t.name, t.key)
}

// do does a task on points, those left after the records of an earlier run; with fresh, on all of them.
func (s *subject) do(ctx context.Context, t task, points []int, fresh bool) (outcome, error) {
	out := outcome{values: map[int]int{}, shown: map[int]shown{}}
	key := s.key(t)
	if !fresh {
		for _, r := range s.progress.records[key] {
			if usable(r, points, out.values) {
				out.add(r)
			}
		}
	}
	var left []int
	for _, p := range points {
		if _, done := out.values[p]; !done {
			left = append(left, p)
		}
	}
	s.tell(t, len(points)-len(left), len(points))
	if len(left) == 0 {
		return out, nil
	}
	w, err := t.open()
	if err != nil {
		return out, err
	}
	defer w.Close()
	for batch := range slices.Chunk(left, s.batch) {
		if err := ctx.Err(); err != nil {
			return out, err
		}
		s.fill(batch)
		begin := time.Now()
		r, err := w.run(ctx, batch)
		if err != nil {
			return out, err
		}
		r.Job, r.Task, r.Points, r.Seconds = key, t.name, batch, time.Since(begin).Seconds()
		if err := s.progress.add(r); err != nil {
			return out, err
		}
		out.add(r)
		s.tell(t, len(out.values), len(points))
	}
	return out, ctx.Err()
}

// usable reports whether a record is about some of the points (sorted) and none that is done already.
func usable(r record, points []int, done map[int]int) bool {
	for _, p := range r.Points {
		if _, again := done[p]; again {
			return false
		}
		if _, ok := slices.BinarySearch(points, p); !ok {
			return false
		}
	}
	return len(r.Points) == len(r.Values)
}

func (s *subject) tell(t task, done, total int) {
	if s.Progress != nil {
		s.Progress(Progress{Model: s.path, Task: t.name, Done: done, Total: total})
	}
}
