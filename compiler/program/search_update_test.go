package program_test

import (
	"math"
	"slices"
	"testing"

	"rnas/compiler/program"
)

// With a share, lambda follows from the norms of the two gradients by the architecture, each a central difference, in both steps.
func TestShareOfGradient(t *testing.T) {
	const share = 0.3
	s := newScene(t)
	level := program.Level{Reg: program.KL, Perturb: program.NoiseExamples, Draws: 2, Antithetic: true, Share: share}
	s.search.Alpha, s.search.Weight = level, level
	f := s.compare(s.x, s.noisy(2, true).images, s.kl)
	objective := func() []float64 { return f(s.at) }

	g := s.slopes(s.at.alphas, nil, objective)
	out := s.step(s.search.Alphas, nil)
	lambda := share / (1 - share) * length(g[0]) / length(g[1])
	s.near("gradient by the architecture", out["adam_m.next"], sum(g[0], g[1], lambda), tolerance)
	for name, want := range map[string]float64{"lambda": lambda, "norm_ce": length(g[0]), "norm_reg": length(g[1]), "cosine": cosine(g[0], g[1])} {
		s.near(name, out[name], []float64{want}, tolerance)
	}

	// Gradients for lambda of 0 and 1, which TestSearchGradients holds to central differences, give those of both terms.
	fixed := s.search
	fixed.Weight.Share = 0
	at := func(lambda float64) []float64 {
		return s.step(fixed.Weights, map[string][]float64{"lambda": {lambda}})["momentum.next"]
	}
	ce := at(0)
	reg := sum(at(1), ce, -1)
	out = s.step(s.search.Weights, nil)
	lambda = share / (1 - share) * length(ce) / length(reg)
	s.near("lambda of the weight step", out["lambda"], []float64{lambda}, tolerance)
	s.near("gradient by the weights", out["momentum.next"], sum(ce, reg, lambda), tolerance)
}

// Over three steps on different noise and architectures, the regularizer's gradient is replaced by its mean with weights (1-d)*d^age, divided by
// their sum.
func TestMeanOfRegularizer(t *testing.T) {
	const decay, share = 0.75, 0.25
	s := newScene(t)
	s.search.Alpha = program.Level{Reg: program.KL, Perturb: program.NoiseExamples, Share: share, Mean: decay}
	state := map[string][]float64{}
	var regs [][]float64
	for range 3 {
		f := s.compare(s.x, s.noisy(1, false).images, s.kl)
		g := s.slopes(s.at.alphas, nil, func() []float64 { return f(s.at) })
		regs = append(regs, g[1])
		mean, weights := make([]float64, len(g[1])), 0.0
		for i, reg := range regs {
			w := (1 - decay) * math.Pow(decay, float64(len(regs)-1-i))
			mean, weights = sum(mean, reg, w), weights+w
		}
		mean = sum(make([]float64, len(mean)), mean, 1/weights)
		lambda := share / (1 - share) * length(g[0]) / length(mean)
		out := s.step(s.search.Alphas, state)
		s.near("gradient", out["adam_m.next"], sum(g[0], mean, lambda), tolerance)
		s.near("norm of the mean", out["norm_reg"], []float64{length(mean)}, tolerance)
		for _, name := range []string{program.RegMean, program.RegWeight} {
			state[name] = out[name+".next"]
		}
		s.at.alphas = out["alphas.next"]
		s.noise = s.noise[len(s.x.images):]

		// A step that holds the mean has a gradient of its own for the cross-entropy alone.
		held := s.search
		held.Alpha = program.Level{Held: true, Share: share}
		ce := s.byAlphas(func() float64 { return s.ce(s.at, s.x) })
		lambda = share / (1 - share) * length(ce) / length(mean)
		s.near("gradient with a held mean", s.step(held.Alphas, state)["adam_m.next"], sum(ce, mean, lambda), tolerance)
	}
	held := s.search
	held.Alpha = program.Level{Held: true, Share: share}
	plain := s.search
	plain.Alpha = program.Level{}
	s.near("gradient before the first mean", s.step(held.Alphas, nil)["adam_m.next"], s.step(plain.Alphas, nil)["adam_m.next"], 1e-12)
}

// Adam with weight decay, as in algorithm 1 of Kingma & Ba 2015, over three steps.
func TestAlphaStep(t *testing.T) {
	s := newScene(t)
	o := program.Adam{LR: 0.03, Beta1: 0.5, Beta2: 0.9, Epsilon: 1e-8, WeightDecay: 0.01}
	m, v := make([]float64, len(s.at.alphas)), make([]float64, len(s.at.alphas))
	state := map[string][]float64{}
	for step := 1; step <= 3; step++ {
		raw := s.step(s.search.Alphas, nil)["adam_m.next"]
		want := slices.Clone(s.at.alphas)
		for i, g := range raw {
			g += o.WeightDecay * want[i]
			m[i] = o.Beta1*m[i] + (1-o.Beta1)*g
			v[i] = o.Beta2*v[i] + (1-o.Beta2)*g*g
			first, second := m[i]/(1-math.Pow(o.Beta1, float64(step))), v[i]/(1-math.Pow(o.Beta2, float64(step)))
			want[i] -= o.LR * first / (math.Sqrt(second) + o.Epsilon)
		}
		search := s.search
		search.Adam = o
		out := s.step(search.Alphas, state)
		// Constants of the graph are float32.
		s.near("alphas", out["alphas.next"], want, 1e-6)
		for _, name := range []string{program.AdamM, program.AdamV, program.AdamT} {
			state[name] = out[name+".next"]
		}
		s.at.alphas = out["alphas.next"]
	}
}

// SGD with momentum and weight decay as PyTorch has it, with a limit of the gradient's norm above and below the norm.
func TestWeightStep(t *testing.T) {
	s := newScene(t)
	raw := s.step(s.search.Weights, nil)["momentum.next"]
	for _, clip := range []float64{0, 4 * length(raw), length(raw) / 4} {
		search := s.search
		search.SGD = program.SGD{Momentum: 0.75, WeightDecay: 0.125, Clip: clip}
		factor := 1.0
		if clip > 0 {
			factor = min(1, clip/(length(raw)+1e-6))
		}
		velocity, want := make([]float64, len(raw)), make([]float64, len(raw))
		for i, g := range raw {
			velocity[i] = 0.75*s.moved[i] + factor*g + 0.125*s.at.params[i]
			want[i] = s.at.params[i] - s.lr*velocity[i]
		}
		out := s.step(search.Weights, map[string][]float64{program.Momentum: s.moved})
		s.near("velocity", out["momentum.next"], velocity, 1e-6)
		s.near("weights", out["params.next"], want, 1e-6)
	}
}

// Gradients and steps of partial channels with edge normalisation, whose parameters are the last column of the architecture.
func TestPartialChannelGradients(t *testing.T) {
	net := newScene(t).net
	net.Partial, net.EdgeNorm, net.Channels = 2, true, 4
	for _, c := range truths() {
		if c.name == "darts" || c.name == "rnas kl" {
			t.Run(c.name, func(t *testing.T) { c.check(newSceneOf(t, net)) })
		}
	}
}

func sum(x, y []float64, factor float64) []float64 {
	out := slices.Clone(x)
	for i := range out {
		out[i] += factor * y[i]
	}
	return out
}

func cosine(x, y []float64) float64 {
	dot := 0.0
	for i := range x {
		dot += x[i] * y[i]
	}
	return dot / length(x) / length(y)
}
