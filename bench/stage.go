package bench

import (
	"context"
	"slices"

	"rnas/bench/attack"
)

// stage is the worker of one stage of an attack: a value is the prediction on the adversarial image. A point whose
// adversarial image is not admissible is flagged and has the value of its label: it counts as survived.
type stage struct {
	*subject
	runner      attack.Runner
	adversarial []float32   // [batch,C,H,W]
	keep        *imageStore // nil when the images are not wanted
}

func (s *subject) stage(st attack.Stage, keep *imageStore) (worker, error) {
	c, err := s.classifier()
	if err != nil {
		return nil, err
	}
	runner, err := st.Compile(attack.Target{Classifier: c, Batch: s.batch, Runtime: s.Runtime, Settings: s.Settings})
	if err != nil {
		return nil, err
	}
	return &stage{s, runner, make([]float32, len(s.images)), keep}, nil
}

func (w *stage) run(ctx context.Context, points []int) (record, error) {
	counts, err := w.runner.Run(ctx, attack.Batch{Points: points, Images: w.images, Labels: w.labels, Adversarial: w.adversarial})
	if err != nil {
		return record{}, err
	}
	logits, err := w.logits(w.adversarial)
	if err != nil {
		return record{}, err
	}
	r := record{Counts: counts}
	elems := w.data.Elems()
	for row, p := range points {
		x := w.adversarial[row*elems : (row+1)*elems]
		value := predict(logits[row*w.classes : (row+1)*w.classes])
		if !inside(x, w.images[row*elems:(row+1)*elems], w.Settings) {
			r.Flagged = append(r.Flagged, p)
			value = int(w.labels[row])
		} else if _, ok := slices.BinarySearch(w.shown, p); ok {
			r.Shown = append(r.Shown, newShown(p, x))
		}
		r.Values = append(r.Values, value)
		if err := w.keep.put(p, x); err != nil {
			return record{}, err
		}
	}
	return r, w.keep.sync()
}

func (w *stage) Close() error { return w.runner.Close() }
