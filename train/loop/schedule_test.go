package loop

import (
	"math"
	"strings"
	"testing"
)

func TestScheduleAt(t *testing.T) {
	cosine := Schedule{Kind: Cosine, LR: 0.5, MinLR: 0.1}
	warm := Schedule{Kind: Cosine, LR: 0.4, WarmupEpochs: 2}
	darts := Schedule{Kind: Cosine, LR: 0.5, MinLR: 0.1, PerEpoch: true}
	steps := Schedule{Kind: Stepwise, LR: 1, Milestones: []int{2, 3}, Gamma: 0.1}
	cycle := Schedule{Kind: OneCycle, LR: 0.2, Peak: 0.4}
	round := Schedule{Kind: OneCycle, LR: 0.2, MinLR: 0.1, Peak: 0.5, CosineDown: true}
	for _, c := range []struct {
		name        string
		s           Schedule
		epoch, step int // of 4 epochs of 5 steps
		want        float64
	}{
		{"cosine begins", cosine, 0, 0, 0.5},
		{"cosine middle", cosine, 2, 0, 0.3},
		{"cosine quarter", cosine, 1, 0, 0.3 + 0.2*math.Sqrt2/2},
		{"per epoch", darts, 1, 4, 0.3 + 0.2*math.Sqrt2/2},
		{"warm-up first", warm, 0, 0, 0.04},
		{"warm-up last", warm, 1, 4, 0.4},
		{"after warm-up", warm, 2, 0, 0.4},
		{"middle after warm-up", warm, 3, 0, 0.2},
		{"before milestone", steps, 1, 4, 1},
		{"at milestone", steps, 2, 0, 0.1},
		{"at second", steps, 3, 0, 0.01},
		{"cycle first", cycle, 0, 0, 0.2 / 8},
		{"cycle peak", cycle, 1, 2, 0.2},
		{"cycle half down", cycle, 2, 3, 0.1},
		{"cycle last", cycle, 3, 4, 0},
		{"cosine down half", round, 2, 4, 0.15},
		{"cosine down last", round, 3, 4, 0.1},
	} {
		if got := c.s.At(c.epoch, c.step, 4, 5); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%s: expected %v, found %v", c.name, c.want, got)
		}
		if err := c.s.Validate(4); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestScheduleValidate(t *testing.T) {
	for _, c := range []struct {
		s    Schedule
		part string
	}{
		{Schedule{Kind: "linear", LR: 1}, `found "linear"`},
		{Schedule{Kind: Cosine}, "lr: "},
		{Schedule{Kind: Cosine, LR: math.NaN()}, "lr: "},
		{Schedule{Kind: Cosine, LR: math.Inf(1)}, "lr: "},
		{Schedule{Kind: Cosine, LR: 1, MinLR: 2}, "min-lr: "},
		{Schedule{Kind: Cosine, LR: 1, WarmupEpochs: 5}, "warmup-epochs: expected 0 to 4"},
		{Schedule{Kind: Stepwise, LR: 1, Gamma: 0}, "gamma: "},
		{Schedule{Kind: Stepwise, LR: 1, Gamma: 0.1, Milestones: []int{3, 2}}, "milestones: "},
		{Schedule{Kind: OneCycle, LR: 1, Peak: 1}, "peak: "},
	} {
		if err := c.s.Validate(5); err == nil || !strings.Contains(err.Error(), c.part) {
			t.Errorf("%+v: expected %q, found %v", c.s, c.part, err)
		}
	}
}
