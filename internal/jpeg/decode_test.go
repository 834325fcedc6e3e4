package jpeg

import (
	"bytes"
	"image"
	"image/color"
	stdjpeg "image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// pictures are the images of testdata by name.
func pictures(t testing.TB) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob("testdata/*.jpg")
	if err != nil || len(files) == 0 {
		t.Fatalf("no images in testdata: %v", err)
	}
	found := map[string][]byte{}
	for _, file := range files {
		if found[file], err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
	}
	return found
}

// The pixels are those that Pillow, which is built upon libjpeg-turbo, read from the same files (testdata/make.py).
func TestPixelsOfPillow(t *testing.T) {
	for name, data := range pictures(t) {
		file, err := os.Open(strings.TrimSuffix(name, ".jpg") + ".png")
		if err != nil {
			t.Fatal(err)
		}
		want, err := png.Decode(file)
		file.Close()
		if err != nil {
			t.Fatal(err)
		}
		m, err := Decode(data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		config, err := DecodeConfig(data)
		bounds := want.Bounds()
		if err != nil || config != m.Config || m.Width != bounds.Dx() || m.Height != bounds.Dy() {
			t.Errorf("%s: header %+v, image %+v, want %v, %v", name, config, m.Config, bounds, err)
			continue
		}
		area, wrong := m.Width*m.Height, 0
		for i := range area {
			c := color.NRGBAModel.Convert(want.At(i%m.Width, i/m.Width)).(color.NRGBA)
			for k, v := range []uint8{c.R, c.G, c.B}[:len(m.Pix)/area] {
				if m.Pix[k*area+i] != v {
					wrong++
				}
			}
		}
		if wrong > 0 {
			t.Errorf("%s: %d of %d values differ from Pillow's", name, wrong, len(m.Pix))
		}
	}
}

// Every cut of a file is an error, not an image with a grey end.
func TestCutFiles(t *testing.T) {
	for name, data := range pictures(t) {
		for n := 0; n < len(data)-2; n += 1 + n/50 {
			if _, err := Decode(data[:n]); err == nil || !strings.HasPrefix(err.Error(), "jpeg: ") {
				t.Fatalf("%s cut to %d of %d bytes: error %v", name, n, len(data), err)
			}
		}
	}
}

func TestErrors(t *testing.T) {
	good, err := os.ReadFile("testdata/baseline-420.jpg")
	if err != nil {
		t.Fatal(err)
	}
	frame := bytes.Index(good, []byte{0xff, sof0, 0, 17})
	change := func(at int, value ...byte) []byte {
		data := bytes.Clone(good)
		copy(data[frame+at:], value)
		return data
	}
	for want, data := range map[string][]byte{
		"frame 0xc9: expected a baseline":   change(1, 0xc9),
		"header of 8 bits":                  change(4, 12),
		"45x0 pixels of 3 components":       change(5, 0, 0),
		"65500x65500 pixels in":             change(5, 0xff, 0xdc, 0xff, 0xdc),
		"sampling 0x2":                      change(11, 0x02),
		"sampling 2x2 of 3x2":               change(14, 0x32),
		"scan of component 1":               change(10, 9),
		"expected the quantisation table 3": change(12, 3),
	} {
		if _, err := Decode(data); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, data := range pictures(f) {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Decode(data)
		if err != nil {
			return
		}
		if n := m.Width * m.Height; len(m.Pix) != n && len(m.Pix) != 3*n {
			t.Fatalf("%d values for %dx%d pixels", len(m.Pix), m.Width, m.Height)
		}
		other, err := stdjpeg.Decode(bytes.NewReader(data))
		if grey, ok := other.(*image.Gray); err == nil && ok && (grey.Rect.Dx() != m.Width || grey.Rect.Dy() != m.Height) {
			t.Errorf("%dx%d pixels, image/jpeg finds %v", m.Width, m.Height, grey.Rect)
		}
	})
}
