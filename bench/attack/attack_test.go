package attack

import (
	"context"
	"math"
	"reflect"
	"strings"
	"testing"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/compiler/program"
	"rnas/internal/interp"
	"rnas/internal/rng"
	"rnas/internal/tensor"
	"rnas/runtime"
	"rnas/runtime/runtimetest"
)

func TestParse(t *testing.T) {
	for list, want := range map[string][]string{
		"clean": nil, "clean,fgsm,pgd20": {"fgsm", "pgd20"}, "pgd100, fgsm-rs": {"pgd100", "fgsm-rs"}, "pgd1": {"pgd1"},
	} {
		attacks, err := Parse(list)
		var names []string
		for _, a := range attacks {
			names = append(names, a.Name)
		}
		if err != nil || !reflect.DeepEqual(names, want) {
			t.Errorf("%q: expected %q, found %q, %v", list, want, names, err)
		}
	}
	for list, part := range map[string]string{
		"": "expected clean, fgsm, fgsm-rs, pgdK[-dlr|-margin][xR]", "fgsm,": `found ""`, "fgsm,fgsm": "twice", "PGD20": `found "PGD20"`,
		"pgd": `found "pgd"`, "pgd0": `found "pgd0"`, "pgd-1": "found", "pgd07": "found", "pgd+7": "found",
		"pgd99999999999": "found", "pgd1000001": "found", "fgsm20": "found", "pgd20-ce": "found", "pgd20x0": "found",
	} {
		if a, err := Parse(list); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%q: expected an error with %q, found %v, %v", list, part, a, err)
		}
	}
}

func TestSettings(t *testing.T) {
	good := Settings{Norm: "linf", Epsilon: 8. / 255}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	for _, s := range []Settings{
		{Norm: "l0"},
		{Norm: "linf", Epsilon: -1},
		{Norm: "linf", Epsilon: 1.5},
		{Norm: "linf", Epsilon: math.NaN()},
		{Norm: "linf", StepSize: math.NaN()},
	} {
		if s.Validate() == nil {
			t.Errorf("%+v: expected an error", s)
		}
	}
}

const (
	size  = 8
	elems = 3 * size * size
)

