package attack

import (
	"cmp"
	"fmt"
	"strings"

	"rnas/compiler/program"
)

// Single is a Stage whose tries are runs of one graph, which needs nothing from the host while it runs.
type Single interface {
	Stage
	// Targeted tells whether a try goes towards a class that the caller chooses.
	Targeted() bool
	// Steps is the number of steps of a try, as the paper counts them.
	Steps() int
	// Resized is the same attack with another number of steps. Errors: less than one, more than maxSteps, or an attack whose number of
	// steps is fixed.
	Resized(steps int) (Single, error)
	// StepSize is the size of every step, in units of the norm; 0 where the attack chooses each size on the way.
	StepSize(s Settings) float64
	// Program is one try on a batch; ir.N stands for a symbolic batch size. Inputs: images [B,C,H,W] in [0,1], labels int64 [B], start
	// [B,C,H,W], the perturbation that is added to the images first, and targets int64 [B] if Targeted. Outputs: adversarial
	// [B,C,H,W], and found [B,1,1,1] of attacks with early stop, 1 where adversarial is misclassified.
	Program(c program.Classifier, batch int, s Settings) (*program.Program, error)
}

// Alone is the attack of the given name as a Single. Errors: an unknown name, an attack of several stages, an attack of several starts, and
// an attack that draws random numbers at each step.
func Alone(name string) (Single, error) {
	i, a := find(name)
	if i < 0 {
		return nil, fmt.Errorf("expected %s, found %q", strings.Join(names()[1:], ", "), name)
	}
	stages := a.Stages()
	if len(stages) != 1 {
		return nil, fmt.Errorf("%s is a sequence of %d attacks: expected a single one", name, len(stages))
	}
	m, ok := a.method()
	switch {
	case !ok || m.draws != nil:
		return nil, fmt.Errorf("%s draws random numbers or decides between its steps: expected an attack that is one graph, such as pgd20", name)
	case m.restarts > 1:
		return nil, fmt.Errorf("%s has %d starts: expected an attack of one, from which it is run again with others", name, m.restarts)
	}
	return m, nil
}

// Targeted implements Single.
func (m method) Targeted() bool { return m.targeted }

// Steps implements Single.
func (m method) Steps() int { return cmp.Or(m.iterations, m.steps) }

// Resized implements Single.
func (m method) Resized(steps int) (Single, error) {
	switch {
	case m.resize == nil && steps != m.Steps():
		return nil, fmt.Errorf("the attack has %d steps, which is part of its name, found %d", m.Steps(), steps)
	case steps < 1 || steps > maxSteps:
		return nil, fmt.Errorf("expected 1 to %d steps, found %d", maxSteps, steps)
	case m.resize == nil:
		return m, nil
	}
	return m.resize(steps), nil
}

// StepSize implements Single.
func (m method) StepSize(s Settings) float64 {
	if m.size == nil {
		return 0
	}
	return m.size(s)
}

// Program implements Single.
func (m method) Program(c program.Classifier, batch int, set Settings) (*program.Program, error) {
	m = m.in(set.Norm)
	return m.graph(c, batch, set, m.steps)
}
