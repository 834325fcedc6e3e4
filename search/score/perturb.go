package score

import (
	"math"
	"slices"
)

// noiseKL is the mean of KL(f(x) || f(clip(x+noise))) over the images, with uniform noise of +-Epsilon, in nats.
func noiseKL(s *subject) (float64, error) {
	return s.reaction(s.noise, 1)
}

// fgsmKL is noiseKL with the noise Epsilon*sign(dL/dx) (Goodfellow et al. 2015, section 4).
func fgsmKL(s *subject) (float64, error) {
	r, err := s.atLoss()
	if err != nil {
		return 0, err
	}
	return s.reaction(signs(r.gradImages), float32(s.Epsilon))
}

// reaction is the mean divergence of the outputs on clean images and on images moved by step*direction.
func (s *subject) reaction(direction []float32, step float32) (float64, error) {
	clean, err := s.atLoss()
	if err != nil {
		return 0, err
	}
	p, err := s.normalised()
	if err != nil {
		return 0, err
	}
	moved, err := p.run(shifted(s.images, direction, step), s.labels, crossEntropy)
	if err != nil {
		return 0, err
	}
	classes := len(clean.logits) / s.Batch
	sum := 0.0
	for i := range s.Batch {
		sum += divergence(clean.logits[i*classes:(i+1)*classes], moved.logits[i*classes:(i+1)*classes])
	}
	return sum / float64(s.Batch), nil
}

// shifted is clip(images + step*direction, 0, 1).
func shifted(images, direction []float32, step float32) []float32 {
	out := make([]float32, len(images))
	for i, v := range images {
		out[i] = min(max(v+step*direction[i], 0), 1)
	}
	return out
}

// signs of x: -1, 0 or 1.
func signs(x []float32) []float32 {
	out := make([]float32, len(x))
	for i, v := range x {
		switch {
		case v > 0:
			out[i] = 1
		case v < 0:
			out[i] = -1
		}
	}
	return out
}

// divergence is KL(softmax(p) || softmax(q)) in nats.
func divergence(p, q []float32) float64 {
	logP, logQ := logSoftmax(p), logSoftmax(q)
	sum := 0.0
	for i, v := range logP {
		sum += math.Exp(v) * (v - logQ[i])
	}
	return sum
}

func logSoftmax(x []float32) []float64 {
	top := float64(slices.Max(x))
	sum := 0.0
	for _, v := range x {
		sum += math.Exp(float64(v) - top)
	}
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = float64(v) - top - math.Log(sum)
	}
	return out
}
