package picture

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rnas/internal/npy"
)

// wanted are the pixels of testdata/pixels.npz: by name, in the order of Image.Pix, with three channels.
func wanted(t *testing.T) map[string]*Image {
	t.Helper()
	arrays, err := npy.ReadNPZ("testdata/pixels.npz")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]*Image{}
	for _, a := range arrays {
		m := &Image{Config: Config{Width: int(a.Tensor.Shape[1]), Height: int(a.Tensor.Shape[0])}, Pix: make([]uint8, a.Tensor.Len())}
		area := m.Width * m.Height
		for i, v := range a.Tensor.Data.([]uint8) {
			m.Pix[i%3*area+i/3] = v
		}
		found[a.Name] = m
	}
	return found
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// compare reports how many values differ and by how much at most.
func compare(t *testing.T, name string, m, want *Image) {
	t.Helper()
	if m.Width != want.Width || m.Height != want.Height || len(m.Pix) != len(want.Pix) {
		t.Errorf("%s: found %dx%d pixels and %d values, want %dx%d", name, m.Width, m.Height, len(m.Pix), want.Width, want.Height)
		return
	}
	differ, most := 0, 0
	for i, v := range m.Pix {
		if v != want.Pix[i] {
			differ++
			most = max(most, int(v)-int(want.Pix[i]), int(want.Pix[i])-int(v))
		}
	}
	if differ > 0 {
		t.Errorf("%s: %d of %d values differ from Pillow's, by %d at most", name, differ, len(m.Pix), most)
	}
}

// Every format gives the pixels that Pillow's convert("RGB") gives (testdata/make.py).
func TestPixelsOfPillow(t *testing.T) {
	for name, want := range wanted(t) {
		file, resized, _ := strings.Cut(name, " to ")
		m, err := Decode(read(t, file))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if c, err := DecodeConfig(read(t, file)); err != nil || c != m.Config {
			t.Errorf("%s: header %+v, image %+v, %v", name, c, m.Config, err)
		}
		m = RGB(m)
		if resized != "" {
			m = Resize(m, want.Width, want.Height)
		}
		compare(t, name, m, want)
	}
}

// Resized floats are the resized bytes before rounding, within the rounding of both passes.
func TestResizeFloats(t *testing.T) {
	m, err := Decode(read(t, "rgb.png"))
	if err != nil {
		t.Fatal(err)
	}
	values := make([]float32, len(m.Pix))
	for i, v := range m.Pix {
		values[i] = float32(v)
	}
	for _, size := range [][2]int{{9, 7}, {17, 6}, {40, 29}} {
		bytes := Resize(m, size[0], size[1])
		for i, v := range ResizeFloats(values, 3, m.Height, m.Width, size[1], size[0]) {
			if diff := v - float32(bytes.Pix[i]); diff > 1.01 || diff < -1.01 {
				t.Fatalf("%v: value %d is %v, the byte %d", size, i, v, bytes.Pix[i])
			}
		}
	}
}

func TestCrop(t *testing.T) {
	m := &Image{Config: Config{Width: 4, Height: 5, Grey: true}, Pix: make([]uint8, 20)}
	for i := range m.Pix {
		m.Pix[i] = uint8(i)
	}
	// (4-3)/2 and (5-2)/2 are halves, which Python rounds to even: 0 and 2.
	if got := Crop(m, 3, 2); !slices.Equal(got.Pix, []uint8{8, 9, 10, 12, 13, 14}) {
		t.Errorf("cropped to %v", got.Pix)
	}
}

func TestErrors(t *testing.T) {
	for want, data := range map[string][]byte{
		`expected an image of the format JPEG, PNG, WebP, BMP, TIFF, PNM or GIF, found a file beginning with "Rar!"`: []byte("Rar!..."),
		`pnm: width: expected 1 to 65536, found "x"`:                                                                 []byte("P5 x 3"),
		"60000x60000 pixels in a file of 22 bytes":                                                                   []byte("P5 60000 60000 255\n..."),
		"pnm: 3x2 pixels need at least 6 bytes, found 4: truncated":                                                  []byte("P5 3 2 255\n...."),
		"pnm: 2x1 pixels need at least 6 bytes, found 4: truncated":                                                  []byte("P3 2 1 255\n1 2"),
		`pnm: value 1: expected 0 to 255, found "256"`:                                                               []byte("P2 2 1 255\n1 256"),
		`pnm: value 1: expected 0 to 255, found ""`:                                                                  []byte("P2 2 1 255\n1     "),
		`pnm: largest value: expected 1 to 65535, found "65536"`:                                                     []byte("P2 2 1 65536\n1 256"),
		"pnm: pixel 2: found the end of the file":                                                                    []byte("P1 3 1\n10   "),
	} {
		if _, err := Decode(data); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.12q: error %v, want %s", data, err, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	files, err := os.ReadDir("testdata")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		if Named(file.Name()) {
			f.Add(read(f, file.Name()))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := DecodeConfig(data)
		if err != nil || c.Width*c.Height > 1<<16 {
			return
		}
		m, err := Decode(data)
		if err != nil {
			return
		}
		channels := 3
		if m.Grey {
			channels = 1
		}
		if len(m.Pix) != channels*m.Width*m.Height {
			t.Errorf("%d values for %+v", len(m.Pix), m.Config)
		}
		if fmt.Sprint(m.Width, m.Height) != fmt.Sprint(c.Width, c.Height) {
			t.Errorf("header %+v, image %+v", c, m.Config)
		}
	})
}
