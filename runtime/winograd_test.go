package runtime_test

import (
	"math"
	"testing"

	"rnas/compiler/cpu"
	"rnas/compiler/interp"
	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/compiler/pass"
	"rnas/export"
	"rnas/internal/rng"
	"rnas/internal/tensor"
	"rnas/runtime/ort"
)

// TestWinogradIsExact compares 3x3 convolutions by F(2x2,3x3) and F(4x4,3x3) in float32 with direct sums in float64: they
// err by less than 1e-6 and 4e-6 of the largest result.
func TestWinogradIsExact(t *testing.T) {
	block := blockSize(t)
	for _, c := range []struct {
		side int64
		tol  float64
	}{{8, 1e-6}, {15, 4e-6}} {
		build := func() *ir.Graph {
			b := op.NewB("wide")
			x := b.Input("x", ir.Float32, 2, 128, c.side, c.side)
			w, bias := tensor.Zeros(ir.Float32, 128, 128, 3, 3), tensor.Zeros(ir.Float32, 128)
			r := rng.New(1, rng.Probe, 0, 0, 0)
			r.FillUniform(w.Float32s(), -0.1, 0.1)
			r.FillUniform(bias.Float32s(), -1, 1)
			y := b.Conv(b.Relu(x), b.Const("w", w), b.Const("bias", bias), op.Same(3, 1, 1))
			b.Output("y", b.Relu(b.Add(y, x)))
			g, err := b.Build()
			if err != nil {
				t.Fatal(err)
			}
			return g
		}
		x := tensor.Zeros(tensor.Float32, 2, 128, c.side, c.side)
		r := rng.New(1, rng.Probe, 1, 0, 0)
		r.FillUniform(x.Float32s(), -1, 1)
		want, err := interp.RunOrdered(build(), x)
		if err != nil {
			t.Fatal(err)
		}
		g := build()
		if err := pass.Run(g, []pass.Pass{cpu.NCHWc(block)}); err != nil {
			t.Fatal(err)
		}
		convs := 0
		g.Walk(func(n *ir.Node) {
			if n.Domain == op.NCHWc && n.Op == "Conv" {
				convs++
			}
		})
		if least := map[int64]int{8: 16 + 20, 15: 36 + 42}[c.side]; convs < least {
			t.Errorf("%dx%d: %d convolutions, expected at least %d", c.side, c.side, convs, least)
		}
		model, err := export.Marshal(g, export.Options{})
		if err != nil {
			t.Fatal(err)
		}
		s, err := ort.NewSession(model, ort.Options{Threads: 2})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		got, err := s.RunAlloc([]*tensor.Tensor{x})
		if err != nil {
			t.Fatal(err)
		}
		largest, off := 0.0, 0.0
		for i, v := range want[0].Float64s() {
			largest, off = max(largest, math.Abs(v)), max(off, math.Abs(v-float64(got[0].Float32s()[i])))
		}
		if off /= largest; !(off < c.tol) {
			t.Errorf("%dx%d: off by %.2g of the largest result, expected less than %g", c.side, c.side, off, c.tol)
		}
		t.Logf("%dx%d: off by %.2g of the largest result", c.side, c.side, off)
	}
}
