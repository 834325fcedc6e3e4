package interp

import (
	"fmt"
	"slices"

	"rnas/compiler/op"
)

var tupleKernels = map[string]kernel{
	"GatherND":      gatherND,
	"ScatterND":     scatterND,
	"TensorScatter": tensorScatter,
}

// tuples lists, for each tuple of indices, the first element of the data that it names behind batch leading dimensions,
// and the number of elements that follow.
func (c *call) tuples(batch int) (at []int, inner int, err error) {
	x, ids := c.in[0], c.in[1]
	if len(ids.shape) == 0 || batch < 0 || batch >= len(ids.shape) {
		return nil, 0, fmt.Errorf("indices of rank %d do not fit", len(ids.shape))
	}
	k := int(ids.shape[len(ids.shape)-1])
	if batch+k > len(x.shape) || !slices.Equal(x.shape[:batch], ids.shape[:batch]) {
		return nil, 0, fmt.Errorf("data of shape %v and indices of shape %v do not fit", x.shape, ids.shape)
	}
	step := strides(x.shape)
	inner, batches, count := 1, 1, 1
	for _, d := range x.shape[batch+k:] {
		inner *= int(d)
	}
	for _, d := range x.shape[:batch] {
		batches *= int(d)
	}
	for _, d := range ids.shape[batch : len(ids.shape)-1] {
		count *= int(d)
	}
	size := inner
	for _, d := range x.shape[batch : batch+k] {
		size *= int(d)
	}
	for j := range batches * count {
		p := j / count * size
		for d := range k {
			e, err := entry(ids.i[j*k+d], x.shape[batch+d])
			if err != nil {
				return nil, 0, err
			}
			p += e * step[batch+d]
		}
		at = append(at, p)
	}
	return at, inner, nil
}

// elements lists the elements of blocks of n that start at the given places.
func elements(at []int, n int) []int {
	out := make([]int, 0, len(at)*n)
	for _, p := range at {
		for i := range n {
			out = append(out, p+i)
		}
	}
	return out
}

func gatherND(c *call) ([]*array, error) {
	batch := int(c.Int("batch_dims", 0))
	at, inner, err := c.tuples(batch)
	if err != nil {
		return nil, err
	}
	x, ids := c.in[0], c.in[1]
	k := int(ids.shape[len(ids.shape)-1])
	shape := slices.Concat(ids.shape[:len(ids.shape)-1], x.shape[batch+k:])
	if _, err := numel(shape); err != nil {
		return nil, err
	}
	return one(x.take(shape, elements(at, inner), nil)), nil
}

// scatterND writes updates in row-major order, as ScatterElements does.
func scatterND(c *call) ([]*array, error) {
	at, inner, err := c.tuples(0)
	if err != nil {
		return nil, err
	}
	return c.write(elements(at, inner), c.in[2])
}

// write combines updates with the elements of input 0 at the given places.
func (c *call) write(at []int, updates *array) ([]*array, error) {
	x := c.in[0]
	if updates.len() != len(at) {
		return nil, fmt.Errorf("%d updates for %d places", updates.len(), len(at))
	}
	out := x.view(x.shape)
	reduction := c.Str("reduction", "none")
	if x.dtype.IsFloat() {
		out.f = slices.Clone(x.f)
		return one(out), scatter(out.f, at, updates.f, reduction)
	}
	out.i = slices.Clone(x.i)
	err := scatter(out.i, at, updates.i, reduction)
	for _, k := range at {
		out.i[k] = wrap(x.dtype, out.i[k])
	}
	return one(out), err
}

// tensorScatter writes an update from a place along an axis on, round to the start in mode circular.
func tensorScatter(c *call) ([]*array, error) {
	x, update := c.in[0], c.in[1]
	axis, err := op.Axis(c.Int("axis", -2), len(x.shape))
	if err != nil {
		return nil, err
	}
	from := make([]int64, x.shape[0])
	if a := c.arg(2); a != nil {
		from = a.i
	}
	own, step := strides(update.shape), strides(x.shape)
	at := positions(update.shape, step, 0)
	for j := range at {
		place, k := from[j/own[0]], int64(j/own[axis])%update.shape[axis]
		to := place + k
		if c.Str("mode", "linear") == "circular" {
			to %= x.shape[axis]
		}
		if place < 0 || to >= x.shape[axis] {
			return nil, fmt.Errorf("write index %d and %d entries exceed dimension %d", place, update.shape[axis], x.shape[axis])
		}
		at[j] += int(to-k) * step[axis]
	}
	return c.write(at, update)
}
