package corruption

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"testing"

	"rnas/internal/npy"
	"rnas/internal/pythontest"
	"rnas/internal/rng"
	"rnas/internal/tensor"
)

// pictures makes images [n,3,h,w] of whole levels: smooth waves with noise, the first one black, the second one white, the third
// one noise only.
func pictures(n, channels, height, width int) []float32 {
	out := make([]float32, 0, n*channels*height*width)
	for i := range n {
		s := rng.New(3, rng.Probe, 0, 0, i)
		a, b, phase := 0.3*s.Float64(), 0.3*s.Float64(), 6*s.Float64()
		for c := range channels {
			for p := range height * width {
				noise := s.Float64()
				v := 0.5 + 0.4*math.Sin(a*float64(p%width)+b*float64(p/width)+phase+float64(c)) + 0.1*noise
				switch i {
				case 0:
					v = 0
				case 1:
					v = 1
				case 2:
					v = noise
				}
				out = append(out, float32(level(v)/255))
			}
		}
	}
	return out
}

// bytesOf turns [n,C,H,W] in [0,1] to bytes [n,H,W,C].
func bytesOf(images []float32, n, channels, area int) []uint8 {
	out := make([]uint8, len(images))
	for i := range n {
		for c := range channels {
			for p := range area {
				out[(i*area+p)*channels+c] = uint8(level(float64(images[(i*channels+c)*area+p])))
			}
		}
	}
	return out
}

// python passes arrays through a script.
func python(t *testing.T, script string, arrays []npy.Array) map[string]*tensor.Tensor {
	t.Helper()
	pythontest.Need(t, "numpy", "scipy", "PIL", "skimage", "cv2")
	in, out := filepath.Join(t.TempDir(), "in.npz"), filepath.Join(t.TempDir(), "out.npz")
	if err := npy.WriteNPZ(in, arrays); err != nil {
		t.Fatal(err)
	}
	pythontest.Run(t, script, in, out)
	results, err := npy.ReadNPZ(out)
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]*tensor.Tensor{}
	for _, r := range results {
		byName[r.Name] = r.Tensor
	}
	return byName
}

// TestOracle compares with Python's libraries at both sets of parameters. Values cut off to whole levels differ by one where
// the libraries round otherwise; JPEG encoders differ in their transforms.
func TestOracle(t *testing.T) {
	tolerance := map[string]struct{ largest, mean float64 }{ // in levels
		"contrast":         {1, 0.001},
		"brightness":       {1, 0.001},
		"pixelate":         {0, 0},
		"defocus_blur":     {1, 0.001},
		"zoom_blur":        {1, 0.001},
		"jpeg_compression": {255, 1}, // single coefficients fall to the next step; the loss itself is 7 levels
	}
	for _, shape := range [][3]int{{3, 32, 32}, {3, 70, 96}} {
		t.Run(fmt.Sprint(shape), func(t *testing.T) {
			n, area := 8, shape[1]*shape[2]
			images := pictures(n, 3, shape[1], shape[2])
			dims := []int64{int64(n), int64(shape[1]), int64(shape[2]), 3}
			arrays := []npy.Array{{Name: "images", Tensor: tensor.Of(dims, bytesOf(images, n, 3, area)...)}}
			for _, k := range All() {
				for s := range Severities {
					set := k.small
					if Parameters(shape) == "ImageNet-C" {
						set = k.large
					}
					if _, ok := tolerance[k.Name]; ok {
						arrays = append(arrays, npy.Array{Name: fmt.Sprintf("%s/%d", k.Name, s+1), Tensor: tensor.Vector(set[s]...)})
					}
				}
			}
			expected := python(t, "testdata/oracle.py", arrays)
			g, err := NewGenerator(shape, 0)
			if err != nil {
				t.Fatal(err)
			}
			found := make([]float32, len(images))
			for _, k := range All() {
				limit, ok := tolerance[k.Name]
				if !ok {
					continue
				}
				for s := 1; s <= Severities; s++ {
					for i := range n {
						part := i * 3 * area
						g.Apply(found[part:part+3*area], images[part:part+3*area], k, s, i)
					}
					want := expected[fmt.Sprintf("%s/%d", k.Name, s)]
					largest, sum := 0.0, 0.0
					for i, v := range bytesOf(found, n, 3, area) {
						d := math.Abs(float64(v) - float64(want.Data.([]uint8)[i]))
						largest, sum = max(largest, d), sum+d
					}
					mean := sum / float64(len(found))
					t.Logf("%s %d: largest difference %v, mean %.4f levels", k.Name, s, largest, mean)
					if largest > limit.largest || mean > limit.mean {
						t.Errorf("%s %d: expected differences of at most %v and %v in the mean, found %v and %v", k.Name, s, limit.largest, limit.mean, largest, mean)
					}
				}
			}
		})
	}
}

// TestFilters compares interpolation and blur, of which the random corruptions are made, with SciPy and scikit-image.
func TestFilters(t *testing.T) {
	const height, width, count = 9, 14, 500
	c := canvas{channels: 1, height: height, width: width}
	s := rng.New(4, rng.Probe, 0, 0, 0)
	plane, points := make([]float64, height*width), make([]float64, 2*count)
	for i := range plane {
		plane[i] = s.Float64()
	}
	for i := range points {
		points[i] = 60*s.Float64() - 25
	}
	sigmas := []float64{0.25, 0.4, 0.96, 1.5, 6.4}
	expected := python(t, "testdata/filters.py", []npy.Array{
		{Name: "plane", Tensor: tensor.Of([]int64{height, width}, plane...)},
		{Name: "points", Tensor: tensor.Of([]int64{2, count}, points...)},
		{Name: "sigmas", Tensor: tensor.Vector(sigmas...)},
	})
	compare := func(name string, found []float64) {
		t.Helper()
		for i, want := range expected[name].Float64s() {
			if math.Abs(found[i]-want) > 1e-12 {
				t.Fatalf("%s, element %d: expected %v, found %v", name, i, want, found[i])
			}
		}
	}
	for name, edge := range map[string]border{"mirror": mirror, "mirror101": mirror101} {
		found := make([]float64, count)
		for i := range found {
			at := c.spot(points[i], points[count+i], edge)
			found[i] = at.read(plane)
		}
		compare(name, found)
	}
	for i, sigma := range sigmas {
		found := slices.Clone(plane)
		c.gaussianBlur(found, sigma, 4, nearest)
		compare(fmt.Sprintf("glass/%d", i), found)
		copy(found, plane)
		c.gaussianBlur(found, sigma, 3, mirror)
		compare(fmt.Sprintf("elastic/%d", i), found)
	}
}
