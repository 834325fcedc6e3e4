package program

import (
	"fmt"

	"rnas/compiler/ir"
	"rnas/compiler/lower"
	"rnas/compiler/op"
	"rnas/internal/carry"
)

// Search describes the two steps of a bilevel search over a supernet (Liu et al. 2019, algorithm 1): the architecture
// parameters are learnt on one half of the images, the weights on the other. Each step lowers what its Level says.
type Search struct {
	Net           lower.Supernet
	Batch         int
	Alpha, Weight Level
	SGD           SGD  // of the weights
	Adam          Adam // of the architecture parameters
}

// Level is the objective of one of the two steps: CE + lambda*R, with the cross-entropy of the images of Input and a
// regularizer R.
type Level struct {
	Input Source      // images of the cross-entropy; "" is Clean
	Reg   Regularizer // "" for no regularizer
	// Perturb makes the perturbed images of a regularizer that compares logits.
	Perturb Source
	// Draws is the number of noise examples of an image, 0 for one. Antithetic makes them pairs of a perturbation and its negative.
	Draws      int
	Antithetic bool
	// Attack makes the images of the source Adversarial, from the noise of the step.
	Attack Attack
	// Share, if positive, is the share of the regularizer in the gradient, of which lambda follows in every step (see balance);
	// otherwise lambda is an input.
	Share float64
	// Mean, if positive, is the decay of a running mean that takes the place of the regularizer's gradient.
	Mean float64
	// Held takes the running mean of an earlier step as it is: a level without Reg and Mean, whose gradient of the regularizer costs
	// nothing.
	Held bool
	// Mix perturbs the architecture weights of the forward passes (SDARTS).
	Mix MixNoise
	// Unrolled takes the gradient at the weights after a further step on the training images: second order of DARTS.
	Unrolled bool
}

// regularized reports whether the level has a regularizer.
func (l Level) regularized() bool { return l.Reg != "" }

// balanced reports whether the gradients of both terms are taken apart.
func (l Level) balanced() bool { return l.regularized() && (l.Share > 0 || l.Mean > 0) }

// weighted reports whether the gradient has a part that lambda multiplies.
func (l Level) weighted() bool { return l.regularized() || l.Held }

// Validate checks the settings.
func (l Level) Validate() error {
	if l.regularized() {
		row, err := l.Reg.row()
		if err != nil {
			return err
		}
		if row.compares && l.Perturb != NoiseExamples && l.Perturb != Adversarial {
			return fmt.Errorf("regularizer %s: expected perturbed images from %s or %s, found %q", l.Reg, NoiseExamples, Adversarial, l.Perturb)
		}
	}
	switch {
	case l.Input != "" && l.Input.Validate() != nil:
		return l.Input.Validate()
	case !(l.Share >= 0 && l.Share < 1):
		return fmt.Errorf("share: expected at least 0 and less than 1, found %v", l.Share)
	case !(l.Mean >= 0 && l.Mean < 1):
		return fmt.Errorf("reg-mean: expected at least 0 and less than 1, found %v", l.Mean)
	case l.Held && (l.regularized() || l.Mean > 0 || l.Unrolled):
		return fmt.Errorf("a held mean: expected a first-order level without regularizer and mean, found %q and %v", l.Reg, l.Mean)
	case l.Draws < 0 || l.Draws > maxDraws:
		return fmt.Errorf("draws: expected 1 to %d, found %d", maxDraws, l.Draws)
	case l.Antithetic && l.Draws%2 != 0 || l.Antithetic && l.Draws == 0:
		return fmt.Errorf("antithetic: expected an even number of draws, found %d", l.Draws)
	}
	if l.uses(Adversarial) {
		return l.Attack.Validate()
	}
	return nil
}

// maxDraws bounds the memory of a step.
const maxDraws = 64

// uses reports whether images of a source appear in the level.
func (l Level) uses(s Source) bool { return l.Input == s || l.regularized() && l.Perturb == s }

