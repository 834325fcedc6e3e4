package loop

import (
	"fmt"
	"math"
	"slices"
)

// Kinds of schedules.
const (
	Cosine   = "cosine"    // from LR to MinLR along half a cosine (Loshchilov & Hutter 2017, without restarts)
	Stepwise = "step"      // LR, times Gamma at every milestone
	OneCycle = "one-cycle" // up to LR and down to MinLR (Smith 2018; linear as Wong et al. 2020)
)

// Schedule is the learning rate over a run.
type Schedule struct {
	Kind  string  `json:"kind"`
	LR    float64 `json:"lr"`     // the largest rate
	MinLR float64 `json:"min_lr"` // the last rate of cosine and one-cycle
	// WarmupEpochs of cosine and step rise linearly to LR.
	WarmupEpochs int `json:"warmup_epochs"`
	// PerEpoch keeps the rate of cosine during an epoch, as DARTS does.
	PerEpoch bool `json:"per_epoch"`
	// Milestones of step are epochs from 0, ascending; Gamma is the factor at each.
	Milestones []int   `json:"milestones,omitempty"`
	Gamma      float64 `json:"gamma,omitempty"`
	// Peak of one-cycle is the fraction of all steps that the rise takes; CosineDown makes the way down a cosine.
	Peak       float64 `json:"peak,omitempty"`
	CosineDown bool    `json:"cosine_down,omitempty"`
}

// Validate checks the schedule of a run of so many epochs. Errors name the field.
func (s Schedule) Validate(epochs int) error {
	switch {
	case s.Kind != Cosine && s.Kind != Stepwise && s.Kind != OneCycle:
		return fmt.Errorf("schedule: expected %s, %s or %s, found %q", Cosine, Stepwise, OneCycle, s.Kind)
	case !(s.LR > 0) || math.IsInf(s.LR, 0):
		return fmt.Errorf("lr: expected a positive number, found %v", s.LR)
	case !(s.MinLR >= 0 && s.MinLR <= s.LR):
		return fmt.Errorf("min-lr: expected 0 to lr %v, found %v", s.LR, s.MinLR)
	case s.WarmupEpochs < 0 || s.WarmupEpochs > 0 && s.WarmupEpochs >= epochs:
		return fmt.Errorf("warmup-epochs: expected 0 to %d, found %d", max(epochs-1, 0), s.WarmupEpochs)
	case s.Kind == Stepwise && !(s.Gamma > 0 && s.Gamma <= 1):
		return fmt.Errorf("gamma: expected more than 0 and at most 1, found %v", s.Gamma)
	case s.Kind == Stepwise && (!slices.IsSorted(s.Milestones) || len(s.Milestones) > 0 && s.Milestones[0] < 0):
		return fmt.Errorf("milestones: expected epochs in ascending order, found %v", s.Milestones)
	case s.Kind == OneCycle && !(s.Peak > 0 && s.Peak < 1):
		return fmt.Errorf("peak: expected a fraction between 0 and 1, found %v", s.Peak)
	}
	return nil
}

// At is the rate of a step of an epoch, both from 0, in a run of epochs of so many steps.
func (s Schedule) At(epoch, step, epochs, steps int) float64 {
	now, total := float64(epoch*steps+step), float64(epochs*steps)
	warm := float64(s.WarmupEpochs * steps)
	if s.Kind != OneCycle && now < warm {
		return s.LR * (now + 1) / warm
	}
	switch s.Kind {
	case Cosine:
		if s.PerEpoch {
			now = float64(epoch * steps)
		}
		return s.MinLR + (s.LR-s.MinLR)*half((now-warm)/(total-warm))
	case Stepwise:
		lr := s.LR
		for _, m := range s.Milestones {
			if epoch >= m {
				lr *= s.Gamma
			}
		}
		return lr
	}
	t := (now + 1) / total
	if t < s.Peak {
		return s.LR * t / s.Peak
	}
	t = (t - s.Peak) / (1 - s.Peak)
	if s.CosineDown {
		return s.MinLR + (s.LR-s.MinLR)*half(t)
	}
	return s.LR + (s.MinLR-s.LR)*t
}

// half is half a cosine from 1 at t=0 to 0 at t=1.
func half(t float64) float64 { return (1 + math.Cos(math.Pi*t)) / 2 }
