package attack

import (
	"cmp"
	"fmt"
	"math"
	"regexp"
	"strconv"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/compiler/program"
	"rnas/internal/rng"
)

// apgdFamilies are Auto-PGD (Croce & Hein 2020, "Reliable evaluation of adversarial robustness with an ensemble of diverse parameter-free
// attacks", section 3 and algorithm 1). Where the code of AutoAttack differs from the paper, they follow the code.
var apgdFamilies = []family{
	fixed("apgd-ce", "Auto-PGD on the cross-entropy, 100 steps (Croce & Hein 2020, section 3; in l1: Croce & Hein 2021)", apgdCE),
	fixed("apgd-dlr", "Auto-PGD on the difference of logits ratio, 100 steps (Croce & Hein 2020, section 4)", apgdDLR),
	fixed("apgd-t", "targeted Auto-PGD on the difference of logits ratio towards the 9 likeliest other classes (Croce & Hein 2020, section 6)", apgdT),
	{
		"apgd-ce|dlr-eotK", "the same with the mean of K gradients, for models that draw random numbers (Athalye et al. 2018, section 4.2)",
		parseExpectation,
	},
}

var (
	apgdCE  = Part{"apgd-ce", []Stage{apgd{loss: "ce"}.method()}}
	apgdDLR = Part{"apgd-dlr", []Stage{apgd{loss: "dlr"}.method()}}
	apgdT   = Part{"apgd-t", []Stage{apgd{loss: "dlr", targeted: true}.method()}}

	// Parts of AutoAttack for randomised models.
	apgdCErand  = Part{"apgd-ce-eot20", []Stage{apgd{loss: "ce", eot: 20}.method()}}
	apgdDLRrand = Part{"apgd-dlr-eot20", []Stage{apgd{loss: "dlr", eot: 20}.method()}}
)

var expectationName = regexp.MustCompile(`^apgd-(ce|dlr)-eot([1-9][0-9]{0,2})$`)

// parseExpectation reads apgd-ce-eotK and apgd-dlr-eotK.
func parseExpectation(name string) (Attack, bool) {
	m := expectationName.FindStringSubmatch(name)
	if m == nil {
		return Attack{}, false
	}
	n, err := strconv.Atoi(m[2])
	return single(name, apgd{loss: m[1], eot: n}.method()), err == nil
}

const (
	apgdSteps = 100
	apgdRho   = 0.75 // rho: the share of steps between checkpoints that must raise the loss
	apgdKeep  = 0.75 // alpha: the weight of a step, against the momentum of the step before
)

// apgd is Auto-PGD. Its result is the first misclassified image on the way, or the start if there is none. The code of AutoAttack returns
// the last misclassified image, which makes no difference to whether there is one. The names of the fields are part of the key.
type apgd struct {
	loss     string // "ce" or "dlr"
	targeted bool
	restarts int // number of starts; 0 means 1
	steps    int // 0 means apgdSteps
	eot      int // number of gradients whose mean a step takes, see scene.expect; 0 means 1
}

func (a apgd) method() method {
	a.steps = cmp.Or(a.steps, apgdSteps)
	passes := int64(max(a.eot, 1))
	return method{
		key: fmt.Sprintf("apgd%+v", a), norms: []string{"linf", "l2"}, classes: 2,
		steps: a.steps + 1, iterations: a.steps, restarts: a.restarts, targeted: a.targeted, masks: true, earlyStop: true, perStep: Counts{passes, passes},
		start: apgdStart, init: a.init, step: a.step,
		resize:   func(steps int) method { c := a; c.steps = steps; return c.method() },
		variants: map[string]method{"l1": apgdL1{a}.method()},
	}
}

// apgdStart draws a point of the sphere of radius eps. In the maximum norm at least one pixel moves by eps.
func apgdStart(dst []float32, _ []int64, stream *rng.Stream, s Settings) {
	if s.Norm == "linf" {
		stream.FillUniform(dst, -1, 1)
	} else {
		stream.FillNormal(dst, 1)
	}
	scale(dst, s.Epsilon/(norms[s.Norm].size(dst, make([]float32, len(dst)))+tiny))
}

// checkpoints has for every step the number of steps since the last checkpoint if the step is one, and 0 if it is not.
func checkpoints(steps int) []float64 {
	share := func(f float64) int { return max(int(f*float64(steps)), 1) }
	k, since := share(0.22), 0
	sizes := make([]float64, steps)
	for i := range sizes {
		if since++; since == k {
			sizes[i], since = float64(k), 0
			k = max(k-share(0.03), share(0.06))
		}
	}
	return sizes
}

