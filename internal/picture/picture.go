// Package picture reads image files to the pixels that torchvision's ImageFolder gives: those of Pillow's convert("RGB"), which drops alpha
// and leaves out the rotation that EXIF asks for. It resizes them as Pillow does.
package picture

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/png"
	"io"
	"path"
	"slices"
	"strings"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
	"golang.org/x/image/webp"

	"rnas/internal/jpeg"
)

// Config is what the header of an image tells.
type Config struct {
	Width, Height int
	Grey          bool // one channel
	Deep          bool // grey of 16 bits, of which Pillow makes white where a value passes 255
}

// Image is a decoded image: Pix [1 or 3, Height, Width], grey or red, green and blue.
type Image struct {
	Config
	Pix []uint8
}

// format is a kind of image file.
type format struct {
	name   string
	is     func(data []byte) bool
	config func(data []byte) (Config, error)
	decode func(data []byte) (*Image, error)
}

// formats are told apart by content, whatever the name of a file.
var formats = []format{
	{"JPEG", begins("\xff\xd8"), jpegConfig, decodeJPEG},
	{"PNG", begins("\x89PNG\r\n\x1a\n"), standardConfig(png.DecodeConfig), standard(png.Decode)},
	{"WebP", func(data []byte) bool {
		return len(data) > 12 && string(data[:4]) == "RIFF" && string(data[8:12]) == "WEBP"
	}, standardConfig(webp.DecodeConfig), decodeWebP},
	{"BMP", begins("BM"), standardConfig(bmp.DecodeConfig), standard(bmp.Decode)},
	{"TIFF", func(data []byte) bool { return begins("II*\x00")(data) || begins("MM\x00*")(data) }, standardConfig(tiff.DecodeConfig), standard(tiff.Decode)},
	{"PNM", isPNM, pnmConfig, decodePNM},
	{"GIF", func(data []byte) bool { return begins("GIF87a")(data) || begins("GIF89a")(data) }, standardConfig(gif.DecodeConfig), decodeGIF},
}

// extensions are those of torchvision.datasets.folder.IMG_EXTENSIONS, and the other common ones of the same formats.
var extensions = []string{".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".ppm", ".pgm", ".pbm", ".pnm", ".bmp", ".tif", ".tiff", ".webp", ".gif"}

// Formats lists the formats that are read.
func Formats() string {
	var names []string
	for _, f := range formats {
		names = append(names, f.name)
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}

// Named reports whether a file has the extension of an image that can be read.
func Named(name string) bool { return slices.Contains(extensions, strings.ToLower(path.Ext(name))) }

func begins(prefix string) func([]byte) bool {
	return func(data []byte) bool { return bytes.HasPrefix(data, []byte(prefix)) }
}

// Limits of an image. What it may claim grows with its file: most formats spend at least a byte on 1032 values.
const (
	maxSide   = 1 << 16
	baseBytes = 48 << 20
	maxRatio  = 1032
)

// DecodeConfig reads the header of an image. Errors: an unknown format, and a size that a file of that length cannot have.
func DecodeConfig(data []byte) (Config, error) {
	f, err := formatOf(data)
	if err != nil {
		return Config{}, err
	}
	return f.header(data)
}

// Decode reads an image.
func Decode(data []byte) (*Image, error) {
	f, err := formatOf(data)
	if err != nil {
		return nil, err
	}
	want, err := f.header(data)
	if err != nil {
		return nil, err
	}
	m, err := f.decode(data)
	if err != nil {
		return nil, err
	}
	if m.Width != want.Width || m.Height != want.Height {
		return nil, fmt.Errorf("%dx%d pixels, expected %dx%d as in its header", m.Width, m.Height, want.Width, want.Height)
	}
	return m, nil
}

func formatOf(data []byte) (format, error) {
	for _, f := range formats {
		if f.is(data) {
			return f, nil
		}
	}
	return format{}, fmt.Errorf("expected an image of the format %s, found a file beginning with %q", Formats(), data[:min(4, len(data))])
}

func (f format) header(data []byte) (Config, error) {
	c, err := f.config(data)
	if err != nil {
		return Config{}, err
	}
	if min(c.Width, c.Height) < 1 || max(c.Width, c.Height) > maxSide {
		return Config{}, fmt.Errorf("%dx%d pixels, expected 1 to %d a side", c.Width, c.Height, maxSide)
	}
	if c.Width*c.Height > (baseBytes+maxRatio*len(data))/3 {
		return Config{}, fmt.Errorf("%dx%d pixels in a file of %d bytes", c.Width, c.Height, len(data))
	}
	return c, nil
}

// RGB is the image with three channels: a grey one thrice.
func RGB(m *Image) *Image {
	if !m.Grey {
		return m
	}
	return &Image{Config: Config{Width: m.Width, Height: m.Height}, Pix: slices.Concat(m.Pix, m.Pix, m.Pix)}
}

func standardConfig(config func(r io.Reader) (image.Config, error)) func([]byte) (Config, error) {
	return func(data []byte) (Config, error) {
		c, err := config(bytes.NewReader(data))
		return Config{Width: c.Width, Height: c.Height, Grey: grey(c.ColorModel), Deep: c.ColorModel == color.Gray16Model}, err
	}
}

func standard(decode func(r io.Reader) (image.Image, error)) func([]byte) (*Image, error) {
	return func(data []byte) (*Image, error) {
		m, err := decode(bytes.NewReader(data))
		if err != nil {
			return nil, err
		}
		return convert(m), nil
	}
}

func grey(model color.Model) bool { return model == color.GrayModel || model == color.Gray16Model }

func jpegConfig(data []byte) (Config, error) {
	c, err := jpeg.DecodeConfig(data)
	return Config{Width: c.Width, Height: c.Height, Grey: c.Grey}, err
}

func decodeJPEG(data []byte) (*Image, error) {
	m, err := jpeg.Decode(data)
	if err != nil {
		return nil, err
	}
	return &Image{Config{Width: m.Width, Height: m.Height, Grey: m.Grey}, m.Pix}, nil
}
