// Package corruption makes and reads the common corruptions of Hendrycks and Dietterich 2019, Benchmarking Neural Network
// Robustness to Common Corruptions and Perturbations (ICLR): 15 kinds at 5 severities.
//
// A Generator corrupts images of any size. Parameters are those of CIFAR-10-C where no side is longer than 64 pixels, and those of ImageNet-C
// for larger images (make_cifar_c.py and imagenet_c in the authors' repository). Lengths are pixels as published, except that the distances
// of elastic_transform grow with the shorter side. What the published programs take from elsewhere is made here: a procedural texture of
// their colours and contrast replaces the photographs of frost, ImageMagick's motion blur is computed directly, JPEG is Go's. Therefore
// generated images, and the accuracies on them, differ from those of the published files. A Published reads the files.
package corruption

import (
	"fmt"
	"math"

	"rnas/internal/rng"
)

// Severities is the number of severities; they count from 1.
const Severities = 5

// smallSide is the longest side in pixels of images with the parameters of CIFAR-10-C.
const smallSide = 64

// maxSide is the longest side in pixels that JPEG has room for.
const maxSide = 65535

// slack is added to 255 times a value before the sum is cut off to a level, so that an error of rounding costs no level.
const slack = 1e-9

// Corruption is one kind of corruption.
type Corruption struct {
	Name string // as in the published files
	row
	id int // index in the table
}

// row is a row of the table without the name: parameters by severity for small images (CIFAR-10-C) and for others (ImageNet-C), and the
// function that applies them.
type row struct {
	small, large [Severities][]float64
	apply        func(c *canvas, p []float64)
}

// All lists the corruptions in the order of RobustBench.
func All() []Corruption {
	all := make([]Corruption, len(table))
	for i, t := range table {
		all[i] = Corruption{t.name, t.row, i}
	}
	return all
}

// Parameters names the set of parameters for images of shape C,H,W: "CIFAR-10-C" or "ImageNet-C".
func Parameters(shape [3]int) string {
	if max(shape[1], shape[2]) <= smallSide {
		return "CIFAR-10-C"
	}
	return "ImageNet-C"
}

// Generator corrupts images of one shape. It is not safe for concurrent use.
type Generator struct {
	canvas canvas
	seed   uint64
}

// NewGenerator makes a generator for images of shape C,H,W. Equal seeds give equal images. Errors: C other than 1 and 3, a side outside
// [1,65535], for which JPEG has no room.
func NewGenerator(shape [3]int, seed uint64) (*Generator, error) {
	if c := shape[0]; c != 1 && c != 3 || min(shape[1], shape[2]) < 1 || max(shape[1], shape[2]) > maxSide {
		return nil, fmt.Errorf("corruptions: expected images of 1 or 3 channels and 1 to %d pixels a side, found the shape %v", maxSide, shape)
	}
	g := &Generator{seed: seed}
	g.canvas = canvas{channels: shape[0], height: shape[1], width: shape[2], pixels: make([]float64, shape[0]*shape[1]*shape[2])}
	return g, nil
}

// Apply corrupts the image src with index point and writes the result to dst. Both are [C,H,W] in [0,1] and may be the same slice. src is
// rounded to 8 bits first; dst has whole levels of 8 bits, cut off as in the published files. The result depends on src, the seed, the
// corruption, the severity and point only. Apply panics on buffers of another length and on a severity outside [1,Severities].
func (g *Generator) Apply(dst, src []float32, kind Corruption, severity, point int) {
	c := &g.canvas
	if len(src) != len(c.pixels) || len(dst) != len(c.pixels) {
		panic(fmt.Sprintf("corruption: buffers of %d and %d values for images of %d", len(dst), len(src), len(c.pixels)))
	}
	for i, v := range src {
		c.pixels[i] = level(float64(v)) / 255
	}
	c.stream = rng.New(g.seed, rng.Corruption, kind.id*Severities+severity-1, point, 0)
	set := &kind.large
	if max(c.height, c.width) <= smallSide {
		set = &kind.small
	}
	kind.apply(c, set[severity-1])
	for i, v := range c.pixels {
		dst[i] = float32(math.Floor(255*unit(v)+slack)) / 255
	}
}

// canvas is the image that is being corrupted, with scratch space.
type canvas struct {
	channels, height, width int
	pixels                  []float64 // [C,H,W] in [0,1]
	stream                  rng.Stream
	poisson                 poisson
	buffers                 [4][]float64
	values                  []float32
	zoom                    zoom
	jpeg                    jpegBuffers
}

// plane is one channel, [H,W].
func (c *canvas) plane(channel int) []float64 {
	n := c.height * c.width
	return c.pixels[channel*n : (channel+1)*n]
}

// buffer is scratch space of n values that are not cleared. Calls with the same number share it.
func (c *canvas) buffer(number, n int) []float64 {
	if cap(c.buffers[number]) < n {
		c.buffers[number] = make([]float64, n)
	}
	return c.buffers[number][:n]
}

// floats is scratch space for n random numbers that are not cleared.
func (c *canvas) floats(n int) []float32 {
	if cap(c.values) < n {
		c.values = make([]float32, n)
	}
	return c.values[:n]
}

// unit clips to [0,1].
func unit(v float64) float64 { return max(0, min(1, v)) }

// level is the whole number in [0,255] nearest to 255 times v in [0,1]; 0 if v is not a number.
func level(v float64) float64 {
	if !(v > 0) {
		return 0
	}
	return math.Floor(255*min(1, v) + 0.5)
}
