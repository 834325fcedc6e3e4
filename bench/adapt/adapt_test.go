package adapt

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rnas/compiler/interp"
	"rnas/compiler/program"
	"rnas/internal/npy"
	"rnas/internal/tensor"
)

var (
	colour = Images{Shape: []int64{3, 4, 4}, Classes: 5, Name: "testdata"}
	grey   = Images{Shape: []int64{1, 6, 6}, Classes: 5, Name: "testdata"}
	two    = Images{Shape: []int64{3, 4, 4}, Classes: 2, Name: "testdata"}
)

// cases are the models of testdata, with flags that say what their files do not, and what is told of them.
var cases = []struct {
	name  string
	flags Flags
	on    Images
	batch int64  // of the adapted model, -1 for an open one
	words string // part of what is told
	after func(logits []float64) []float64
}{
	{"nhwc", Flags{}, colour, -1, "channels last: images [3,4,4] become [4,4,3]", nil},
	{"flat", Flags{}, colour, -1, "reshaped: images [3,4,4] become [48]", nil},
	{"chw", Flags{}, colour, -1, "a batch added to an input without one", nil},
	{"rows", Flags{}, grey, 1, "reshaped: images [1,6,6] become [6,6]", nil},
	{"grey", Flags{}, grey, -1, "reshaped: images [1,6,6] become [6,6]", nil},
	{"one", Flags{}, colour, -1, "a batch of one opened to any number of images", nil},
	{"token", Flags{}, colour, -1, "a batch of one opened to any number of images", nil},
	{"caffe", Flags{Pixels: Byte, BGR: true, Mean: []float64{103.939, 116.779, 123.68}}, colour, -1, "blue first; pixels times 255; less the mean 103.939,116.779,123.68", nil},
	{"imagenet", Flags{Mean: []float64{0.485, 0.456, 0.406}, Std: []float64{0.229, 0.224, 0.225}}, colour, -1, "divided by the standard deviation 0.229,0.224,0.225", nil},
	{"meta", Flags{}, colour, -1, "the metadata say pixels 0..255; the metadata say blue first", nil},
	{"bytes", Flags{}, colour, -1, "rounded to bytes, which gradients pass", nil},
	{"aux", Flags{}, colour, -1, "output logits is taken of aux float32[N,5], logits float32[N,5]", nil},
	{"features", Flags{}, colour, -1, "output scores is taken of features float32[N,7], scores float32[N,5], label int64[N]", nil},
	{"softmax", Flags{}, colour, -1, "the Softmax at the end is left out", softmax},
	{"sigmoid", Flags{}, two, -1, "a binary classifier", func(z []float64) []float64 { return softmax(z)[1:] }},
	{"half", Flags{}, colour, -1, "", nil},
}

func softmax(z []float64) []float64 {
	sum := 0.0
	out := make([]float64, len(z))
	for i, v := range z {
		out[i] = math.Exp(v)
		sum += out[i]
	}
	for i := range out {
		out[i] /= sum
	}
	return out
}

// arrays are those of logits.npz by name.
func arrays(t *testing.T) map[string]*tensor.Tensor {
	t.Helper()
	list, err := npy.ReadNPZ("testdata/logits.npz")
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]*tensor.Tensor{}
	for _, a := range list {
		named[a.Name] = a.Tensor
	}
	return named
}

func read(t *testing.T, name string, f Flags, on Images, size Size) (*Model, error) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name+".onnx"))
	if err != nil {
		t.Fatal(err)
	}
	return Read(data, "testdata", f, on, size)
}

// TestLogits holds the logits of adapted models to those that Python's ONNX Runtime computes of the files, which numpy fed by hand.
func TestLogits(t *testing.T) {
	named := arrays(t)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			m, err := read(t, c.name, c.flags, c.on, Size{})
			if err != nil {
				t.Fatal(err)
			}
			if in := m.Graph.Inputs[0]; in.Shape[0] != c.batch || !strings.Contains(m.Describe(), c.words) {
				t.Errorf("found %s, %q", in, m.Describe())
			}
			images, want, slack := named["images"], named[c.name], 1e-4
			if c.name == "half" {
				slack = 5e-3
			}
			if c.on.Shape[0] == 1 {
				images = named["greys"]
			}
			size := int(images.Len()) / 3
			for i := range 3 {
				x := tensor.FromFloat64s(tensor.Float32, append([]int64{1}, c.on.Shape...), images.Float64s()[i*size:(i+1)*size])
				out, err := interp.RunOrdered(m.Graph, x)
				if err != nil {
					t.Fatal(err)
				}
				got := out[0].Float64s()
				if c.after != nil {
					got = c.after(got)
				}
				k := len(want.Float64s()) / 3
				for j, v := range want.Float64s()[i*k : (i+1)*k] {
					if len(got) != k || math.Abs(got[j]-v) > slack*max(1, math.Abs(v)) {
						t.Fatalf("image %d: expected %v, found %v", i, want.Float64s()[i*k:(i+1)*k], got)
					}
				}
			}
			if a := program.Examine(m.Graph); !a.Possible {
				t.Errorf("found %+v", a)
			}
		})
	}
}

