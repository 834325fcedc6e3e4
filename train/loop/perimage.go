package loop

import (
	"rnas/compiler/program"
	"rnas/internal/rng"
)

// PerImage is an extra input [N,...] of noise, values for each image drawn from the stream (seed, purpose, epoch, step,
// index of the image): what an image gets does not depend on the batch that it is in.
func PerImage(n program.Noise, input string, batch, values int, seed uint64, purpose rng.Purpose, step int) Extra {
	return Extra{Input: input, Len: batch * values, Fill: func(dst []float32, epoch int, index []int) {
		for i, sample := range index {
			s := rng.New(seed, purpose, epoch, step, sample)
			n.Fill(&s, dst[i*values:(i+1)*values])
		}
	}}
}
