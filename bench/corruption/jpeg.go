package corruption

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"

	pixels "rnas/internal/jpeg"
)

// jpegBuffers are buffers that are kept from one image to the next.
type jpegBuffers struct {
	file   bytes.Buffer
	colour *image.RGBA
	grey   *image.Gray
}

// jpegCompression writes and reads the image as JPEG of quality p[0], with chroma at half the resolution. It is read as libjpeg-turbo does.
func jpegCompression(c *canvas, p []float64) {
	decoded, err := pixels.Decode(c.encodeJPEG(int(p[0])).Bytes())
	if err != nil {
		panic(fmt.Sprintf("corruption: JPEG that was just written: %v", err))
	}
	for i, v := range decoded.Pix {
		c.pixels[i] = float64(v) / 255
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
