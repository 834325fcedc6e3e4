package interp

import (
	"fmt"
	"math"
	"slices"

	"rnas/compiler/op"
	"rnas/internal/tensor"
)

var rankKernels = map[string]kernel{
	"ArgMax": arg(func(best, x float64) bool { return x > best }, func(best, x int64) bool { return x > best }),
	"ArgMin": arg(func(best, x float64) bool { return x < best }, func(best, x int64) bool { return x < best }),
	"TopK":   topK,
}

// arg finds the position of the best element along an axis: the first one or, with select_last_index, the last one. NaN counts as
// best, as in numpy.
func arg(f func(best, x float64) bool, i func(best, x int64) bool) kernel {
	return func(c *call) ([]*array, error) {
		x := c.in[0]
		axis, err := op.Axis(c.Int("axis", 0), len(x.shape))
		if err != nil {
			return nil, err
		}
		if x.dtype == tensor.Bool {
			return nil, undefinedFor(x)
		}
		rows, length, _ := lanes(x, axis)
		mask := make([]bool, len(x.shape))
		mask[axis] = true
		out, err := zeros(tensor.Int64, collapse(x.shape, mask, c.Int("keepdims", 1) != 0))
		if err != nil {
			return nil, err
		}
		if length == 0 && out.len() > 0 {
			return nil, fmt.Errorf("axis %d has no elements", axis)
		}
		better, betterInt := f, i
		if c.Int("select_last_index", 0) != 0 {
			better = func(best, x float64) bool { return f(best, x) || best == x }
			betterInt = func(best, x int64) bool { return i(best, x) || best == x }
		}
		for k := range out.i {
			at := k * length
			if x.dtype.IsFloat() {
				out.i[k] = int64(argFloat(rows.f[at:at+length], better))
				continue
			}
			best := 0
			for j, v := range rows.i[at : at+length] {
				if betterInt(rows.i[at+best], v) {
					best = j
				}
			}
			out.i[k] = int64(best)
		}
		return one(out), nil
	}
}

func argFloat(row []float64, better func(best, x float64) bool) int {
	best := 0
	for j, v := range row {
		if math.IsNaN(v) {
			return j
		}
		if better(row[best], v) {
			best = j
		}
	}
	return best
}

// topK returns the k largest (or smallest) elements along an axis in order. Of equal elements the one with the smaller index comes
// first. NaN counts as larger than everything. The order is the same with sorted=0.
func topK(c *call) ([]*array, error) {
	x := c.in[0]
	axis, err := op.Axis(c.Int("axis", -1), len(x.shape))
	if err != nil {
		return nil, err
	}
	k, err := c.in[1].scalar()
	if err != nil {
		return nil, fmt.Errorf("k: %w", err)
	}
	if k < 0 || k > x.shape[axis] {
		return nil, fmt.Errorf("k %d is outside dimension %d", k, x.shape[axis])
	}
	rows, length, back := lanes(x, axis)
	shape := slices.Clone(rows.shape)
	shape[len(shape)-1] = k
	order := func(a, b int) int { return compareInts(rows.i[a], rows.i[b]) }
	if x.dtype.IsFloat() {
		order = func(a, b int) int { return compareFloats(rows.f[a], rows.f[b]) }
	}
	direction := 1
	if c.Int("largest", 1) != 0 {
		direction = -1
	}
	n, err := numel(shape)
	if err != nil {
		return nil, err
	}
	picked := make([]int, 0, n)
	index := &array{dtype: tensor.Int64, shape: shape, i: make([]int64, 0, n)}
	for start := 0; length > 0 && start < rows.len(); start += length {
		row := make([]int, length)
		for j := range row {
			row[j] = start + j
		}
		slices.SortStableFunc(row, func(a, b int) int { return direction * order(a, b) })
		for _, p := range row[:k] {
			picked = append(picked, p)
			index.i = append(index.i, int64(p-start))
		}
	}
	return []*array{back(rows.take(shape, picked, nil)), back(index)}, nil
}

func compareInts(a, b int64) int { return int(truth(a > b) - truth(a < b)) }

func compareFloats(a, b float64) int {
	if math.IsNaN(a) || math.IsNaN(b) {
		return int(truth(math.IsNaN(a)) - truth(math.IsNaN(b)))
	}
	return int(truth(a > b) - truth(a < b))
}
