package program

import (
	"fmt"

	"rnas/compiler/ir"
	"rnas/compiler/op"
)

// Source is where the images of a term of a search come from.
type Source string

// Sources. Noise examples are the images plus noise, clipped to [0,1]: the search input of RNAS (Zhu et al. 2023, abstract), in our
// reading. Adversarial images raise the cross-entropy by Level.Attack, on the weights and architecture of the moment.
const (
	Clean         Source = "clean"
	NoiseExamples Source = "noise"
	Adversarial   Source = "adv"
)

// Sources lists the names in the order of the documentation.
func Sources() []Source { return []Source{Clean, NoiseExamples, Adversarial} }

// Validate checks that the source is known.
func (s Source) Validate() error {
	for _, k := range Sources() {
		if s == k {
			return nil
		}
	}
	return fmt.Errorf("source of images: expected one of %v, found %q", Sources(), string(s))
}

// draws is the number of noise examples of an image.
func (l Level) draws() int { return max(l.Draws, 1) }

// rows is the number of images that a source makes of one.
func (l Level) rows(s Source) int {
	if s == NoiseExamples {
		return l.draws()
	}
	return 1
}

// noiseRows is the number of perturbations of an image that the host draws, 0 where none is needed.
func (l Level) noiseRows() int {
	switch {
	case l.uses(NoiseExamples) && l.Antithetic:
		return l.draws() / 2
	case l.uses(NoiseExamples):
		return l.draws()
	case l.uses(Adversarial):
		return 1
	}
	return 0
}

// NoiseRows is the number of perturbations of an image in the input noise of a step; 0 for a step without that input.
func (l Level) NoiseRows() int { return l.noiseRows() }

// images builds the images of a source.
func (src Source) images(s *searchStep) *ir.Value {
	b := s.B
	switch src {
	case NoiseExamples:
		return b.Clip(b.Add(s.repeated(s.images, src), s.noise), 0, 1)
	case Adversarial:
		start := s.noise
		if n := int64(s.search.Batch); start.Rank() > 0 && start.Shape[0] > n {
			start = b.Slice(start, []int64{0}, []int64{n}, []int64{0}, []int64{1})
		}
		return s.level.Attack.Run(b, s.images, start, func(b op.B, x *ir.Value) *ir.Value {
			logits, _, _ := s.forward(b, x, mode{train: true})
			return b.ReduceSum(crossEntropy(b, logits, s.target), true, 0)
		})
	}
	return s.images
}
