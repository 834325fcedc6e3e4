package rng

import "math"

// FillUniform sets every element of dst to lo + (hi-lo) u, where u is a multiple of 2^-24 uniform over [0, 1). Rounding
// to float32 can give hi itself. A fill starts at a fresh block, dropping the words of the block in use, and takes
// whole blocks: FillUniform takes one for each four elements begun.
func (s *Stream) FillUniform(dst []float32, lo, hi float32) {
	s.left = 0
	scale := (hi - lo) * 0x1p-24
	for len(dst) >= 4 {
		a, b, c, d := s.next()
		dst[0] = float32(scale*float32(a>>8)) + lo
		dst[1] = float32(scale*float32(b>>8)) + lo
		dst[2] = float32(scale*float32(c>>8)) + lo
		dst[3] = float32(scale*float32(d>>8)) + lo
		dst = dst[4:]
	}
	if len(dst) > 0 {
		var tail [4]float32
		s.FillUniform(tail[:], lo, hi)
		copy(dst, tail[:])
	}
}

// FillNormal sets every element of dst to a normal number of mean 0 and standard deviation std, one block for each four
// elements begun.
func (s *Stream) FillNormal(dst []float32, std float32) {
	s.left = 0
	scale := float64(std)
	for len(dst) >= 4 {
		a, b, c, d := s.next()
		x0, x1 := boxMuller(a, b)
		x2, x3 := boxMuller(c, d)
		dst[0], dst[1], dst[2], dst[3] = float32(scale*x0), float32(scale*x1), float32(scale*x2), float32(scale*x3)
		dst = dst[4:]
	}
	if len(dst) > 0 {
		var tail [4]float32
		s.FillNormal(tail[:], std)
		copy(dst, tail[:])
	}
}

// FillSign sets every element of dst to +mag or -mag with equal probability, one bit an element (a set bit gives -mag),
// lowest bit first, one block for each 128 elements begun.
func (s *Stream) FillSign(dst []float32, mag float32) {
	s.left = 0
	magnitude := math.Float32bits(mag)
	var words [4]uint32
	for len(dst) > 0 {
		words[0], words[1], words[2], words[3] = s.next()
		for _, w := range words {
			part := dst[:min(32, len(dst))]
			for i := range part {
				part[i] = math.Float32frombits(magnitude ^ w<<31)
				w >>= 1
			}
			dst = dst[len(part):]
		}
	}
}
