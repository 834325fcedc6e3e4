package picture

import (
	"bytes"
	"image"
	"image/color"
	"image/gif"

	"golang.org/x/image/webp"
)

// convert drops alpha and the low bytes of 16 bits of a colour.
func convert(m image.Image) *Image {
	bounds := m.Bounds()
	model := m.ColorModel()
	out := &Image{Config: Config{Width: bounds.Dx(), Height: bounds.Dy(), Grey: grey(model), Deep: model == color.Gray16Model}}
	area := out.Width * out.Height
	if out.Grey {
		out.Pix = make([]uint8, area)
	} else {
		out.Pix = make([]uint8, 3*area)
	}
	at := 0
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			r, g, b := pixel(m, x, y)
			out.Pix[at] = r
			if !out.Grey {
				out.Pix[area+at], out.Pix[2*area+at] = g, b
			}
			at++
		}
	}
	return out
}

// pixel is the colour of m at (x, y), without alpha.
func pixel(m image.Image, x, y int) (r, g, b uint8) {
	switch m := m.(type) {
	case *image.Gray:
		v := m.Pix[m.PixOffset(x, y)]
		return v, v, v
	case *image.Gray16:
		v := grey16(m.Gray16At(x, y).Y)
		return v, v, v
	case *image.RGBA: // opaque, as the readers make it
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

// grey16 is a value of 16 bits as Pillow converts it from the mode I;16: cut off at 255.
func grey16(v uint16) uint8 { return uint8(min(v, 255)) }

// decodeGIF reads the first frame of a GIF on the canvas of its header. Outside the frame lies the background colour.
func decodeGIF(data []byte) (*Image, error) {
	config, err := gif.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	first, err := gif.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	frame := convert(first)
	canvas := image.Rect(0, 0, config.Width, config.Height)
	if first.Bounds() == canvas {
		return frame, nil
	}
	out := &Image{Config: Config{Width: config.Width, Height: config.Height}, Pix: make([]uint8, 3*config.Width*config.Height)}
	place := first.Bounds().Intersect(canvas)
	for c := range 3 {
		for y := place.Min.Y; y < place.Max.Y; y++ {
			from := frame.Pix[(c*frame.Height+y-first.Bounds().Min.Y)*frame.Width+place.Min.X-first.Bounds().Min.X:]
			copy(out.Pix[(c*out.Height+y)*out.Width+place.Min.X:], from[:place.Dx()])
		}
	}
	return out, nil
}

// decodeWebP reads a WebP image. A lossy one is turned into colours as libwebp does it.
func decodeWebP(data []byte) (*Image, error) {
	m, err := webp.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	switch m := m.(type) {
	case *image.YCbCr:
		return lossy(m), nil
	case *image.NYCbCrA:
		return lossy(&m.YCbCr), nil
	}
	return convert(m), nil
}

// lossy converts luma of 16 to 235 and chroma at half the resolution, enlarged linearly (libwebp: src/dsp/upsampling.c, src/dsp/yuv.h).
func lossy(m *image.YCbCr) *Image {
	width, height := m.Rect.Dx(), m.Rect.Dy()
	area := width * height
	out := &Image{Config: Config{Width: width, Height: height}, Pix: make([]uint8, 3*area)}
	across, down := (width+1)/2, (height+1)/2
	for y := range height {
		near, far := y/2*m.CStride, neighbour(y, down)*m.CStride
		for x := range width {
			a, b := x/2, neighbour(x, across)
			mix := func(c []uint8) int {
				p, q, r, s := int(c[near+a]), int(c[near+b]), int(c[far+a]), int(c[far+b])
				return ((p+q+r+s+8+2*(q+r))>>3 + p) >> 1
			}
			luma, u, v := int(m.Y[y*m.YStride+x])*19077>>8, mix(m.Cb), mix(m.Cr)
			i := y*width + x
			out.Pix[i] = clip(luma + v*26149>>8 - 14234)
			out.Pix[area+i] = clip(luma - u*6419>>8 - v*13320>>8 + 8708)
			out.Pix[2*area+i] = clip(luma + u*33050>>8 - 17685)
		}
	}
	return out
}

// neighbour is the sample of n beyond the nearer edge of pixel i of 2n.
func neighbour(i, n int) int { return max(0, min(n-1, i/2-1+i&1*2)) }

// clip takes a value with 6 bits after the point.
func clip(v int) uint8 { return uint8(max(0, min(255, v>>6))) }
