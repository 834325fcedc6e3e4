package attack

import (
	"math"
	"slices"
	"testing"

	"rnas/compiler/interp"
	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/compiler/program"
	"rnas/internal/tensor"
	"rnas/runtime"
	"rnas/runtime/ort"
	"rnas/runtime/ort/orttest"
)

// noisy is a linear classifier of images [N,3,8,8] that multiplies each pixel by 1 + n, with normally distributed n.
func noisy(t *testing.T, weights [][]float32) program.Classifier {
	t.Helper()
	b := op.NewB("noisy")
	x := b.Input("input", ir.Float32, -1, 3, size, size)
	w := b.NamedConst("w", tensor.Of([]int64{int64(len(weights)), elems}, slices.Concat(weights...)...))
	noise := b.One("RandomNormalLike", ir.Attrs{"seed": float32(1)}, x)
	b.Output("logits", b.Gemm(b.Flatten(b.Mul(x, b.Add(noise, b.Float(x, 1)))), w, nil, false, true))
	return classifier(t, b)
}

// TestExpect has a model whose gradients are those of a linear one times 1 + n. Their means over 1 and 20 passes have the variance
// 1 and 1/20, and those of two iterations of a Loop are independent: the operator draws anew in each pass.
func TestExpect(t *testing.T) {
	orttest.Open(t)
	weights := normals(5, 1)
	c := noisy(t, weights)
	const batch = 8
	for _, n := range []int{1, 20} {
		b := op.NewB("expect")
		s := scene{Classifier: c, Settings: Settings{Norm: "linf"}}
		s.Images, s.Labels = c.Open(b, batch)
		begin := []*ir.Value{b.Scale(s.Images, 0), b.Scale(s.Images, 1)}
		out := b.Loop("steps", 2, begin, func(b op.B, _ *ir.Value, v []*ir.Value) []*ir.Value {
			_, _, g := s.expect(b, b.Identity(s.Images), func(b op.B, logits *ir.Value) *ir.Value {
				return b.Squeeze(b.Slice(logits, []int64{0}, []int64{1}, []int64{1}, []int64{1}), 1)
			}, n)
			return []*ir.Value{g, b.Identity(v[0])}
		})
		b.Output("second", out[0])
		b.Output("first", out[1])
		p, err := program.Finish(b)
		if err != nil {
			t.Fatal(err)
		}
		r, err := runtime.Launch(p, ort.NewStore(), ort.Options{Provider: "cpu"})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Step(); err != nil {
			t.Fatal(err)
		}
		var mean, variance, covariance float64
		first, second := r.Output("first").Float32s(), r.Output("second").Float32s()
		for i := range first {
			w := weights[0][i%elems]
			u, v := float64(first[i]/w-1), float64(second[i]/w-1)
			mean += (u + v) / 2
			variance += (u*u + v*v) / 2
			covariance += u * v
		}
		count := float64(len(first))
		want := 1 / float64(n)
		// Five standard errors of 1,536 normally distributed numbers.
		slack := 5 / math.Sqrt(count)
		if math.Abs(mean/count) > slack*math.Sqrt(want) || math.Abs(variance/count-want) > slack*want || math.Abs(covariance/count) > slack*want {
			t.Errorf("%d passes: mean %v, variance %v, covariance %v", n, mean/count, variance/count, covariance/count)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestExpectation runs Auto-PGD with several gradients a step: on a model without random numbers it finds the same, on one with
// them it runs, and its passes are counted.
func TestExpectation(t *testing.T) {
	s := Settings{Norm: "linf", Epsilon: 8. / 255, Seed: 4}
	c := convnet(t)
	var found [][]float64
	for _, name := range []string{"apgd-dlr", "apgd-dlr-eot2"} {
		m := stageOf(t, name).(method)
		p, err := m.Program(c, 2, s)
		if err != nil {
			t.Fatal(err)
		}
		out, err := interp.Run(p.Graph, inputs(m, s, 0, 7, 8))
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, out["adversarial"].Float64s())
	}
	for i, v := range found[0] {
		if math.Abs(v-found[1][i]) > 1e-9 {
			t.Fatalf("element %d: expected %v, found %v", i, v, found[1][i])
		}
	}
	for _, part := range []Part{apgdCErand, apgdDLRrand} {
		if want := stageOf(t, part.Name).Key(); part.Stages[0].Key() != want {
			t.Errorf("expected %s, found %s", want, part.Stages[0].Key())
		}
		d := attacked(t, part.Stages[0], noisy(t, normals(5, 1)), 2, s, 0, 1, 2)
		if want := (Counts{3 * 20 * 101, 3 * 20 * 101}); d.counts != want {
			t.Errorf("expected %+v, found %+v", want, d.counts)
		}
	}
}
