package bench

import (
	"context"
	"fmt"
	"slices"
	"time"

	"rnas/bench/attack"
	"rnas/internal/dataset"
)

// job is one run of the benchmark.
type job struct {
	Options
	data     *dataset.Dataset
	digest   string // digest of data
	library  string // version of ONNX Runtime
	progress *progress
	corrupt  corruptions
}

// subject is the model under test with the buffers of one batch.
type subject struct {
	job    *job
	model  *model
	images []float32   // [batch,C,H,W]
	labels []int64     // [batch]
	shown  []int       // points whose adversarial images are kept for the gallery, sorted
	tries  map[int]int // by point: tries of the current task that the point survived in an earlier run
}

// subject puts a model under test. Classes of the model that the data lack get names.
func (j *job) subject(m *model) *subject {
	if named := len(j.data.Classes); named < m.classes {
		on, data := *j, *j.data
		data.Classes = slices.Clone(data.Classes)
		for k := named; k < m.classes; k++ {
			data.Classes = append(data.Classes, fmt.Sprintf("class %d", k))
		}
		on.data = &data
		j = &on
	}
	return &subject{job: j, model: m, images: make([]float32, m.batch*j.data.Elems()), labels: make([]int64, m.batch)}
}

// fill writes the images and labels of points to the buffers. The rest of the batch becomes zero.
func (s *subject) fill(points []int) {
	s.job.data.Fill(s.images, s.labels, points, dataset.Augment{}, 0, 0)
	clear(s.images[len(points)*s.job.data.Elems():])
	clear(s.labels[len(points):])
}

// task is work on single points whose results are recorded.
type task struct {
	name string
	part string                           // name of the part of an attack with several, for the progress
	key  any                              // everything besides model, data, provider and versions that the result depends on
	open func(points int) (worker, error) // makes a worker for a number of points
}

// worker does a task. Each record that it emits has Points and Values, and Flagged, Survived and Counts where there are any.
type worker interface {
	run(ctx context.Context, points []int, emit func(record) error) error
	Close() error
}

// batches calls do for one batch of points after another, with their images and labels in the buffers.
func (s *subject) batches(ctx context.Context, points []int, emit func(record) error, do func(points []int) (record, error)) error {
	for batch := range slices.Chunk(points, s.model.batch) {
		if err := ctx.Err(); err != nil {
			return err
		}
		s.fill(batch)
		r, err := do(batch)
		if err != nil {
			return err
		}
		r.Points = batch
		if err := emit(r); err != nil {
			return err
		}
	}
	return nil
}

// outcome is the result of a task.
type outcome struct {
	values  map[int]int // by point: its value
	tries   map[int]int // by point that is not done: the tries that it survived
	flagged []int       // points, sorted
	shown   map[int]shown
	attack.Counts
	seconds float64
}

// add adds a record.
func (o *outcome) add(r record) {
	to := o.values
	if r.Survived {
		to = o.tries
	}
	for i, p := range r.Points {
		to[p] = r.Values[i]
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

// key is a digest of everything that the result of a task depends on.
func (s *subject) key(t task) string {
	return digest(s.model.sha256, s.model.flags.Text(), s.model.words, s.job.digest, s.job.Version, s.job.library, s.job.Runtime.Provider, t.name, t.key)
}

// do does a task on points (sorted). Points that an earlier run has records of are not done again.
func (s *subject) do(ctx context.Context, t task, points []int) (outcome, error) {
	out := outcome{values: map[int]int{}, tries: map[int]int{}, shown: map[int]shown{}}
	key := s.key(t)
	for _, r := range s.job.progress.records[key] {
		if out.usable(r, points) {
			out.add(r)
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
	w, err := t.open(len(left))
	if err != nil {
		return out, err
	}
	defer w.Close()
	s.tries = out.tries
	begin := time.Now()
	err = w.run(ctx, left, func(r record) error {
		r.Job, r.Task, r.Seconds = key, t.name, time.Since(begin).Seconds()
		begin = time.Now()
		out.add(r)
		s.tell(t, len(out.values), len(points))
		return s.job.progress.add(r)
	})
	if err == nil {
		err = ctx.Err()
	}
	return out, err
}

// usable reports whether a record is about some of the points (sorted) and goes on from the outcome so far.
func (o *outcome) usable(r record, points []int) bool {
	for i, p := range r.Points {
		_, done := o.values[p]
		_, known := slices.BinarySearch(points, p)
		if done || !known || r.Survived && r.Values[i] <= o.tries[p] {
			return false
		}
	}
	return true
}

// tell reports the progress of a task.
func (s *subject) tell(t task, done, total int) {
	if s.job.Progress != nil {
		name := t.name
		if t.part != "" {
			name += " " + t.part
		}
		s.job.Progress(Progress{Model: s.model.path, Task: name, Done: done, Total: total})
	}
}
