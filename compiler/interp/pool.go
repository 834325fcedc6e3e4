package interp

import (
	"fmt"
	"math"

	"rnas/compiler/op"
	"rnas/internal/tensor"
)

// poolGrid reads the geometry of a pooling node and allocates its result.
func poolGrid(c *call) (*grid, *array, error) {
	x := c.in[0]
	win, err := op.WindowOf(c.Node, c.Ints("kernel_shape", nil), x.shape[2:])
	if err != nil {
		return nil, nil, err
	}
	g, spatial, err := newGrid(win, x.shape[2:], func(i int) int64 {
		return win.Out(i, x.shape[2+i], c.Int("ceil_mode", 0) != 0)
	})
	if err != nil {
		return nil, nil, err
	}
	out, err := zeros(tensor.Float64, append(x.shape[:2:2], spatial...))
	return g, out, err
}

// each calls f for every window o with its ranges of taps (lo, hi) inside the input along the three dimensions.
func (g *grid) each(f func(o int, at, lo, hi [3]int)) {
	var at, lo, hi [3]int
	o := 0
	for at[0] = range g[0].out {
		lo[0], hi[0] = g[0].taps(at[0], 0, 0)
		for at[1] = range g[1].out {
			lo[1], hi[1] = g[1].taps(at[1], 0, 0)
			for at[2] = range g[2].out {
				lo[2], hi[2] = g[2].taps(at[2], 0, 0)
				f(o, at, lo, hi)
				o++
			}
		}
	}
}

// inside calls f for the input elements under the given taps of a window, in row-major order.
func (g *grid) inside(at, lo, hi [3]int, f func(d, h, w int)) {
	place := func(i, k int) int { return at[i]*g[i].stride - g[i].begin + k*g[i].dilation }
	for kd := lo[0]; kd < hi[0]; kd++ {
		for kh := lo[1]; kh < hi[1]; kh++ {
			for kw := lo[2]; kw < hi[2]; kw++ {
				f(place(0, kd), place(1, kh), place(2, kw))
			}
		}
	}
}

// maxPool returns the maxima and their indices, which count all elements of x. With storage_order 1 the spatial dimensions count
// column-major. The first of equal maxima wins, NaN wins over numbers, and padding never wins.
func maxPool(c *call) ([]*array, error) {
	x := c.in[0].toFloat()
	g, out, err := poolGrid(c)
	if err != nil {
		return nil, err
	}
	index, err := zeros(tensor.Int64, out.shape)
	if err != nil {
		return nil, err
	}
	empty := false
	g.each(func(_ int, _, lo, hi [3]int) {
		empty = empty || lo[0] == hi[0] || lo[1] == hi[1] || lo[2] == hi[2]
	})
	if empty {
		return nil, fmt.Errorf("a window stands on padding only")
	}
	size, windows := g.inputs(), g.windows()
	columns := c.Int("storage_order", 0) != 0
	parallel(int(x.shape[0]*x.shape[1]), windows*g.kernel(), func(p int) {
		plane := x.f[p*size : (p+1)*size]
		g.each(func(o int, at, lo, hi [3]int) {
			best, where := math.Inf(-1), -1
			g.inside(at, lo, hi, func(d, h, w int) {
				v := plane[(d*g[1].in+h)*g[2].in+w]
				if where < 0 || v > best || math.IsNaN(v) && !math.IsNaN(best) {
					best, where = v, (d*g[1].in+h)*g[2].in+w
					if columns {
						where = (w*g[1].in+h)*g[0].in + d
					}
				}
			})
			out.f[p*windows+o], index.i[p*windows+o] = best, int64(p*size+where)
		})
	})
	if t := c.in[0].dtype; t.IsFloat() {
		out.dtype = t
	} else {
		out = out.toInt(t)
	}
	return []*array{out, index}, nil
}

// averagePool divides by the number of taps inside the input or, with count_include_pad, inside the padded input.
func averagePool(c *call) ([]*array, error) {
	x := c.in[0]
	if !x.dtype.IsFloat() {
		return nil, undefinedFor(x)
	}
	g, out, err := poolGrid(c)
	if err != nil {
		return nil, err
	}
	out.dtype = x.dtype
	padded := c.Int("count_include_pad", 0) != 0
	count := make([]float64, g.windows())
	empty := false
	g.each(func(o int, at, lo, hi [3]int) {
		n := 1
		for i, a := range g {
			first, last := lo[i], hi[i]
			if padded {
				first, last = a.taps(at[i], a.begin, a.end)
			}
			n *= last - first
		}
		count[o] = float64(n)
		empty = empty || n == 0
	})
	if empty {
		return nil, fmt.Errorf("a window stands on padding only")
	}
	size, windows := g.inputs(), g.windows()
	parallel(int(x.shape[0]*x.shape[1]), windows*g.kernel(), func(p int) {
		plane := x.f[p*size : (p+1)*size]
		g.each(func(o int, at, lo, hi [3]int) {
			total := 0.0
			g.inside(at, lo, hi, func(d, h, w int) { total += plane[(d*g[1].in+h)*g[2].in+w] })
			out.f[p*windows+o] = total / count[o]
		})
	})
	return one(out), nil
}

// globalPool reduces each plane to one element.
func globalPool(f func([]float64) float64) kernel {
	return func(c *call) ([]*array, error) {
		x := c.in[0]
		if !x.dtype.IsFloat() {
			return nil, undefinedFor(x)
		}
		shape := append([]int64{}, x.shape...)
		size := 1
		for i := 2; i < len(shape); i++ {
			size *= int(shape[i])
			shape[i] = 1
		}
		out, err := zeros(x.dtype, shape)
		if err != nil {
			return nil, err
		}
		for k := range out.f {
			out.f[k] = f(x.f[k*size : (k+1)*size])
		}
		return one(out), nil
	}
}
