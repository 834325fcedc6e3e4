package cpu

import (
	"math"
	"testing"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/tensor"
)

func TestClipMask(t *testing.T) {
	rewrite(t, func(b op.B) {
		x, g := b.Input("x", ir.Float32, 2, 3), b.Input("g", ir.Float32, 2, 3)
		zero, six := b.Float(x, 0), b.Float(x, 6)
		b.Output("low", b.Where(b.GreaterOrEqual(x, zero), g, zero))
		b.Output("high", b.Where(b.LessOrEqual(x, six), g, zero))
		b.Output("strict", b.Where(b.Less(x, six), g, zero))
		b.Output("other", b.Where(b.GreaterOrEqual(x, six), g, six))
		both := b.GreaterOrEqual(x, b.Float(x, 2))
		b.Output("used", b.Where(both, g, zero))
		b.Output("flag", both)
	}, `
		input x float32[2,3]
		input g float32[2,3]
		const float_1 float32[] = [6]
		const float float32[] = [0]
		const float_2 float32[] = [2]
		GreaterOrEqual.out float32[2,3] = HardSigmoid(x) alpha=1.2676506e+30 beta=1
		low float32[2,3] = Mul(g, GreaterOrEqual.out)
		LessOrEqual.out float32[2,3] = HardSigmoid(x) alpha=-2.097152e+06 beta=1.2582913e+07
		high float32[2,3] = Mul(g, LessOrEqual.out)
		Less.out bool[2,3] = Less(x, float_1)
		strict float32[2,3] = Where(Less.out, g, float)
		GreaterOrEqual_1.out bool[2,3] = GreaterOrEqual(x, float_1)
		other float32[2,3] = Where(GreaterOrEqual_1.out, g, float_1)
		flag bool[2,3] = GreaterOrEqual(x, float_2)
		used float32[2,3] = Where(flag, g, float)
		output low
		output high
		output strict
		output other
		output used
		output flag`, clipMasks)
}

// TestClipMaskIsExact looks at the float32 numbers around bounds, in the arithmetic of float32.
func TestClipMaskIsExact(t *testing.T) {
	for _, op := range []string{"GreaterOrEqual", "LessOrEqual"} {
		for _, bound := range []float32{6, 1, 0.5, 2, -1, -2, -0.1, 0.1, 1. / 3, 255, -6.5, 1e-20, 3e20} {
			x := &ir.Value{Type: ir.Float32, Shape: ir.Shape{1}}
			c := &ir.Value{Type: ir.Float32, Const: tensor.Scalar(bound)}
			attrs := steps(&ir.Node{Op: op, In: []*ir.Value{x, c}})
			if attrs == nil {
				t.Fatalf("%s %v: no mask", op, bound)
			}
			alpha, beta := attrs["alpha"].(float32), attrs["beta"].(float32)
			inf := float32(math.Inf(1))
			for _, v := range []float32{
				bound, math.Nextafter32(bound, inf), math.Nextafter32(bound, -inf), 0, 2 * bound, bound / 2, -bound, 1e30, -1e30, inf, -inf,
			} {
				want := float32(0)
				if op == "GreaterOrEqual" && v >= bound || op == "LessOrEqual" && v <= bound {
					want = 1
				}
				product := alpha * v
				if got := min(max(product+beta, 0), 1); got != want {
					t.Errorf("%s %v at %v: expected %v, found %v", op, bound, v, want, got)
				}
			}
		}
	}
}
