package bench

import (
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"rnas/compiler/op"
	"rnas/internal/dataset"
	"rnas/internal/npy"
	"rnas/internal/rng"
	"rnas/internal/tensor"
)

// binary is the function z_1 - z_0 of the linear classifier of two classes: slope and offset.
func binaryClassifier() (slope []float64, offset float64) {
	b := op.NewB("weights")
	w, c := weights(b, "w", 0.3, 2, elems).Const.Float64s(), weights(b, "c", 0.1, 2).Const.Float64s()
	slope = make([]float64, elems)
	for i := range slope {
		slope[i] = w[elems+i] - w[i]
	}
	return slope, c[1] - c[0]
}

func pixel(d *dataset.Dataset, point, i int) float64 {
	return float64(float32(d.Images[point*elems+i]) / 255)
}

// boundary is the value z_1 - z_0 of a point moved by the attack: pixel i goes to move(pixel, direction), where direction
// is the sign in which the loss of the label grows.
func boundary(d *dataset.Dataset, point int, move func(i int, x, direction float64) float64) float64 {
	slope, value := binaryClassifier()
	for i, w := range slope {
		direction := 1.0
		if (w > 0) == (d.Labels[point] == 1) {
			direction = -1
		}
		value += w * move(i, pixel(d, point, i), direction)
	}
	return value
}

// robust reports whether the point keeps its label; values near the boundary make the test meaningless.
func keeps(t *testing.T, d *dataset.Dataset, point int, value float64) bool {
	t.Helper()
	if math.Abs(value) < 1e-4 {
		t.Fatalf("point %d is %g from the boundary: choose another seed", point, value)
	}
	return (value > 0) == (d.Labels[point] == 1)
}

func clip(x float64) float64 { return max(0, min(1, x)) }

// TestLinear checks every point of the attacks on a linear classifier of two classes against the closed form: the
// gradient has a constant sign, so the worst point of the ball is x + eps sign(w), and z moves by eps |w|_1 where the box
// does not bind.
func TestLinear(t *testing.T) {
	for _, c := range []struct {
		name   string
		lo, hi uint8
		small  float64
	}{{"inside the box", 64, 191, 1. / 255}, {"at the box", 0, 255, 1. / 255}} {
		t.Run(c.name, func(t *testing.T) {
			d := images(203, 2, c.lo, c.hi)
			o := options(t, "clean,fgsm,fgsm-rs,pgd1,pgd20")
			o.Settings.Epsilon = c.small
			o.Dir, o.Images = t.TempDir(), true
			result := run(t, o, d, save(t, "linear", -1, linear(2))).Models[0]
			eps := float64(float32(c.small))
			step := func(size float64, start func(point, i int) float64) func(point int) func(i int, x, dir float64) float64 {
				return func(point int) func(i int, x, dir float64) float64 {
					return func(i int, x, dir float64) float64 {
						from := clip(x + start(point, i))
						return clip(max(x-eps, min(x+eps, from+dir*size)))
					}
				}
			}
			none := func(int, int) float64 { return 0 }
			random := func(point, i int) float64 {
				s := rng.New(3, rng.Start, 0, 0, point)
				v := make([]float32, elems)
				s.FillUniform(v, -float32(eps), float32(eps))
				return float64(v[i])
			}
			corner := step(5*eps, none)
			expected := map[string]func(point int) func(i int, x, dir float64) float64{
				"fgsm": corner, "pgd20": corner, "fgsm-rs": step(1.25*eps, random), "pgd1": step(0.25*eps, random),
			}
			lines := table(t, o.Dir, d.Len())
			for column, name := range []string{"fgsm", "fgsm-rs", "pgd1", "pgd20"} {
				robust := 0
				for point := range d.Len() {
					clean := keeps(t, d, point, boundary(d, point, func(_ int, x, _ float64) float64 { return x }))
					want := clean && keeps(t, d, point, boundary(d, point, expected[name](point)))
					if got := lines[1+point][5+2*column] == "1"; got != want {
						t.Errorf("%s: point %d: expected robust %v, found %v", name, point, want, got)
					}
					if want {
						robust++
					}
				}
				a := result.Attacks[column]
				if a.Name != name || a.Robust.Robust != robust || a.RobustAccuracy != float64(robust)/203 || len(a.Flags) != 0 {
					t.Errorf("%s: expected %d robust points, found %+v", name, robust, a)
				}
				steps := map[string]int64{"fgsm": 1, "fgsm-rs": 1, "pgd1": 1, "pgd20": 20}[name]
				if want := steps * int64(result.Clean.Correct); a.Forwards != want || a.Backwards != want {
					t.Errorf("%s: expected %d passes, found %d and %d", name, want, a.Forwards, a.Backwards)
				}
				checkImages(t, filepath.Join(o.Dir, "linear."+name+".*.npz"), d, expected[name], result.Clean.Correct)
			}
			if corner := result.Attacks[3].Robust.Robust; result.WorstCase.Robust != corner || corner == 0 || corner == result.Clean.Correct {
				t.Errorf("expected a worst case of %d, found %+v", corner, result.WorstCase)
			}
		})
	}
}

// checkImages compares the stored images with the closed form.
func checkImages(t *testing.T, pattern string, d *dataset.Dataset, move func(point int) func(i int, x, dir float64) float64, n int) {
	t.Helper()
	found, err := filepath.Glob(pattern)
	if err != nil || len(found) != 1 {
		t.Fatalf("%s: expected one file, found %v", pattern, found)
	}
	arrays, err := npy.ReadNPZ(found[0])
	if err != nil {
		t.Fatal(err)
	}
	index, x := arrays[0].Tensor.Int64s(), arrays[3].Tensor
	if len(index) != n || !tensor.Equal(tensor.Zeros(tensor.Bool, x.Shape...), tensor.Zeros(tensor.Bool, int64(n), 3, height, width)) {
		t.Fatalf("%s: expected %d images, found %d of shape %v", found[0], n, len(index), x.Shape)
	}
	for row, point := range index {
		boundary(d, int(point), func(i int, pixel, dir float64) float64 {
			want := move(int(point))(i, pixel, dir)
			if got := float64(x.Float32s()[row*elems+i]); math.Abs(got-want) > 2e-7 {
				t.Fatalf("%s: point %d, pixel %d: expected %v, found %v", found[0], point, i, want, got)
			}
			return 0
		})
	}
}

// table reads points.csv of models on n points.
func table(t *testing.T, dir string, n int) [][]string {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, pointsFile))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range lines[1:] {
		if line[1] != strconv.Itoa(i%n) {
			t.Fatalf("line %d: found index %s", i, line[1])
		}
	}
	return lines
}
