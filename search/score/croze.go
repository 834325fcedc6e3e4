package score

import (
	"math"
	"slices"

	"rnas/compiler/program"
)

// Sizes of CRoZe's public code: the harmful step of a weight over its norm, and the step of the images in pixels of [0,1].
const (
	crozeWeightStep = 2.0
	crozeImageStep  = 0.01
)

// croze is the sum over layers m of Z*P*G (Ha et al., Generalizable Lightweight Proxy for Robust NAS, NeurIPS 2023, section 3.2): of the
// features, Z = 1 + cos(z, z'), of the weights, P = 1 + cos(w, w'), and of their gradients, G = |cos(g, g')|. The network has absolute
// weights and no normalisation, and every w' is w moved by twice its norm along its gradient of the cross-entropy; z' and g' are taken
// on images moved by -0.01*sign(dL'/dx), as the public code has it. The features of a layer are its own output, as in the paper; the
// code takes those of the cell around it. Weights of three times their size in every layer take deep networks out of the range of
// float32, which is an error: networks of the DARTS space have the score at 8 channels and 3 cells, but not all at 16 and 8.
func croze(s *subject) (float64, error) {
	p, err := s.unnormalised()
	if err != nil {
		return 0, err
	}
	w := s.absolute()
	if err := p.weigh(w); err != nil {
		return 0, err
	}
	clean, _, err := p.runBare(s.images, s.labels, crossEntropy)
	if err != nil {
		return 0, err
	}
	harmed := s.harm(w, clean.gradParams)
	if err := p.weigh(harmed); err != nil {
		return 0, err
	}
	toward, _, err := p.runBare(s.images, s.labels, crossEntropy)
	if err != nil {
		return 0, err
	}
	other, _, err := p.runBare(shifted(s.images, signs(toward.gradImages), -crozeImageStep), s.labels, crossEntropy)
	if err != nil {
		return 0, err
	}
	sum := 0.0
	for _, l := range p.layers {
		from, to := l.Weight.Offset, l.Weight.Offset+elements(l.Weight)
		z := 1 + cosine(clean.features[l.Offset:l.Offset+l.Len], other.features[l.Offset:l.Offset+l.Len])
		weights := 1 + cosine(w[from:to], harmed[from:to])
		sum += z * weights * math.Abs(cosine(clean.gradParams[from:to], other.gradParams[from:to]))
	}
	return sum, nil
}

// harm moves every weight of a layer along its gradient by so many times its norm; one without a gradient stays.
func (s *subject) harm(w, gradient []float32) []float32 {
	out := slices.Clone(w)
	s.weights(func(_ program.Slot, from, to int64) {
		g := norm(gradient[from:to])
		if g == 0 {
			return
		}
		step := float32(crozeWeightStep * norm(w[from:to]) / g)
		for i := from; i < to; i++ {
			out[i] += step * gradient[i]
		}
	})
	return out
}
