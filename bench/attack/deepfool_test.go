package attack

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"rnas/compiler/interp"
	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/compiler/program"
	"rnas/internal/rng"
	"rnas/internal/tensor"
)

// linear is a classifier of images [N,3,8,8] by weights [K][elems], without bias.
func linear(t *testing.T, weights [][]float32) program.Classifier {
	t.Helper()
	b := op.NewB("linear")
	x := b.Input("input", ir.Float32, -1, 3, size, size)
	w := b.NamedConst("w", tensor.Of([]int64{int64(len(weights)), elems}, slices.Concat(weights...)...))
	b.Output("logits", b.Gemm(b.Flatten(x), w, nil, false, true))
	return classifier(t, b)
}

func classifier(t *testing.T, b op.B) program.Classifier {
	t.Helper()
	g, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	c, err := program.NewClassifier(g)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// normals are n rows of normally distributed weights.
func normals(n int, scale float32) [][]float32 {
	rows := make([][]float32, n)
	for k := range rows {
		s := rng.New(5, rng.Init, 0, 0, k)
		rows[k] = make([]float32, elems)
		s.FillNormal(rows[k], scale)
	}
	return rows
}

// jacobian evaluates a classifier in float64: logits [K] of an image and their gradients [K][elems].
func jacobian(t *testing.T, c program.Classifier) func(x []float64) (logits []float64, gradients [][]float64) {
	t.Helper()
	b := op.NewB("jacobian")
	images := b.Input("images", ir.Float32, 1, 3, size, size)
	z := c.Logits(b, images)
	b.Output("logits", z)
	name := func(k int) string { return fmt.Sprintf("gradient.%d", k) }
	for k, v := range b.Split(z, 1, slices.Repeat([]int64{1}, int(c.Classes()))...) {
		b.Output(name(k), program.InputGradient(b, b.Squeeze(v, 1), images))
	}
	g, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return func(x []float64) (logits []float64, gradients [][]float64) {
		out, err := interp.Run(g, map[string]*tensor.Tensor{"images": tensor.FromFloat64s(tensor.Float64, []int64{1, 3, size, size}, x)})
		if err != nil {
			t.Fatal(err)
		}
		for k := range int(c.Classes()) {
			gradients = append(gradients, out[name(k)].Float64s())
		}
		return out["logits"].Float64s(), gradients
	}
}

// minus is the difference of two vectors.
func minus(x, y []float64) []float64 {
	d := make([]float64, len(x))
	for i := range d {
		d[i] = x[i] - y[i]
	}
	return d
}

// power is the sum of the sizes of the elements to the power of q.
func power(x []float64, q float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += math.Pow(math.Abs(v), q)
	}
	return sum
}

// deepfoolByHand is algorithm 2 for any norm, by the formulas of section 3.3 for the dual exponent q, with pixels held in the
// box. It returns the misclassified image, or nil after 50 steps, and the number of steps.
func deepfoolByHand(image []float64, label int, q float64, at func([]float64) ([]float64, [][]float64)) ([]float64, int) {
	r := make([]float64, len(image))
	for steps := 0; ; steps++ {
		x := make([]float64, len(image))
		for i := range x {
			x[i] = max(0, min(1, image[i]+1.02*r[i]))
		}
		z, g := at(x)
		if slices.Index(z, slices.Max(z)) != label {
			return x, steps
		}
		if steps == 50 {
			return nil, steps
		}
		nearest, w, f := math.Inf(1), []float64(nil), 0.0
		for k := range z {
			if k == label {
				continue
			}
			wk, fk := minus(g[k], g[label]), math.Abs(z[k]-z[label])
			if d := fk / math.Pow(power(wk, q), 1/q); d < nearest {
				nearest, w, f = d, wk, fk
			}
		}
		for i, v := range w {
			move := f / power(w, q) * math.Pow(math.Abs(v), q-1) * math.Copysign(1, v)
			r[i] = max(0, min(1, image[i]+r[i]+move)) - image[i]
		}
	}
}

