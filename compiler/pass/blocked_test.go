package pass

import (
	"fmt"
	"math"
	"testing"

	"rnas/compiler/grad"
	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/interp"
	"rnas/internal/rng"
	"rnas/internal/tensor"
)

// sameFunction builds the graph twice, blocks one of them and compares the outputs of both on random inputs.
func sameFunction(t *testing.T, build func(b op.B)) *ir.Graph {
	t.Helper()
	plain, blocked := apply(t, build, Training("")...), apply(t, build, append(Training("cpu"), Blocked(4))...)
	var in []*tensor.Tensor
	for i, v := range plain.Inputs {
		x := tensor.Zeros(v.Type, v.Shape...)
		s := rng.New(1, rng.Probe, i, 0, 0)
		s.FillUniform(x.Float32s(), -1, 1)
		in = append(in, x)
	}
	want, err := interp.RunOrdered(plain, in...)
	if err != nil {
		t.Fatal(err)
	}
	got, err := interp.RunOrdered(blocked, in...)
	if err != nil {
		t.Fatal(err)
	}
	for i, w := range want {
		for k, v := range w.Float64s() {
			if d := math.Abs(got[i].Float64At(k) - v); !(d <= 1e-12*(1+math.Abs(v))) {
				t.Fatalf("output %s, element %d: expected %g, found %g\n%s", plain.Outputs[i].Name, k, v, got[i].Float64At(k), blocked)
			}
		}
	}
	return blocked
}

func count(g *ir.Graph, domain, name string) int {
	k := 0
	g.Walk(func(n *ir.Node) {
		if n.Domain == domain && n.Op == name {
			k++
		}
	})
	return k
}

func TestBlockedDepthwise(t *testing.T) {
	for _, c := range []op.Conv2D{op.Same(3, 1, 1), op.Same(3, 2, 1), op.Same(5, 1, 2), op.Same(5, 2, 2)} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			c.Group = 8
			g := sameFunction(t, func(b op.B) {
				x, w := b.Input("x", ir.Float32, 2, 8, 8, 8), b.Input("w", ir.Float32, 8, 1, c.Kernel[0], c.Kernel[1])
				y := b.Relu(b.Conv(b.Relu(x), w, nil, c))
				b.Output("y", y)
				d := grad.Gradients(b, []*ir.Value{y}, []*ir.Value{b.Input("dy", ir.Float32, y.Shape...)}, []*ir.Value{x, w})
				b.Output("dx", d[0])
				b.Output("dw", d[1])
			})
			if k := count(g, "", "Conv"); k > 0 {
				t.Errorf("%d convolutions are not blocked\n%s", k, g)
			}
		})
	}
}
