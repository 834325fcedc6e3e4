package bench

import (
	"context"
	"math"

	"rnas/bench/attack"
)

// noClass is the prediction where a logit is not a number. It is never right.
const noClass = -1

// predict is the index of the largest logit, the first of equal ones, or noClass.
func predict(logits []float32) int {
	best := 0
	for i, v := range logits {
		if v != v {
			return noClass
		}
		if v > logits[best] {
			best = i
		}
	}
	return best
}

// probabilities reports whether logits look like the output of a softmax: in [0,1] with sum 1, up to 1e-5 (AutoAttack, checks.py).
func probabilities(logits []float32) bool {
	sum := 0.0
	for _, v := range logits {
		if !(v > -1e-5 && v < 1+1e-5) {
			return false
		}
		sum += float64(v)
	}
	return math.Abs(sum-1) < 1e-5
}

// differ reports whether two vectors of logits of one image are further apart than rounding explains: by more than 1e-4 in the Euclidean
// norm after both are normalised (AutoAttack, checks.py). Two vectors with NaN are equal.
func differ(a, b []float32) bool {
	na, nb := norm(a), norm(b)
	if math.IsNaN(na) || math.IsNaN(nb) {
		return math.IsNaN(na) != math.IsNaN(nb)
	}
	sum := 0.0
	for i := range a {
		d := float64(a[i])/max(na, math.SmallestNonzeroFloat32) - float64(b[i])/max(nb, math.SmallestNonzeroFloat32)
		sum += d * d
	}
	return math.Sqrt(sum) > 1e-4
}

// norm is the Euclidean norm.
func norm(v []float32) float64 {
	sum := 0.0
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	return math.Sqrt(sum)
}

// ballSlack is how far an adversarial image may lie outside the ball: as a part of the radius, and again in pixels for rounding.
const ballSlack = 1e-6

// inside reports whether an adversarial image lies in the ball around the image and has only pixels in [0,1].
func inside(adversarial, image []float32, s attack.Settings) bool {
	for _, v := range adversarial {
		if !(v >= 0 && v <= 1) {
			return false
		}
	}
	return s.Size(adversarial, image) <= s.Epsilon*(1+ballSlack)+ballSlack
}

// plain is the worker of task "clean". A value is the prediction. A point is flagged if its logits look like probabilities.
type plain struct{ *subject }

func (w plain) run(ctx context.Context, points []int, emit func(record) error) error {
	return w.batches(ctx, points, emit, w.one)
}

func (w plain) one(points []int) (record, error) {
	logits, err := w.model.logits(w.images)
	if err != nil {
		return record{}, err
	}
	var r record
	for row, p := range points {
		z := w.model.row(logits, row)
		r.Values = append(r.Values, predict(z))
		if probabilities(z) {
			r.Flagged = append(r.Flagged, p)
		}
	}
	return r, nil
}

func (w plain) Close() error { return nil }

// repeat is the worker of task "repeat", the test for a random forward pass. A value is 1 if the logits of the point differ between two
// runs, and 0 if not.
type repeat struct{ *subject }

func (w repeat) run(ctx context.Context, points []int, emit func(record) error) error {
	return w.batches(ctx, points, emit, w.one)
}

func (w repeat) one(points []int) (record, error) {
	first, err := w.model.logits(w.images)
	if err != nil {
		return record{}, err
	}
	second, err := w.model.logits(w.images)
	if err != nil {
		return record{}, err
	}
	r := record{Values: make([]int, len(points))}
	for row := range points {
		if differ(w.model.row(first, row), w.model.row(second, row)) {
			r.Values[row] = 1
		}
	}
	return r, nil
}

func (w repeat) Close() error { return nil }
