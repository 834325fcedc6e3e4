package attack

import (
	"fmt"
	"math"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/rng"
	"rnas/internal/tensor"
)

// apgdL1 is Auto-PGD in the norm l1 (Croce & Hein 2021, "Mind the box: l1-APGD for sparse adversarial attacks on image classifiers",
// section 3 and algorithm 1), as the code of AutoAttack computes it. A try has three phases, in balls of radius 3, 2 and 1 times eps, with
// 30, 30 and 40 percent of the steps. The second and third phase start at the best image of the phase before.
type apgdL1 struct{ apgd }

const (
	apgdL1Share  = 1.5  // a step changes 1/1.5 of the number of pixels that the best image changes
	apgdL1Rises  = 0.95 // the step size is reset when the best image changes less than this part of the pixels of the last checkpoint
	apgdL1Shrink = 1.5  // divisor of the step size at other checkpoints
	apgdL1Least  = 10   // the step size is at least the radius divided by this
)

func (a apgdL1) method() method {
	passes := int64(max(a.eot, 1))
	return method{
		key: fmt.Sprintf("apgd%+v", a.apgd), norms: []string{"l1"}, classes: 2,
		steps: len(a.schedule()), iterations: a.steps, restarts: a.restarts, targeted: a.targeted, earlyStop: true, perStep: Counts{passes, passes},
		start: func(dst []float32, _ []int64, stream *rng.Stream, _ Settings) { stream.FillNormal(dst, 1) },
		init:  a.init, step: a.step,
	}
}

// look is one look at an image.
type look struct {
	first  bool    // whether it is the first of a phase
	last   bool    // whether it is the last of a phase
	check  bool    // whether it is a checkpoint
	counts bool    // whether a misclassified image counts
	radius float64 // radius of the ball that the next image is in, in eps
}

// schedule is the looks of a try. A phase has a look at its start and one after each of its steps.
func (a apgdL1) schedule() []look {
	early := int(math.Ceil(0.3 * float64(a.steps)))
	lengths := []int{min(early, a.steps), min(early, max(0, a.steps-early)), max(0, a.steps-2*early)}
	var all []look
	for phase, n := range lengths {
		every := max(n*4/100, 1)
		for i := range n + 1 {
			l := look{i == 0, i == n, i > 0 && i%every == 0, phase == 2, float64(3 - phase)}
			if l.last {
				l.radius = max(1, l.radius-1)
			}
			all = append(all, l)
		}
	}
	return all
}

// Indices of the state: images and gradients [B,C,H,W], numbers [B,1,1,1].
const (
	apgdL1Adversarial = iota
	apgdL1Found
	apgdL1Next     // the image that the coming step looks at
	apgdL1Best     // the image of the largest loss in this phase
	apgdL1Gradient // the gradient at apgdL1Best
	apgdL1Largest  // the largest loss in this phase
	apgdL1Pixels   // the number of pixels that the best image changes, at the last checkpoint
	apgdL1Size     // the step size
	apgdL1State    // the number of values
)

func (a apgdL1) init(b op.B, s scene) []*ir.Value {
	state := make([]*ir.Value, apgdL1State)
	for i := range state {
		state[i] = b.Identity(s.none(b))
	}
	state[apgdL1Adversarial] = b.Identity(s.Images)
	state[apgdL1Next] = projectBox(b, s.Start, s.Images, b.Float(s.Images, 3*s.Epsilon))
	state[apgdL1Best], state[apgdL1Gradient] = b.Identity(s.Images), b.Scale(s.Images, 0)
	return state
}

// step looks at the image that the last step made, or at the start, and makes the next one.
func (a apgdL1) step(b op.B, s scene, t *ir.Value, v []*ir.Value) []*ir.Value {
	if b.Err() != nil {
		return v
	}
	schedule := a.schedule()
	table := func(name string, of func(look) float64) *ir.Value {
		values := make([]float64, len(schedule))
		for i, l := range schedule {
			values[i] = of(l)
		}
		return at(b, name, values, t)
	}
	flag := func(name string, of func(look) bool) *ir.Value {
		return b.Greater(table(name, func(l look) float64 {
			if of(l) {
				return 1
			}
			return 0
		}), b.Float(t, 0.5))
	}
	and := func(x, y *ir.Value) *ir.Value { return b.One("And", nil, x, y) }
	or := func(x, y *ir.Value) *ir.Value { return b.One("Or", nil, x, y) }
	first, check := flag("first", func(l look) bool { return l.first }), flag("check", func(l look) bool { return l.check })
	phase := b.Scale(table("phase", func(l look) float64 { return l.radius }), s.Epsilon)

	x := v[apgdL1Next]
	logits, value, g := s.expect(b, x, a.criterion(s), a.eot)
	value = column(b, value)
	hit := and(s.wrong(b, logits), flag("counts", func(l look) bool { return l.counts }))
	adversarial, found := capture(b, hit, x, v[apgdL1Adversarial], v[apgdL1Found])
	better := or(first, b.Greater(value, v[apgdL1Largest]))
	best, bestG := b.Where(better, x, v[apgdL1Best]), b.Where(better, g, v[apgdL1Gradient])
	largest := b.Where(better, value, v[apgdL1Largest])

	moved := b.Greater(b.Abs(b.Sub(best, s.Images)), b.Float(x, 0))
	now := perImage(b, b.Cast(moved, ir.Float32))
	sparser := and(check, b.Less(now, b.Scale(v[apgdL1Pixels], apgdL1Rises)))
	smaller := b.Max(b.Scale(v[apgdL1Size], 1/apgdL1Shrink), b.Scale(phase, 1./apgdL1Least))
	size := b.Where(or(first, sparser), phase, b.Where(check, smaller, v[apgdL1Size]))
	pixels := b.Where(or(first, check), now, v[apgdL1Pixels])
	from, slope := b.Where(sparser, best, x), b.Where(sparser, bestG, g)
	step := b.Add(from, b.Mul(size, sparse(b, slope, pixels)))
	next := b.Where(flag("last", func(l look) bool { return l.last }), best, step)
	next = projectBox(b, b.Sub(next, s.Images), s.Images, phase)
	return []*ir.Value{adversarial, found, next, best, bestG, largest, pixels, size}
}