// convnet is a classifier of images [N,3,8,8] into 5 classes.
func convnet(t *testing.T) program.Classifier {
	t.Helper()
	b := op.NewB("convnet")
	weight := func(name string, scale float32, shape ...int64) *ir.Value {
		v := tensor.Zeros(tensor.Float32, shape...)
		s := rng.New(11, rng.Init, 0, 0, len(name))
		s.FillNormal(v.Float32s(), scale)
		return b.NamedConst(name, v)
	}
	x := b.Input("input", ir.Float32, -1, 3, size, size)
	y := b.Relu(b.Conv(x, weight("a", 0.3, 16, 3, 3, 3), weight("bb", 0.1, 16), op.Same(3, 1, 1)))
	y = b.MaxPool(y, op.Same(3, 2, 1))
	y = b.AveragePool(b.Relu(b.Conv(y, weight("ccc", 0.2, 16, 16, 3, 3), nil, op.Same(3, 1, 1))), op.Same(3, 1, 1))
	b.Output("logits", b.Gemm(b.Flatten(b.GlobalAveragePool(y)), weight("dddd", 1, 5, 16), nil, false, true))
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

func batch(n int, points ...int) Batch {
	b := Batch{Points: points, Images: make([]float32, n*elems), Labels: make([]int64, n), Adversarial: make([]float32, n*elems)}
	for row, p := range points {
		s := rng.New(1, rng.Synthetic, 0, 0, p)
		s.FillUniform(b.Images[row*elems:(row+1)*elems], 0, 1)
		b.Labels[row] = int64(s.IntN(5))
	}
	return b
}

func compile(t *testing.T, name string, c program.Classifier, n int, s Settings) Runner {
	t.Helper()
	runtimetest.Open(t)
	attacks, err := Parse(name)
	if err != nil {
		t.Fatal(err)
	}
	r, err := attacks[0].Stages()[0].Compile(Target{Classifier: c, Batch: n, Runtime: runtime.Options{Provider: "cpu"}, Settings: s})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

func attackBatch(t *testing.T, r Runner, b Batch) Counts {
	t.Helper()
	n, err := r.Run(context.Background(), b)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestInterpreter runs the graphs of the attacks in float64. The images agree except at pixels where the gradient is so
// small that its sign is decided by rounding; a step in another direction there may spread, hence the few steps. One of the
// labels is that of the third largest logit, where the ratio of pgd3-dlr is constant.
func TestInterpreter(t *testing.T) {
	const eps = 8. / 255
	c := convnet(t)
	points := []int{3, 1, 4, 15, 9, 2}
	for name, few := range map[string]int{"fgsm": 2, "fgsm-rs": 2, "pgd3": 8, "pgd3-dlr": elems + 8, "mifgsm": 12} {
		t.Run(name, func(t *testing.T) {
			s := Settings{Norm: "linf", Epsilon: eps, Seed: 22}
			r := compile(t, name, c, len(points), s)
			b := batch(len(points), points...)
			attackBatch(t, r, b)

			attacks, err := Parse(name)
			if err != nil {
				t.Fatal(err)
			}
			single := attacks[0].Stages()[0].(Single)
			p, err := single.Program(c, len(points), s)
			if err != nil {
				t.Fatal(err)
			}
			from := tensor.Zeros(tensor.Float32, int64(len(points)), 3, size, size)
			if single.(graphStage).start != nil {
				start(from.Float32s(), elems, points, s, 0)
			}
			images := tensor.Of([]int64{int64(len(points)), 3, size, size}, b.Images...)
			out, err := interp.Run(p.Graph, map[string]*tensor.Tensor{"images": images, "labels": tensor.Vector(b.Labels...), "start": from})
			if err != nil {
				t.Fatal(err)
			}
			want := out["adversarial"].Float64s()
			small := gradient(t, c, images, b.Labels)
			moved, apart := 0, 0
			for i, v := range b.Adversarial {
				if v != b.Images[i] {
					moved++
				}
				if math.Abs(float64(v)-want[i]) > 1e-6 {
					apart++
					if name == "fgsm" && math.Abs(small[i]) > 1e-6 {
						t.Errorf("element %d: expected %v, found %v at the gradient %v", i, want[i], v, small[i])
					}
				}
			}
			if apart > few || moved < len(want)/2 {
				t.Errorf("%d of %d elements differ from the interpreter's, %d differ from the image", apart, len(want), moved)
			}
		})
	}
}

// gradient is the input gradient of the cross-entropy, in float64.
func gradient(t *testing.T, c program.Classifier, images *tensor.Tensor, labels []int64) []float64 {
	t.Helper()
	p, err := c.Gradient(len(labels))
	if err != nil {
		t.Fatal(err)
	}
	out, err := interp.Run(p.Graph, map[string]*tensor.Tensor{"images": images, "labels": tensor.Vector(labels...)})
	if err != nil {
		t.Fatal(err)
	}
	return out["gradient"].Float64s()
}

// TestPoints checks that what happens to a point depends neither on its row nor on the other points, that padding is
// not counted, and that no image leaves the ball or the box.
func TestPoints(t *testing.T) {
	const eps = 4. / 255
	c := convnet(t)
	r := compile(t, "pgd4", c, 5, Settings{Norm: "linf", Epsilon: eps, Seed: 8})
	seen := map[int][]float32{}
	for _, points := range [][]int{{0, 1, 2, 3, 4}, {4, 2, 0}, {3}, {1, 0}} {
		b := batch(5, points...)
		n := attackBatch(t, r, b)
		if want := int64(4 * len(points)); n.Forwards != want || n.Backwards != want {
			t.Errorf("points %v: expected %d passes, found %+v", points, want, n)
		}
		for row, p := range points {
			x := b.Adversarial[row*elems : (row+1)*elems]
			if seen[p] == nil {
				seen[p] = x
			} else if !reflect.DeepEqual(seen[p], x) {
				t.Errorf("points %v: the image of point %d differs", points, p)
			}
			for i, v := range x {
				if d := math.Abs(float64(v) - float64(b.Images[row*elems+i])); d > eps+1e-7 || v < 0 || v > 1 {
					t.Fatalf("point %d, element %d: %v from %v", p, i, v, b.Images[row*elems+i])
				}
			}
		}
	}
}

// TestStepSize checks the sizes of the steps by how far a single one moves a pixel.
func TestStepSize(t *testing.T) {
	const eps = 8. / 255
	c := convnet(t)
	for _, k := range []struct {
		name string
		flag float64
		want float64 // largest move without a random start, or the bound of it with one
	}{{"fgsm", 0, eps}, {"fgsm", 1. / 255, eps}, {"pgd1", 0, eps / 4}, {"pgd1", 1. / 255, 1. / 255}, {"fgsm-rs", 1. / 255, 1.25 * eps}} {
		s := Settings{Norm: "linf", Epsilon: eps, StepSize: k.flag, Seed: 2}
		b := batch(1, 0)
		attackBatch(t, compile(t, k.name, c, 1, s), b)
		from := make([]float32, elems)
		if k.name != "fgsm" {
			start(from, elems, b.Points, s, 0)
		}
		largest := 0.0
		for i, v := range b.Adversarial {
			x := max(0, min(1, b.Images[i]+from[i]))
			largest = max(largest, math.Abs(float64(v)-float64(x)))
		}
		if math.Abs(largest-k.want) > 2e-7 {
			t.Errorf("%s with step size %v: expected a largest move of %v, found %v", k.name, k.flag, k.want, largest)
		}
	}
}
