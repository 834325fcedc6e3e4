package attack

import (
	"fmt"
	"regexp"
	"strconv"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/rng"
)

// The attacks that take steps of fixed size along the gradient and return the last iterate.
var pgdFamilies = []family{
	fixed("fgsm", "one step of eps from the image (Goodfellow et al. 2015, section 4)",
		Part{"fgsm", []Stage{pgd{steps: 1, step: 1}.stage()}}),
	fixed("fgsm-rs", "one step of 1.25 eps from a uniform start (Wong et al. 2020, section 5.1)",
		Part{"fgsm-rs", []Stage{pgd{steps: 1, step: 1.25, random: true}.stage()}}),
	{
		"pgdK[-dlr|-margin][xR]",
		"K steps of eps/4 from a uniform start, the best of R starts (Madry et al. 2018, section 2.1, with the steps of their CIFAR-10 code)",
		parsePGD,
	},
	fixed("mifgsm", "10 steps of eps/4 along the momentum of L1-normalised gradients (Dong et al. 2018, algorithm 1)",
		Part{"mifgsm", []Stage{pgd{steps: 10, step: 0.25, momentum: 1, adjustable: true}.stage()}}),
}

// pgd is projected gradient ascent.
type pgd struct {
	loss       string // of program.Criteria; "" is ce
	steps      int
	step       float64 // as a multiple of eps
	random     bool    // start: uniform in the ball, then clipped to [0,1]
	restart    int     // number of the start
	momentum   float64 // of gradients divided by their L1 norm; 0 for none
	adjustable bool    // Settings.StepSize applies
}

const maxSteps = 1_000_000

var pgdName = regexp.MustCompile(`^pgd([1-9][0-9]{0,6})(?:-(dlr|margin))?(?:x([1-9][0-9]{0,2}))?$`)

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
	stages := make([]Stage, restarts)
	for r := range stages {
		stages[r] = pgd{loss: m[2], steps: steps, step: 0.25, random: true, restart: r, adjustable: true}.stage()
	}
	return single(name, stages...), true
}

func (p pgd) stage() graphStage {
	if p.loss == "" {
		p.loss = "ce"
	}
	g := graphStage{
		key: fmt.Sprintf("pgd%+v", p), build: p.build, passes: Counts{int64(p.steps), int64(p.steps)},
		classes: map[string]int64{"dlr": 3, "margin": 2}[p.loss],
	}
	if p.random {
		g.start = func(dst []float32, elems int, points []int, s Settings) { start(dst, elems, points, s, p.restart) }
	}
	return g
}

func (p pgd) build(b op.B, s scene) *ir.Value {
	size := p.step * s.Epsilon
	if p.adjustable && s.StepSize > 0 {
		size = s.StepSize
	}
	of := s.criterion(p.loss)
	step := func(b op.B, x, m *ir.Value) (next, momentum *ir.Value) {
		_, _, g := s.ascend(b, x, of)
		if p.momentum > 0 {
			sum := b.Max(perImage(b, b.Abs(g)), b.Float(g, tiny))
			g = b.Add(b.Scale(m, p.momentum), b.Div(g, sum))
			m = g
		}
		return s.norm().project(b, b.Add(x, b.Scale(s.norm().direction(b, g), size)), s.Images, s.Epsilon), m
	}
	x := b.Clip(b.Add(s.Images, s.Start), 0, 1)
	switch {
	case p.steps == 1:
		b.In("attack", func() { x, _ = step(b, x, nil) })
		return x
	case p.momentum > 0:
		return b.Loop("attack", int64(p.steps), []*ir.Value{x, b.Scale(x, 0)}, func(b op.B, _ *ir.Value, v []*ir.Value) []*ir.Value {
			next, m := step(b, v[0], v[1])
			return []*ir.Value{next, m}
		})[0]
	}
	return b.Loop("attack", int64(p.steps), []*ir.Value{x}, func(b op.B, _ *ir.Value, v []*ir.Value) []*ir.Value {
		next, _ := step(b, v[0], nil)
		return []*ir.Value{next}
	})[0]
}

// start draws perturbations uniform in the ball, point i from the stream (seed, Start, restart, 0, i).
func start(dst []float32, elems int, points []int, s Settings, restart int) {
	for row, point := range points {
		stream := rng.New(s.Seed, rng.Start, restart, 0, point)
		norms[s.Norm].uniform(&stream, dst[row*elems:(row+1)*elems], s.Epsilon)
	}
}
