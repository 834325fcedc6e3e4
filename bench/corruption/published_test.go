package corruption

import (
	"archive/tar"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rnas/internal/npy"
	"rnas/internal/tensor"
)

var names = []string{"a", "b", "c"}

const (
	fileHeight, fileWidth = 4, 6
	fileSize              = 3 * fileHeight * fileWidth
)

// files are those of CIFAR-10-C for m images of 4x6 pixels of three classes: element e of image i (in the file) of corruption
// k is value(k, i, e).
func files(t *testing.T, m int) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	add := func(name string, a *tensor.Tensor) {
		var b bytes.Buffer
		if err := npy.Encode(&b, a); err != nil {
			t.Fatal(err)
		}
		out[name] = b.Bytes()
	}
	for k, c := range All() {
		a := tensor.Zeros(tensor.Uint8, int64(Severities*m), fileHeight, fileWidth, 3)
		for i := range a.Len() {
			a.Data.([]uint8)[i] = value(k, i/fileSize, i%fileSize)
		}
		add(c.Name+".npy", a)
	}
	labels := make([]uint8, Severities*m)
	for i := range labels {
		labels[i] = uint8(i % m % len(names))
	}
	add("labels.npy", tensor.Of([]int64{int64(len(labels))}, labels...))
	return out
}

func value(k, image, element int) uint8 { return uint8(k*7 + image*31 + element*3) }

