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

// fabFamilies are the fast adaptive boundary attack (Croce & Hein 2020, "Minimally distorted adversarial examples with a fast adaptive
// boundary attack", algorithm 1), as the code of AutoAttack computes it.
var fabFamilies = []family{
	{
		"fab[xR]", "fast adaptive boundary attack, 100 steps, one gradient for each other class; R-1 random starts (Croce & Hein 2020, algorithm 1)",
		parseFAB,
	},
	fixed("fab-t", "fast adaptive boundary attack towards the 9 likeliest other classes, 100 steps each (Croce & Hein 2020, section 5 of the paper on AutoAttack)", fabT),
}

var fabT = Part{"fab-t", []Stage{fab{targeted: true}.method()}}

const (
	fabSteps     = 100
	fabAlpha     = 0.1  // alpha: the largest weight of the point that is closest to the image
	fabOvershoot = 1.05 // eta: the factor of a step towards the hyperplane
	fabBack      = 0.9  // beta: the part of the distance that is left after a step back
	// fabUnrolled is the largest number of classes for which the gradients share one pass forward.
	fabUnrolled = 20
)

// fab is the fast adaptive boundary attack. FAB looks for the closest misclassified image. Here a try is over with the first misclassified
// image in the ball, and images outside the ball are not kept. The names of the fields are part of the key.
type fab struct {
	targeted bool
	restarts int // number of starts, the first of which is the image; 0 means 1
	steps    int // 0 means fabSteps
}

var fabName = regexp.MustCompile(`^fab(?:x([1-9][0-9]{0,2}))?$`)

// parseFAB reads fab and fabxR.
func parseFAB(name string) (Attack, bool) {
	m := fabName.FindStringSubmatch(name)
	if m == nil {
		return Attack{}, false
	}
	f := fab{restarts: 1}
	if m[1] != "" {
		var err error
		if f.restarts, err = strconv.Atoi(m[1]); err != nil {
			return Attack{}, false
		}
	}
	return single(name, f.method()), true
}

func (f fab) method() method {
	f.steps = cmp.Or(f.steps, fabSteps)
	m := method{
		key: fmt.Sprintf("fab%+v", f), classes: 2,
		steps: f.steps, restarts: f.restarts, targeted: f.targeted, earlyStop: true, plain: true,
		perStep: Counts{2, 1}, start: fabStart, init: f.init, step: f.step,
		resize: func(steps int) method { c := f; c.steps = steps; return c.method() },
	}
	if !f.targeted {
		m.passes = fabPasses
	}
	return m
}

// fabPasses are the passes of an untargeted step, see nearest.
func fabPasses(classes int64) Counts {
	if classes > fabUnrolled {
		return Counts{classes, classes - 1}
	}
	return Counts{2, classes - 1}
}

// fabStart draws a point of the sphere of radius eps/2.
func fabStart(dst []float32, shape []int64, stream *rng.Stream, s Settings) {
	s.Epsilon /= 2
	apgdStart(dst, shape, stream, s)
}

// Indices of the state of FAB: images [B,C,H,W], a number [B,1,1,1].
const (
	fabAdversarial = iota
	fabFound
	fabNext // the image that the coming step looks at
)

func (f fab) init(b op.B, s scene) []*ir.Value {
	return []*ir.Value{b.Identity(s.Images), b.Identity(s.none(b)), b.Identity(s.begin(b))}
}

// step projects both the iterate and the image onto the hyperplane where the linearised classifier changes its decision, and goes to a mean
// of the two projections. From a misclassified point it goes back towards the image.
func (f fab) step(b op.B, s scene, _ *ir.Value, v []*ir.Value) []*ir.Value {
	norm, project, x := s.norm(), descend[s.Norm], v[fabNext]
	rise := f.nearest
	if f.targeted {
		rise = towards
	}
	difference, w := rise(b, s, x)
	here := project(b, x, w, difference)
	there := project(b, s.Images, w, b.Add(difference, perImage(b, b.Mul(w, b.Sub(s.Images, x)))))
	least := b.Float(x, 1e-8)
	a, c := b.Max(norm.length(b, here), least), b.Max(norm.length(b, there), least)
	alpha := b.Min(b.Div(a, b.Add(a, c)), b.Float(x, fabAlpha))
	near := b.Add(x, b.Scale(here, fabOvershoot))
	far := b.Add(s.Images, b.Scale(there, fabOvershoot))
	x = b.Clip(b.Add(b.Mul(near, b.Sub(b.Float(x, 1), alpha)), b.Mul(far, alpha)), 0, 1)

	wrong, moved := s.wrong(b, s.Logits(b, x)), b.Sub(x, s.Images)
	hit := b.One("And", nil, wrong, b.LessOrEqual(norm.length(b, moved), b.Float(x, s.Epsilon)))
	adversarial, found := capture(b, hit, x, v[fabAdversarial], v[fabFound])
	return []*ir.Value{adversarial, found, b.Where(wrong, b.Add(s.Images, b.Scale(moved, fabBack)), x)}
}

// towards is the logit of the target minus that of the label [B,1,1,1] and its gradient.
func towards(b op.B, s scene, x *ir.Value) (difference, gradient *ir.Value) {
	_, value, g := s.ascend(b, x, func(b op.B, logits *ir.Value) *ir.Value {
		return program.TargetedMargin(b, logits, s.Labels, s.Targets)
	})
	return column(b, value), g
}

// nearest is towards for the class whose hyperplane is the nearest, the first of equal ones. With more than fabUnrolled classes a loop
// repeats the pass forward for each class, so that the graph does not grow.
func (f fab) nearest(b op.B, s scene, x *ir.Value) (difference, gradient *ir.Value) {
	others := s.Classes() - 1
	zero := s.none(b)
	best := []*ir.Value{b.Add(zero, b.Float(x, math.MaxFloat32)), zero, b.Scale(x, 0)}
	if s.Classes() > fabUnrolled {
		best = b.Loop("classes", others, best, func(b op.B, i *ir.Value, best []*ir.Value) []*ir.Value {
			x := b.Identity(x)
			return s.nearer(b, x, s.Logits(b, x), i, best)
		})
	} else {
		logits := s.Logits(b, x)
		for i := range others {
			best = s.nearer(b, x, logits, b.Int(i), best)
		}
	}
	return best[1], best[2]
}

// nearer compares the i-th class that is not the label with the best one before. best is the distance and the difference of logits,
// [B,1,1,1] each, and the gradient [B,C,H,W].
func (s scene) nearer(b op.B, x, logits, i *ir.Value, best []*ir.Value) []*ir.Value {
	class := b.Add(b.Cast(b.LessOrEqual(s.Labels, i), ir.Int64), i)
	value := program.TargetedMargin(b, logits, s.Labels, class)
	g := s.gradient(b, value, x)
	difference := column(b, value)
	distance := b.Div(b.Abs(difference), b.Add(s.norm().dual(b, g), b.Float(g, tiny)))
	closer := b.Less(distance, best[0])
	return []*ir.Value{b.Where(closer, distance, best[0]), b.Where(closer, difference, best[1]), b.Where(closer, g, best[2])}
}