// criterion is the loss that rises. The difference of logits ratio needs three logits, or four with a target; with fewer classes the margin
// stands in for it.
func (a apgd) criterion(s scene) loss {
	switch {
	case a.targeted && s.Classes() < 4:
		return func(b op.B, logits *ir.Value) *ir.Value {
			return program.TargetedMargin(b, logits, s.Labels, s.Targets)
		}
	case a.targeted:
		return func(b op.B, logits *ir.Value) *ir.Value { return program.TargetedDLR(b, logits, s.Labels, s.Targets) }
	case a.loss == "dlr" && s.Classes() < 3:
		return s.criterion("margin")
	}
	return s.criterion(a.loss)
}

// Indices of the state of Auto-PGD: images and gradients [B,C,H,W], numbers [B,1,1,1].
const (
	apgdAdversarial = iota
	apgdFound
	apgdNext     // the image that the coming step looks at
	apgdOld      // the image before that
	apgdBest     // the image of the largest loss
	apgdGradient // the gradient at apgdBest
	apgdLargest  // the largest loss
	apgdChecked  // the largest loss at the last checkpoint
	apgdLast     // the loss of the last step
	apgdRises    // the number of rises of the loss since the last checkpoint
	apgdHalved   // whether the step size was halved at the last checkpoint
	apgdSize     // the step size
	apgdState    // the number of values
)

func (a apgd) init(b op.B, s scene) []*ir.Value {
	x, zero := s.begin(b), s.none(b)
	state := make([]*ir.Value, apgdState)
	for i := range state {
		state[i] = zero
	}
	for _, i := range []int{apgdAdversarial, apgdNext, apgdOld, apgdBest} {
		state[i] = x
	}
	state[apgdGradient] = b.Scale(x, 0)
	state[apgdLargest] = b.Add(zero, b.Float(zero, -math.MaxFloat32))
	state[apgdHalved] = b.Add(zero, b.Float(zero, 1))
	state[apgdSize] = b.Add(zero, b.Float(zero, 2*s.Epsilon))
	for i := range state { // a Loop does not carry one value twice
		state[i] = b.Identity(state[i])
	}
	return state
}

// step looks at the image that the last step made, or at the start, and makes the next one.
func (a apgd) step(b op.B, s scene, t *ir.Value, v []*ir.Value) []*ir.Value {
	// The first entry of each table is for the start.
	checks := append([]float64{0}, checkpoints(a.steps)...)
	enough := make([]float64, len(checks))
	for i, k := range checks {
		enough[i] = apgdRho * k
	}
	first := b.Less(t, b.Float(t, 0.5))

	x := v[apgdNext]
	logits, value, g := s.expect(b, x, a.criterion(s), a.eot)
	value = column(b, value)
	adversarial, found := capture(b, s.within(b, s.wrong(b, logits)), x, v[apgdAdversarial], v[apgdFound])
	better := b.Greater(value, v[apgdLargest])
	best, bestG := b.Where(better, x, v[apgdBest]), b.Where(better, g, v[apgdGradient])
	largest := b.Where(better, value, v[apgdLargest])
	checked := b.Where(first, value, v[apgdChecked])
	// The loss of the first step is compared with 0, not with that of the start, as in the code of AutoAttack.
	risen := b.One("And", nil, b.Greater(value, v[apgdLast]), b.One("Not", nil, first))
	rises := b.Add(v[apgdRises], b.Cast(risen, ir.Float32))
	last := b.Where(first, b.Scale(value, 0), value)

	now := b.Greater(at(b, "checkpoints", checks, t), b.Float(t, 0.5))
	stuck := b.One("And", nil, b.Less(v[apgdHalved], b.Float(t, 0.5)), b.GreaterOrEqual(checked, largest))
	halve := b.One("And", nil, now, b.One("Or", nil, b.LessOrEqual(rises, at(b, "enough", enough, t)), stuck))
	x, g = b.Where(halve, best, x), b.Where(halve, bestG, g)
	size := b.Where(halve, b.Scale(v[apgdSize], 0.5), v[apgdSize])

	keep := at(b, "keep", []float64{1, apgdKeep}, t)
	moved := s.Project(b, b.Add(x, b.Mul(size, s.norm().direction(b, g))))
	drift := b.Mul(b.Sub(x, v[apgdOld]), b.Sub(b.Float(t, 1), keep))
	next := s.Project(b, b.Add(b.Add(x, b.Mul(b.Sub(moved, x), keep)), drift))
	return []*ir.Value{
		adversarial, found, next, x, best, bestG, largest, b.Where(now, largest, checked), last,
		b.Where(now, b.Scale(rises, 0), rises), b.Where(now, b.Cast(halve, ir.Float32), v[apgdHalved]), size,
	}
}
