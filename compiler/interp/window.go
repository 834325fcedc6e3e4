package interp

import (
	"fmt"
	"slices"

	"rnas/compiler/op"
)

var windowKernels = map[string]kernel{
	"Conv":              conv,
	"ConvTranspose":     convTranspose,
	"MaxPool":           maxPool,
	"AveragePool":       averagePool,
	"GlobalAveragePool": globalPool(mean[float64]),
	"GlobalMaxPool":     globalPool(highest),
}

// axis is the geometry of one spatial dimension: tap k of window o stands at o*stride - begin + k*dilation of the
// input. For a transposed convolution in is the size of the result and out that of the operand.
type axis struct {
	in, out, kernel, stride, dilation, begin, end int
}

// taps is the range of taps of window o that stand inside [-before, in+after).
func (a axis) taps(o, before, after int) (lo, hi int) {
	base := o*a.stride - a.begin
	return clampRange(-before-base, a.in+after-base, a.dilation, a.kernel)
}

// windows is the range of windows whose tap k stands inside the input.
func (a axis) windows(k int) (lo, hi int) {
	base := k*a.dilation - a.begin
	return clampRange(-base, a.in-base, a.stride, a.out)
}

// clampRange is the range of i in [0, n) with from <= i*step < to.
func clampRange(from, to, step, n int) (lo, hi int) {
	ceil := func(v int) int {
		q := v / step
		if v%step > 0 {
			q++
		}
		return q
	}
	lo = max(ceil(from), 0)
	return lo, max(min(ceil(to), n), lo)
}

// grid is the geometry of up to three spatial dimensions, filled up in front with dimensions of size 1.
type grid [3]axis

func (g *grid) inputs() int  { return g[0].in * g[1].in * g[2].in }
func (g *grid) windows() int { return g[0].out * g[1].out * g[2].out }
func (g *grid) kernel() int  { return g[0].kernel * g[1].kernel * g[2].kernel }

// newGrid reads the window of a node over the spatial sizes in; size gives the number of windows along dimension i.
func newGrid(w op.Window, in []int64, size func(i int) int64) (*grid, []int64, error) {
	k := len(in)
	if k > len(grid{}) {
		return nil, nil, fmt.Errorf("%d spatial dimensions, expected at most %d", k, len(grid{}))
	}
	g := &grid{}
	for i := range g {
		g[i] = axis{in: 1, out: 1, kernel: 1, stride: 1, dilation: 1}
	}
	for _, v := range slices.Concat(w.Kernel, w.Strides, w.Dilations, w.Pads) {
		if v > maxElements {
			return nil, nil, fmt.Errorf("window size %d is over %d", v, maxElements)
		}
	}
	out := make([]int64, k)
	for i, d := range in {
		if out[i] = size(i); out[i] < 0 {
			return nil, nil, fmt.Errorf("kernel %v with dilations %v does not fit into %v with pads %v", w.Kernel, w.Dilations, in, w.Pads)
		}
		g[len(g)-k+i] = axis{
			in: int(d), out: int(out[i]), kernel: int(w.Kernel[i]), stride: int(w.Strides[i]), dilation: int(w.Dilations[i]),
			begin: int(w.Pads[i]), end: int(w.Pads[k+i]),
		}
	}
	return g, out, nil
}

// flatten turns a convolution with single-tap windows at every position into one along a single long dimension.
func (g *grid) flatten() {
	for _, a := range g {
		if a.kernel != 1 || a.stride != 1 || a.begin != 0 || a.in != a.out {
			return
		}
	}
	n := g.inputs()
	*g = grid{{1, 1, 1, 1, 1, 0, 0}, {1, 1, 1, 1, 1, 0, 0}, {n, n, 1, 1, 1, 0, 0}}
}
