package search

import (
	"context"
	"fmt"
	"math"
)

// sums are added up over an epoch, apart from Lambda and Seconds, which live on.
type sums struct {
	Loss       float64 `json:"loss"` // of weight steps
	Correct    float64 `json:"correct"`
	Steps      int     `json:"steps"`
	ValLoss    float64 `json:"val_loss"` // of alpha steps
	ValCorrect float64 `json:"val_correct"`
	ValSteps   int     `json:"val_steps"`
	Reg        float64 `json:"reg"`    // of steps with the term
	Scaled     float64 `json:"scaled"` // lambda*R
	CE         float64 `json:"ce"`     // of the same steps
	RegSteps   int     `json:"reg_steps"`
	Lambda     float64 `json:"lambda"`
	Seconds    float64 `json:"seconds"`
}

// record is the line of an epoch in the log; epochs count from 1, seconds are those of its steps.
type record struct {
	Epoch       int      `json:"epoch"`
	Seconds     float64  `json:"seconds"`
	Loss        float64  `json:"loss"`     // cross-entropy of the weight steps
	Accuracy    float64  `json:"accuracy"` // likewise
	LR          float64  `json:"lr"`
	ValLoss     *float64 `json:"val_loss,omitempty"`     // cross-entropy of the alpha steps
	ValAccuracy *float64 `json:"val_accuracy,omitempty"` // likewise
	Reg         *float64 `json:"reg,omitempty"`          // mean of R over the steps with the term
	RegOverCE   *float64 `json:"reg_over_ce,omitempty"`  // lambda*R over the cross-entropy of the same steps
	Lambda      *float64 `json:"lambda,omitempty"`       // after the epoch
	Entropy     float64  `json:"entropy"`                // mean over edges, in nats
	Genotype    string   `json:"genotype"`
}

// step is an alpha step, but for the warm-up, and a weight step.
func (s *searcher) step(epoch, step int) error {
	c := s.config
	if epoch >= c.AlphaWarmup {
		s.valStream.Next(s.alpha)
		if err := s.do(s.alpha, epoch, step); err != nil {
			return fmt.Errorf("alpha step: %w", err)
		}
		s.sums.ValLoss += float64(s.alpha.loss[0])
		s.sums.ValCorrect += float64(s.alpha.correct[0])
		s.sums.ValSteps++
	}
	s.trainStream.Next(s.weight)
	s.weight.Input("lr").Float32s()[0] = float32(c.Schedule.At(epoch, step, c.Epochs, s.train.Steps))
	if err := s.do(s.weight, epoch, step); err != nil {
		return fmt.Errorf("weight step: %w", err)
	}
	s.sums.Loss += float64(s.weight.loss[0])
	s.sums.Correct += float64(s.weight.correct[0])
	s.sums.Steps++
	n := float64(s.sums.Steps)
	s.progress.Step(epoch, step, s.sums.Loss/n, s.sums.Correct/n/float64(c.Batch))
	return nil
}

// do runs a program on its inputs and accounts for the term.
func (s *searcher) do(l level, epoch, step int) error {
	if l.regularized {
		l.lambda[0] = float32(s.sums.Lambda)
	}
	if err := l.Step(); err != nil {
		return err
	}
	ce, reg := float64(l.loss[0]), 0.0
	if l.regularized {
		reg = float64(l.reg[0])
	}
	if sum := ce + reg; math.IsNaN(sum) || math.IsInf(sum, 0) {
		return fmt.Errorf("%w: epoch %d, step %d: cross-entropy %v, robustness term %v", ErrDiverged, epoch+1, step+1, ce, reg)
	}
	if !l.regularized {
		return nil
	}
	s.sums.Reg += reg
	s.sums.Scaled += s.sums.Lambda * reg
	s.sums.CE += ce
	s.sums.RegSteps++
	if s.config.LambdaAuto > 0 {
		s.sums.Lambda = adjust(s.sums.Lambda, ce, reg, s.config.LambdaAuto)
	}
	return nil
}

// end closes an epoch.
func (s *searcher) end(_ context.Context, epoch int, seconds float64) (any, error) {
	c, now, alphas := s.config, s.sums, s.alphas()
	g, err := Derive(alphas, c.Super)
	if err != nil {
		return nil, err
	}
	if err := s.record.Append(alphaRecord(epoch, c, alphas)); err != nil {
		return nil, err
	}
	images := float64(c.Batch)
	r := record{
		Epoch: epoch + 1, Seconds: seconds, Genotype: g.String(), Entropy: entropy(alphas, c.Super),
		Loss: now.Loss / float64(now.Steps), Accuracy: now.Correct / float64(now.Steps) / images,
		LR: c.Schedule.At(epoch, s.train.Steps-1, c.Epochs, s.train.Steps),
	}
	line := fmt.Sprintf("search epoch %d/%d  %.1fs  loss %.4f  accuracy %.4f", r.Epoch, c.Epochs, seconds, r.Loss, r.Accuracy)
	if n := float64(now.ValSteps); n > 0 {
		r.ValLoss, r.ValAccuracy = ptr(now.ValLoss/n), ptr(now.ValCorrect/n/images)
		line += fmt.Sprintf("  validation %.4f", *r.ValAccuracy)
	}
	if n := float64(now.RegSteps); n > 0 {
		r.Reg, r.RegOverCE, r.Lambda = ptr(now.Reg/n), ptr(now.Scaled/now.CE), ptr(now.Lambda)
		line += fmt.Sprintf("  R %.3g  lambda %.3g  lambda*R/CE %.3g", *r.Reg, *r.Lambda, *r.RegOverCE)
	}
	s.progress.Line("%s  entropy %.4f", line, r.Entropy)
	s.sums = sums{Lambda: now.Lambda, Seconds: now.Seconds + seconds}
	return r, nil
}

func ptr(v float64) *float64 { return &v }

// epochAlphas is a line of AlphasFile: the architecture parameters after an epoch, by edge and primitive.
// Reduce is absent where the space has one kind of cell.
type epochAlphas struct {
	Epoch  int         `json:"epoch"`
	Normal [][]float32 `json:"normal"`
	Reduce [][]float32 `json:"reduce,omitempty"`
}

func alphaRecord(epoch int, c Config, alphas []float32) epochAlphas {
	rows := edgeRows(alphas, c.Super)
	return epochAlphas{epoch + 1, rows[:c.Super.Edges()], rows[c.Super.Edges():]}
}
