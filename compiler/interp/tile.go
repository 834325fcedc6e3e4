package interp

import (
	"fmt"
	"slices"

	"rnas/compiler/op"
	"rnas/internal/tensor"
)

var tileKernels = map[string]kernel{
	"Tile":            tile,
	"DepthToSpace":    depthToSpace,
	"SpaceToDepth":    spaceToDepth,
	"ReverseSequence": reverseSequence,
	"Size": func(c *call) ([]*array, error) {
		return one(&array{dtype: tensor.Int64, shape: []int64{}, i: []int64{int64(c.in[0].len())}}), nil
	},
	"Range":    rangeOf,
	"NonZero":  nonZero,
	"Compress": compress,
	"Unique":   unique,
}

func tile(c *call) ([]*array, error) {
	x, repeats := c.in[0], c.in[1].i
	if len(repeats) != len(x.shape) {
		return nil, fmt.Errorf("%d repeats for rank %d", len(repeats), len(x.shape))
	}
	// Seen as [r0, d0, r1, d1, ...], the repeats have distance 0.
	shape, pairs, step := make([]int64, len(repeats)), []int64{}, []int{}
	for i, s := range strides(x.shape) {
		shape[i] = repeats[i] * x.shape[i]
		pairs, step = append(pairs, repeats[i], x.shape[i]), append(step, 0, s)
	}
	if _, err := numel(shape); err != nil {
		return nil, err
	}
	return one(x.take(shape, positions(pairs, step, 0), nil)), nil
}

// image checks an input [N,C,H,W] and a block size.
func (c *call) image() (s []int64, b int64, err error) {
	s, b = c.in[0].shape, c.Int("blocksize", 0)
	if len(s) != 4 || b < 1 {
		return nil, 0, fmt.Errorf("expected [N,C,H,W] and a positive block size")
	}
	return s, b, nil
}

// depthToSpace spreads b*b channels over b x b blocks of pixels. In mode DCR the channels of one place in the block stand
// together, in mode CRD those of one output channel.
func depthToSpace(c *call) ([]*array, error) {
	s, b, err := c.image()
	if err != nil {
		return nil, err
	}
	split, perm := []int64{s[0], b, b, s[1] / (b * b), s[2], s[3]}, []int64{0, 3, 4, 1, 5, 2}
	if c.Str("mode", "DCR") == "CRD" {
		split, perm = []int64{s[0], s[1] / (b * b), b, b, s[2], s[3]}, []int64{0, 1, 4, 2, 5, 3}
	}
	return one(permute(c.in[0].view(split), perm).view([]int64{s[0], s[1] / (b * b), s[2] * b, s[3] * b})), nil
}

func spaceToDepth(c *call) ([]*array, error) {
	s, b, err := c.image()
	if err != nil {
		return nil, err
	}
	split := []int64{s[0], s[1], s[2] / b, b, s[3] / b, b}
	return one(permute(c.in[0].view(split), []int64{0, 3, 5, 1, 2, 4}).view([]int64{s[0], s[1] * b * b, s[2] / b, s[3] / b})), nil
}

// reverseSequence reverses elements along the time axis: the first ones, as many as each element of the batch asks for.
func reverseSequence(c *call) ([]*array, error) {
	x, lengths := c.in[0], c.in[1].i
	batch, time := c.Int("batch_axis", 1), c.Int("time_axis", 0)
	step := strides(x.shape)
	at := make([]int, x.len())
	for j := range at {
		b := j / step[batch] % int(x.shape[batch])
		t := j / step[time] % int(x.shape[time])
		n := int(lengths[b])
		if n < 0 || n > int(x.shape[time]) {
			return nil, fmt.Errorf("length %d is outside dimension %d", n, x.shape[time])
		}
		if at[j] = j; t < n {
			at[j] = j + (n-1-2*t)*step[time]
		}
	}
	return one(x.take(x.shape, at, nil)), nil
}