func writeFolder(t *testing.T, content map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range content {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// writeTar writes the files in the order of the table, cut bytes before the end of the last one if cut is positive.
func writeTar(t *testing.T, content map[string][]byte, cut int) string {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	add := func(name string, data []byte) {
		if err := w.WriteHeader(&tar.Header{Name: "CIFAR-10-C/" + name, Size: int64(len(data)), Mode: 0o644, Format: tar.FormatPAX}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	add("._shot_noise.npy", []byte("what macOS leaves"))
	add("labels.npy", content["labels.npy"])
	add("gaussian_blur.npy", []byte("one of the four extra corruptions"))
	for _, k := range table {
		if data, ok := content[k.name+".npy"]; ok {
			add(k.name+".npy", data)
		}
	}
	data := b.Bytes()
	path := filepath.Join(t.TempDir(), "CIFAR-10-C.tar")
	if cut > 0 {
		data = data[:len(data)-cut]
	} else if err := w.Close(); err == nil {
		data = b.Bytes()
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

var fileShape = [3]int{3, fileHeight, fileWidth}

func TestPublished(t *testing.T) {
	const m = 7
	content := files(t, m)
	for _, location := range []string{writeFolder(t, content), writeTar(t, content, 0)} {
		for _, limit := range []int{0, 3, 100} {
			p, err := OpenPublished(location, limit, fileShape, names)
			if err != nil {
				t.Fatal(err)
			}
			want := m
			if limit == 3 {
				want = 3
			}
			for k, c := range All() {
				for s := 1; s <= Severities; s++ {
					d, err := p.Load(c, s)
					if err != nil {
						t.Fatal(err)
					}
					if d.Len() != want || d.Shape != fileShape {
						t.Fatalf("expected %d images of shape %v, found %d of %v", want, fileShape, d.Len(), d.Shape)
					}
					for i, v := range d.Images {
						image, channel, pixel := i/fileSize, i%fileSize/(fileHeight*fileWidth), i%(fileHeight*fileWidth)
						if w := value(k, (s-1)*m+image, pixel*3+channel); v != w {
							t.Fatalf("%s %d, image %d, channel %d, pixel %d: expected %d, found %d", c.Name, s, image, channel, pixel, w, v)
						}
					}
					for i, label := range d.Labels {
						if int(label) != i%len(names) {
							t.Fatalf("label %d: expected %d, found %d", i, i%len(names), label)
						}
					}
				}
			}
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestPublishedErrors expects errors that name the file and what was expected and found.
func TestPublishedErrors(t *testing.T) {
	encode := func(a *tensor.Tensor) []byte {
		var b bytes.Buffer
		if err := npy.Encode(&b, a); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	for _, c := range []struct {
		name    string
		data    []byte // nil: the file is left out
		message string
	}{
		{"snow.npy", nil, "no such file"},
		{"labels.npy", nil, "no such file"},
		{"fog.npy", []byte("fog"), "fog.npy: npy: not a .npy file"},
		{"fog.npy", files(t, 7)["fog.npy"][:2000], "fog.npy: npy: uint8[35 4 6 3] needs 2520 bytes, found 1872"},
		{"fog.npy", files(t, 2)["fog.npy"], "fog.npy: expected uint8[35 4 6 3] as labels.npy and the model's data have it, found uint8[10 4 6 3]"},
		{"fog.npy", encode(tensor.Zeros(tensor.Float32, 35, 4, 6, 3)), "found float32[35 4 6 3]"},
		{"fog.npy", encode(tensor.Zeros(tensor.Uint8, 35, 3, 4, 6)), "found uint8[35 3 4 6]"},
		{"labels.npy", encode(tensor.Zeros(tensor.Uint8, 34)), "labels.npy: expected one dimension, a multiple of 5 up to 1048576, found the shape [34]"},
		{"labels.npy", encode(tensor.Zeros(tensor.Uint8, 35, 1)), "found the shape [35 1]"},
		{"labels.npy", encode(tensor.Zeros(tensor.Float64, 35)), "labels.npy: expected integers, found float64"},
		{"labels.npy", encode(tensor.Vector(int64(3), 3, 3, 3, 3)), "labels.npy: element 0: expected a label from 0 to 2, found 3"},
		{"labels.npy", encode(tensor.Vector(int64(0), 1, 0, 1, 0, 1, 0, 2, 0, 1)), "labels.npy: element 7: expected 1 as at severity 1, found 2"},
	} {
		content := files(t, 7)
		if delete(content, c.name); c.data != nil {
			content[c.name] = c.data
		}
		for _, location := range []string{writeFolder(t, content), writeTar(t, content, 0)} {
			message := c.message
			if c.name == "labels.npy" && c.data == nil && strings.HasSuffix(location, ".tar") {
				message = "labels.npy: npy: not a .npy file" // of no bytes
			}
			if message == "no such file" && strings.HasSuffix(location, ".tar") {
				message = "file does not exist"
			}
			_, err := OpenPublished(location, 0, fileShape, names)
			if err == nil || !strings.Contains(err.Error(), message) || !strings.Contains(err.Error(), location) || !strings.Contains(err.Error(), c.name) {
				t.Errorf("expected an error with %q, %q and %q, found %v", location, c.name, message, err)
			}
		}
	}
	content := files(t, 7)
	for _, location := range []string{filepath.Join(t.TempDir(), "none"), writeTar(t, content, 10), writeTar(t, content, 3000), os.DevNull} {
		if _, err := OpenPublished(location, 0, fileShape, names); err == nil || !strings.Contains(err.Error(), location) {
			t.Errorf("expected an error with %q, found %v", location, err)
		}
	}
	for name, data := range map[string][]byte{"empty": nil, "gzip": {0x1f, 0x8b, 8, 0}, "zeros": make([]byte, 2048)} {
		location := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(location, data, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenPublished(location, 0, fileShape, names); err == nil || !strings.Contains(err.Error(), location) {
			t.Errorf("expected an error with %q, found %v", location, err)
		}
	}
}

func TestParseSource(t *testing.T) {
	for text, want := range map[string]Source{"generated": {}, "cifar10c:a:b": {Path: "a:b"}} {
		if s, err := ParseSource(text); err != nil || s != want {
			t.Errorf("%s: expected %+v, found %+v, %v", text, want, s, err)
		}
	}
	for _, text := range []string{"", "cifar10c", "cifar10c:", "other", "generated:x"} {
		if _, err := ParseSource(text); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%q", text)) {
			t.Errorf("%q: expected an error that repeats it, found %v", text, err)
		}
	}
}
