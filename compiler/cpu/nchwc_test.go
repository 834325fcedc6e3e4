package cpu

import (
	"fmt"
	"testing"

	"rnas/compiler/grad"
	"rnas/compiler/graphtest"
	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/compiler/pass"
	"rnas/internal/tensor"
)

const testBlock = 4

// apply builds a graph and runs passes over it.
func apply(t *testing.T, build func(b op.B), passes ...pass.Pass) *ir.Graph {
	t.Helper()
	g := graphtest.Build(t, build)
	if err := (pass.Runner{Check: true}).Run(g, passes); err != nil {
		t.Fatal(err)
	}
	return g
}

// rewrite compares the text of a graph after passes with want.
func rewrite(t *testing.T, build func(b op.B), want string, passes ...pass.Pass) {
	t.Helper()
	graphtest.HasText(t, apply(t, build, passes...), want)
}

// sameFunction builds the graph twice, runs the CPU's pipeline with blocks of testBlock channels over one and compares the two.
func sameFunction(t *testing.T, build func(b op.B)) *ir.Graph {
	t.Helper()
	return sameGraphs(t, graphtest.Build(t, build), graphtest.Build(t, build))
}

// sameGraphs runs that pipeline over g and compares it with plain.
func sameGraphs(t *testing.T, plain, g *ir.Graph) *ir.Graph {
	t.Helper()
	if err := (pass.Runner{Check: true}).Run(g, Program(testBlock)); err != nil {
		t.Fatal(err)
	}
	graphtest.Same(t, plain, g)
	return g
}

func TestNCHWcDepthwise(t *testing.T) {
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
			if k := graphtest.Count(g, "", "Conv"); k > 0 {
				t.Errorf("%d convolutions are not in NCHWc\n%s", k, g)
			}
		})
	}
}

// TestNCHWcMaxPool has ties in many windows, which go to the first of them.
func TestNCHWcMaxPool(t *testing.T) {
	for _, c := range []op.Conv2D{op.Same(3, 1, 1), op.Same(3, 2, 1), op.Same(5, 1, 1), op.Same(5, 2, 1)} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			g := sameFunction(t, func(b op.B) {
				x := b.Conv(b.Input("x", ir.Float32, 2, 8, 8, 10), b.Const("one", tensor.FromFloat64s(ir.Float32, []int64{8, 1, 1, 1}, []float64{1, 1, 1, 1, 1, 1, 1, 1})), nil, op.Conv2D{Kernel: [2]int64{1, 1}, Group: 8})
				x = b.Relu(b.Sub(x, b.Float(x, 0.5)))
				y := b.MaxPool(x, c)
				b.Output("y", y)
				b.Output("dx", grad.Gradients(b, []*ir.Value{y}, []*ir.Value{b.Input("dy", ir.Float32, y.Shape...)}, []*ir.Value{x})[0])
			})
			if k := graphtest.Count(g, "", "ScatterElements"); k > 0 {
				t.Errorf("the gradient is not in NCHWc\n%s", g)
			}
		})
	}
}

// TestNCHWcStrides covers factorized reductions and depthwise convolutions of stride 2, forward and backward.
func TestNCHWcStrides(t *testing.T) {
	build := func(b op.B) {
		x := b.Relu(b.Conv(b.Input("x", ir.Float32, 2, 8, 6, 10), b.Input("w", ir.Float32, 8, 8, 1, 1), nil, op.Conv2D{Kernel: [2]int64{1, 1}}))
		half := op.Conv2D{Kernel: [2]int64{1, 1}, Stride: 2}
		shifted := b.Slice(x, []int64{1, 1}, []int64{6, 10}, []int64{2, 3}, []int64{1, 1})
		first, second := b.Input("first", ir.Float32, 8, 8, 1, 1), b.Input("second", ir.Float32, 8, 8, 1, 1)
		y := b.Concat(1, b.Conv(x, first, nil, half), b.Conv(shifted, second, nil, half), b.Conv(b.Relu(shifted), second, nil, half))
		ys, with := []*ir.Value{y}, []*ir.Value{x, first, second}
		for i, c := range []op.Conv2D{op.Same(3, 2, 1), op.Same(5, 2, 1), op.Same(3, 2, 2), op.Same(5, 2, 2)} {
			c.Group = 8
			w := b.Input(fmt.Sprint("depthwise", i), ir.Float32, 8, 1, c.Kernel[0], c.Kernel[1])
			ys, with = append(ys, b.Conv(x, w, nil, c)), append(with, w)
		}
		for i, v := range append(ys, grad.Gradients(b, ys, ys, with)...) {
			b.Output(fmt.Sprint("y", i), v)
		}
	}
	g := sameFunction(t, build)
	if k := graphtest.Count(g, "", "ConvTranspose"); k > 0 {
		t.Errorf("%d gradients are not in NCHWc\n%s", k, g)
	}
}

