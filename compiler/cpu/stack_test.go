package cpu

import (
	"slices"
	"testing"

	"rnas/compiler/graphtest"
	"rnas/compiler/interp"
	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/compiler/pass"
	"rnas/internal/rng"
	"rnas/internal/tensor"
)

// laidOut uses the parts of a vector in several layouts: turned, flipped, as they are, and one of them as an output.
func laidOut(b op.B) {
	const parts, out, in, taps = 6, 4, 2, 3
	sizes := make([]int64, parts+2)
	for i := range sizes {
		sizes[i] = out * in * taps
	}
	sizes[parts], sizes[parts+1] = 5, 7
	pieces := b.Split(b.Input("params", ir.Float32, parts*out*in*taps+12), 0, sizes...)
	scale := b.Input("scale", ir.Float32, parts)
	for i, v := range pieces[:parts] {
		w := b.Reshape(v, out, in, taps)
		turned := b.Reshape(b.Transpose(w, 1, 2, 0), in, taps*out)
		flipped := b.Slice(w, []int64{-1}, []int64{-taps - 1}, []int64{2}, []int64{-1})
		one := b.Slice(scale, []int64{int64(i)}, []int64{int64(i) + 1}, []int64{0}, []int64{1})
		b.Output("turned"+string(rune('a'+i)), b.Mul(turned, one))
		b.Output("flipped"+string(rune('a'+i)), b.Mul(flipped, one))
		if i == 0 {
			b.Output("first", w)
		}
	}
	b.Output("rest", b.Concat(0, pieces[parts:]...))
}

func TestStack(t *testing.T) {
	params, scale := tensor.Zeros(tensor.Float32, 6*24+12), tensor.Zeros(tensor.Float32, 6)
	s := rng.New(1, rng.Probe, 0, 0, 0)
	s.FillUniform(params.Float32s(), -1, 1)
	s.FillUniform(scale.Float32s(), 1, 1)
	var results [2][]*tensor.Tensor
	var texts [2]string
	for i, passes := range [][]pass.Pass{nil, {Stack}} {
		g := apply(t, laidOut, passes...)
		out, err := interp.RunOrdered(g, params, scale)
		if err != nil {
			t.Fatal(err)
		}
		results[i] = out
		if i == 1 {
			again := apply(t, laidOut, Stack)
			if texts = [2]string{g.String(), again.String()}; texts[0] != texts[1] {
				t.Error("two compilations differ")
			}
			if n := graphtest.Count(g, "", "Transpose"); n != 2 { // the first part is an output on the way
				t.Errorf("expected two Transposes, found %d in\n%s", n, g)
			}
			flips := slices.DeleteFunc(slices.Clone(g.Nodes), func(n *ir.Node) bool { return n.Op != "Slice" || n.In[0].Rank() == 1 })
			if len(flips) != 2 {
				t.Errorf("expected two Slices of parameters, found %d in\n%s", len(flips), g)
			}
		}
	}
	for i, want := range results[0] {
		if !tensor.Equal(want, results[1][i]) {
			t.Errorf("output %d: expected %v, found %v", i, want, results[1][i])
		}
	}
}