// A batch of several gives the rows of batches of one, whatever was opened, and a gradient program exists for it.
func TestBatches(t *testing.T) {
	named := arrays(t)
	for _, c := range cases {
		if c.batch > 0 {
			continue
		}
		m, err := read(t, c.name, c.flags, c.on, Size{Fixed: 3})
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		images := named["images"]
		if c.on.Shape[0] == 1 {
			images = named["greys"]
		}
		out, err := interp.RunOrdered(m.Graph, images)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		classifier, err := program.NewClassifier(m.Graph)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if _, err := classifier.Gradient(3); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		k := len(out[0].Float64s()) / 3
		size := int(images.Len()) / 3
		for i := range 3 {
			x := tensor.FromFloat64s(tensor.Float32, append([]int64{1}, c.on.Shape...), images.Float64s()[i*size:(i+1)*size])
			one, err := interp.RunOrdered(mustRead(t, c.name, c.flags, c.on).Graph, x)
			if err != nil {
				t.Fatal(err)
			}
			for j, v := range one[0].Float64s() {
				if d := math.Abs(v - out[0].Float64s()[i*k+j]); d > 1e-3*max(1, math.Abs(v)) {
					t.Fatalf("%s: image %d: logit %d is %g off", c.name, i, j, d)
				}
			}
		}
	}
}

func mustRead(t *testing.T, name string, f Flags, on Images) *Model {
	t.Helper()
	m, err := read(t, name, f, on, Size{})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// What cannot be read names what was expected, what was found and the flag that helps.
func TestRefused(t *testing.T) {
	for _, c := range []struct {
		name  string
		flags Flags
		on    Images
		want  string
	}{
		{"imagenet", Flags{}, Images{}, "the size of the images is open: --shape CxHxW says it"},
		{"flat", Flags{}, Images{Shape: []int64{3, 5, 5}, Name: "d"}, "expected one input float32[N,3,5,5] as in d, channels last, flattened or without a batch, found x float32[N,48]"},
		{"nhwc", Flags{Layout: NCHW}, colour, "the layout nchw"},
		{"nhwc", Flags{Shape: []int64{3, 8, 8}}, colour, "--shape: expected [3,4,4] as in testdata, found [3,8,8]"},
		{"features", Flags{}, Images{}, "several outputs can be the logits: features float32[N,7], scores float32[N,5]; --output NAME says which"},
		{"features", Flags{Output: "label"}, colour, "--output label: expected a floating-point output of logits [N,K], found label int64[N]"},
		{"aux", Flags{Output: "none"}, colour, `--output: expected one of aux float32[N,5], logits float32[N,5], found "none"`},
		{"grey", Flags{BGR: true}, grey, "--bgr: expected images of 3 channels, found 1"},
		{"flat", Flags{Mean: []float64{1, 2}}, colour, "--mean: expected 1 or 3 numbers for the channels of [N,3,4,4], found 2"},
		{"flat", Flags{Std: []float64{0}}, colour, "--std: expected positive numbers"},
		{"flat", Flags{Pixels: "0-255"}, colour, "--pixels: expected 0..1, 0..255 or -1..1"},
		{"flat", Flags{}, Images{Shape: []int64{3, 4, 4}, Classes: 6, Name: "d"}, "expected logits float32[N,6] for the 6 classes of d, found y float32[N,5]"},
	} {
		if _, err := read(t, c.name, c.flags, c.on, Size{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %v: expected %q, found %v", c.name, c.flags, c.want, err)
		}
	}
}

// Without data a model says how it would be read.
func TestWithoutData(t *testing.T) {
	for name, want := range map[string][]int64{"flat": {3, 4, 4}, "nhwc": {3, 4, 4}, "chw": {3, 4, 4}, "grey": {1, 6, 6}, "one": {3, 4, 4}} {
		m, err := read(t, name, Flags{}, Images{}, Size{})
		if err != nil || !slices.Equal(m.Image(), want) {
			t.Errorf("%s: expected %v, found %v, %v", name, want, m, err)
		}
	}
}
