package attack

import (
	"fmt"
	"math"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/compiler/program"
	"rnas/internal/rng"
	"rnas/internal/tensor"
)

// Auto-PGD (Croce & Hein 2020, "Reliable evaluation of adversarial robustness with an ensemble of diverse parameter-free
// attacks", section 3 and algorithm 1), as the code of AutoAttack computes it where that differs from the paper.
var apgdFamilies = []family{
	fixed("apgd-ce", "Auto-PGD on the cross-entropy, 100 steps (Croce & Hein 2020, section 3)", apgdCE),
	fixed("apgd-dlr", "Auto-PGD on the difference of logits ratio, 100 steps (Croce & Hein 2020, section 4)", apgdDLR),
	fixed("apgd-t", "targeted Auto-PGD on the difference of logits ratio towards the 9 likeliest other classes (Croce & Hein 2020, section 6)", apgdT),
}

var (
	apgdCE  = Part{"apgd-ce", []Stage{apgd{loss: "ce"}.stage()}}
	apgdDLR = Part{"apgd-dlr", []Stage{apgd{loss: "dlr"}.stage()}}
	apgdT   = Part{"apgd-t", towards(func(rank int64) Stage { return apgd{loss: "dlr", rank: rank}.stage() })}
)

// targets is the number of classes that targeted attacks of AutoAttack try.
const targets = 9

// towards is one stage for each of the likeliest classes but the first.
func towards(stage func(rank int64) Stage) []Stage {
	var all []Stage
	for rank := range int64(targets) {
		all = append(all, stage(rank+1))
	}
	return all
}

const (
	apgdSteps = 100
	apgdRho   = 0.75 // share of steps that must raise the loss
	apgdKeep  = 0.75 // weight of a step against the one before
)

// apgd is one run of Auto-PGD.
type apgd struct {
	loss    string // "ce" or "dlr"
	rank    int64  // of the target class by the logits of the image; 0 for none
	restart int
}

func (a apgd) stage() graphStage {
	const passes = apgdSteps + 1
	g := graphStage{
		key: fmt.Sprintf("apgd%+v", a), build: a.build, passes: Counts{passes, passes}, norms: []string{"linf", "l2"},
		classes: 2, rank: a.rank,
		start: func(dst []float32, elems int, points []int, s Settings) {
			for row, point := range points {
				apgdStart(dst[row*elems:(row+1)*elems], s, rng.New(s.Seed, rng.Start, a.restart, int(a.rank), point))
			}
		},
	}
	if a.rank > 0 {
		g.passes.Forwards++
	}
	return g
}

// apgdStart draws a point of the sphere: in the maximum norm, one pixel at least moves by eps.
func apgdStart(dst []float32, s Settings, stream rng.Stream) {
	if s.Norm == "linf" {
		stream.FillUniform(dst, -1, 1)
	} else {
		stream.FillNormal(dst, 1)
	}
	scale(dst, s.Epsilon/(norms[s.Norm].size(dst, make([]float32, len(dst)))+tiny))
}

// checkpoints gives, for every step, 0, or at a checkpoint the number of steps since the one before.
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

// criterion is the loss that rises; with few classes the margin stands in for the difference of logits ratio, which needs three
// logits, or four with a target.
func (a apgd) criterion(b op.B, s scene) loss {
	switch {
	case a.rank == 0 && a.loss == "dlr" && s.Classes() < 3:
		return s.criterion("margin")
	case a.rank == 0:
		return s.criterion(a.loss)
	}
	target := s.ranked(b, a.rank)
	if s.Classes() < 4 {
		return func(b op.B, logits *ir.Value) *ir.Value { return program.TargetedMargin(b, logits, s.Labels, target) }
	}
	return func(b op.B, logits *ir.Value) *ir.Value { return program.TargetedDLR(b, logits, s.Labels, target) }
}

func (a apgd) build(b op.B, s scene) *ir.Value {
	if b.Err() != nil {
		return s.Images
	}
	sizes := checkpoints(apgdSteps)
	row := func(name string, f func(i int) float64) *ir.Value {
		v := make([]float64, apgdSteps)
		for i := range v {
			v[i] = f(i)
		}
		return b.Const(name, tensor.FromFloat64s(ir.Float32, []int64{apgdSteps}, v))
	}
	check := row("check", func(i int) float64 { return math.Min(sizes[i], 1) })
	rising := row("rising", func(i int) float64 { return apgdRho * sizes[i] })
	fresh := row("fresh", func(i int) float64 {
		if i == 0 {
			return 1
		}
		return apgdKeep
	})
	of := a.criterion(b, s)
	single := func(b op.B, v *ir.Value) *ir.Value { return b.Reshape(v, -1, 1, 1, 1) }

	x := b.Clip(b.Add(s.Images, s.Start), 0, 1)
	_, value, g := s.ascend(b, x, of)
	value = single(b, value)
	zero := b.Scale(value, 0)
	one := b.Add(zero, b.Float(zero, 1))
	carried := []*ir.Value{
		x, b.Identity(x), b.Identity(x), b.Identity(x), g, b.Identity(g),
		value, b.Identity(value), zero, zero, one, b.Scale(one, 2*s.Epsilon),
	}
	return b.Loop("attack", apgdSteps, carried, func(b op.B, i *ir.Value, v []*ir.Value) []*ir.Value {
		x, old, best, adversarial, g, bestG := v[0], v[1], v[2], v[3], v[4], v[5]
		bestLoss, checkedLoss, lastLoss, rises, reduced, step := v[6], v[7], v[8], v[9], v[10], v[11]
		at := func(row *ir.Value) *ir.Value { return b.Gather(row, i, 0) }
		project := func(x *ir.Value) *ir.Value { return s.norm().project(b, x, s.Images, s.Epsilon) }

		w := at(fresh)
		moved := project(b.Add(x, b.Mul(step, s.norm().direction(b, g))))
		drift := b.Mul(b.Sub(x, old), b.Sub(b.Float(w, 1), w))
		next := project(b.Add(b.Add(x, b.Mul(b.Sub(moved, x), w)), drift))
		logits, value, g := s.ascend(b, next, of)
		value = single(b, value)

		adversarial = b.Where(s.wrong(b, logits), next, adversarial)
		better := b.Greater(value, bestLoss)
		best, bestG = b.Where(better, next, best), b.Where(better, g, bestG)
		bestLoss = b.Where(better, value, bestLoss)
		// The first comparison is with 0, not with the loss at the start, as in the code of AutoAttack.
		rises = b.Add(rises, b.Cast(b.Greater(value, lastLoss), ir.Float32))

		now := b.Greater(at(check), b.Float(x, 0.5))
		stuck := b.One("And", nil, b.Less(reduced, b.Float(x, 0.5)), b.GreaterOrEqual(checkedLoss, bestLoss))
		halve := b.One("And", nil, now, b.One("Or", nil, b.LessOrEqual(rises, at(rising)), stuck))
		return []*ir.Value{
			b.Where(halve, best, next), x, best, adversarial, b.Where(halve, bestG, g), bestG,
			bestLoss, b.Where(now, bestLoss, checkedLoss), value, b.Where(now, b.Scale(rises, 0), rises),
			b.Where(now, b.Cast(halve, ir.Float32), reduced), b.Where(halve, b.Scale(step, 0.5), step),
		}
	})[3]
}
