package pass

import (
	"math"
	"testing"

	"rnas/compiler/graphtest"
	"rnas/compiler/interp"
	"rnas/compiler/ir"
	"rnas/compiler/op"
)

func TestFloat16(t *testing.T) {
	rewrite(t, func(b op.B) {
		x := b.Input("x", ir.Float32, ir.N, 1, 4, 4)
		y := b.Sub(x, b.Const("mean", values([]int64{1, 1, 1}, 0.5)))
		y = b.Relu(b.Conv(y, b.Const("w", values([]int64{2, 1, 1, 1}, 3, 5)), nil, op.Same(1, 1, 1)))
		y = b.Mul(y, b.Const("big", values(nil, 1e6)))
		y = b.Flatten(b.GlobalAveragePool(y))
		y = b.MatMul(y, b.Const("v", values([]int64{2, 1}, 1, 2)))
		b.Output("y", y)
		b.Output("p", b.Softmax(y, -1))
	}, `
		input x float32[N,1,4,4]
		const mean float32[1,1,1] = [0.5]
		const w.float16 float16[2,1,1,1] = [16896,17664]
		const big float32[] = [1e+06]
		const v.float16 float16[2,1] = [15360,16384]
		Sub.out float32[N,1,4,4] = Sub(x, mean)
		Sub.out.float16 float16[N,1,4,4] = Cast(Sub.out) to=10
		Conv.out float16[N,2,4,4] = Conv(Sub.out.float16, w.float16) kernel_shape=[1,1] pads=[0,0,0,0] strides=[1,1]
		Relu.out float16[N,2,4,4] = Relu(Conv.out)
		Relu.out.float32 float32[N,2,4,4] = Cast(Relu.out) to=1
		Mul.out float32[N,2,4,4] = Mul(Relu.out.float32, big)
		GlobalAveragePool.out float32[N,2,1,1] = GlobalAveragePool(Mul.out)
		GlobalAveragePool.out.float16 float16[N,2,1,1] = Cast(GlobalAveragePool.out) to=10
		Flatten.out float16[N,2] = Flatten(GlobalAveragePool.out.float16) axis=1
		y.float16 float16[N,1] = MatMul(Flatten.out, v.float16)
		y float32[N,1] = Cast(y.float16) to=1
		p float32[N,1] = Softmax(y) axis=-1
		output y
		output p`, Float16())
}

func TestOverflows(t *testing.T) {
	inf := float32(math.Inf(1))
	for v, want := range map[float32]bool{0: false, 65504: false, 65519: false, 65520: true, -1e9: true, inf: false, -inf: false} {
		if overflows(v) != want {
			t.Errorf("%v: expected %v", v, want)
		}
	}
}

// classifier is a small network with a branch that is read by a Relu and by a sum.
func classifier(b op.B) {
	x := b.Input("x", ir.Float32, ir.N, 3, 8, 8)
	y := b.Conv(x, b.Const("w1", graphtest.Filled(1, 4, 3, 3, 3)), b.Const("b1", graphtest.Filled(2, 4)), op.Same(3, 1, 1))
	z := b.Relu(y)
	w := graphtest.Filled(3, 4, 1, 3, 3)
	for i := range w.Float32s() {
		w.Float32s()[i] -= 0.9
	}
	g := op.Same(3, 1, 1)
	g.Group = 4
	z = b.Conv(z, b.Const("w2", w), nil, g)
	z = b.Add(b.Relu(z), y)
	z = b.Concat(1, z, b.MaxPool(y, op.Same(3, 1, 1)))
	z = b.Flatten(b.GlobalAveragePool(z))
	b.Output("logits", b.Gemm(z, b.Const("w3", graphtest.Filled(4, 8, 5)), b.Const("b3", graphtest.Filled(5, 5)), false, false))
}

// outputOf runs a graph on random images.
func outputOf(t *testing.T, g *ir.Graph) []float64 {
	t.Helper()
	out, err := interp.RunOrdered(g, graphtest.Filled(9, 2, 3, 8, 8))
	if err != nil {
		t.Fatal(err)
	}
	return out[0].Float64s()
}

// The interpreter does not round activations: what differs is the weights.
func TestFloat16Network(t *testing.T) {
	want := outputOf(t, apply(t, classifier))
	half := apply(t, classifier, Float16())
	if n := countTypes(half); n[ir.Float16] < 10 || n[ir.Float32] > 5 {
		t.Errorf("types %v", n)
	}
	for i, v := range outputOf(t, half) {
		if math.Abs(v-want[i]) > 2e-3*math.Abs(want[i]) || v == want[i] {
			t.Errorf("output %d is %v, expected about %v", i, v, want[i])
		}
	}
}

func countTypes(g *ir.Graph) map[ir.DType]int {
	n := map[ir.DType]int{}
	for _, v := range g.Constants() {
		n[v.Type]++
	}
	for _, node := range g.Nodes {
		n[node.Out[0].Type]++
	}
	return n
}
