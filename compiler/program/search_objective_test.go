package program_test

import (
	"math"
	"slices"

	"rnas/compiler/program"
)

// truths are the objectives of the search, those of methods and the options beside them.
func truths() []truth {
	noisy := func(r program.Regularizer, draws int) program.Level {
		return program.Level{Reg: r, Perturb: program.NoiseExamples, Draws: draws}
	}
	pairs := noisy(program.KL, 2)
	pairs.Antithetic = true
	// The sizes are powers of 2: the graph holds them as float32.
	fgsm := program.Attack{Epsilon: 1. / 32, StepSize: 5. / 128, Steps: 1}
	pgd := program.Attack{Epsilon: 1. / 32, StepSize: 1. / 64, Steps: 2}
	adversarial := func(a program.Attack) program.Level {
		return program.Level{Reg: program.KL, Perturb: program.Adversarial, Attack: a}
	}
	return []truth{
		{"darts", program.Level{}, func(s *scene) terms { return s.compare(s.x, nil, nil) }},
		{"noise as input", program.Level{Input: program.NoiseExamples}, func(s *scene) terms { return s.compare(s.noisy(1, false), nil, nil) }},
		{"two draws as input", program.Level{Input: program.NoiseExamples, Draws: 2}, func(s *scene) terms {
			return s.compare(s.noisy(2, false), nil, nil)
		}},
		{"adversarial input", program.Level{Input: program.Adversarial, Attack: fgsm}, func(s *scene) terms {
			return s.compare(s.attacked(fgsm), nil, nil)
		}},
		{"rnas kl", noisy(program.KL, 1), func(s *scene) terms { return s.compare(s.x, s.noisy(1, false).images, s.kl) }},
		{"rnas kl, three draws", noisy(program.KL, 3), func(s *scene) terms { return s.compare(s.x, s.noisy(3, false).images, s.kl) }},
		{"rnas kl, a pair", pairs, func(s *scene) terms { return s.compare(s.x, s.noisy(2, true).images, s.kl) }},
		{"rnas reverse-kl", noisy(program.ReverseKL, 1), func(s *scene) terms {
			return s.compare(s.x, s.noisy(1, false).images, func(f, g []float64) float64 { return s.kl(g, f) })
		}},
		{"rnas sym-kl", noisy(program.SymKL, 1), func(s *scene) terms {
			return s.compare(s.x, s.noisy(1, false).images, func(f, g []float64) float64 { return (s.kl(f, g) + s.kl(g, f)) / 2 })
		}},
		{"rnas mse", noisy(program.MSE, 1), func(s *scene) terms { return s.compare(s.x, s.noisy(1, false).images, squares) }},
		{"rnas ce", noisy(program.CE, 1), func(s *scene) terms {
			return s.compare(s.x, s.noisy(1, false).images, func(_, g []float64) float64 { return meanCE(g, s.x.labels) })
		}},
		{"adv fgsm", adversarial(fgsm), func(s *scene) terms { return s.compare(s.x, s.attacked(fgsm).images, s.kl) }},
		{"adv pgd", adversarial(pgd), func(s *scene) terms { return s.compare(s.x, s.attacked(pgd).images, s.kl) }},
		{"advrush", program.Level{Reg: program.Curvature}, (*scene).curvature},
		{"dsrna", program.Level{Reg: program.Jacobian}, (*scene).jacobian},
		{"sdarts-rs", program.Level{Mix: program.MixNoise{Random: true}}, func(s *scene) terms {
			s.at.mix = s.shaken
			return s.compare(s.x, nil, nil)
		}},
		{"sdarts-adv", program.Level{Mix: program.MixNoise{Random: true, Steps: 3}}, func(s *scene) terms {
			worst := s.attackedMix(3)
			s.at.mix = func([]float64) []float64 { return worst }
			return s.compare(s.x, nil, nil)
		}},
	}
}

// compare are the terms of cross-entropy on x and a mean over images of r between the logits of the clean images, repeated for each
// draw, and those of perturbed ones; perturbed is nil for none.
func (s *scene) compare(x batch, perturbed []float64, r func(clean, perturbed []float64) float64) terms {
	return func(at point) []float64 {
		out := []float64{s.ce(at, x), 0}
		if perturbed != nil {
			clean := slices.Repeat(s.logits(at, s.x.images), len(perturbed)/len(s.x.images))
			out[1] = r(clean, s.logits(at, perturbed))
		}
		return out
	}
}

