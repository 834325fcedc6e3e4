package bench

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"rnas/bench/attack"
	"rnas/bench/report"
	"rnas/internal/fault"
)

// differentiable refuses attacks by gradients on a model of which none reaches the image. It names the operator where the gradient ends.
func (s *subject) differentiable() error {
	refused := slices.DeleteFunc(slices.Clone(s.job.Attacks), func(a attack.Attack) bool {
		return !slices.ContainsFunc(a.Parts, attack.Part.Gradients)
	})
	if len(refused) == 0 {
		return nil
	}
	c, err := s.model.classifier(s.model.batch)
	if err != nil {
		return err
	}
	if err := c.Differentiable(); err != nil {
		return fault.Input(fmt.Errorf("attacks %s: %w; attacks without gradients run: square", strings.Join(attack.Names(refused), ", "), err))
	}
	return nil
}

// Thresholds of what is flagged on the images as they are.
const (
	fewestPoints = 20   // images below which nothing is flagged
	collapsed    = 0.9  // part of the images that are predicted as one class
	own          = 0.5  // part of the images that have that class, at most
	still        = 1e-5 // largest change of a logit between images, relative to the largest magnitude of a logit
)

// doubts are the flags of the model on the images as they are: what makes every figure doubtful.
func (s *subject) doubts(ctx context.Context, predictions map[int]int, all []int) (flags []report.Flag, err error) {
	if flags, err = s.mates(ctx, all); err != nil || len(all) < fewestPoints {
		return flags, err
	}
	n, k := len(all), s.model.classes
	right, counts, labels := 0, map[int]int{}, map[int]int{}
	for _, p := range all {
		label := int(s.job.data.Labels[p])
		counts[predictions[p]]++
		labels[label]++
		if predictions[p] == label {
			right++
		}
	}
	clean := report.NewClean(right, n)
	var found []report.Flag
	add := func(kind report.FlagKind, format string, values ...any) {
		found = append(found, report.NewFlag(kind, format, values...))
	}
	if clean.CI95[0] <= 1/float64(k) {
		add(report.FlagChance, "%.1f%% of %d images, guessing among %d classes gives %.1f%%", 100*clean.Accuracy, n, k, 100/float64(k))
	}
	for class := range k {
		if float64(counts[class]) >= collapsed*float64(n) && float64(labels[class]) <= own*float64(n) {
			add(report.FlagCollapsed, "%d of %d images are predicted as %s, %d are of that class", counts[class], n, s.job.data.Classes[class], labels[class])
		}
	}
	probe := all[:min(probePoints, n)]
	moves, err := s.moves(probe)
	if err != nil {
		return nil, err
	}
	if moves <= still {
		add(report.FlagStill, "between %d images they change by %.2g of the largest one at most", len(probe), moves)
	}
	if len(found) == 0 {
		return flags, nil
	}
	reading, err := s.readings(ctx, all)
	return append(append(flags, found...), reading...), err
}

// moves is the largest change of a logit between the points, relative to the largest magnitude of a logit; 0 where none is finite.
func (s *subject) moves(points []int) (float64, error) {
	k := s.model.classes
	low, high, largest := make([]float32, k), make([]float32, k), 0.0
	change, first := 0.0, true
	for batch := range slices.Chunk(points, s.model.batch) {
		s.fill(batch)
		logits, err := s.model.logits(s.images)
		if err != nil {
			return 0, err
		}
		for row := range batch {
			for i, v := range s.model.row(logits, row) {
				if first {
					low[i], high[i] = v, v
				}
				low[i], high[i] = min(low[i], v), max(high[i], v)
				largest = max(largest, float64(v), -float64(v))
				change = max(change, float64(high[i])-float64(low[i]))
			}
			first = false
		}
	}
	if largest == 0 {
		return 0, nil
	}
	return change / largest, nil
}

// mates flags a model whose logits of an image depend on the images in one batch with it.
func (s *subject) mates(ctx context.Context, all []int) ([]report.Flag, error) {
	if s.model.batch < 2 {
		return nil, nil
	}
	probe := all[:min(probePoints, len(all))]
	out, err := s.do(ctx, task{name: "mates", key: s.model.batch, open: func(int) (worker, error) { return mates{s}, nil }}, probe)
	if err != nil {
		return nil, err
	}
	if n := count(out.values, probe, 1); n > 0 {
		return []report.Flag{report.NewFlag(report.FlagMates, "logits of %d of %d images differ with the other images of a batch of %d", n, len(probe), s.model.batch)}, nil
	}
	return nil, nil
}

// mates is the worker of task "mates": one image among two sets of mates. A value is 1 if the logits of the point change when every other row
// of its batch becomes its negative, and do not change between two runs of one batch.
type mates struct{ *subject }

func (w mates) run(ctx context.Context, points []int, emit func(record) error) error {
	return w.batches(ctx, points, emit, w.one)
}

func (w mates) one(points []int) (record, error) {
	before, err := w.model.logits(w.images)
	if err != nil {
		return record{}, err
	}
	again, err := w.model.logits(w.images)
	if err != nil {
		return record{}, err
	}
	r := record{Values: make([]int, len(points))}
	size := w.job.data.Elems()
	for _, kept := range []int{0, 1} {
		negative := slices.Clone(w.images)
		for i := range negative {
			if i/size%2 != kept {
				negative[i] = 1 - negative[i]
			}
		}
		after, err := w.model.logits(negative)
		if err != nil {
			return record{}, err
		}
		for row := kept; row < len(points); row += 2 {
			first := w.model.row(before, row)
			if differ(first, w.model.row(after, row)) && !differ(first, w.model.row(again, row)) {
				r.Values[row] = 1
			}
		}
	}
	return r, nil
}

func (w mates) Close() error { return nil }
