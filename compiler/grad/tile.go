package grad

import (
	"slices"

	"rnas/compiler/ir"
	"rnas/compiler/op"
)

func init() {
	register(map[string]Rule{
		"Tile":         tile,
		"DepthToSpace": depthToSpace,
		// The blocks go back as in mode DCR.
		"SpaceToDepth": func(c *Ctx) []*ir.Value {
			return []*ir.Value{c.One("DepthToSpace", ir.Attrs{"blocksize": c.N.Int("blocksize", 0)}, c.Dy[0])}
		},
		"ReverseSequence": func(c *Ctx) []*ir.Value {
			return []*ir.Value{c.One("ReverseSequence", c.N.Attrs, c.Dy[0], c.In(1))}
		},
		"Pad": pad,
	})
}

// open is a shape for Reshape in which a symbolic dimension becomes the rest.
func open(dims ...int64) []int64 {
	out := slices.Clone(dims)
	for i, d := range out {
		if d == ir.N {
			out[i] = -1
		}
	}
	return out
}

// tile sums over the repeats.
func tile(c *Ctx) []*ir.Value {
	repeats, _ := op.ConstInts(c.In(1))
	var dims, axes []int64
	for i, d := range c.In(0).Shape {
		if repeats[i] != 1 {
			axes = append(axes, int64(len(dims)))
			dims = append(dims, repeats[i])
		}
		dims = append(dims, d)
	}
	if len(axes) == 0 {
		return []*ir.Value{c.Dy[0]}
	}
	if c.Out(0).Shape.Numel() == 0 {
		return []*ir.Value{c.fill(0, c.In(0))}
	}
	return []*ir.Value{c.ReduceSum(c.Reshape(c.Dy[0], open(dims...)...), false, axes...)}
}

func depthToSpace(c *Ctx) []*ir.Value {
	s, b := c.In(0).Shape, c.N.Int("blocksize", 0)
	if c.N.Str("mode", "DCR") == "DCR" {
		return []*ir.Value{c.One("SpaceToDepth", ir.Attrs{"blocksize": b}, c.Dy[0])}
	}
	g := c.Reshape(c.Dy[0], open(s[0], s[1]/(b*b), s[2], b, s[3], b)...)
	return []*ir.Value{c.Reshape(c.Transpose(g, 0, 1, 3, 5, 2, 4), open(s...)...)}
}

// pad cuts off the border. In modes other than constant it also adds the border to the elements that it repeats.
func pad(c *Ctx) []*ir.Value {
	begin, end, err := op.Pads(c.N)
	if err != nil {
		c.Fail("node %s: %w", c.N.Name, err)
		return nil
	}
	x, g := c.In(0), c.Dy[0]
	mode := c.N.Str("mode", "constant")
	if mode == "constant" {
		return []*ir.Value{c.when(0, func() *ir.Value { return c.unpad(g) }), nil, c.when(2, func() *ir.Value {
			border := c.One("Pad", nil, append([]*ir.Value{c.fill(0, x), c.In(1), c.Float(g, 1)}, c.N.In[3:]...)...)
			return c.ReshapeLike(c.ReduceSum(c.Mul(g, border), false), c.In(2))
		})}
	}
	for axis, d := range x.Shape {
		if begin[axis] == 0 && end[axis] == 0 {
			continue
		}
		if d == ir.N {
			c.Fail("node %s: the gradient of Pad in mode %s needs a static dimension %d", c.N.Name, mode, axis)
			return nil
		}
		g = scatterAlong(c, g, axis, op.PadSources(mode, d, begin[axis], end[axis]), d)
	}
	return []*ir.Value{g}
}

// unpad takes the padding of the node off, and fills what the node cut off with zeros.
func (c *Ctx) unpad(g *ir.Value) *ir.Value {
	pads, _ := op.ConstInts(c.In(1))
	back := make([]int64, len(pads))
	for i, p := range pads {
		back[i] = -p
	}
	in := []*ir.Value{g, c.Ints(back...), c.Float(g, 0)}
	return c.One("Pad", nil, append(in, c.N.In[min(3, len(c.N.In)):]...)...)
}
