package interp

import (
	"fmt"
	"slices"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/tensor"
)

var shapeKernels = map[string]kernel{
	"Reshape":         reshape,
	"Flatten":         flatten,
	"Transpose":       transpose,
	"Concat":          concat,
	"Split":           split,
	"Slice":           slice,
	"Squeeze":         squeeze,
	"Unsqueeze":       unsqueeze,
	"Expand":          expandTo,
	"Pad":             pad,
	"Shape":           shapeOf,
	"ConstantOfShape": constantOfShape,
}

func reshape(c *call) ([]*array, error) {
	x, want := c.in[0], c.in[1].i
	shape := slices.Clone(want)
	hole := -1
	for i, d := range want {
		switch {
		case d == 0 && c.Int("allowzero", 0) == 0:
			if i >= len(x.shape) {
				return nil, fmt.Errorf("shape %v copies dimension %d of rank %d", want, i, len(x.shape))
			}
			shape[i] = x.shape[i]
		case d == -1 && hole < 0:
			hole = i
			shape[i] = 1
		}
	}
	n, err := numel(shape)
	if err != nil {
		return nil, err
	}
	switch {
	case hole >= 0 && n > 0:
		shape[hole] = int64(x.len() / n)
		n *= x.len() / n
	case hole >= 0: // an empty batch says nothing about the other dimensions; inference does
		if shape[hole] = c.Out[0].Shape[hole]; shape[hole] == ir.N {
			shape[hole] = 0
		}
	}
	if n != x.len() {
		return nil, fmt.Errorf("shape %v does not fit %d elements", want, x.len())
	}
	return one(x.view(shape)), nil
}

func flatten(c *call) ([]*array, error) {
	x, axis := c.in[0], c.Int("axis", 1)
	if axis < 0 {
		axis += int64(len(x.shape))
	}
	if axis < 0 || axis > int64(len(x.shape)) {
		return nil, fmt.Errorf("axis %d is outside rank %d", c.Int("axis", 1), len(x.shape))
	}
	shape := []int64{1, 1}
	for i, d := range x.shape {
		if int64(i) < axis {
			shape[0] *= d
		} else {
			shape[1] *= d
		}
	}
	return one(x.view(shape)), nil
}

// permute reorders the dimensions: dimension i of the result is dimension perm[i] of x.
func permute(x *array, perm []int64) *array {
	if slices.IsSorted(perm) {
		return x
	}
	own := strides(x.shape)
	shape, step := make([]int64, len(perm)), make([]int, len(perm))
	for i, p := range perm {
		shape[i], step[i] = x.shape[p], own[p]
	}
	return x.take(shape, positions(shape, step, 0), nil)
}

func transpose(c *call) ([]*array, error) {
	perm, err := op.Perm(c.Node)
	if err != nil {
		return nil, err
	}
	return one(permute(c.in[0], perm)), nil
}

func concat(c *call) ([]*array, error) {
	shape := slices.Clone(c.in[0].shape)
	axis, err := op.Axis(c.Int("axis", 0), len(shape))
	if err != nil {
		return nil, err
	}
	shape[axis] = 0
	for i, x := range c.in {
		for d := range x.shape {
			if d != axis && x.shape[d] != shape[d] {
				return nil, fmt.Errorf("inputs 0 and %d differ outside axis %d", i, axis)
			}
		}
		shape[axis] += x.shape[axis]
	}
	out, err := zeros(c.in[0].dtype, shape)
	if err != nil {
		return nil, err
	}
	outer, _, inner := blocks(shape, axis)
	out.f, out.i = out.f[:0], out.i[:0]
	for o := range outer {
		for _, x := range c.in {
			n := int(x.shape[axis]) * inner
			if x.dtype.IsFloat() {
				out.f = append(out.f, x.f[o*n:(o+1)*n]...)
			} else {
				out.i = append(out.i, x.i[o*n:(o+1)*n]...)
			}
		}
	}
	return one(out), nil
}

func split(c *call) ([]*array, error) {
	x := c.in[0]
	axis, err := op.Axis(c.Int("axis", 0), len(x.shape))
	if err != nil {
		return nil, err
	}
	d, k := x.shape[axis], int64(len(c.Out))
	var sizes []int64
	if c.arg(1) != nil {
		sizes = c.in[1].i
	} else {
		part := (d + k - 1) / k
		for i := range k {
			sizes = append(sizes, min(part, d-i*part))
		}
	}
	total := int64(0)
	for _, s := range sizes {
		if s < 0 || s > d {
			return nil, fmt.Errorf("dimension %d cannot be split into %v", d, sizes)
		}
		total += s
	}
	if total != d || int64(len(sizes)) != k {
		return nil, fmt.Errorf("dimension %d cannot be split into %v for %d outputs", d, sizes, k)
	}
	step, start := strides(x.shape), 0
	out := make([]*array, k)
	for i, s := range sizes {
		shape := slices.Clone(x.shape)
		shape[axis] = s
		out[i] = x.take(shape, positions(shape, step, start*step[axis]), nil)
		start += int(s)
	}
	return out, nil
}

