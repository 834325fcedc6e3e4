package loop

import (
	"math"

	"rnas/compiler/program"
	"rnas/internal/rng"
)

// PerImage is an extra input [draws*N,...] of noise, values for each image and draw, all images of the first draw first. Those of an image are drawn
// from the stream (seed, purpose, epoch, step, index of the image), further draws from those of step+2, step+4, ...: what an image
// gets does not depend on the batch that it is in.
func PerImage(n program.Noise, input string, batch, values, draws int, seed uint64, purpose rng.Purpose, step int) Extra {
	return Extra{Input: input, Len: draws * batch * values, Fill: func(dst []float32, epoch int, index []int) {
		for d := range draws {
			for i, sample := range index {
				s := rng.New(seed, purpose, epoch, step+2*d, sample)
				at := (d*batch + i) * values
				n.Fill(&s, dst[at:at+values])
			}
		}
	}}
}

// Directions is an extra input [N,values] of one random unit vector for each image.
func Directions(input string, batch, values int, seed uint64, step int) Extra {
	return Extra{Input: input, Len: batch * values, Fill: func(dst []float32, epoch int, index []int) {
		for i, sample := range index {
			s := rng.New(seed, rng.Probe, epoch, step, sample)
			v := dst[i*values : (i+1)*values]
			s.FillNormal(v, 1)
			length := 0.0
			for _, x := range v {
				length += float64(x) * float64(x)
			}
			length = max(math.Sqrt(length), math.SmallestNonzeroFloat32)
			for k := range v {
				v[k] = float32(float64(v[k]) / length)
			}
		}
	}}
}