func TestNCHWcOperators(t *testing.T) {
	w := op.Same(3, 1, 1)
	w.Group = 8
	for name, build := range map[string]func(b op.B, x, vec *ir.Value) []*ir.Value{
		"channel scale and shift": func(b op.B, x, vec *ir.Value) []*ir.Value {
			c := b.Reshape(vec, 8, 1, 1)
			return []*ir.Value{b.Add(b.Mul(x, c), c), b.Add(c, b.Relu(x)), b.Sub(x, c), b.Div(c, b.Add(b.Abs(x), b.Float(x, 1)))}
		},
		"pixel factors": func(b op.B, x, _ *ir.Value) []*ir.Value {
			f := b.Const("f", tensor.FromFloat64s(ir.Float32, []int64{1, 1, 1, 5}, []float64{1, 2, 3, 4, 5}))
			return []*ir.Value{b.Mul(x, f), b.Sum(x, f, x)}
		},
		"image factors": func(b op.B, x, _ *ir.Value) []*ir.Value {
			return []*ir.Value{b.Mul(x, b.Input("f", ir.Float32, 2, 1, 1, 1)), b.Mul(b.Float(x, 3), x)}
		},
		"channels cut and joined": func(b op.B, x, _ *ir.Value) []*ir.Value {
			p := b.Split(x, 1, 4, 4)
			return []*ir.Value{b.Concat(1, p[1], x), b.Concat(1, p[0], b.Input("y", ir.Float32, 2, 8, 6, 5)), b.Concat(2, x, x)}
		},
		"channels cut inside a block": func(b op.B, x, _ *ir.Value) []*ir.Value {
			return b.Split(x, 1, 2, 6)
		},
		"channels sliced": func(b op.B, x, _ *ir.Value) []*ir.Value {
			cut := func(start, end, step int64) *ir.Value {
				return b.Slice(x, []int64{start}, []int64{end}, []int64{1}, []int64{step})
			}
			return []*ir.Value{cut(4, 8, 1), cut(0, -4, 1), cut(0, 8, 2), cut(2, 6, 1), cut(7, 3, -1), b.Relu(cut(4, 1<<60, 1))}
		},
		"pixels cut and padded": func(b op.B, x, _ *ir.Value) []*ir.Value {
			cut := b.Slice(x, []int64{1, 0}, []int64{6, 4}, []int64{2, 3}, []int64{1, 2})
			return []*ir.Value{cut, b.Pad(cut, 0, 0, 1, 0, 0, 0, 2, 1), b.Pad(x, 0, 1, 0, 0, 0, 0, 0, 0)}
		},
		"pooling": func(b op.B, x, _ *ir.Value) []*ir.Value {
			return []*ir.Value{b.MaxPool(x, op.Same(3, 2, 1)), b.AveragePool(x, op.Same(3, 1, 1)), b.GlobalAveragePool(x)}
		},
		"sums": func(b op.B, x, vec *ir.Value) []*ir.Value {
			keep := b.ReduceSum(x, true, 0, 2, 3)
			return []*ir.Value{
				keep, b.ReduceSum(b.Mul(x, x), false, -1, 0, -2), b.ReduceSum(x, false, 1), b.Add(x, keep),
				b.Add(b.Mul(x, b.Reshape(vec, 8, 1, 1)), b.Mul(x, b.Reshape(b.Neg(vec), 8, 1, 1))),
			}
		},
		"normalisation": func(b op.B, x, vec *ir.Value) []*ir.Value {
			variance := b.Mul(vec, vec)
			running := b.Node("BatchNormalization", ir.Attrs{"training_mode": int64(1)}, 3, x, vec, vec, vec, variance)
			y, mean, v := b.BatchNormTrain(x, vec, vec, b.Neg(vec), variance, 1e-5)
			return append(running, b.BatchNorm(x, vec, vec, vec, variance, 1e-5), b.Relu(y), mean, v)
		},
		"image in, image out": func(b op.B, x, _ *ir.Value) []*ir.Value {
			image := b.Input("image", ir.Float32, 2, 3, 6, 5)
			y := b.Relu(b.Conv(image, b.Input("stem", ir.Float32, 8, 3, 3, 3), nil, op.Same(3, 1, 1)))
			return append(grad.Gradients(b, []*ir.Value{y}, []*ir.Value{b.Mul(x, y)}, []*ir.Value{image}), y)
		},
		"loop over a value in NCHWc": func(b op.B, x, _ *ir.Value) []*ir.Value {
			return b.Loop("loop", 2, []*ir.Value{x}, func(b op.B, _ *ir.Value, in []*ir.Value) []*ir.Value {
				return []*ir.Value{b.Add(b.Conv(in[0], b.Fill(x, 0.5, 8, 1, 3, 3), nil, w), x)}
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			sameFunction(t, func(b op.B) {
				x := b.Conv(b.Input("x", ir.Float32, 2, 8, 6, 5), b.Input("w", ir.Float32, 8, 1, 3, 3), nil, w)
				for i, v := range build(b, x, b.Input("vec", ir.Float32, 8)) {
					b.Output(fmt.Sprint("y", i), v)
				}
			})
		})
	}
}

func TestNCHWcLeavesOtherChannelsAlone(t *testing.T) {
	for _, channels := range []int64{3, 6, 8} {
		g := sameFunction(t, func(b op.B) {
			c := op.Same(3, 1, 1)
			c.Group = channels
			b.Output("y", b.Conv(b.Input("x", ir.Float32, ir.N, channels, 5, 5), b.Input("w", ir.Float32, channels, 1, 3, 3), nil, c))
		})
		if found := graphtest.Count(g, op.NCHWc, "Conv") > 0; found != (channels%testBlock == 0) {
			t.Errorf("%d channels: in NCHWc %v", channels, found)
		}
	}
}
