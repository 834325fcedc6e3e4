package bench

import (
	"context"
	"fmt"
	"os"
	"slices"

	"rnas/bench/attack"
	"rnas/bench/report"
)

// transfer attacks each model and scores the images on all models by plain inference. The points are those that some model classifies
// rightly: a model is attacked at the points that it gets wrong too, so that no other model keeps a point for that reason. Attacks that the
// transfer beats are flagged.
func (j *job) transfer(ctx context.Context, a attack.Attack, paths []string, points []modelPoints, result *report.Result) error {
	t := &report.Transfer{Attack: a.Name, Norm: j.Settings.Norm, Eps: j.Settings.Epsilon, Models: paths}
	own := *j
	own.Images = true
	if own.Dir == "" {
		dir, err := os.MkdirTemp("", "rnas-transfer-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		own.Dir = dir
	}
	var models []*subject
	right := make([][]int, len(paths))
	var union []int
	var survivors [][][]int // by source, by target
	for i, path := range paths {
		m, err := openModel(path, j.data, j.Batch, j.Model, j.Runtime)
		if err != nil {
			return named(path, err)
		}
		defer m.Close()
		mine := own
		mine.data, mine.digest = m.data, m.data.Digest()
		models = append(models, mine.subject(m))
		for p, label := range m.data.Labels {
			if points[i].clean[p] == int(label) {
				right[i] = append(right[i], p)
			}
		}
		union = append(union, right[i]...)
	}
	slices.Sort(union)
	union = slices.Compact(union)
	a.Name = "transfer-" + a.Name
	for i, source := range models {
		key, store, err := source.craft(ctx, a, union)
		if err != nil {
			return named(paths[i], err)
		}
		var row []report.Robust
		var lefts [][]int
		for k, target := range models {
			left, err := target.receive(ctx, a.Name, key, store, union, right[k])
			if err != nil {
				return named(paths[k], err)
			}
			row, lefts = append(row, report.NewRobust(len(left), j.data.Len())), append(lefts, left)
		}
		t.Robust, survivors = append(t.Robust, row), append(survivors, lefts)
	}
	result.Transfer = t
	j.transferHelps(result, points, survivors)
	return nil
}

// craft makes the adversarial images of points on the model. key is a digest of everything that the images depend on.
func (s *subject) craft(ctx context.Context, a attack.Attack, points []int) (key string, store *imageStore, err error) {
	if _, _, _, err := s.attack(ctx, a, points); err != nil {
		return "", nil, fmt.Errorf("attack %s: %w", a.Name, err)
	}
	work, err := s.attackTasks(a)
	if err != nil {
		return "", nil, err
	}
	return work.key(), openImages(s.job.Dir, archiveName(s.model.path, a.Name), work.key(), s.job.data), nil
}

// receive scores the images of a store at points and returns those of right that survive.
func (s *subject) receive(ctx context.Context, name, key string, store *imageStore, points, right []int) ([]int, error) {
	t := task{name: name + " from another model", key: key, open: func(int) (worker, error) {
		rows, images, err := store.load()
		if err != nil {
			return nil, err
		}
		w := received{subject: s, images: map[int][]float32{}}
		n := s.job.data.Elems()
		places := places(s.job.data)
		for i, row := range rows {
			w.images[places[int(row)]] = images[i*n : (i+1)*n]
		}
		return w, nil
	}}
	out, err := s.do(ctx, t, points)
	return s.surviving(right, out.values), err
}

// received is the worker of images that were made on another model. A value is the prediction. A point whose image is not admissible is
// flagged, and has the prediction on the image as it is.
type received struct {
	*subject
	images map[int][]float32 // by point
}

func (w received) run(ctx context.Context, points []int, emit func(record) error) error {
	return w.batches(ctx, points, emit, w.one)
}

func (w received) one(points []int) (record, error) {
	var r record
	n := w.job.data.Elems()
	for row, p := range points {
		image := w.subject.images[row*n : (row+1)*n]
		switch adversarial, ok := w.images[p]; {
		case !ok:
			return r, fmt.Errorf("no image of point %d was made", p)
		case !inside(adversarial, image, w.job.Settings):
			r.Flagged = append(r.Flagged, p)
		default:
			copy(image, adversarial)
		}
	}
	logits, err := w.model.logits(w.subject.images)
	if err != nil {
		return r, err
	}
	for row := range points {
		r.Values = append(r.Values, predict(w.model.row(logits, row)))
	}
	return r, nil
}

func (w received) Close() error { return nil }

// transferHelps flags the strongest attack on each model if images made on another model beat it by more than noise. left has the points
// that survive, by the model that the images were made on and the model that they were scored on.
func (j *job) transferHelps(r *report.Result, points []modelPoints, left [][][]int) {
	for k := range left {
		m := &r.Models[k]
		strongest := m.Strongest()
		if strongest < 0 {
			continue
		}
		a := &m.Attacks[strongest]
		own := j.robust(points[k].attacks[strongest])
		for i, row := range left {
			shared := make([]bool, len(own))
			for _, p := range row[k] {
				shared[p] = true
			}
			if t := report.Compare(own, shared); i != k && t.FirstOnly > t.SecondOnly && t.P < curveLevel {
				a.Flags = append(a.Flags, report.NewFlag(report.FlagTransfer, "images of %s made on %s leave %.1f%%, attacks on this model leave %.1f%% (%s)",
					r.Transfer.Attack, r.Transfer.Models[i], 100*r.Transfer.Robust[i][k].RobustAccuracy, 100*a.RobustAccuracy, a.Name))
			}
		}
	}
}
