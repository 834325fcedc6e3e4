// Package rng gives random numbers by address instead of by history. A stream is named by (seed, purpose, epoch, step,
// sample), so what a sample draws does not depend on the batch size, on the number of threads or on the order of work.
//
// The generator is Philox4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel Random Numbers: As Easy as 1, 2, 3, SC 2011).
// The five values are laid out over the 64-bit key and the 128-bit counter as
//
//	key[0]     = seed, low 32 bits
//	key[1]     = seed, high 32 bits
//	counter[0] = block number inside the stream, from 0 (four 32-bit words a block)
//	counter[1] = sample, 0 <= sample < 2^32
//	counter[2] = step,   0 <= step < 2^32
//	counter[3] = purpose << 24 | epoch, 0 <= epoch < 2^24
//
// The map from (purpose, epoch, step, sample, block) to the counter is injective and Philox is a bijection of the
// counter for each key: two streams of one seed never share a block, and streams of different seeds use different keys.
// A stream holds 2^32 blocks (2^34 words); drawing beyond them panics.
package rng

import (
	"fmt"
	"math"
	"math/bits"
)

// Purpose separates the streams of different uses. The values are part of every result: they are never renumbered.
type Purpose uint8

// The purposes of the module.
const (
	Init         Purpose = 1  // initial weights
	Shuffle      Purpose = 2  // order of the samples in an epoch
	Crop         Purpose = 3  // offset of the random crop
	Flip         Purpose = 4  // horizontal flip
	Cutout       Purpose = 5  // centre of the cutout square
	Noise        Purpose = 6  // noise added to inputs, weights or architecture parameters by a method
	Start        Purpose = 7  // random start of an attack
	DropPath     Purpose = 8  // dropped paths
	Architecture Purpose = 10 // initial architecture parameters, random genotypes
	Synthetic    Purpose = 12 // images of the synthetic data set
	Split        Purpose = 13 // stratified splits
	Limit        Purpose = 14 // stratified order of a limited data set
	Attack       Purpose = 15 // draws of an attack after its start (Square, FAB)
	Probe        Purpose = 16 // probe directions and inputs of regularisers and checks
	Corruption   Purpose = 17 // common corruptions of images
	Bootstrap    Purpose = 18 // resamples of bootstrap intervals
)

// Stream is a sequence of random words at one address. The zero Stream is the one of New(0, 0, 0, 0, 0). A Stream is a
// value: a copy continues from the same place. It is not safe for concurrent use.
type Stream struct {
	key   [2]uint32
	addr  [3]uint32 // counter words 1, 2 and 3
	block uint64    // number of the next block
	buf   [4]uint32
	left  int // words of buf not yet drawn, taken from its end
}

// New returns the stream of (seed, purpose, epoch, step, sample) at its beginning. It panics if epoch is outside
// [0, 2^24), or step or sample outside [0, 2^32).
func New(seed uint64, purpose Purpose, epoch, step, sample int) Stream {
	if uint64(epoch) >= 1<<24 || uint64(step) >= 1<<32 || uint64(sample) >= 1<<32 {
		panic(fmt.Sprintf("rng: address outside the counter: epoch %d, step %d, sample %d", epoch, step, sample))
	}
	return Stream{
		key:  [2]uint32{uint32(seed), uint32(seed >> 32)},
		addr: [3]uint32{uint32(sample), uint32(step), uint32(purpose)<<24 | uint32(epoch)},
	}
}

// next returns the four words of the next block.
func (s *Stream) next() (r0, r1, r2, r3 uint32) {
	if s.block > math.MaxUint32 {
		panic("rng: stream exhausted")
	}
	r0, r1, r2, r3 = philox(uint32(s.block), s.addr[0], s.addr[1], s.addr[2], s.key[0], s.key[1])
	s.block++
	return r0, r1, r2, r3
}

// Uint32 returns the next word.
func (s *Stream) Uint32() uint32 {
	if s.left == 0 {
		s.buf[0], s.buf[1], s.buf[2], s.buf[3] = s.next()
		s.left = 4
	}
	w := s.buf[4-s.left]
	s.left--
	return w
}

// Uint64 returns the next two words, the first one low.
func (s *Stream) Uint64() uint64 {
	low := uint64(s.Uint32())
	return uint64(s.Uint32())<<32 | low
}

// IntN returns a number uniform over [0, n) without bias (Lemire 2019, Fast Random Integer Generation in an Interval).
// It draws two words, rarely more. It panics if n <= 0.
func (s *Stream) IntN(n int) int {
	if n <= 0 {
		panic(fmt.Sprintf("rng: IntN of %d", n))
	}
	high, low := bits.Mul64(s.Uint64(), uint64(n))
	if low < uint64(n) {
		for threshold := -uint64(n) % uint64(n); low < threshold; {
			high, low = bits.Mul64(s.Uint64(), uint64(n))
		}
	}
	return int(high)
}

// Float32 returns a multiple of 2^-24 uniform over [0, 1), from one word.
func (s *Stream) Float32() float32 { return unit32(s.Uint32()) }

// Float64 returns a multiple of 2^-53 uniform over [0, 1), from two words.
func (s *Stream) Float64() float64 { return float64(s.Uint64()>>11) * 0x1p-53 }

// NormFloat64 returns a standard normal number by the Box-Muller transform, from two words; |x| < 6.77.
func (s *Stream) NormFloat64() float64 {
	u := s.Uint32()
	x, _ := boxMuller(u, s.Uint32())
	return x
}

// Perm returns a uniform permutation of [0, n) (Fisher-Yates).
func (s *Stream) Perm(n int) []int {
	p := make([]int, n)
	for i := range p {
		j := s.IntN(i + 1)
		p[i] = p[j]
		p[j] = i
	}
	return p
}

func unit32(w uint32) float32 { return float32(w>>8) * 0x1p-24 }