func slice(c *call) ([]*array, error) {
	x, starts, ends := c.in[0], c.in[1].i, c.in[2].i
	axes, steps := make([]int64, len(starts)), make([]int64, len(starts))
	for i := range axes {
		axes[i], steps[i] = int64(i), 1
	}
	if a := c.arg(3); a != nil {
		axes = a.i
	}
	if a := c.arg(4); a != nil {
		steps = a.i
	}
	if len(ends) != len(starts) || len(axes) != len(starts) || len(steps) != len(starts) {
		return nil, fmt.Errorf("%d starts, %d ends, %d axes and %d steps do not match", len(starts), len(ends), len(axes), len(steps))
	}
	if _, err := op.Axes(axes, len(x.shape)); err != nil {
		return nil, err
	}
	shape, step, base := slices.Clone(x.shape), strides(x.shape), 0
	for i := range starts {
		a, err := op.Axis(axes[i], len(x.shape))
		if err != nil {
			return nil, err
		}
		first, count, err := sliceRange(starts[i], ends[i], steps[i], x.shape[a])
		if err != nil {
			return nil, err
		}
		if count > 0 {
			base += int(first) * step[a]
		}
		shape[a] = count
		step[a] *= int(steps[i])
	}
	return one(x.take(shape, positions(shape, step, base), nil)), nil
}

// sliceRange is the first index and the number of indices of a slice along a dimension d, with bounds clamped as ONNX says: for a
// positive step the start to [0,d] and the end to [0,d], for a negative one the start to [0,d-1] and the end to [-1,d-1].
func sliceRange(start, end, step, d int64) (first, count int64, err error) {
	if start < 0 {
		start += d
	}
	if end < 0 {
		end += d
	}
	switch {
	case step == 0:
		return 0, 0, fmt.Errorf("step is 0")
	case d == 0:
		return 0, 0, nil
	case step > 0:
		start, end = min(max(start, 0), d), min(max(end, 0), d)
		if end > start {
			count = (end-start-1)/step + 1
		}
	default:
		start, end = min(max(start, 0), d-1), min(max(end, -1), d-1)
		if end < start {
			count = (end-start+1)/step + 1
		}
	}
	return start, count, nil
}

func squeeze(c *call) ([]*array, error) {
	x := c.in[0]
	mask := make([]bool, len(x.shape))
	if axes := c.arg(1); axes != nil {
		var err error
		if mask, err = op.Axes(axes.i, len(x.shape)); err != nil {
			return nil, err
		}
	} else {
		for i, d := range x.shape {
			mask[i] = d == 1
		}
	}
	for i, d := range x.shape {
		if mask[i] && d != 1 {
			return nil, fmt.Errorf("dimension %d is %d, not 1", i, d)
		}
	}
	return one(x.view(collapse(x.shape, mask, false))), nil
}

func unsqueeze(c *call) ([]*array, error) {
	x, axes := c.in[0], c.in[1].i
	mask, err := op.Axes(axes, len(x.shape)+len(axes))
	if err != nil {
		return nil, err
	}
	shape := make([]int64, len(mask))
	rest := x.shape
	for i := range shape {
		if mask[i] {
			shape[i] = 1
			continue
		}
		shape[i], rest = rest[0], rest[1:]
	}
	return one(x.view(shape)), nil
}

func expandTo(c *call) ([]*array, error) {
	x := c.in[0]
	shape, err := op.Broadcast(x.shape, c.in[1].i)
	if err != nil {
		return nil, err
	}
	if _, err := numel(shape); err != nil {
		return nil, err
	}
	return one(x.take(shape, expansion(x.shape, shape), nil)), nil
}

func shapeOf(c *call) ([]*array, error) {
	shape := c.in[0].shape
	rank := int64(len(shape))
	place := func(v int64) int64 {
		if v < 0 {
			v += rank
		}
		return min(max(v, 0), rank)
	}
	start, end := place(c.Int("start", 0)), place(c.Int("end", rank))
	shape = slices.Clone(shape[start:max(start, end)])
	return one(&array{dtype: tensor.Int64, shape: []int64{int64(len(shape))}, i: shape}), nil
}

func constantOfShape(c *call) ([]*array, error) {
	value := &array{dtype: tensor.Float32, shape: []int64{1}, f: []float64{0}}
	if t, ok := c.Attrs["value"].(*tensor.Tensor); ok {
		var err error
		if value, err = fromTensor(t); err != nil {
			return nil, fmt.Errorf("attribute value: %w", err)
		}
		if value.len() != 1 {
			return nil, fmt.Errorf("attribute value: expected one element, found shape %v", t.Shape)
		}
	}
	shape := c.in[0].i
	n, err := numel(shape)
	if err != nil {
		return nil, err
	}
	return one(value.take(shape, make([]int, n), nil)), nil
}