// bound runs one try in float64.
func bound(t *testing.T, m method, c program.Classifier, s Settings, image []float64, label int64) map[string]*tensor.Tensor {
	t.Helper()
	p, err := m.Program(c, 1, s)
	if err != nil {
		t.Fatal(err)
	}
	shape := []int64{1, 3, size, size}
	out, err := interp.Run(p.Graph, map[string]*tensor.Tensor{
		"images": tensor.FromFloat64s(tensor.Float64, shape, image), "labels": tensor.Vector(label), "start": tensor.Zeros(tensor.Float64, shape...),
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// grey is an image whose pixels are at least 0.3 away from the ends of the box.
func grey(index int) []float64 {
	x := make([]float64, elems)
	for i, v := range point(index).Image {
		x[i] = 0.3 + 0.4*float64(v)
	}
	return x
}

// TestDeepFoolLinear has the distance to the nearest boundary in closed form: one step is enough, and its length is that of
// the distance and the overshoot.
func TestDeepFoolLinear(t *testing.T) {
	for norm, q := range map[string]float64{"linf": 1, "l2": 2} {
		for _, classes := range []int{2, 5} {
			weights := normals(classes, 0.05)
			c := linear(t, weights)
			image := grey(classes)
			z, g := jacobian(t, c)(image)
			label := slices.Index(z, slices.Max(z))
			want := math.Inf(1)
			for k := range z {
				if k != label {
					want = min(want, (z[label]-z[k])/math.Pow(power(minus(g[k], g[label]), q), 1/q))
				}
			}
			want *= 1.02
			for factor, found := range map[float64]float64{1.001: 1, 0.999: failed} {
				s := Settings{Norm: norm, Epsilon: want * factor}
				out := bound(t, deepfool, c, s, image, int64(label))
				if v := out["found"].Float64At(0); v != found {
					t.Errorf("%s, %d classes: found is %v with eps %v times the distance", norm, classes, v, factor)
				}
				d := minus(out["adversarial"].Float64s(), image)
				got := slices.Max([]float64{slices.Max(d), -slices.Min(d)})
				if norm == "l2" {
					got = math.Sqrt(power(d, 2))
				}
				if found == 1 && math.Abs(got-want) > 1e-6*want || found == failed && got != 0 {
					t.Errorf("%s, %d classes, eps %v: expected the size %v, found %v", norm, classes, s.Epsilon, want, got)
				}
			}
		}
	}
}

// TestDeepFool compares the graph with algorithm 2 by hand in float64, and with its execution by ONNX Runtime, where failure
// ends a try.
func TestDeepFool(t *testing.T) {
	c := convnet(t)
	at := jacobian(t, c)
	points := classified(t, c, 4)
	several := 0
	for norm, q := range map[string]float64{"linf": 1, "l2": 2} {
		s := Settings{Norm: norm, Epsilon: 1}
		d := attacked(t, deepfool, c, len(points), s, points...)
		for _, index := range points {
			image := float64s(point(index).Image)
			label := point(index).Label
			want, steps := deepfoolByHand(image, int(label), q, at)
			if steps > 1 {
				several++
			}
			out := bound(t, deepfool, c, s, image, label)
			if (want == nil) == (out["found"].Float64At(0) == 1) {
				t.Fatalf("%s, point %d: found is %v, by hand after %d steps: %v", norm, index, out["found"].Float64At(0), steps, want != nil)
			}
			for i, w := range want {
				if x := out["adversarial"].Float64At(i); math.Abs(x-w) > 1e-6 {
					t.Fatalf("%s, point %d, element %d: expected %v, found %v", norm, index, i, w, x)
				}
				if x := d.images[index][i]; math.Abs(float64(x)-w) > 1e-4 {
					t.Fatalf("%s, point %d, element %d: expected %v, ONNX Runtime gives %v", norm, index, i, w, x)
				}
			}
		}
		s.Epsilon = 1e-6
		d = attacked(t, deepfool, c, 4, s, points...)
		if most := int64(len(points) * 20); d.counts.Forwards > most || d.counts.Backwards != 4*d.counts.Forwards {
			t.Errorf("%s: expected at most %d passes forward and 4 times as many backward, found %+v", norm, most, d.counts)
		}
	}
	if several < 2 {
		t.Errorf("more than one step was needed %d times", several)
	}
}

// classified are the first n points that c gives the right label.
func classified(t *testing.T, c program.Classifier, n int) []int {
	t.Helper()
	score, err := c.Score(1)
	if err != nil {
		t.Fatal(err)
	}
	var points []int
	for index := 0; len(points) < n; index++ {
		p := point(index)
		out, err := interp.Run(score.Graph, map[string]*tensor.Tensor{
			"images": tensor.Of([]int64{1, 3, size, size}, p.Image...), "labels": tensor.Vector(p.Label),
		})
		if err != nil {
			t.Fatal(err)
		}
		if out["hit"].Float64At(0) == 1 {
			points = append(points, index)
		}
	}
	return points
}

func float64s(x []float32) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}
