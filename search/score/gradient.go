package score

import (
	"math"
	"slices"

	"rnas/compiler/ir"
	"rnas/compiler/lower"
	"rnas/compiler/program"
)

// weights calls f for the weights of every convolution and linear layer, as the public codes of the scores do: neither biases nor what
// belongs to normalisation.
func (s *subject) weights(f func(slot program.Slot, from, to int64)) {
	for _, slot := range s.layout.Params {
		if slot.Kind == lower.ConvWeight || slot.Kind == lower.LinearWeight {
			f(slot, slot.Offset, slot.Offset+elements(slot))
		}
	}
}

// saliency is the sum of |w dL/dw| over all weights.
func (s *subject) saliency(params, gradient []float32) float64 {
	sum := 0.0
	s.weights(func(_ program.Slot, from, to int64) {
		for i := from; i < to; i++ {
			sum += math.Abs(float64(params[i]) * float64(gradient[i]))
		}
	})
	return sum
}

// snip is the saliency of the weights under the cross-entropy (Lee et al., SNIP, ICLR 2019, equation 5, not normalised).
func snip(s *subject) (float64, error) {
	r, err := s.atLoss()
	if err != nil {
		return 0, err
	}
	return s.saliency(s.params, r.gradParams), nil
}

// gradNorm is the sum of the Euclidean norms of the layers' gradients (Abdelfattah et al., Zero-Cost Proxies for Lightweight NAS, ICLR
// 2021, section 3.1).
func gradNorm(s *subject) (float64, error) {
	r, err := s.atLoss()
	if err != nil {
		return 0, err
	}
	sum := 0.0
	s.weights(func(_ program.Slot, from, to int64) { sum += norm(r.gradParams[from:to]) })
	return sum, nil
}

// synflow is the saliency of the absolute weights under the sum of logits of one image of ones, without normalisation (Tanaka et al.
// 2020, equation 2, as a score by Abdelfattah et al. 2021). A batch of equal images gives so many times that of one.
func synflow(s *subject) (float64, error) {
	p, err := s.unnormalised()
	if err != nil {
		return 0, err
	}
	if err := p.weigh(s.absolute()); err != nil {
		return 0, err
	}
	r, factor, err := p.runBare(slices.Repeat([]float32{1}, len(s.images)), s.labels, sumOfLogits)
	if err != nil {
		return 0, err
	}
	return s.saliency(s.absolute(), r.gradParams) / float64(s.Batch) / (factor * factor), nil
}

// inputGradient is the mean over images of the Euclidean norm of their gradient of the cross-entropy.
func inputGradient(s *subject) (float64, error) {
	r, err := s.atLoss()
	if err != nil {
		return 0, err
	}
	// The norms of gradients of the mean loss: those of the sum are Batch times as large, and their mean is this sum.
	sum := 0.0
	for g := range slices.Chunk(r.gradImages, len(r.gradImages)/s.Batch) {
		sum += norm(g)
	}
	return sum, nil
}

// elements is the number of values of a parameter.
func elements(s program.Slot) int64 { return ir.Shape(s.Shape).Numel() }

func norm(x []float32) float64 { return math.Sqrt(dot(x, x)) }

func dot(x, y []float32) float64 {
	sum := 0.0
	for i, v := range x {
		sum += float64(v) * float64(y[i])
	}
	return sum
}

// cosine of the angle between x and y; 0 where one of them is zero.
func cosine(x, y []float32) float64 {
	if n := norm(x) * norm(y); n > 0 {
		return dot(x, y) / n
	}
	return 0
}
