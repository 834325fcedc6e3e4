package attack

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"rnas/compiler/program"
	"rnas/internal/rng"
	"rnas/runtime"
)

// The sign-gradient attacks on the cross-entropy in the maximum norm; the last iterate is returned.
//
//	fgsm     one step of eps from the image (Goodfellow et al. 2015, section 4)
//	fgsm-rs  one step of 1.25 eps from a uniform start (Wong et al. 2020, section 5.1)
//	pgdK     K steps of eps/4 from a uniform start (Madry et al. 2018, section 2.1, with the steps of their CIFAR-10 code)
var (
	fgsm   = fixed("fgsm", sign{steps: 1, step: 1})
	fgsmRS = fixed("fgsm-rs", sign{steps: 1, step: 1.25, random: true})
	pgd    = family{"pgdK", func(name string) (Attack, bool) {
		digits, ok := strings.CutPrefix(name, "pgd")
		steps, err := strconv.Atoi(digits)
		if !ok || err != nil || strconv.Itoa(steps) != digits || steps < 1 || steps > maxSteps {
			return Attack{}, false
		}
		return Attack{name, []Stage{sign{steps: steps, step: 0.25, random: true, adjustable: true}}}, true
	}}
)

const maxSteps = 1_000_000

func fixed(name string, s Stage) family {
	return family{name, func(n string) (Attack, bool) { return Attack{name, []Stage{s}}, n == name }}
}

// sign is one such attack. A random start is uniform in the ball, then clipped to [0,1].
type sign struct {
	steps      int
	step       float64 // as a multiple of eps
	random     bool
	adjustable bool // Settings.StepSize applies
}

// Key implements Stage.
func (s sign) Key() string { return fmt.Sprintf("sign%+v", s) }

// Program implements Single: all steps are one graph.
func (s sign) Program(c program.Classifier, batch int, set Settings) (*program.Program, error) {
	size := s.step * set.Epsilon
	if s.adjustable && set.StepSize > 0 {
		size = set.StepSize
	}
	return c.Attack(program.Attack{Epsilon: set.Epsilon, StepSize: size, Steps: s.steps}, batch)
}

// Compile implements Stage.
func (s sign) Compile(t Target) (Runner, error) {
	p, err := s.Program(t.Classifier, t.Batch, t.Settings)
	if err != nil {
		return nil, err
	}
	state := runtime.NewState()
	running, err := runtime.Launch(p, state, t.Runtime)
	if err != nil {
		state.Close()
		return nil, err
	}
	return &signRunner{running, state, s, t.Settings}, nil
}

type signRunner struct {
	*runtime.Running
	state  *runtime.State
	method sign
	set    Settings
}

// Run implements Runner.
func (r *signRunner) Run(_ context.Context, b Batch) (Counts, error) {
	copy(r.Input("images").Float32s(), b.Images)
	copy(r.Input("labels").Int64s(), b.Labels)
	if r.method.random {
		start(r.Input("start").Float32s(), len(b.Images)/len(b.Labels), b.Points, r.set, 0)
	}
	if err := r.Step(); err != nil {
		return Counts{}, err
	}
	copy(b.Adversarial, r.Output("adversarial").Float32s())
	passes := int64(r.method.steps) * int64(len(b.Points))
	return Counts{passes, passes}, nil
}

// Close implements Runner.
func (r *signRunner) Close() error {
	err := r.Running.Close()
	if cerr := r.state.Close(); err == nil {
		err = cerr
	}
	return err
}

// start draws perturbations uniform in the ball of the maximum norm, point i from the stream (seed, Start, restart, 0,
// i); rows of padding are zero.
func start(dst []float32, elems int, points []int, s Settings, restart int) {
	eps := float32(s.Epsilon)
	for row, point := range points {
		stream := rng.New(s.Seed, rng.Start, restart, 0, point)
		stream.FillUniform(dst[row*elems:(row+1)*elems], -eps, eps)
	}
	clear(dst[len(points)*elems:])
}