func (s *scene) kl(p, q []float64) float64 { return meanKL(p, q, s.net.Classes) }

func squares(f, g []float64) float64 {
	sum := 0.0
	for i := range f {
		sum += (f[i] - g[i]) * (f[i] - g[i])
	}
	return sum / float64(len(f))
}

// noisy are the noise examples of so many draws. The second half of antithetic ones has the noise of the first with the other sign.
func (s *scene) noisy(draws int, antithetic bool) batch {
	var out batch
	n := len(s.x.images)
	for d := range draws {
		noise, sign := s.noise[d*n:][:n], 1.0
		if antithetic && d >= draws/2 {
			noise, sign = s.noise[(d-draws/2)*n:][:n], -1
		}
		for i, v := range s.x.images {
			out.images = append(out.images, clamp(v+sign*noise[i], 0, 1))
		}
		out.labels = append(out.labels, s.x.labels...)
	}
	return out
}

// attacked are the images after an attack that starts at the first draw of noise.
func (s *scene) attacked(a program.Attack) batch {
	x := s.noisy(1, false)
	for range a.Steps {
		g := s.gradient(s.at, x, true, ceByImage)
		for i, clean := range s.x.images {
			v := clamp(x.images[i]+a.StepSize*sign(g[i]), clean-a.Epsilon, clean+a.Epsilon)
			x.images[i] = clamp(v, 0, 1)
		}
	}
	return x
}

// curvature is the change of the input gradient of the mean cross-entropy along its sign, by running statistics.
func (s *scene) curvature() terms {
	gradient := func(at point, images []float64) []float64 {
		return s.gradient(at, batch{images, s.x.labels}, false, ceByImage)
	}
	moved, pixels := slices.Clone(s.x.images), len(s.x.images)/len(s.x.labels)
	for i, g := range gradient(s.at, s.x.images) {
		moved[i] += s.size * sign(g) / math.Sqrt(float64(pixels)) // no entry of the gradient is 0
	}
	return func(at point) []float64 {
		here, there, sum := gradient(at, s.x.images), gradient(at, moved), 0.0
		for i := range here {
			there[i] -= here[i]
		}
		for i := range s.x.labels {
			sum += length(there[i*pixels : (i+1)*pixels])
		}
		return []float64{s.ce(at, s.x), sum / float64(len(s.x.labels))}
	}
}

// jacobian is the squared length of the input gradient of the logits times probe, times the number of classes, by running statistics.
func (s *scene) jacobian() terms {
	return func(at point) []float64 {
		_, g := s.run(at, s.x.images, s.probe, false, logitsByImage)
		return []float64{s.ce(at, s.x), float64(s.net.Classes) * length(g) * length(g) / float64(len(s.x.labels))}
	}
}

// shaken are architecture weights plus the noise of the scene, on the simplex.
func (s *scene) shaken(weights []float64) []float64 {
	out := slices.Clone(weights)
	for i := range out {
		out[i] += s.mixNoise[i]
	}
	return s.simplex(out)
}

// simplex clips weights to [0,1] and divides them by their sum on each edge, in place.
func (s *scene) simplex(w []float64) []float64 {
	for edge := range slices.Chunk(w, len(s.net.Primitives)) {
		sum := 0.0
		for i := range edge {
			edge[i] = clamp(edge[i], 0, 1)
			sum += edge[i]
		}
		for i := range edge {
			edge[i] /= sum
		}
	}
	return w
}

// attackedMix are the architecture weights after an attack that starts at shaken ones.
func (s *scene) attackedMix(steps int) []float64 {
	weights := s.mixed(s.at)
	w := s.shaken(weights)
	at := s.at
	at.mix = func([]float64) []float64 { return w }
	for range steps {
		g, next := s.gradient(at, s.x, false, ceByMix), make([]float64, len(w))
		for i := range w {
			moved := w[i] + 2*s.mixSize/float64(steps)*sign(g[i]) - weights[i]
			next[i] = weights[i] + clamp(moved, -s.mixSize, s.mixSize)
		}
		w = s.simplex(next)
	}
	return w
}

func clamp(v, low, high float64) float64 { return max(low, min(v, high)) }

func sign(v float64) float64 {
	switch {
	case v > 0:
		return 1
	case v < 0:
		return -1
	}
	return 0
}
