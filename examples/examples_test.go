// Package examples tests the programs of its folders, which run exported models without rnas, against our own logits.
package examples

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"rnas/compiler/interp"
	"rnas/compiler/lower"
	"rnas/compiler/program"
	"rnas/export"
	"rnas/genotype"
	"rnas/internal/pythontest"
	"rnas/internal/rng"
	"rnas/internal/tensor"
	"rnas/runtime/ort"
	"rnas/runtime/ort/orttest"
	"rnas/train"
)

var update = flag.Bool("update", false, "rewrite the golden file")

// tolerance is the largest difference of a logit from ours.
const tolerance = 1e-5

const golden = "../testdata/examples/logits.json"

// picture is an image file in a form that every example reads, with its pixels.
type picture struct {
	ppm, png string         // files; the names of their last elements differ in the extension only
	pixels   *tensor.Tensor // [1,3,H,W] in [0,1]
}

func (p picture) name() string { return strings.TrimSuffix(filepath.Base(p.ppm), ".ppm") }

// model is a model file and images for it.
type model struct {
	path     string
	classes  []string
	about    []string // texts of the metadata that every example tells
	pictures []picture
	session  *ort.Session
}

// logits are ours.
func (m *model) logits(t *testing.T, pixels *tensor.Tensor) []float32 {
	t.Helper()
	out, err := m.session.RunAlloc([]*tensor.Tensor{pixels})
	if err != nil {
		t.Fatal(err)
	}
	return out[0].Float32s()
}

func open(t *testing.T, m *model) *model {
	t.Helper()
	orttest.Open(t)
	data, err := os.ReadFile(m.path)
	if err != nil {
		t.Fatal(err)
	}
	m.session, err = ort.NewSession(data, ort.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.session.Close() })
	g, err := export.ReadFile(m.path, export.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(g.Meta[train.MetaClasses]), &m.classes); err != nil {
		t.Fatal(err)
	}
	return m
}

// trained is a CIFAR-10 classifier with images of its test set.
func trained(t *testing.T) *model {
	t.Helper()
	m := &model{path: "../testdata/examples/model.onnx"}
	ppms, err := filepath.Glob("../testdata/examples/*.ppm")
	if err != nil || len(ppms) == 0 {
		t.Fatalf("no images: %v", err)
	}
	for _, path := range ppms {
		p := picture{ppm: path, png: filepath.Join("web/images", strings.TrimSuffix(filepath.Base(path), ".ppm")+".png")}
		p.pixels = decode(t, p.png)
		if data, err := os.ReadFile(path); err != nil || !bytes.Equal(data, ppm(p.pixels)) {
			t.Fatalf("%s and %s differ, or %v", p.ppm, p.png, err)
		}
		m.pictures = append(m.pictures, p)
	}
	return open(t, m)
}

// foreign is a model that has nothing in common with the trained one: normalisation, another shape, strange names.
func foreign(t *testing.T) *model {
	t.Helper()
	const height, width = 16, 24
	entry, err := genotype.Lookup("DARTS_V2")
	if err != nil {
		t.Fatal(err)
	}
	n := lower.Evaluation{Genotype: entry.Genotype, Macro: lower.Macro{
		Channels: 4, Layers: 3, Classes: 5, Height: height, Width: width, Depth: 3,
		Mean: []float32{0.5, 0.25, 0.125}, Std: []float32{0.25, 0.5, 0.75},
	}}
	layout, err := program.NewLayout(n)
	if err != nil {
		t.Fatal(err)
	}
	w := train.Weights{Network: n, Layout: layout, Classes: []string{`a "quoted" name`, "Ä & <b>", `back\slash`, "π in 🚢", "tab\there"}}
	w.Params, w.Stats = layout.Init(3)
	dir := t.TempDir()
	m := &model{path: filepath.Join(dir, "model.onnx"), about: []string{"[0.5,0.25,0.125]", "[0.25,0.5,0.75]"}}
	if _, err := w.Write(m.path, train.Deployed()); err != nil {
		t.Fatal(err)
	}
	noise := rng.New(1, rng.Synthetic, 0, 0, 0)
	drawn := image.NewNRGBA(image.Rect(0, 0, width, height))
	for i := range width * height {
		v := noise.Uint32()
		drawn.SetNRGBA(i%width, i/width, color.NRGBA{R: byte(v), G: byte(v >> 8), B: byte(v >> 16), A: 255})
	}
	var file bytes.Buffer
	if err := png.Encode(&file, drawn); err != nil {
		t.Fatal(err)
	}
	p := picture{ppm: filepath.Join(dir, "noise.ppm"), png: filepath.Join(dir, "noise.png")}
	write(t, p.png, file.Bytes())
	p.pixels = decode(t, p.png)
	write(t, p.ppm, ppm(p.pixels))
	m.pictures = []picture{p}
	return open(t, m)
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// decode reads the pixels of an image file.
func decode(t *testing.T, path string) *tensor.Tensor {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	im, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	h, w := im.Bounds().Dy(), im.Bounds().Dx()
	x := tensor.Zeros(tensor.Float32, 1, 3, int64(h), int64(w))
	for i := range h * w {
		r, g, b, _ := im.At(i%w, i/w).RGBA()
		for c, v := range []uint32{r, g, b} {
			x.Float32s()[c*h*w+i] = float32(v>>8) / 255
		}
	}
	return x
}

// ppm is the binary PPM file of pixels.
func ppm(pixels *tensor.Tensor) []byte {
	h, w := int(pixels.Shape[2]), int(pixels.Shape[3])
	file := fmt.Appendf(nil, "P6\n%d %d\n255\n", w, h)
	for i := range h * w {
		for c := range 3 {
			file = append(file, byte(math.Round(255*float64(pixels.Float32s()[c*h*w+i]))))
		}
	}
	return file
}

// apart is the largest difference of two lists, infinity when they are of different lengths.
func apart[T float32 | float64](a []T, b []float32) float64 {
	if len(a) != len(b) {
		return math.Inf(1)
	}
	d := 0.0
	for i := range a {
		d = max(d, math.Abs(float64(a[i])-float64(b[i])))
	}
	return d
}

// tool returns the path of the first program that there is. Without one the test is skipped, or fails when the
// environment variable CI is set.
func tool(t *testing.T, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	pythontest.Missing(t, "%s is not there", strings.Join(names, " or "))
	return ""
}

// TestLogits pins the logits of the trained model; the interpreter agrees with them.
func TestLogits(t *testing.T) {
	m := trained(t)
	got := map[string][]float32{}
	for _, p := range m.pictures {
		got[p.name()] = m.logits(t, p.pixels)
	}
	if *update {
		text, err := json.MarshalIndent(got, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		write(t, golden, append(text, '\n'))
	}
	data, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	var want map[string][]float32
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	if len(want) != len(m.pictures) {
		t.Errorf("%s: expected %d images, found %d", golden, len(m.pictures), len(want))
	}
	g, err := export.ReadFile(m.path, export.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range m.pictures {
		exact, err := interp.RunOrdered(g, p.pixels)
		if err != nil {
			t.Fatal(err)
		}
		ours := apart(got[p.name()], want[p.name()])
		oracle := apart(exact[0].Float64s(), want[p.name()])
		t.Logf("%s: ONNX Runtime %.2g, interpreter %.2g from the file", p.name(), ours, oracle)
		if ours > tolerance || oracle > tolerance {
			t.Errorf("%s: logits differ", p.name())
		}
	}
}