func rangeOf(c *call) ([]*array, error) {
	start, limit, delta := c.in[0], c.in[1], c.in[2]
	count, err := op.RangeCount(start.float(0), limit.float(0), delta.float(0))
	if err != nil {
		return nil, err
	}
	out, err := zeros(start.dtype, []int64{count})
	if err != nil {
		return nil, err
	}
	for k := range out.f {
		out.f[k] = start.f[0] + float64(k)*delta.f[0]
	}
	for k := range out.i {
		out.i[k] = start.i[0] + int64(k)*delta.i[0]
	}
	return one(out), nil
}

// nonZero lists the indices of the elements that are not 0, one row per dimension.
func nonZero(c *call) ([]*array, error) {
	x := c.in[0]
	var hits []int
	for k := range x.len() {
		if x.float(k) != 0 {
			hits = append(hits, k)
		}
	}
	out, err := zeros(tensor.Int64, []int64{int64(len(x.shape)), int64(len(hits))})
	if err != nil {
		return nil, err
	}
	for d, step := range strides(x.shape) {
		for j, k := range hits {
			out.i[d*len(hits)+j] = int64(k / step % int(x.shape[d]))
		}
	}
	return one(out), nil
}

// slab is x as rows along the attribute axis, or as its elements if there is no axis.
func (c *call) slab() (x *array, axis int, err error) {
	x = c.in[0]
	if _, given := c.Attrs["axis"]; !given {
		return x.view([]int64{int64(x.len())}), 0, nil
	}
	axis, err = op.Axis(c.Int("axis", 0), len(x.shape))
	return x, axis, err
}

// along picks entries of x along an axis.
func along(x *array, axis int, entries []int) *array {
	outer, n, inner := blocks(x.shape, axis)
	at := make([]int, 0, outer*len(entries)*inner)
	for o := range outer {
		for _, e := range entries {
			for i := range inner {
				at = append(at, (o*n+e)*inner+i)
			}
		}
	}
	shape := slices.Clone(x.shape)
	shape[axis] = int64(len(entries))
	return x.take(shape, at, nil)
}

func compress(c *call) ([]*array, error) {
	x, axis, err := c.slab()
	if err != nil {
		return nil, err
	}
	var entries []int
	for k, v := range c.in[1].i {
		if v != 0 {
			entries = append(entries, k)
		}
	}
	if len(entries) > 0 && int64(entries[len(entries)-1]) >= x.shape[axis] {
		return nil, fmt.Errorf("condition is longer than dimension %d", x.shape[axis])
	}
	return one(along(x, axis, entries)), nil
}

// unique returns the different entries along an axis, where each occurs first, which of them each entry is, and how often each
// occurs. They are in ascending order or, with sorted=0, in the order of first occurrence.
func unique(c *call) ([]*array, error) {
	x, axis, err := c.slab()
	if err != nil {
		return nil, err
	}
	outer, n, inner := blocks(x.shape, axis)
	compare := func(a, b int) int {
		for o := range outer {
			for i := range inner {
				p, q := (o*n+a)*inner+i, (o*n+b)*inner+i
				var d int
				if x.dtype.IsFloat() {
					d = compareFloats(x.f[p], x.f[q])
				} else {
					d = compareInts(x.i[p], x.i[q])
				}
				if d != 0 {
					return d
				}
			}
		}
		return 0
	}
	order := make([]int, n)
	for k := range order {
		order[k] = k
	}
	slices.SortStableFunc(order, compare)
	var groups [][]int // equal entries, the first occurrence first
	for k, e := range order {
		if k == 0 || compare(order[k-1], e) != 0 {
			groups = append(groups, nil)
		}
		groups[len(groups)-1] = append(groups[len(groups)-1], e)
	}
	if c.Int("sorted", 1) == 0 {
		slices.SortFunc(groups, func(a, b []int) int { return a[0] - b[0] })
	}
	list := func(n int) *array { return &array{dtype: tensor.Int64, shape: []int64{int64(n)}, i: make([]int64, n)} }
	first, inverse, counts := list(len(groups)), list(n), list(len(groups))
	entries := make([]int, len(groups))
	for g, members := range groups {
		entries[g] = members[0]
		first.i[g], counts.i[g] = int64(members[0]), int64(len(members))
		for _, e := range members {
			inverse.i[e] = int64(g)
		}
	}
	return []*array{along(x, axis, entries), first, inverse, counts}, nil
}
