package bench

import (
	"fmt"
	"math"

	"rnas/bench/report"
	"rnas/internal/dataset"
	"rnas/runtime/ort"
)

// agree compares plain inference of a model on the first points of the data by two providers.
func agree(path string, data *dataset.Dataset, batch int, first, second ort.Options) (report.Agreement, error) {
	a := report.Agreement{Path: path, First: string(first.Provider), Second: string(second.Provider), Points: min(probePoints, data.Len())}
	var logits [2][]float32
	for i, o := range []ort.Options{first, second} {
		var err error
		if logits[i], err = probeLogits(path, data, batch, a.Points, o); err != nil {
			return a, fmt.Errorf("provider %s: %w", o.Provider, err)
		}
	}
	judge(&a, logits[0], logits[1], len(logits[0])/a.Points)
	return a, nil
}

// judge compares logits [a.Points,k]. A logit that is not finite counts in the prediction only, not in the largest difference.
func judge(a *report.Agreement, first, second []float32, k int) {
	for p := range a.Points {
		x, y := first[p*k:(p+1)*k], second[p*k:(p+1)*k]
		if predict(x) != predict(y) {
			a.Differ++
		}
		for i := range x {
			u, v := float64(x[i]), float64(y[i])
			if d := math.Abs(u - v); d <= math.MaxFloat64 { // false for NaN; finite if both are
				a.Largest, a.Logit = max(a.Largest, d), max(a.Logit, math.Abs(u))
			}
		}
	}
}

// probeLogits is plain inference of the first n points: logits [n,K].
func probeLogits(path string, data *dataset.Dataset, batch, n int, o ort.Options) ([]float32, error) {
	m, err := openModel(path, data, batch, o)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	s := (&job{data: data}).subject(m)
	var all []float32
	for p := 0; p < n; p += m.batch {
		var points []int
		for q := p; q < min(n, p+m.batch); q++ {
			points = append(points, q)
		}
		s.fill(points)
		logits, err := s.model.logits(s.images)
		if err != nil {
			return nil, err
		}
		all = append(all, logits[:len(points)*m.classes]...)
	}
	return all, nil
}
