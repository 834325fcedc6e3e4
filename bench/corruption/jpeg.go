package corruption

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
)

// jpegBuffers are buffers that are kept from one image to the next.
type jpegBuffers struct {
	file   bytes.Buffer
	colour *image.RGBA
	grey   *image.Gray
}

// jpegCompression writes and reads the image as JPEG of quality p[0], with chroma at half the resolution. Chroma is enlarged by linear
// interpolation, as in libjpeg and unlike Go's image.YCbCr.
func jpegCompression(c *canvas, p []float64) {
	decoded, err := jpeg.Decode(c.encodeJPEG(int(p[0])))
	if err != nil {
		panic(fmt.Sprintf("corruption: JPEG that was just written: %v", err))
	}
	switch m := decoded.(type) {
	case *image.Gray:
		for i := range c.pixels {
			c.pixels[i] = float64(m.Pix[i/c.width*m.Stride+i%c.width]) / 255
		}
	case *image.YCbCr:
		area := c.height * c.width
		for y := range c.height {
			for x := range c.width {
				luma := m.Y[y*m.YStride+x]
				blue, red := chroma(m.Cb, m.CStride, c.height, c.width, y, x), chroma(m.Cr, m.CStride, c.height, c.width, y, x)
				r, g, b := color.YCbCrToRGB(luma, blue, red)
				for k, v := range [3]uint8{r, g, b} {
					c.pixels[k*area+y*c.width+x] = float64(v) / 255
				}
			}
		}
	default:
		panic(fmt.Sprintf("corruption: JPEG decoded as %T", decoded))
	}
}

// encodeJPEG is the image as JPEG.
func (c *canvas) encodeJPEG(quality int) *bytes.Buffer {
	b := &c.jpeg
	var picture image.Image
	if frame := image.Rect(0, 0, c.width, c.height); c.channels == 1 {
		if b.grey == nil {
			b.grey = image.NewGray(frame)
		}
		for i, v := range c.pixels {
			b.grey.Pix[i] = uint8(level(v))
		}
		picture = b.grey
	} else {
		if b.colour == nil {
			b.colour = image.NewRGBA(frame)
		}
		area := c.height * c.width
		for i := range area {
			for k := range 3 {
				b.colour.Pix[4*i+k] = uint8(level(c.pixels[k*area+i]))
			}
			b.colour.Pix[4*i+3] = 255
		}
		picture = b.colour
	}
	b.file.Reset()
	if err := jpeg.Encode(&b.file, picture, &jpeg.Options{Quality: quality}); err != nil {
		panic(fmt.Sprintf("corruption: %v", err)) // larger than 65535 pixels
	}
	return &b.file
}

// chroma is the value of a plane of half the resolution at pixel y, x of an image: 9/16 of the sample that covers the pixel, 3/16 of the next
// sample in each direction, and 1/16 of the sample across.
func chroma(samples []uint8, stride, height, width, y, x int) uint8 {
	near, far := half(y, (height+1)/2)
	left, right := half(x, (width+1)/2)
	column := func(x int) int { return 3*int(samples[near*stride+x]) + int(samples[far*stride+x]) }
	return uint8((3*column(left) + column(right) + 8 - x&1) >> 4)
}

// half is the sample of n that covers pixel i of 2n, and the sample beyond the nearer edge of the pixel.
func half(i, n int) (near, far int) {
	near = i / 2
	far = near - 1 + i&1*2
	return near, max(0, min(n-1, far))
}
