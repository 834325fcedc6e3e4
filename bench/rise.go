package bench

import (
	"context"
	"math"

	"rnas/bench/attack"
	"rnas/bench/report"
)

// riseSlack is the part of the mean loss by which PGD-20 may fall behind FGSM. On a linear model both end at the same corner of the ball.
const riseSlack = 0.01

// rises flags a model on which PGD-20 does not raise the mean cross-entropy above that of the clean images, or falls behind FGSM.
func (s *subject) rises(ctx context.Context, probe []int) ([]report.Flag, error) {
	if s.job.Settings.Epsilon == 0 {
		return nil, nil
	}
	var means []float64
	for _, a := range []attack.Attack{{Name: attack.Clean}, attack.FGSM(), attack.PGD(20)} {
		mean, err := s.meanLoss(ctx, a, probe)
		if err != nil {
			return nil, err
		}
		means = append(means, mean)
	}
	clean, fgsm, pgd := means[0], means[1], means[2]
	if pgd <= clean || pgd < fgsm*(1-riseSlack) {
		flag := report.NewFlag(report.FlagLoss, "mean cross-entropy %.3g after pgd20, %.3g after fgsm, %.3g without attack, on %d images", pgd, fgsm, clean, len(probe))
		return []report.Flag{flag}, nil
	}
	return nil, nil
}

// meanLoss is the mean cross-entropy at the results of an attack of one stage, or at the clean images for an attack without stages.
func (s *subject) meanLoss(ctx context.Context, a attack.Attack, probe []int) (float64, error) {
	t := task{name: "loss of " + a.Name, open: func(int) (worker, error) { return cleanLoss{s}, nil }}
	for _, st := range a.Stages() {
		t.key = []any{st.Key(), s.job.Settings}
		t.open = func(points int) (worker, error) {
			w, err := s.openStage(st, points, nil)
			if err != nil {
				return nil, err
			}
			return attackedLoss{w}, nil
		}
	}
	out, err := s.do(ctx, t, probe)
	if err != nil {
		return 0, err
	}
	sum := 0.0
	for _, p := range probe {
		sum += float64(math.Float32frombits(uint32(out.values[p])))
	}
	return sum / float64(len(probe)), nil
}

// lossValue is the cross-entropy of logits as the value of a record: the bits of a float32.
func lossValue(logits []float32, label int) int {
	largest, sum := math.Inf(-1), 0.0
	for _, v := range logits {
		largest = max(largest, float64(v))
	}
	for _, v := range logits {
		sum += math.Exp(float64(v) - largest)
	}
	return int(math.Float32bits(float32(math.Log(sum) + largest - float64(logits[label]))))
}

// cleanLoss is the worker of the loss without attack. A value is a lossValue.
type cleanLoss struct{ *subject }

func (w cleanLoss) run(ctx context.Context, points []int, emit func(record) error) error {
	return w.batches(ctx, points, emit, func(points []int) (record, error) {
		logits, err := w.model.logits(w.images)
		if err != nil {
			return record{}, err
		}
		var r record
		for row, p := range points {
			r.Values = append(r.Values, lossValue(w.model.row(logits, row), int(w.job.data.Labels[p])))
		}
		return r, nil
	})
}

func (w cleanLoss) Close() error { return nil }

// attackedLoss is the worker of the loss after a stage. It takes the image of the first try, whatever is predicted there.
type attackedLoss struct{ *stageWorker }

func (w attackedLoss) run(ctx context.Context, points []int, emit func(record) error) error {
	w.left, w.emit = points, emit
	return w.runner.Run(ctx, w)
}

// Judge implements attack.Work.
func (w attackedLoss) Judge(attempts []attack.Attempt) ([]bool, error) {
	logits, err := w.score(len(attempts), func(i int) []float32 { return attempts[i].Adversarial })
	if err != nil {
		return nil, err
	}
	var r record
	done := make([]bool, len(attempts))
	for i, a := range attempts {
		done[i] = true
		r.add(a.Index, lossValue(logits[i], int(a.Label)), a.Counts)
	}
	return done, w.emit(r)
}
