package interp

import (
	"fmt"
	"math"
	"slices"

	"rnas/compiler/op"
	"rnas/internal/tensor"
)

// rowFunc reduces one row. Where i is nil, integers go through floating point and are truncated.
type rowFunc struct {
	f func(row []float64) float64
	i func(row []int64) int64
	// nonEmpty marks functions without a value for no elements; floats have the infinities.
	nonEmpty bool
	bools    bool // defined for bools as numbers
}

var reduceKernels = map[string]kernel{
	"ReduceSum":  reduce(rowFunc{f: sum[float64], i: sum[int64]}),
	"ReduceMean": reduce(rowFunc{f: mean[float64], i: mean[int64], nonEmpty: true}),
	"ReduceMax":  reduce(rowFunc{f: highest, i: slices.Max[[]int64], nonEmpty: true, bools: true}),
	"ReduceMin":  reduce(rowFunc{f: lowest, i: slices.Min[[]int64], nonEmpty: true, bools: true}),
	"ReduceProd": reduce(rowFunc{f: product[float64], i: product[int64]}),
	"ReduceL1":   reduce(rowFunc{f: sumAbs[float64], i: sumAbs[int64]}),
	"ReduceL2": reduce(rowFunc{f: func(row []float64) float64 {
		return math.Sqrt(sumSquare(row))
	}}),
	"ReduceSumSquare": reduce(rowFunc{f: sumSquare[float64], i: sumSquare[int64]}),
	"ReduceLogSum": reduce(rowFunc{f: func(row []float64) float64 {
		return math.Log(sum(row))
	}}),
	"ReduceLogSumExp": reduce(rowFunc{f: logSumExp}),
	"Softmax":         alongAxis(softmax),
	"LogSoftmax":      alongAxis(logSoftmax),
}

func sum[T float64 | int64](row []T) (s T) {
	for _, v := range row {
		s += v
	}
	return s
}

func mean[T float64 | int64](row []T) T { return sum(row) / T(len(row)) }

func product[T float64 | int64](row []T) T {
	p := T(1)
	for _, v := range row {
		p *= v
	}
	return p
}

func sumAbs[T float64 | int64](row []T) (s T) {
	for _, v := range row {
		s += max(v, -v)
	}
	return s
}

func sumSquare[T float64 | int64](row []T) (s T) {
	for _, v := range row {
		s += v * v
	}
	return s
}

func highest(row []float64) float64 {
	m := math.Inf(-1)
	for _, v := range row {
		m = max(m, v)
	}
	return m
}

func lowest(row []float64) float64 {
	m := math.Inf(1)
	for _, v := range row {
		m = min(m, v)
	}
	return m
}

func logSumExp(row []float64) float64 {
	m := highest(row)
	if math.IsInf(m, 0) || math.IsNaN(m) {
		return m
	}
	s := 0.0
	for _, v := range row {
		s += math.Exp(v - m)
	}
	return m + math.Log(s)
}

// reduce applies r over the axes of input 1. Without axes, all dimensions are reduced or, with noop_with_empty_axes, every element
// by itself.
func reduce(r rowFunc) kernel {
	return func(c *call) ([]*array, error) {
		x := c.in[0]
		mask := make([]bool, len(x.shape))
		if axes := c.arg(1); axes != nil && axes.len() > 0 {
			var err error
			if mask, err = op.Axes(axes.i, len(x.shape)); err != nil {
				return nil, err
			}
		} else if c.Int("noop_with_empty_axes", 0) == 0 {
			for i := range mask {
				mask[i] = true
			}
		}
		if x.dtype == tensor.Bool && !r.bools {
			return nil, undefinedFor(x)
		}
		rows, length, kept := rowsOf(x, mask)
		out, err := zeros(x.dtype, kept)
		if err != nil {
			return nil, err
		}
		for k := range out.len() {
			at := k * length
			switch {
			case x.dtype.IsFloat():
				out.f[k] = r.f(rows.f[at : at+length])
			case r.i == nil:
				out.i[k] = wrap(x.dtype, tensor.Truncate(r.f(asFloats(rows.i[at:at+length]))))
			case length == 0 && r.nonEmpty:
				return nil, fmt.Errorf("no value over no elements")
			default:
				out.i[k] = wrap(x.dtype, r.i(rows.i[at:at+length]))
			}
		}
		return one(out.view(collapse(x.shape, mask, c.Int("keepdims", 1) != 0))), nil
	}
}

// rowsOf moves the marked dimensions last, so that each result needs one contiguous row of the given length; kept is
// the shape of the other dimensions.
func rowsOf(x *array, mask []bool) (rows *array, length int, kept []int64) {
	var perm []int64
	length = 1
	for i, d := range x.shape {
		if !mask[i] {
			perm = append(perm, int64(i))
			kept = append(kept, d)
		}
	}
	for i, d := range x.shape {
		if mask[i] {
			perm = append(perm, int64(i))
			length *= int(d)
		}
	}
	return permute(x, perm), length, kept
}

func collapse(shape []int64, mask []bool, keep bool) []int64 {
	out := []int64{}
	for i, d := range shape {
		switch {
		case !mask[i]:
			out = append(out, d)
		case keep:
			out = append(out, 1)
		}
	}
	return out
}

// lanes moves one axis last and gives its length; back undoes it for a result with the same other dimensions.
func lanes(x *array, axis int) (rows *array, length int, back func(*array) *array) {
	mask := make([]bool, len(x.shape))
	mask[axis] = true
	rows, length, _ = rowsOf(x, mask)
	return rows, length, func(y *array) *array {
		perm := make([]int64, len(x.shape))
		for i := range perm {
			switch {
			case i < axis:
				perm[i] = int64(i)
			case i == axis:
				perm[i] = int64(len(perm) - 1)
			default:
				perm[i] = int64(i - 1)
			}
		}
		return permute(y, perm)
	}
}

// alongAxis applies f to every lane of the attribute axis. f writes its result over the row.
func alongAxis(f func(row []float64)) kernel {
	return func(c *call) ([]*array, error) {
		x := c.in[0]
		if !x.dtype.IsFloat() {
			return nil, undefinedFor(x)
		}
		axis, err := op.Axis(c.Int("axis", -1), len(x.shape))
		if err != nil {
			return nil, err
		}
		rows, length, back := lanes(x, axis)
		out := rows.view(rows.shape)
		out.f = slices.Clone(rows.f)
		for at := 0; at < len(out.f); at += length {
			f(out.f[at : at+length])
		}
		return one(back(out)), nil
	}
}

func softmax(row []float64) {
	m, s := highest(row), 0.0
	for k, v := range row {
		row[k] = math.Exp(v - m)
		s += row[k]
	}
	for k := range row {
		row[k] /= s
	}
}

func logSoftmax(row []float64) {
	m, s := highest(row), 0.0
	for _, v := range row {
		s += math.Exp(v - m)
	}
	s = math.Log(s)
	for k, v := range row {
		row[k] = v - m - s
	}
}
