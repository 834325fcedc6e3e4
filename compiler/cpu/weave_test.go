package cpu

import (
	"fmt"
	"testing"

	"rnas/compiler/grad"
	"rnas/compiler/graphtest"
	"rnas/compiler/ir"
	"rnas/compiler/op"
)

// spreadSum adds tensors with every second pixel of every second row, moved by as many pixels as moves tells, and others.
func spreadSum(b op.B, others int, moves ...int64) *ir.Value {
	var terms []*ir.Value
	for i, at := range moves {
		y := b.One("ConvTranspose", ir.Attrs{"strides": []int64{2, 2}, "kernel_shape": []int64{1, 1}, "output_padding": []int64{1 - at, 1 - at}},
			b.Input(fmt.Sprint("x", i), ir.Float32, 2, 4, 3, 5), b.Input(fmt.Sprint("w", i), ir.Float32, 4, 8, 1, 1))
		terms = append(terms, b.Pad(y, 0, 0, at, at, 0, 0, 0, 0))
	}
	for i := range others {
		terms = append(terms, b.Input(fmt.Sprint("z", i), ir.Float32, 2, 8, 6, 10))
	}
	return b.Sum(terms...)
}

func TestNCHWcWeave(t *testing.T) {
	for _, c := range []struct {
		others int
		moves  []int64
		adds   int
	}{
		{0, []int64{0, 1}, 0},
		{0, []int64{1, 0}, 0},
		{1, []int64{0, 1}, 1},
		{1, []int64{0, 0}, 1},
		{1, []int64{0, 0, 1, 1, 1}, 3},
		{0, []int64{1, 1}, 1},
		{1, []int64{1}, 1},
	} {
		t.Run(fmt.Sprint(c.moves, c.others), func(t *testing.T) {
			g := sameFunction(t, func(b op.B) { b.Output("y", b.Relu(spreadSum(b, c.others, c.moves...))) })
			adds := graphtest.Count(g, "", "Add")
			g.Walk(func(n *ir.Node) {
				if n.Op == "Sum" {
					adds += len(n.In) - 1
				}
			})
			if adds != c.adds {
				t.Errorf("expected %d additions, found %d\n%s", c.adds, adds, g)
			}
		})
	}
}

// TestNCHWcExpand repeats pixels beside a tensor in NCHWc, and others that the layout must not touch.
func TestNCHWcExpand(t *testing.T) {
	g := sameFunction(t, func(b op.B) {
		point := op.Conv2D{Kernel: [2]int64{1, 1}}
		x, w := b.Input("x", ir.Float32, 2, 8, 3, 5), b.Input("w", ir.Float32, 8, 8, 1, 1)
		y := b.GlobalAveragePool(b.Relu(b.Conv(x, w, nil, point)))
		b.Output("dx", grad.Gradients(b, []*ir.Value{y}, []*ir.Value{y}, []*ir.Value{x})[0])
		b.Output("planes", b.Conv(b.Expand(b.Exp(y), 2, 8, 3, 5), w, nil, point))
		b.Output("rows", b.Expand(b.Input("row", ir.Float32, 2, 8, 1, 5), 2, 8, 3, 5))
	})
	if k := graphtest.Count(g, op.NCHWc, "ReorderInput"); k != 1 {
		t.Errorf("expected to enter the layout once, found %d times\n%s", k, g)
	}
}

// TestNCHWcTaps has convolutions with few output channels: those of many taps are computed tap by tap.
func TestNCHWcTaps(t *testing.T) {
	for _, c := range []struct {
		window op.Conv2D
		few    int64
		split  bool
	}{
		{op.Same(3, 1, 1), 1, true},
		{op.Same(5, 1, 1), 1, true},
		{op.Same(3, 1, 2), 1, true},
		{op.Same(3, 1, 1), 3, false},
		{op.Same(3, 2, 1), 1, false},
		{op.Conv2D{Kernel: [2]int64{1, 1}}, 1, false},
	} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			g := sameFunction(t, func(b op.B) {
				x := b.Relu(b.Input("x", ir.Float32, 2, 64, 6, 8))
				b.Output("y", b.Conv(x, b.Input("w", ir.Float32, c.few, 64, c.window.Kernel[0], c.window.Kernel[1]), nil, c.window))
			})
			if k := graphtest.Count(g, op.NCHWc, "Conv"); k != map[bool]int{true: 3, false: 1}[c.split] {
				t.Errorf("%d convolutions\n%s", k, g)
			}
		})
	}
}
