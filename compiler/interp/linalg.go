package interp

import (
	"fmt"
	"math"
	"slices"

	"rnas/compiler/op"
	"rnas/internal/tensor"
)

var linalgKernels = map[string]kernel{
	"CumSum":  cumulative(add, addInt, 0),
	"CumProd": cumulative(func(x, y float64) float64 { return x * y }, func(x, y int64) int64 { return x * y }, 1),
	"Det":     det,
	"Trilu":   trilu,
	"EyeLike": eyeLike,
	"Einsum":  einsum,
}

// cumulative combines the elements along an axis up to each one, from the neutral element start. With exclusive, an element is not
// part of its own result; with reverse, the order is from the end.
func cumulative(f func(x, y float64) float64, i func(x, y int64) int64, start int64) kernel {
	return func(c *call) ([]*array, error) {
		x := c.in[0]
		where, err := c.in[1].scalar()
		if err != nil {
			return nil, fmt.Errorf("axis: %w", err)
		}
		axis, err := op.Axis(where, len(x.shape))
		if err != nil {
			return nil, err
		}
		if x.dtype == tensor.Bool {
			return nil, undefinedFor(x)
		}
		rows, length, back := lanes(x, axis)
		out, err := zeros(x.dtype, rows.shape)
		if err != nil {
			return nil, err
		}
		exclusive, reverse := c.Int("exclusive", 0) != 0, c.Int("reverse", 0) != 0
		for at := 0; length > 0 && at < x.len(); at += length {
			if x.dtype.IsFloat() {
				running(out.f[at:at+length], rows.f[at:at+length], f, float64(start), exclusive, reverse)
				continue
			}
			running(out.i[at:at+length], rows.i[at:at+length], func(a, b int64) int64 { return wrap(x.dtype, i(a, b)) }, start, exclusive, reverse)
		}
		return one(back(out)), nil
	}
}

func running[T any](out, row []T, f func(x, y T) T, start T, exclusive, reverse bool) {
	acc := start
	for j := range row {
		if reverse {
			j = len(row) - 1 - j
		}
		before := acc
		acc = f(acc, row[j])
		if out[j] = acc; exclusive {
			out[j] = before
		}
	}
}

// det eliminates with partial pivoting.
func det(c *call) ([]*array, error) {
	x := c.in[0]
	k := len(x.shape) - 2
	if k < 0 || x.shape[k] != x.shape[k+1] {
		return nil, fmt.Errorf("expected square matrices")
	}
	n := int(x.shape[k])
	out, err := zeros(x.dtype, x.shape[:k])
	if err != nil {
		return nil, err
	}
	for i := range out.f {
		m := slices.Clone(x.f[i*n*n : (i+1)*n*n])
		d := 1.0
		for col := range n {
			pivot := col
			for r := col + 1; r < n; r++ {
				if math.Abs(m[r*n+col]) > math.Abs(m[pivot*n+col]) {
					pivot = r
				}
			}
			if pivot != col {
				d = -d
				for j := range n {
					m[col*n+j], m[pivot*n+j] = m[pivot*n+j], m[col*n+j]
				}
			}
			p := m[col*n+col]
			if d *= p; p == 0 {
				break
			}
			for r := col + 1; r < n; r++ {
				q := m[r*n+col] / p
				for j := col; j < n; j++ {
					m[r*n+j] -= q * m[col*n+j]
				}
			}
		}
		out.f[i] = d
	}
	return one(out), nil
}

// trilu keeps the triangle on and above (or, with upper=0, below) diagonal k.
func trilu(c *call) ([]*array, error) {
	x, k := c.in[0], int64(0)
	if a := c.arg(1); a != nil {
		var err error
		if k, err = a.scalar(); err != nil {
			return nil, fmt.Errorf("k: %w", err)
		}
	}
	if len(x.shape) < 2 {
		return nil, fmt.Errorf("expected rank at least 2")
	}
	rows, cols := x.shape[len(x.shape)-2], x.shape[len(x.shape)-1]
	upper := c.Int("upper", 1) != 0
	at := make([]int, x.len())
	for j := range at {
		row, col := int64(j)/cols%rows, int64(j)%cols
		if at[j] = j; upper && col < row+k || !upper && col > row+k {
			at[j] = -1
		}
	}
	return one(x.take(x.shape, at, nil)), nil
}

func eyeLike(c *call) ([]*array, error) {
	x := c.in[0]
	out, err := zeros(tensor.DType(c.Int("dtype", int64(x.dtype))), x.shape)
	if err != nil {
		return nil, err
	}
	for row := range x.shape[0] {
		col := row + c.Int("k", 0)
		if col < 0 || col >= x.shape[1] {
			continue
		}
		if k := row*x.shape[1] + col; out.dtype.IsFloat() {
			out.f[k] = 1
		} else {
			out.i[k] = 1
		}
	}
	return one(out), nil
}

// einsum sums the products of the inputs over all values of the labels that the output does not have.
func einsum(c *call) ([]*array, error) {
	l, err := op.Einsum(c.Node)
	if err != nil {
		return nil, err
	}
	size := map[rune]int64{}
	order := slices.Clone(l.Out)
	for i, labels := range l.In {
		for d, label := range labels {
			if n := c.in[i].shape[d]; n != 1 || size[label] == 0 {
				if old, seen := size[label]; seen && old != 1 && old != n {
					return nil, fmt.Errorf("a label is %d and %d", old, n)
				}
				size[label] = n
			}
			if !slices.Contains(order, label) {
				order = append(order, label)
			}
		}
	}
	shape := make([]int64, len(order))
	for i, label := range order {
		shape[i] = size[label]
	}
	n, err := numel(shape)
	if err != nil {
		return nil, err
	}
	out, err := zeros(c.in[0].dtype, shape[:len(l.Out)])
	if err != nil {
		return nil, err
	}
	at := make([][]int, len(c.in))
	for i, x := range c.in {
		step := make([]int, len(order))
		for d, s := range strides(x.shape) {
			if x.shape[d] != 1 {
				step[slices.Index(order, l.In[i][d])] += s
			}
		}
		at[i] = positions(shape, step, 0)
	}
	inner := n / max(out.len(), 1)
	for k := range n {
		if out.dtype.IsFloat() {
			p := 1.0
			for i, x := range c.in {
				p *= x.f[at[i][k]]
			}
			out.f[k/inner] += p
			continue
		}
		p := int64(1)
		for i, x := range c.in {
			p *= x.i[at[i][k]]
		}
		out.i[k/inner] = wrap(out.dtype, out.i[k/inner]+p)
	}
	return one(out), nil
}
