package interp

import (
	"fmt"
	"slices"

	"rnas/compiler/op"
)

var selectKernels = map[string]kernel{
	"Gather":          gather,
	"GatherElements":  gatherElements,
	"ScatterElements": scatterElements,
	"OneHot":          oneHot,
}

// entry normalises an index that may be negative.
func entry(index, d int64) (int, error) {
	k := index
	if k < 0 {
		k += d
	}
	if k < 0 || k >= d {
		return 0, fmt.Errorf("index %d is outside dimension %d", index, d)
	}
	return int(k), nil
}

func gather(c *call) ([]*array, error) {
	x, index := c.in[0], c.in[1]
	axis, err := op.Axis(c.Int("axis", 0), len(x.shape))
	if err != nil {
		return nil, err
	}
	shape := slices.Concat(x.shape[:axis], index.shape, x.shape[axis+1:])
	n, err := numel(shape)
	if err != nil {
		return nil, err
	}
	outer, d, inner := blocks(x.shape, axis)
	at := make([]int, 0, n)
	for o := range outer {
		for _, v := range index.i {
			k, err := entry(v, int64(d))
			if err != nil {
				return nil, err
			}
			for i := range inner {
				at = append(at, (o*d+k)*inner+i)
			}
		}
	}
	return one(x.take(shape, at, nil)), nil
}

// elementPositions lists, for each element of index, the element of data that it names along an axis. index may be smaller than
// data along the other dimensions.
func elementPositions(c *call) ([]int, error) {
	data, index := c.in[0], c.in[1]
	axis, err := op.Axis(c.Int("axis", 0), len(data.shape))
	if err != nil {
		return nil, err
	}
	if len(data.shape) != len(index.shape) {
		return nil, fmt.Errorf("ranks of data and indices differ")
	}
	if index.dtype.IsFloat() {
		return nil, fmt.Errorf("indices: expected integers, found %s", index.dtype)
	}
	for i, d := range index.shape {
		if i != axis && d > data.shape[i] {
			return nil, fmt.Errorf("indices of shape %v exceed data of shape %v", index.shape, data.shape)
		}
	}
	step := strides(data.shape)
	along := step[axis]
	step[axis] = 0
	at := positions(index.shape, step, 0)
	for j, v := range index.i {
		k, err := entry(v, data.shape[axis])
		if err != nil {
			return nil, err
		}
		at[j] += k * along
	}
	return at, nil
}

func gatherElements(c *call) ([]*array, error) {
	at, err := elementPositions(c)
	if err != nil {
		return nil, err
	}
	return one(c.in[0].take(c.in[1].shape, at, nil)), nil
}

// scatterElements writes updates in row-major order, so that without a reduction the last one of equal indices stays.
func scatterElements(c *call) ([]*array, error) {
	at, err := elementPositions(c)
	if err != nil {
		return nil, err
	}
	if !slices.Equal(c.in[2].shape, c.in[1].shape) {
		return nil, fmt.Errorf("updates and indices differ in shape")
	}
	return c.write(at, c.in[2])
}

func scatter[T int64 | float64](out []T, at []int, updates []T, reduction string) error {
	var f func(old, update T) T
	switch reduction {
	case "none":
		f = func(_, update T) T { return update }
	case "add":
		f = func(old, update T) T { return old + update }
	case "mul":
		f = func(old, update T) T { return old * update }
	case "max":
		f = func(old, update T) T { return max(old, update) }
	case "min":
		f = func(old, update T) T { return min(old, update) }
	default:
		return fmt.Errorf("attribute reduction: %q is not known", reduction)
	}
	for j, k := range at {
		out[k] = f(out[k], updates[j])
	}
	return nil
}

// oneHot writes the on value where the position along the new axis equals the index. Indices from -depth to -1 count from the end;
// all other indices give off values only.
func oneHot(c *call) ([]*array, error) {
	index, values := c.in[0], c.in[2]
	depth, err := c.in[1].scalar()
	if err != nil {
		return nil, fmt.Errorf("depth: %w", err)
	}
	if depth < 0 {
		return nil, fmt.Errorf("depth %d is negative", depth)
	}
	if values.len() != 2 {
		return nil, fmt.Errorf("values: expected two elements, found shape %v", values.shape)
	}
	axis, err := op.Axis(c.Int("axis", -1), len(index.shape)+1)
	if err != nil {
		return nil, err
	}
	shape := slices.Insert(slices.Clone(index.shape), axis, depth)
	n, err := numel(shape)
	if err != nil {
		return nil, err
	}
	outer, _, inner := blocks(shape, axis)
	at := make([]int, n)
	for o := range outer {
		for i := range inner {
			if k, err := entry(index.int(o*inner+i), depth); err == nil {
				at[(o*int(depth)+k)*inner+i] = 1
			}
		}
	}
	return one(values.take(shape, at, nil)), nil
}
