package attack

import (
	"fmt"
	"regexp"
	"strconv"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/compiler/program"
	"rnas/internal/rng"
)

// pgdFamilies are the attacks that take steps of fixed size along the gradient and return the last iterate.
var pgdFamilies = []family{
	fixed("fgsm", "one step of eps from the image (Goodfellow et al. 2015, section 4)", FGSM().Parts...),
	fixed("fgsm-rs", "one step of 1.25 eps from a uniform start (Wong et al. 2020, section 5.1)",
		Part{"fgsm-rs", []Stage{pgd{steps: 1, step: 1.25, random: true}.method()}}),
	{
		"pgdK[-dlr|-margin|-t][xR]",
		"K steps of eps/4 from a uniform start, the best of R starts (Madry et al. 2018, section 2.1, with the steps of their CIFAR-10 code); " +
			"-t towards each of the 9 likeliest other classes (Gowal et al. 2019, MultiTargeted)",
		parsePGD,
	},
	fixed("cw", "30 steps of eps/4 on the margin of Carlini & Wagner 2017 with confidence 50, the CW-Linf of papers on robust training (Zhang et al. 2020)",
		Part{"cw", []Stage{pgd{loss: "margin", confidence: 50, steps: 30, step: 0.25, random: true, adjustable: true}.method()}}),
	fixed("mifgsm", "10 steps of eps/4 along the momentum of L1-normalised gradients (Dong et al. 2018, algorithm 1)",
		Part{"mifgsm", []Stage{pgd{steps: 10, step: 0.25, momentum: 1, adjustable: true}.method()}}),
}

// pgd is projected gradient ascent. The names of the fields are part of the key.
type pgd struct {
	loss       string  // name of a program.Criterion; "" means ce
	targeted   bool    // whether the loss is the logit of the target minus that of the label
	confidence float64 // bound above which the loss does not rise; 0 for none
	steps      int
	step       float64 // step size as a multiple of eps
	random     bool    // whether the start is uniform in the ball, then clipped to [0,1]; it is the image otherwise
	restarts   int     // number of starts; 0 means 1
	momentum   float64 // decay of the sum of gradients, each divided by its L1 norm; 0 for no momentum
	adjustable bool    // whether Settings.StepSize and another number of steps apply
}

// madry is the attack pgdK.
func madry(steps int) pgd {
	return pgd{steps: steps, step: 0.25, random: true, restarts: 1, adjustable: true}
}

// FGSM is the attack "fgsm".
func FGSM() Attack { return single("fgsm", pgd{steps: 1, step: 1}.method()) }

// PGD is the attack "pgdK" of K steps, at least one.
func PGD(steps int) Attack { return single(fmt.Sprintf("pgd%d", steps), madry(steps).method()) }

// maxSteps is the largest number of steps of an attack.
const maxSteps = 1_000_000

var pgdName = regexp.MustCompile(`^pgd([1-9][0-9]{0,6})(?:-(dlr|margin|t))?(?:x([1-9][0-9]{0,2}))?$`)

// parsePGD reads pgdK[-dlr|-margin|-t][xR].
func parsePGD(name string) (Attack, bool) {
	m := pgdName.FindStringSubmatch(name)
	if m == nil {
		return Attack{}, false
	}
	steps, err := strconv.Atoi(m[1])
	if err != nil || steps > maxSteps {
		return Attack{}, false
	}
	restarts := 1
	if m[3] != "" {
		if restarts, err = strconv.Atoi(m[3]); err != nil {
			return Attack{}, false
		}
	}
	p := madry(steps)
	p.loss, p.restarts = m[2], restarts
	if p.loss == "t" {
		p.loss, p.targeted = "margin", true
	}
	return single(name, p.method()), true
}

func (p pgd) method() method {
	if p.loss == "" {
		p.loss = "ce"
	}
	m := method{
		key: fmt.Sprintf("pgd%+v", p), classes: map[string]int64{"dlr": 3, "margin": 2}[p.loss],
		steps: p.steps, restarts: p.restarts, targeted: p.targeted, perStep: Counts{1, 1}, memoryless: p.momentum == 0, init: p.init, step: p.take, size: p.size,
	}
	if p.adjustable {
		m.resize = func(steps int) method { q := p; q.steps = steps; return q.method() }
	}
	if p.random {
		m.start = func(dst []float32, _ []int64, stream *rng.Stream, s Settings) {
			norms[s.Norm].uniform(stream, dst, s.Epsilon)
		}
	}
	return m
}

// criterion is the loss that rises. The gradient is zero where the loss reaches the bound.
func (p pgd) criterion(s scene) loss {
	of := s.criterion(p.loss)
	if p.targeted {
		of = func(b op.B, logits *ir.Value) *ir.Value {
			return program.TargetedMargin(b, logits, s.Labels, s.Targets)
		}
	}
	if p.confidence == 0 {
		return of
	}
	return func(b op.B, logits *ir.Value) *ir.Value {
		v := of(b, logits)
		return b.Neg(b.Relu(b.Sub(b.Float(v, p.confidence), v)))
	}
}

// init is the start and, with momentum, a sum of gradients of zero.
func (p pgd) init(b op.B, s scene) []*ir.Value {
	x := s.begin(b)
	if p.momentum == 0 {
		return []*ir.Value{x}
	}
	return []*ir.Value{x, b.Scale(x, 0)}
}

// size is the size of a step, in units of the norm.
func (p pgd) size(s Settings) float64 {
	if p.adjustable && s.StepSize > 0 {
		return s.StepSize
	}
	return p.step * s.Epsilon
}

// take is one step along the gradient.
func (p pgd) take(b op.B, s scene, _ *ir.Value, state []*ir.Value) []*ir.Value {
	x := state[0]
	_, _, g := s.ascend(b, x, p.criterion(s))
	next := []*ir.Value{nil}
	if p.momentum > 0 {
		sum := b.Max(perImage(b, b.Abs(g)), b.Float(g, tiny))
		g = b.Add(b.Scale(state[1], p.momentum), b.Div(g, sum))
		next = append(next, g)
	}
	next[0] = s.Project(b, b.Add(x, b.Scale(s.norm().direction(b, g), p.size(s.Settings))))
	return next
}