// sparse is the step of unit size along the signs of the largest entries of the gradient g [B,C,H,W]. There are pixels [B,1,1,1] divided by
// apgdL1Share such entries, and more where sizes are equal.
func sparse(b op.B, g, pixels *ir.Value) *ir.Value {
	elems := ir.Shape(g.Shape[1:]).Numel()
	size := b.Abs(g)
	sorted, _ := b.TopK(b.Flatten(size), elems, 1)
	rank := b.Clip(b.Sub(b.One("Ceil", nil, b.Div(pixels, b.Float(g, apgdL1Share))), b.Float(g, 1)), 0, float64(elems-1))
	threshold := b.One("GatherElements", ir.Attrs{"axis": int64(1)}, sorted, b.Reshape(b.Cast(rank, ir.Int64), -1, 1))
	d := b.Mul(b.Sign(g), b.Cast(b.GreaterOrEqual(size, column(b, threshold)), ir.Float32))
	return b.Div(d, b.Max(perImage(b, b.Abs(d)), b.Float(g, 1)))
}

// projectBox is the image plus the perturbation d [B,C,H,W], projected onto the intersection of the l1 ball and the box [0,1] (Croce & Hein
// 2021, proposition 2.1). radius is [B,1,1,1] or scalar. All entries of d are brought nearer to zero by the same amount, but not beyond
// zero, and at least into the box. The amount is the one at which the sum of the sizes left equals the radius. That sum is linear between
// the sorted amounts at which an entry leaves the bound of the box or arrives at zero.
func projectBox(b op.B, d, images, radius *ir.Value) *ir.Value {
	if b.Err() != nil {
		return d
	}
	elems := ir.Shape(d.Shape[1:]).Numel()
	zero := b.Float(d, 0)
	size := b.Abs(d)
	room := b.Min(size, b.Where(b.Less(d, zero), images, b.Sub(b.Float(d, 1), images)))
	sorted, order := b.TopK(b.Flatten(b.Concat(1, size, b.Sub(size, room))), 2*elems, 1)
	signs := make([]float64, 2*elems)
	for i := range signs {
		signs[i] = math.Copysign(1, float64(elems)-float64(i)-0.5)
	}
	starts := b.Gather(b.Const("signs", tensor.FromFloat64s(ir.Float32, []int64{2 * elems}, signs)), order, 0)
	axis := b.Int(1)
	// active is the number of entries between the bound and zero, from each amount down to the next smaller one.
	active := b.One("CumSum", nil, starts, axis)
	parts := b.Split(sorted, 1, 1, 2*elems-1)
	ends := b.Concat(1, parts[1], b.Scale(parts[0], 0))
	left := b.One("CumSum", ir.Attrs{"exclusive": int64(1)}, b.Mul(active, b.Sub(sorted, ends)), axis)
	limit := b.Reshape(radius, -1, 1)
	last := b.Sub(b.ReduceSum(b.Cast(b.LessOrEqual(left, limit), ir.Int64), true, 1), axis)
	pick := func(x *ir.Value) *ir.Value { return b.One("GatherElements", ir.Attrs{"axis": int64(1)}, x, last) }
	amount := b.Sub(pick(sorted), b.Div(b.Sub(limit, pick(left)), b.Max(pick(active), b.Float(d, 1))))
	kept := b.Min(b.Relu(b.Sub(size, b.Relu(column(b, amount)))), room)
	// Rounding of the sums may leave more than the radius.
	kept = b.Mul(kept, b.Min(b.Div(radius, b.Add(perImage(b, kept), b.Float(d, tiny))), b.Float(d, 1)))
	return b.Clip(b.Add(images, b.Mul(b.Sign(d), kept)), 0, 1)
}
