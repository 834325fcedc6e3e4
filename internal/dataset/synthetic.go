package dataset

import (
	"context"
	"fmt"
	"math"

	"rnas/internal/rng"
)

// The synthetic data set: class k is a shape (k mod 5) filled with a texture (k div 5), drawn at a random place, scale,
// tilt and colour on a background of a colour ramp, a faint wave and blobs, under pixel noise. Shapes and textures are
// symmetric under a horizontal flip. In each channel the middle of the shape differs from the background by 0.26 to 0.4
// and the two tones of a texture from each other by 0.26 to 0.44, with either sign: the evidence is large against a
// perturbation of 8/255, while the mean image of a class tells little.

// shapes are signed distances (negative inside) to shapes of circumradius about r at the origin, y pointing down.
var shapes = []func(x, y, r float64) float64{disc, square, triangle, ring, cross}

var shapeNames = []string{"disc", "square", "triangle", "ring", "cross"}

func disc(x, y, r float64) float64 { return math.Hypot(x, y) - 0.95*r }

func square(x, y, r float64) float64 { return max(math.Abs(x), math.Abs(y)) - 0.85*r }

func triangle(x, y, r float64) float64 { return max(0.89*math.Abs(x)-0.45*(y+r), y-0.8*r) }

func ring(x, y, r float64) float64 { return math.Abs(math.Hypot(x, y)-0.75*r) - 0.28*r }

func cross(x, y, r float64) float64 {
	x, y = math.Abs(x), math.Abs(y)
	return min(max(x-r, y-0.32*r), max(y-r, x-0.32*r))
}

// textures are functions to [-1, 1] of the place in units of half periods.
var textures = []func(u, v float64) float64{
	func(_, v float64) float64 { return wave(v) },
	func(u, _ float64) float64 { return wave(u) },
	func(u, v float64) float64 { return wave(u) * wave(v) },
	func(_, _ float64) float64 { return 1 },
}

var textureNames = []string{"horizontal", "vertical", "checked", "plain"}

// wave is a square wave with soft edges.
func wave(t float64) float64 { return max(-1, min(1, 2.5*math.Sin(math.Pi*t))) }

// checkSynthetic bounds the memory that the images of a split take.
func checkSynthetic(s Spec) error {
	if bytes := 3 * s.Size * s.Size * max(s.Train, s.Test); bytes > 4<<30 {
		return fmt.Errorf("%d bytes of images, expected at most %d", bytes, 4<<30)
	}
	return nil
}

// synthetic draws the data set of spec. Image i has class i mod spec.Classes and the stream (spec.Seed, Synthetic, 0,
// step, i), where step is 0 for training and 1 for test images.
func synthetic(ctx context.Context, spec Spec, opts Options) (*Splits, error) {
	classes := make([]string, spec.Classes)
	for k := range classes {
		classes[k] = textureNames[k/len(shapes)] + " " + shapeNames[k%len(shapes)]
	}
	var splits [2]*Dataset
	for step, n := range [2]int{spec.Train, spec.Test} {
		splits[step] = &Dataset{
			Classes: classes, Shape: [3]int{3, spec.Size, spec.Size},
			Images: make([]uint8, n*3*spec.Size*spec.Size),
			Labels: make([]int32, n),
		}
	}
	err := forEach(ctx, spec.Train+spec.Test, opts, func(i int) error {
		step := 0
		if i >= spec.Train {
			step, i = 1, i-spec.Train
		}
		d := splits[step]
		class := i % spec.Classes
		d.Labels[i] = int32(class)
		stream := rng.New(spec.Seed, rng.Synthetic, 0, step, i)
		drawSynthetic(d.Images[i*d.Elems():(i+1)*d.Elems()], spec.Size, class, &stream)
		return nil
	})
	return &Splits{Train: splits[0], Test: splits[1]}, err
}

type colour [3]float64

// blob is a disc of clutter.
type blob struct {
	x, y, r float64
	colour
}

// drawSynthetic fills dst [3, size, size] with an image of a class.
func drawSynthetic(dst []uint8, size, class int, stream *rng.Stream) {
	between := func(lo, hi float64) float64 { return lo + (hi-lo)*stream.Float64() }
	side := float64(size)

	var ground, middle, tone, ramp colour
	for c := range ground {
		ground[c] = between(0.25, 0.75)
		away := 1.0
		if ground[c] > 0.5 {
			away = -1
		}
		middle[c] = ground[c] + away*between(0.26, 0.4)
		tone[c] = between(0.13, 0.22)
		if stream.Uint32()&1 == 1 {
			tone[c] = -tone[c]
		}
		ramp[c] = between(-0.12, 0.12)
	}
	rampX, rampY := math.Sincos(between(0, 2*math.Pi))
	waveX, waveY := math.Sincos(between(0, 2*math.Pi))
	waveAmplitude, wavePeriod := between(0, 0.08), between(0.12, 0.3)
	var blobs [6]blob
	for i := range blobs {
		b := &blobs[i]
		b.x, b.y, b.r = between(0, 1), between(0, 1), between(0.05, 0.14)
		for c := range b.colour {
			b.colour[c] = between(-0.25, 0.25)
		}
	}
	x0, y0, r := between(0.34, 0.66), between(0.34, 0.66), between(0.22, 0.34)
	sin, cos := math.Sincos(between(-0.25, 0.25))
	period, phaseU, phaseV := between(0.07, 0.1), between(0, 2), between(0, 2)

	shape, texture := shapes[class%len(shapes)], textures[class/len(shapes)]
	plane := size * size
	for p := range plane {
		x, y := (float64(p%size)+0.5)/side, (float64(p/size)+0.5)/side
		slope := (x-0.5)*rampX + (y-0.5)*rampY
		value := ground
		faint := waveAmplitude * math.Sin(2*math.Pi*(x*waveX+y*waveY)/wavePeriod)
		for c := range value {
			value[c] += slope*ramp[c] + faint
		}
		for i := range blobs {
			b := &blobs[i]
			if cover := coverage((math.Hypot(x-b.x, y-b.y) - b.r) * side); cover > 0 {
				for c := range value {
					value[c] += cover * b.colour[c]
				}
			}
		}
		dx, dy := x-x0, y-y0
		u, v := cos*dx+sin*dy, cos*dy-sin*dx
		if cover := coverage(shape(u, v, r) * side); cover > 0 {
			t := texture(u/period+phaseU, v/period+phaseV)
			for c := range value {
				value[c] += cover * (middle[c] + t*tone[c] - value[c])
			}
		}
		for c, v := range value {
			v = (v + 0.04*stream.NormFloat64()) * 255
			dst[c*plane+p] = uint8(max(0, min(255, v)) + 0.5)
		}
	}
}

// coverage is the part of a pixel inside a shape at a signed distance in pixels.
func coverage(distance float64) float64 { return max(0, min(1, 0.5-distance)) }
