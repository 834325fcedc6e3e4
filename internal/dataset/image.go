package dataset

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
)

// maxSide is the largest height or width of an image, in pixels.
const maxSide = 4096

// imageHeader reads the size and the colour model of a PNG or JPEG image without decoding it.
func imageHeader(data []byte) (config image.Config, grey bool, err error) {
	switch {
	case isJPEG(data):
		config, err = jpeg.DecodeConfig(bytes.NewReader(data))
	case isPNG(data):
		config, err = png.DecodeConfig(bytes.NewReader(data))
	default:
		return config, false, fmt.Errorf("expected a PNG or JPEG image, found a file beginning with %q", data[:min(4, len(data))])
	}
	if err != nil {
		return config, false, err
	}
	if min(config.Width, config.Height) < 1 || max(config.Width, config.Height) > maxSide {
		return config, false, fmt.Errorf("%dx%d pixels, expected 1 to %d a side", config.Width, config.Height, maxSide)
	}
	return config, config.ColorModel == color.GrayModel || config.ColorModel == color.Gray16Model, nil
}

func isJPEG(data []byte) bool { return bytes.HasPrefix(data, []byte("\xff\xd8")) }
func isPNG(data []byte) bool  { return bytes.HasPrefix(data, []byte("\x89PNG")) }

// decodeImage decodes an image accepted by imageHeader into dst [channels, height, width]. With one channel it takes the
// image for grey, with three it takes red, green and blue. Alpha is ignored, 16-bit samples keep their high byte.
func decodeImage(dst []uint8, data []byte, channels, height, width int) error {
	decode := png.Decode
	if isJPEG(data) {
		decode = jpeg.Decode
	}
	m, err := decode(bytes.NewReader(data))
	if err != nil {
		return err
	}
	bounds := m.Bounds()
	if bounds.Dx() != width || bounds.Dy() != height {
		return fmt.Errorf("%dx%d pixels, expected %dx%d as in its header", bounds.Dx(), bounds.Dy(), width, height)
	}
	plane := height * width
	for y := range height {
		row := dst[y*width:]
		for x := range width {
			r, g, b := pixel(m, bounds.Min.X+x, bounds.Min.Y+y)
			row[x] = r
			if channels == 3 {
				row[plane+x], row[2*plane+x] = g, b
			}
		}
	}
	return nil
}

// pixel returns the colour of m at (x, y), without alpha.
func pixel(m image.Image, x, y int) (r, g, b uint8) {
	switch m := m.(type) {
	case *image.YCbCr:
		c := m.COffset(x, y)
		return color.YCbCrToRGB(m.Y[m.YOffset(x, y)], m.Cb[c], m.Cr[c])
	case *image.Gray:
		v := m.Pix[m.PixOffset(x, y)]
		return v, v, v
	case *image.RGBA: // opaque, as the PNG reader makes it
		p := m.Pix[m.PixOffset(x, y):]
		return p[0], p[1], p[2]
	case *image.NRGBA:
		p := m.Pix[m.PixOffset(x, y):]
		return p[0], p[1], p[2]
	case *image.NRGBA64:
		p := m.Pix[m.PixOffset(x, y):]
		return p[0], p[2], p[4]
	}
	c := color.NRGBAModel.Convert(m.At(x, y)).(color.NRGBA)
	return c.R, c.G, c.B
}
