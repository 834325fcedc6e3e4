package report

import (
	"bytes"
	"encoding/base64"
	"html/template"
	"image"
	"image/color"
	"image/png"
	"math"
)

// Gallery shows what an attack did to a few points of a model.
type Gallery struct {
	Attack   string
	Examples []Example
}

// Example is a point without and under attack.
type Example struct {
	Point       int // index in the data
	Label       string
	Shape       [3]int    // C,H,W
	Clean       []float32 // [C,H,W] in [0,1]
	Adversarial []float32 // likewise
	Before      Guess
	After       Guess
	Broken      bool // whether After is not the label
}

// Guess is a prediction.
type Guess struct {
	Class      string  // "" when logits are not numbers
	Confidence float64 // probability of the class
}

// Factor is the factor by which the difference of the images is amplified: the largest of 1, 2, 5, 10, ... 1000 that keeps all differences
// within half the pixel range.
func (e Example) Factor() int {
	largest := 0.0
	for i, v := range e.Adversarial {
		largest = max(largest, math.Abs(float64(v)-float64(e.Clean[i])))
	}
	factor := 1
	for _, next := range []int{2, 5, 10, 20, 50, 100, 200, 500, 1000} {
		if largest > 0 && float64(next)*largest <= 0.5 {
			factor = next
		}
	}
	return factor
}

// Amplified is the difference of the images times Factor around mid-grey.
func (e Example) Amplified() []float32 {
	factor := float32(e.Factor())
	pixels := make([]float32, len(e.Clean))
	for i, v := range e.Adversarial {
		pixels[i] = 0.5 + float32(factor*(v-e.Clean[i]))
	}
	return pixels
}

// Small reports whether the image is so small that single pixels are to be seen.
func (e Example) Small() bool { return max(e.Shape[1], e.Shape[2]) <= 96 }

// dataURI is the image [C,H,W] as PNG. An image of three channels is in colour, others are the mean of the channels in grey. Values are clipped
// to [0,1] and rounded to 8 bits.
func dataURI(pixels []float32, shape [3]int) (template.URL, error) {
	channels, size := shape[0], shape[1]*shape[2]
	at := func(c, i int) uint8 {
		return uint8(math.RoundToEven(255 * float64(min(max(pixels[c*size+i], 0), 1))))
	}
	var picture image.Image
	area := image.Rect(0, 0, shape[2], shape[1])
	if channels == 3 {
		p := image.NewNRGBA(area)
		for i := range size {
			p.SetNRGBA(i%shape[2], i/shape[2], color.NRGBA{at(0, i), at(1, i), at(2, i), 255})
		}
		picture = p
	} else {
		p := image.NewGray(area)
		for i := range size {
			sum := 0
			for c := range channels {
				sum += int(at(c, i))
			}
			p.Pix[i] = uint8(sum / channels)
		}
		picture = p
	}
	var b bytes.Buffer
	if err := png.Encode(&b, picture); err != nil {
		return "", err
	}
	return template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(b.Bytes())), nil
}
