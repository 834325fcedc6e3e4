package bench

import (
	"context"
	"slices"

	"rnas/bench/attack"
	"rnas/internal/dataset"
	"rnas/runtime/ort"
)

// stageWorker is the worker of one stage of an attack. A value is the prediction on the adversarial image. A point whose adversarial
// image is not admissible is flagged and has the value of its label, which makes it count as survived.
type stageWorker struct {
	*subject
	runner attack.Runner
	keep   *imageStore // nil when the images are not wanted

	// Set by run.
	left []int // points not given out
	emit func(record) error
}

// openStage compiles a stage for a number of points.
func (s *subject) openStage(st attack.Stage, points int, keep *imageStore) (*stageWorker, error) {
	setup := s.setup(s.job.Runtime)
	setup.Points = points
	runner, err := attack.Open(st, setup)
	if err != nil {
		return nil, err
	}
	return &stageWorker{subject: s, runner: runner, keep: keep}, nil
}

// setup is the model under test for attacks. Its number of points is not known.
func (s *subject) setup(o ort.Options) attack.Setup {
	return attack.Setup{Classifier: s.model.regular, Batch: s.model.batch, Fixed: !s.model.free, Runtime: o, Settings: s.job.Settings}
}

func (w *stageWorker) run(ctx context.Context, points []int, emit func(record) error) error {
	w.left, w.emit = points, emit
	return w.runner.Run(ctx, w)
}

// Next implements attack.Work.
func (w *stageWorker) Next(n int) []attack.Point {
	n = min(n, len(w.left))
	points := make([]attack.Point, n)
	elems := w.job.data.Elems()
	images, labels := make([]float32, n*elems), make([]int64, n)
	w.job.data.Fill(images, labels, w.left[:n], dataset.Augment{}, 0, 0)
	for i, p := range w.left[:n] {
		points[i] = attack.Point{Index: p, Image: images[i*elems : (i+1)*elems], Label: labels[i], Tries: w.tries[p]}
	}
	w.left = w.left[n:]
	return points
}

// Logits implements attack.Work.
func (w *stageWorker) Logits(points []attack.Point) ([][]float32, error) {
	return w.score(len(points), func(i int) []float32 { return points[i].Image })
}

// score is plain inference of n images, at most a batch: K logits for each.
func (w *stageWorker) score(n int, image func(i int) []float32) ([][]float32, error) {
	elems := w.job.data.Elems()
	for i := range n {
		copy(w.images[i*elems:], image(i))
	}
	end := w.model.rows(n) * elems
	clear(w.images[n*elems : end])
	logits, err := w.model.logits(w.images[:end])
	if err != nil {
		return nil, err
	}
	rows := make([][]float32, n)
	for i := range rows {
		rows[i] = w.model.row(logits, i)
	}
	return rows, nil
}

// Judge implements attack.Work.
func (w *stageWorker) Judge(attempts []attack.Attempt) ([]bool, error) {
	logits, err := w.score(len(attempts), func(i int) []float32 { return attempts[i].Adversarial })
	if err != nil {
		return nil, err
	}
	var done, survived record
	broken := make([]bool, len(attempts))
	for i, a := range attempts {
		value, admissible := predict(logits[i]), inside(a.Adversarial, a.Image, w.job.Settings)
		broken[i] = admissible && value != int(a.Label)
		switch {
		case broken[i] || a.Last:
			if !admissible {
				done.Flagged = append(done.Flagged, a.Index)
				value = int(a.Label)
			} else if _, ok := slices.BinarySearch(w.shown, a.Index); ok {
				done.Shown = append(done.Shown, newShown(a.Index, a.Adversarial))
			}
			done.add(a.Index, value, a.Counts)
			if err := w.keep.put(a.Index, a.Adversarial); err != nil {
				return nil, err
			}
		case a.Over:
			survived.add(a.Index, a.Tries, a.Counts)
		}
	}
	if err := w.keep.sync(); err != nil {
		return nil, err
	}
	survived.Survived = true
	for _, r := range []record{done, survived} {
		if len(r.Points) == 0 {
			continue
		}
		if err := w.emit(r); err != nil {
			return nil, err
		}
	}
	return broken, nil
}

func (w *stageWorker) Close() error { return w.runner.Close() }
