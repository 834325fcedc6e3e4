package picture

import "math"

// Resize is the image resized to width x height: linear interpolation with antialiasing, which is Pillow's BILINEAR and therefore torchvision's
// Resize of images. Each pass, first along rows and then along columns, rounds to bytes (Pillow: src/libImaging/Resample.c).
func Resize(m *Image, width, height int) *Image {
	depth := len(m.Pix) / (m.Width * m.Height)
	pix := m.Pix
	if width != m.Width {
		to := make([]uint8, depth*m.Height*width)
		for x, t := range taps(m.Width, width) {
			weights := fixed(t.weights)
			for row := range depth * m.Height {
				to[row*width+x] = t.sum(weights, pix[row*m.Width:], 1)
			}
		}
		pix = to
	}
	if height != m.Height {
		to := make([]uint8, depth*height*width)
		for y, t := range taps(m.Height, height) {
			weights := fixed(t.weights)
			for plane := range depth {
				from := pix[plane*m.Height*width : (plane+1)*m.Height*width]
				for x := range width {
					to[(plane*height+y)*width+x] = t.sum(weights, from[x:], width)
				}
			}
		}
		pix = to
	}
	config := m.Config
	config.Width, config.Height = width, height
	return &Image{Config: config, Pix: pix}
}

// ResizeFloats is Resize of planes [depth, height, width] of floats, not rounded.
func ResizeFloats(pix []float32, depth, height, width, newHeight, newWidth int) []float32 {
	rows := make([]float32, depth*height*newWidth)
	for x, t := range taps(width, newWidth) {
		for row := range depth * height {
			rows[row*newWidth+x] = t.mean(pix[row*width:], 1)
		}
	}
	out := make([]float32, depth*newHeight*newWidth)
	for y, t := range taps(height, newHeight) {
		for plane := range depth {
			for x := range newWidth {
				out[(plane*newHeight+y)*newWidth+x] = t.mean(rows[plane*height*newWidth+x:], newWidth)
			}
		}
	}
	return out
}

// tap is the weighted samples from first on that a pixel is made of.
type tap struct {
	first   int
	weights []float64 // of sum 1
}

// taps are those of n pixels made of size samples: a triangle as wide as two pixels, or two samples where there are fewer of these.
func taps(size, n int) []tap {
	list := make([]tap, n)
	scale := float64(size) / float64(n)
	support := max(scale, 1)
	for i := range list {
		centre := (float64(i) + 0.5) * scale
		first, end := max(0, int(centre-support+0.5)), min(size, int(centre+support+0.5))
		t := tap{first, make([]float64, end-first)}
		sum := 0.0
		for k := range t.weights {
			t.weights[k] = max(0, 1-math.Abs((float64(first+k)-centre+0.5)*(1/support)))
			sum += t.weights[k]
		}
		for k := range t.weights {
			t.weights[k] /= sum
		}
		list[i] = t
	}
	return list
}

// precision is the bits after the point of a weight.
const precision = 22

func fixed(weights []float64) []int {
	list := make([]int, len(weights))
	for i, w := range weights {
		list[i] = int(0.5 + w*(1<<precision))
	}
	return list
}

func (t tap) sum(weights []int, from []uint8, stride int) uint8 {
	sum := 1 << (precision - 1)
	for k, w := range weights {
		sum += w * int(from[(t.first+k)*stride])
	}
	return uint8(max(0, min(255, sum>>precision)))
}

func (t tap) mean(from []float32, stride int) float32 {
	sum := 0.0
	for k, w := range t.weights {
		sum += float64(w * float64(from[(t.first+k)*stride]))
	}
	return float32(sum)
}

// Crop is the middle of the image, width x height, placed as torchvision's CenterCrop does. The image is at least as large.
func Crop(m *Image, width, height int) *Image {
	depth := len(m.Pix) / (m.Width * m.Height)
	config := m.Config
	config.Width, config.Height = width, height
	return &Image{Config: config, Pix: crop(m.Pix, depth, m.Height, m.Width, height, width)}
}

// CropFloats is Crop of planes [depth, height, width] of floats.
func CropFloats(pix []float32, depth, height, width, newHeight, newWidth int) []float32 {
	return crop(pix, depth, height, width, newHeight, newWidth)
}

func crop[T uint8 | float32](pix []T, depth, height, width, newHeight, newWidth int) []T {
	out := make([]T, 0, depth*newHeight*newWidth)
	top, left := middle(height, newHeight), middle(width, newWidth)
	for row := range depth * newHeight {
		from := (row/newHeight*height+top+row%newHeight)*width + left
		out = append(out, pix[from:from+newWidth]...)
	}
	return out
}

// middle is half of what is left over, rounded to the nearest, a half to even.
func middle(size, part int) int { return int(math.RoundToEven(float64(size-part) / 2)) }
