package program

import (
	"fmt"

	"rnas/internal/rng"
)

// Kinds of noise.
const (
	Uniform  = "uniform"  // over [-Size, Size)
	Gaussian = "gaussian" // normal of standard deviation Size
	Sign     = "sign"     // +Size or -Size
)

// Noise is a distribution of perturbations, independent for every pixel and colour channel. The zero value is no noise.
type Noise struct {
	Kind string  `json:"kind"`
	Size float64 `json:"size"` // in pixels of [0,1]
}

// Validate checks kind and size.
func (n Noise) Validate() error {
	switch {
	case n.Kind != Uniform && n.Kind != Gaussian && n.Kind != Sign:
		return fmt.Errorf("noise: expected %s, %s or %s, found %q", Uniform, Gaussian, Sign, n.Kind)
	case !(n.Size >= 0 && n.Size <= 1):
		return fmt.Errorf("noise: expected a size from 0 to 1, found %v", n.Size)
	}
	return nil
}

// Fill draws dst from the stream.
func (n Noise) Fill(s *rng.Stream, dst []float32) {
	switch size := float32(n.Size); n.Kind {
	case Uniform:
		s.FillUniform(dst, -size, size)
	case Gaussian:
		s.FillNormal(dst, size)
	case Sign:
		s.FillSign(dst, size)
	default:
		clear(dst)
	}
}
