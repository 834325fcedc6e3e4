package attack

import (
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

var radii = map[string]float64{"linf": 8. / 255, "l2": 0.5, "l1": 4}

// evaluate runs one function of x [B,C,H,W] in float64.
func evaluate(t *testing.T, x *tensor.Tensor, f func(b op.B, x *ir.Value) *ir.Value) []float64 {
	t.Helper()
	b := op.NewB("f")
	b.Output("y", f(b, b.Input("x", ir.Float32, x.Shape...)))
	g, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	out, err := interp.Run(g, map[string]*tensor.Tensor{"x": x})
	if err != nil {
		t.Fatal(err)
	}
	return out["y"].Float64s()
}

func random(scale float32, shape ...int64) *tensor.Tensor {
	x := tensor.Zeros(tensor.Float32, shape...)
	s := rng.New(5, rng.Probe, 0, 0, 0)
	s.FillUniform(x.Float32s(), -scale, scale)
	return x
}

// TestProjection compares with the nearest of many points of the ball: no point of it is nearer to x than the projection.
func TestProjection(t *testing.T) {
	for name, n := range norms {
		for _, scale := range []float32{0.01, 3} {
			eps := radii[name]
			x := random(scale, 3, 1, 2, 4)
			// Around 0.5 and with small radii the box does not cut in.
			if name != "linf" {
				eps = 0.3
			}
			centre := slices.Repeat([]float32{0.5}, 24)
			shifted := slices.Clone(x.Float32s())
			for i := range shifted {
				shifted[i] += 0.5
			}
			y := evaluate(t, tensor.Of(x.Shape, shifted...), func(b op.B, v *ir.Value) *ir.Value {
				return n.ball(b, b.Const("centre", tensor.Of(x.Shape, centre...)), eps)(b, v)
			})
			for image := range 3 {
				at := func(i int) int { return image*8 + i }
				p, from := make([]float32, 8), make([]float32, 8)
				for i := range 8 {
					p[i], from[i] = float32(y[at(i)]), shifted[at(i)]
				}
				if size := n.size(p, centre[:8]); size > eps+1e-6 {
					t.Errorf("%s: size %v, expected at most %v", name, size, eps)
				}
				if n.size(from, centre[:8]) <= eps {
					if d := sizeL2(p, from); d > 1e-6 {
						t.Errorf("%s: a point of the ball moved by %v", name, d)
					}
					continue
				}
				best := sizeL2(p, from)
				for k := range 2000 {
					s := rng.New(7, rng.Probe, k, image, 0)
					other := make([]float32, 8)
					n.uniform(&s, other, eps)
					if k%2 == 0 { // near the projection
						for i := range other {
							other[i] = other[i]*0.05 + (p[i]-0.5)*0.95
						}
					}
					for i := range other {
						other[i] += 0.5
					}
					if d := sizeL2(other, from); d < best-1e-6 {
						t.Fatalf("%s: a point of the ball is nearer: %v, projection %v", name, d, best)
					}
				}
			}
		}
	}
}

// TestDirection checks that a direction has unit size and that no random step of unit size gains more; the L1 step, which is
// spread over a share of the pixels, gains nearly as much as the largest gradient.
func TestDirection(t *testing.T) {
	for name, n := range norms {
		g := random(1, 1, 3, 8, 8)
		d := evaluate(t, g, n.direction)
		step := make([]float32, len(d))
		gain := 0.0
		for i, v := range d {
			step[i] = float32(v)
			gain += v * g.Float64At(i)
		}
		zero := make([]float32, len(d))
		if size := n.size(step, zero); math.Abs(size-1) > 1e-5 {
			t.Errorf("%s: size %v", name, size)
		}
		for k := range 500 {
			s := rng.New(9, rng.Probe, k, 0, 0)
			other := make([]float32, len(d))
			n.uniform(&s, other, 1)
			sum := 0.0
			for i, v := range other {
				sum += float64(v) * g.Float64At(i)
			}
			if sum > gain {
				t.Fatalf("%s: a random step gains %v, the direction %v", name, sum, gain)
			}
		}
	}
}

func TestUniform(t *testing.T) {
	for name, n := range norms {
		eps := radii[name]
		mean, zero := 0.0, make([]float32, 48)
		for k := range 400 {
			s := rng.New(3, rng.Probe, k, 0, 0)
			x := make([]float32, 48)
			n.uniform(&s, x, eps)
			size := n.size(x, zero)
			if size > eps*(1+1e-6) {
				t.Fatalf("%s: size %v, expected at most %v", name, size, eps)
			}
			mean += size / eps / 400
		}
		// The mean radius of a uniform draw from a ball of dimension d is d/(d+1) of it.
		if want := 48. / 49; math.Abs(mean-want) > 0.01 {
			t.Errorf("%s: mean radius %v, expected %v", name, mean, want)
		}
	}
}

// TestNorms runs PGD in every norm: images stay in ball and box, the loss rises, and rows do not depend on each other.
func TestNorms(t *testing.T) {
	c := convnet(t)
	for name, n := range norms {
		s := Settings{Norm: name, Epsilon: radii[name], Seed: 8}
		d := attacked(t, stageOf(t, "pgd5"), c, 4, s, 0, 1, 2, 3)
		alone := attacked(t, stageOf(t, "pgd5"), c, 4, s, 2)
		if !slices.Equal(alone.images[2], d.images[2]) {
			t.Errorf("%s: the image of point 2 depends on the others", name)
		}
		var images, adversarial []float32
		var labels []int64
		for p := range 4 {
			x, from := d.images[p], point(p)
			images, adversarial, labels = append(images, from.Image...), append(adversarial, x...), append(labels, from.Label)
			if size := n.size(x, from.Image); !(size <= s.Epsilon*(1+1e-5)) || size < s.Epsilon/2 {
				t.Errorf("%s: size %v, expected up to %v", name, size, s.Epsilon)
			}
			if slices.Min(x) < 0 || slices.Max(x) > 1 {
				t.Errorf("%s: pixels from %v to %v", name, slices.Min(x), slices.Max(x))
			}
		}
		before, after := lossOf(t, images, labels), lossOf(t, adversarial, labels)
		for row := range before {
			if after[row] <= before[row] {
				t.Errorf("%s: loss of row %d from %v to %v", name, row, before[row], after[row])
			}
		}
	}
}

func lossOf(t *testing.T, images []float32, labels []int64) []float64 {
	t.Helper()
	p, err := convnet(t).Score(len(labels))
	if err != nil {
		t.Fatal(err)
	}
	x := tensor.Of([]int64{int64(len(labels)), 3, size, size}, images...)
	out, err := interp.Run(p.Graph, map[string]*tensor.Tensor{"images": x, "labels": tensor.Vector(labels...)})
	if err != nil {
		t.Fatal(err)
	}
	return out["loss"].Float64s()
}

func mustScore(t *testing.T, c program.Classifier, n int) *ir.Graph {
	t.Helper()
	p, err := c.Score(n)
	if err != nil {
		t.Fatal(err)
	}
	return p.Graph
}
