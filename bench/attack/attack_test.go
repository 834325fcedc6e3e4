package attack

import (
	"math"
	"testing"

	"rnas/compiler/interp"
	"rnas/compiler/program"
	"rnas/internal/tensor"
)

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

// TestInterpreter runs the graphs of the attacks in float64. The images agree except at pixels where the gradient is so
// small that its sign is decided by rounding; a step in another direction there may spread, hence the few steps. One of the
// labels is that of the third largest logit, where the ratio of pgd3-dlr is constant.
func TestInterpreter(t *testing.T) {
	const eps = 8. / 255
	c := convnet(t)
	points := []int{3, 1, 4, 15, 9, 2}
	for name, few := range map[string]int{"fgsm": 2, "fgsm-rs": 2, "pgd3": 8, "pgd3-dlr": elems + 8, "mifgsm": 12, "cw": 40} {
		t.Run(name, func(t *testing.T) {
			s := Settings{Norm: "linf", Epsilon: eps, Seed: 22}
			m := stageOf(t, name).(method)
			d := attacked(t, m, c, len(points), s, points...)
			p, err := m.Program(c, len(points), s)
			if err != nil {
				t.Fatal(err)
			}
			in := inputs(m, s, 0, points...)
			out, err := interp.Run(p.Graph, in)
			if err != nil {
				t.Fatal(err)
			}
			want := out["adversarial"].Float64s()
			images := in["images"]
			small := gradient(t, c, images, in["labels"].Int64s())
			moved, apart := 0, 0
			for i, w := range want {
				v := d.images[points[i/elems]][i%elems]
				if v != images.Float32s()[i] {
					moved++
				}
				if math.Abs(float64(v)-w) > 1e-6 {
					apart++
					if name == "fgsm" && math.Abs(small[i]) > 1e-6 {
						t.Errorf("element %d: expected %v, found %v at the gradient %v", i, w, v, small[i])
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
		m := stageOf(t, k.name).(method)
		x := attacked(t, m, c, 1, s, 0).images[0]
		from := inputs(m, s, 0, 0)["start"].Float32s()
		largest := 0.0
		for i, v := range x {
			begin := max(0, min(1, point(0).Image[i]+from[i]))
			largest = max(largest, math.Abs(float64(v)-float64(begin)))
		}
		if math.Abs(largest-k.want) > 2e-7 {
			t.Errorf("%s with step size %v: expected a largest move of %v, found %v", k.name, k.flag, k.want, largest)
		}
	}
}
