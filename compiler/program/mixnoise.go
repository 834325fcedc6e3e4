package program

import (
	"fmt"

	"rnas/compiler/ir"
	"rnas/compiler/op"
)

// MixNoise perturbs the architecture weights, softmax(alpha), of a level's forward passes (SDARTS: Chen and Hsieh, "Stabilizing
// Differentiable Architecture Search via Perturbation-based Regularization", ICML 2020, section 3): by random noise, or by an attack that
// raises the cross-entropy. The weights that result are clipped to [0,1] and divided by their sum on each edge. Noise and size are inputs.
// The zero value is no perturbation.
type MixNoise struct {
	Random bool `json:"random,omitempty"`
	// Steps is the number of steps of the attack, each of 2*size/Steps in the direction of the sign; 0 for random noise alone.
	Steps int `json:"steps,omitempty"`
}

// On reports whether there is a perturbation.
func (m MixNoise) On() bool { return m.Random }

// declare adds the inputs mix_noise, of the shape of the architecture weights, and mix_size [1], and perturbs the weights of all
// forward passes of the step.
func (m MixNoise) declare(s *searchStep) {
	if !m.On() {
		return
	}
	b := s.B
	noise := b.Input("mix_noise", ir.Float32, s.search.Net.AlphaShape()...)
	size := b.Input("mix_size", ir.Float32, 1)
	if m.Steps == 0 {
		s.mix = func(b op.B, weights *ir.Value) *ir.Value { return onSimplex(b, b.Add(weights, noise)) }
		return
	}
	weights := b.Softmax(s.alphas, 2)
	step := b.Scale(size, 2/float64(m.Steps))
	attacked := b.Loop("mix", int64(m.Steps), []*ir.Value{onSimplex(b, b.Add(weights, noise))}, func(b op.B, _ *ir.Value, in []*ir.Value) []*ir.Value {
		v := b.Identity(in[0])
		at := s.network.mixed(func(op.B, *ir.Value) *ir.Value { return v })
		logits, _, _ := at.forward(b, s.images, mode{})
		g := gradient(b, mean(b, crossEntropy(b, logits, s.target)), v)
		moved := b.Sub(b.Add(v, b.Mul(b.Sign(g), step)), weights)
		moved = b.Min(b.Max(moved, b.Neg(size)), size)
		return []*ir.Value{onSimplex(b, b.Add(weights, moved))}
	})[0]
	s.stop = append(s.stop, attacked)
	s.mix = func(op.B, *ir.Value) *ir.Value { return attacked }
}

// onSimplex clips weights to [0,1] and divides them by their sum over the last axis.
func onSimplex(b op.B, weights *ir.Value) *ir.Value {
	w := b.Clip(weights, 0, 1)
	sum := b.ReduceSum(w, true, 2)
	return b.Div(w, b.Add(sum, b.Float(sum, 1e-12)))
}

// Validate checks the settings.
func (m MixNoise) Validate() error {
	if m.Steps < 0 || m.Steps > 0 && !m.Random {
		return fmt.Errorf("perturbation of the architecture: expected 0 or more steps of an attack, found %d", m.Steps)
	}
	return nil
}