// Passes is the number of forward and backward passes of the supernet over a batch that a step takes, those of attacks and of
// an unrolled step included.
func (l Level) Passes() int {
	cost := map[Source]int{"": 1, Clean: 1, NoiseExamples: l.draws(), Adversarial: 1 + l.Attack.Steps}
	n := cost[l.Input]
	if l.regularized() {
		row, _ := l.Reg.row()
		n += row.passes
		if row.compares {
			sources := map[Source]bool{l.Perturb: true, Clean: true}
			delete(sources, l.Input)
			if l.Input == "" {
				delete(sources, Clean)
			}
			for _, s := range []Source{Clean, NoiseExamples, Adversarial} {
				if sources[s] {
					n += cost[s]
				}
			}
		}
	}
	if l.Unrolled {
		n += 3
	}
	return n + l.Mix.Steps
}

// Weights is the weight step: one SGD update of the supernet. Inputs: images [B,D,H,W], labels int64 [B], lr [1], the states
// Params, Stats, Momentum and Alphas, and what the level asks for (see newStep). Outputs: loss, correct and, with a
// regularizer, reg, all [1].
func (s Search) Weights(l *Layout) (*Program, error) {
	if err := s.Weight.Validate(); err != nil {
		return nil, err
	}
	b := op.NewB("search_weights")
	step := s.newStep(b, l, s.Weight)
	lr := b.Input("lr", ir.Float32, 1)
	momentum := b.Input(Momentum, ir.Float32, l.ParamLen)
	gs, states := step.gradients(step.params.vector)
	params, velocity, _ := s.SGD.step(b, step.params.vector, momentum, gs[0], lr)
	b.Output(next(Params), params)
	b.Output(next(Stats), step.updateStats(step.network.stats.vector, step.batchStats))
	b.Output(next(Momentum), velocity)
	step.outputs()
	return build(b, append([]carry.Binding{carried(Params), carried(Stats), carried(Momentum), read(Alphas)}, states...)...)
}

// Alphas is the architecture step: one Adam update of the architecture parameters. Inputs and outputs are those of Weights but for lr and
// Momentum, and an unrolled level has these too, with train_images and train_labels like images and labels. It carries Adam's
// moments AdamM and AdamV and the count AdamT.
func (s Search) Alphas(l *Layout) (*Program, error) {
	if err := s.Alpha.Validate(); err != nil {
		return nil, err
	}
	b := op.NewB("search_alphas")
	step := s.newStep(b, l, s.Alpha)
	st := adamState{
		w: step.alphas,
		m: b.Input(AdamM, ir.Float32, s.Net.AlphaShape()...),
		v: b.Input(AdamV, ir.Float32, s.Net.AlphaShape()...),
		t: b.Input(AdamT, ir.Float32, 1),
	}
	bindings := []carry.Binding{read(Params), read(Stats), carried(Alphas), carried(AdamM), carried(AdamV), carried(AdamT)}
	var g *ir.Value
	var states []carry.Binding
	if s.Alpha.Unrolled {
		g, states = s.unrolled(step)
		bindings = append(bindings, read(Momentum))
	} else {
		var gs []*ir.Value
		gs, states = step.gradients(step.alphas)
		g = gs[0]
	}
	st = s.Adam.step(b, st, g)
	b.Output(next(Alphas), st.w)
	b.Output(next(AdamM), st.m)
	b.Output(next(AdamV), st.v)
	b.Output(next(AdamT), st.t)
	step.outputs()
	return build(b, append(bindings, states...)...)
}

// AlphaGradient is the gradient of the cross-entropy of images with respect to the architecture parameters of another state, of the
// shape of Alphas: inputs images and labels, output gradient.
func (s Search) AlphaGradient(l *Layout, state string) (*Program, error) {
	b := op.NewB("alpha_gradient")
	step := s.newStep(b, l, Level{})
	gs, _ := step.gradients(step.alphas)
	b.Output("gradient", gs[0])
	return build(b, read(Params), read(Stats), carry.Binding{State: state, In: Alphas})
}
