package interp

import (
	"fmt"
	"maps"
	"math"
	"testing"

	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

func image(shape []int64, v ...float64) *tensor.Tensor { return tensor.Of(shape, v...) }

func TestPool(t *testing.T) {
	x := image([]int64{1, 1, 3, 3}, 1, 9, 3, 9, 5, 6, 7, 8, 9)
	second := image([]int64{1, 2, 2}, -1, -2, -3, -3)
	window := func(k int64, more ir.Attrs) ir.Attrs {
		a := ir.Attrs{"kernel_shape": []int64{k, k}}
		for name, v := range more {
			a[name] = v
		}
		return a
	}
	pads := []int64{1, 1, 1, 1}
	i64 := func(shape []int64, v ...int64) *tensor.Tensor { return tensor.Of(shape, v...) }
	two := []int64{1, 1, 2, 2}
	runCases(t, []opCase{
		{op: "MaxPool", attrs: window(2, nil), operands: []any{x}, want: []*tensor.Tensor{image(two, 9, 9, 9, 9), i64(two, 1, 1, 3, 8)}},
		{op: "MaxPool", name: "column major", attrs: window(2, ir.Attrs{"storage_order": int64(1)}), operands: []any{x}, want: []*tensor.Tensor{image(two, 9, 9, 9, 9), i64(two, 3, 3, 1, 8)}},
		{
			op: "MaxPool", name: "padding never wins, flat index, first of equals", attrs: ir.Attrs{"kernel_shape": []int64{2}, "strides": []int64{2}, "pads": []int64{1, 1}},
			operands: []any{second}, want: []*tensor.Tensor{image([]int64{1, 2, 2}, -1, -2, -3, -3), i64([]int64{1, 2, 2}, 0, 1, 2, 3)},
		},
		{op: "MaxPool", name: "nan", attrs: window(3, nil), operands: []any{image([]int64{1, 1, 3, 3}, 1, nan, 3, nan, 5, 6, 7, 8, inf)}, want: []*tensor.Tensor{image([]int64{1, 1, 1, 1}, nan), i64([]int64{1, 1, 1, 1}, 1)}},
		{op: "MaxPool", name: "minus infinity", attrs: window(2, ir.Attrs{"pads": pads, "strides": []int64{3, 3}}), operands: []any{image([]int64{1, 1, 1, 1}, -inf)}, want: []*tensor.Tensor{image([]int64{1, 1, 1, 1}, -inf), i64([]int64{1, 1, 1, 1}, 0)}},
		{op: "MaxPool", name: "ceil", attrs: window(2, ir.Attrs{"strides": []int64{2, 2}, "ceil_mode": int64(1)}), operands: []any{x}, want: []*tensor.Tensor{image(two, 9, 6, 8, 9)}},
		{op: "MaxPool", name: "dilated", attrs: window(2, ir.Attrs{"dilations": []int64{2, 2}}), operands: []any{x}, want: []*tensor.Tensor{image([]int64{1, 1, 1, 1}, 9)}},
		{op: "MaxPool", name: "bytes", attrs: ir.Attrs{"kernel_shape": []int64{2}}, operands: []any{tensor.Of[uint8]([]int64{1, 1, 3}, 1, 200, 3)}, want: []*tensor.Tensor{tensor.Of[uint8]([]int64{1, 1, 2}, 200, 200)}},
		{op: "AveragePool", attrs: window(2, nil), operands: []any{x}, want: []*tensor.Tensor{image(two, 6, 5.75, 7.25, 7)}},
		{op: "AveragePool", name: "excludes padding", attrs: window(2, ir.Attrs{"pads": pads, "strides": []int64{3, 3}}), operands: []any{x}, want: []*tensor.Tensor{image(two, 1, 3, 7, 9)}},
		{op: "AveragePool", name: "includes padding", attrs: window(2, ir.Attrs{"pads": pads, "strides": []int64{3, 3}, "count_include_pad": int64(1)}), operands: []any{x}, want: []*tensor.Tensor{image(two, 0.25, 0.75, 1.75, 2.25)}},
		{
			op: "AveragePool", name: "ceil counts only the padded input", attrs: ir.Attrs{"kernel_shape": []int64{3}, "strides": []int64{2}, "pads": []int64{1, 0}, "ceil_mode": int64(1), "count_include_pad": int64(1)},
			operands: []any{image([]int64{1, 1, 3}, 3, 6, 8)}, want: []*tensor.Tensor{image([]int64{1, 1, 2}, 3, 7)},
		},
		{
			op: "AveragePool", name: "last window hangs over", attrs: ir.Attrs{"kernel_shape": []int64{2}, "strides": []int64{2}, "ceil_mode": int64(1), "count_include_pad": int64(1)},
			operands: []any{image([]int64{1, 1, 3}, 3, 6, 8)}, want: []*tensor.Tensor{image([]int64{1, 1, 2}, 4.5, 8)},
		},
		{op: "GlobalAveragePool", operands: []any{second}, want: []*tensor.Tensor{image([]int64{1, 2, 1}, -1.5, -3)}},
		{op: "GlobalMaxPool", operands: []any{second}, want: []*tensor.Tensor{image([]int64{1, 2, 1}, -1, -3)}},
	})
}

func TestConvByHand(t *testing.T) {
	x := image([]int64{1, 1, 3}, 1, 2, 3)
	k := func(v ...float64) konst { return konst{image([]int64{1, 1, int64(len(v))}, v...)} }
	row := func(v ...float64) []*tensor.Tensor {
		return []*tensor.Tensor{image([]int64{1, 1, int64(len(v))}, v...)}
	}
	one := func(name string, v ...int64) ir.Attrs { return ir.Attrs{name: v} }
	runCases(t, []opCase{
		{op: "Conv", operands: []any{x, k(10, 1)}, want: row(12, 23)},
		{op: "Conv", name: "bias", operands: []any{x, k(10, 1), konst{floats(100)}}, want: row(112, 123)},
		{op: "Conv", name: "asymmetric pads", attrs: one("pads", 2, 1), operands: []any{x, k(10, 1)}, want: row(0, 1, 12, 23, 30)},
		{op: "Conv", name: "stride", attrs: one("strides", 2), operands: []any{x, k(5)}, want: row(5, 15)},
		{op: "Conv", name: "dilation", attrs: one("dilations", 2), operands: []any{x, k(10, 1)}, want: row(13)},
		{op: "Conv", name: "same upper", attrs: ir.Attrs{"auto_pad": "SAME_UPPER"}, operands: []any{x, k(10, 1)}, want: row(12, 23, 30)},
		{op: "Conv", name: "same lower", attrs: ir.Attrs{"auto_pad": "SAME_LOWER"}, operands: []any{x, k(10, 1)}, want: row(1, 12, 23)},
		{
			op: "Conv", name: "groups", attrs: ir.Attrs{"group": int64(2)},
			operands: []any{image([]int64{1, 2, 2}, 1, 2, 3, 4), konst{image([]int64{4, 1, 1}, 1, 10, 1, 10)}},
			want:     []*tensor.Tensor{image([]int64{1, 4, 2}, 1, 2, 10, 20, 3, 4, 30, 40)},
		},
		{op: "ConvTranspose", operands: []any{x, k(10, 1)}, want: row(10, 21, 32, 3)},
		{op: "ConvTranspose", name: "stride and output padding", attrs: ir.Attrs{"strides": []int64{2}, "output_padding": []int64{1}}, operands: []any{x, k(10, 1)}, want: row(10, 1, 20, 2, 30, 3, 0)},
		{op: "ConvTranspose", name: "pads", attrs: one("pads", 1, 0), operands: []any{x, k(10, 1), konst{floats(100)}}, want: row(121, 132, 103)},
		{op: "ConvTranspose", name: "dilation", attrs: one("dilations", 2), operands: []any{x, k(10, 1)}, want: row(10, 20, 31, 2, 3)},
	})
}

// geometry is a convolution over up to three spatial dimensions, all with the same window.
type geometry struct {
	spatial                              []int64
	group, in, out                       int64 // channels per group
	kernel, stride, dilation, begin, end int64
}

func (g geometry) attrs() ir.Attrs {
	all := func(v int64) []int64 {
		out := make([]int64, len(g.spatial))
		for i := range out {
			out[i] = v
		}
		return out
	}
	return ir.Attrs{
		"group": g.group, "strides": all(g.stride), "dilations": all(g.dilation), "pads": append(all(g.begin), all(g.end)...),
	}
}

// definition is the textbook sum, element by element, independent of the kernels.
func (g geometry) definition(x, w *tensor.Tensor, shape []int64) *tensor.Tensor {
	out := tensor.Zeros(tensor.Float64, shape...)
	y, xs, ws := out.Data.([]float64), x.Float64s(), w.Float64s()
	var visit func(n, o, c int64, axis int, yi, xi, wi int64)
	visit = func(n, o, c int64, axis int, yi, xi, wi int64) {
		if axis == len(g.spatial) {
			y[yi] += xs[xi] * ws[wi]
			return
		}
		for p := range shape[2+axis] {
			for k := range g.kernel {
				at := p*g.stride - g.begin + k*g.dilation
				if at >= 0 && at < g.spatial[axis] {
					visit(n, o, c, axis+1, yi*shape[2+axis]+p, xi*g.spatial[axis]+at, wi*g.kernel+k)
				}
			}
		}
	}
	for n := range shape[0] {
		for o := range shape[1] {
			for c := range g.in {
				visit(n, o, c, 0, n*shape[1]+o, n*x.Shape[1]+o/g.out*g.in+c, o*g.in+c)
			}
		}
	}
	return out
}

// numbered is a tensor of small numbers without a pattern that a wrong index could reproduce.
func numbered(shape ...int64) *tensor.Tensor {
	out := tensor.Zeros(tensor.Float64, shape...)
	d := out.Data.([]float64)
	for i := range d {
		d[i] = float64((i*7919+i*i*104729)%101)/50 - 1
	}
	return out
}

func geometries() []geometry {
	return []geometry{
		{spatial: []int64{7}, group: 1, in: 2, out: 3, kernel: 3, stride: 1, dilation: 1, begin: 1, end: 1},
		{spatial: []int64{6, 5}, group: 1, in: 3, out: 2, kernel: 3, stride: 2, dilation: 1, begin: 1, end: 0},
		{spatial: []int64{8, 9}, group: 3, in: 1, out: 1, kernel: 3, stride: 1, dilation: 2, begin: 2, end: 2},
		{spatial: []int64{8, 7}, group: 2, in: 2, out: 2, kernel: 5, stride: 3, dilation: 1, begin: 0, end: 3},
		{spatial: []int64{9, 9}, group: 1, in: 2, out: 2, kernel: 7, stride: 1, dilation: 1, begin: 0, end: 0},
		{spatial: []int64{9, 9}, group: 2, in: 2, out: 1, kernel: 4, stride: 2, dilation: 2, begin: 1, end: 2},
		{spatial: []int64{5, 6}, group: 1, in: 4, out: 3, kernel: 1, stride: 1, dilation: 1},
		{spatial: []int64{5, 6}, group: 1, in: 4, out: 3, kernel: 1, stride: 2, dilation: 1, begin: 1, end: 1},
		{spatial: []int64{4, 5, 6}, group: 1, in: 2, out: 2, kernel: 2, stride: 2, dilation: 1, begin: 1, end: 1},
		{spatial: []int64{2, 2}, group: 1, in: 1, out: 1, kernel: 6, stride: 1, dilation: 1, begin: 4, end: 4},
	}
}

func (g geometry) operands() (x, w *tensor.Tensor) {
	kernel := make([]int64, len(g.spatial))
	for i := range kernel {
		kernel[i] = g.kernel
	}
	x = numbered(append([]int64{2, g.group * g.in}, g.spatial...)...)
	return x, numbered(append([]int64{g.group * g.out, g.in}, kernel...)...)
}

func TestConvAgainstDefinition(t *testing.T) {
	for i, g := range geometries() {
		x, w := g.operands()
		y := apply(t, "Conv", g.attrs(), 1, x, w)[0]
		expect(t, fmt.Sprint("geometry ", i), y, g.definition(x, w, y.Shape), 1e-12, 1e-12)
	}
}

// TestConvTransposeIsAdjoint checks <conv(x), y> = <x, convTranspose(y)> with the same weight.
func TestConvTransposeIsAdjoint(t *testing.T) {
	for i, g := range geometries() {
		x, w := g.operands()
		y := apply(t, "Conv", g.attrs(), 1, x, w)[0]
		dy := numbered(y.Shape...)
		a := g.attrs()
		extra := make([]int64, len(g.spatial))
		for d, size := range g.spatial {
			extra[d] = size - ((y.Shape[2+d]-1)*g.stride + (g.kernel-1)*g.dilation + 1 - g.begin - g.end)
		}
		a["output_padding"] = extra
		dx := apply(t, "ConvTranspose", a, 1, dy, w)[0]
		expect(t, fmt.Sprint("geometry ", i), tensor.Scalar(dot(x, dx)), tensor.Scalar(dot(y, dy)), 1e-12, 1e-12)
	}
}

func dot(a, b *tensor.Tensor) float64 {
	total := 0.0
	for i := range a.Len() {
		total += a.Float64At(i) * b.Float64At(i)
	}
	return total
}

// TestExtremeWindows asks for errors or results, never for panics, whatever the attributes claim.
func TestExtremeWindows(t *testing.T) {
	values := []int64{1, 2, 300, 1 << 31, 1 << 62, math.MaxInt64}
	x, w := image([]int64{1, 1, 5}, 1, 2, 3, 4, 5), image([]int64{1, 1, 3}, 1, 2, 3)
	ran, refused := 0, 0
	for i := range len(values) * len(values) * len(values) * len(values) * len(values) {
		pick := func() int64 {
			v := values[i%len(values)]
			i /= len(values)
			return v
		}
		attrs := ir.Attrs{"strides": []int64{pick()}, "dilations": []int64{pick()}, "pads": []int64{pick() - 1, pick() - 1}}
		last := pick()
		for _, name := range []string{"Conv", "ConvTranspose", "MaxPool", "AveragePool"} {
			a, operands := maps.Clone(attrs), []any{x, w}
			switch name {
			case "MaxPool", "AveragePool":
				a["kernel_shape"], a["ceil_mode"] = []int64{last}, int64(1)
				operands = operands[:1]
			case "ConvTranspose":
				a["output_padding"] = []int64{last - 1}
			}
			g, data, err := single(name, a, 1, operands...)
			if err == nil {
				_, err = RunOrdered(g, data...)
			}
			if err == nil {
				ran++
			} else {
				refused++
			}
		}
	}
	if ran == 0 || refused == 0 {
		t.Errorf("%d ran, %d refused", ran, refused)
	}
}
