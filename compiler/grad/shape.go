package grad

import (
	"rnas/compiler/ir"
	"rnas/compiler/op"
)

func init() {
	reshaped := func(c *Ctx) []*ir.Value { return []*ir.Value{c.ReshapeLike(c.Dy[0], c.In(0))} }
	register(map[string]Rule{
		"Reshape":   reshaped,
		"Flatten":   reshaped,
		"Squeeze":   reshaped,
		"Unsqueeze": reshaped,
		"Expand":    func(c *Ctx) []*ir.Value { return []*ir.Value{c.Dy[0]} },
		"Transpose": func(c *Ctx) []*ir.Value {
			perm, err := op.Perm(c.N)
			if err != nil {
				c.Fail("node %s: %w", c.N.Name, err)
				return nil
			}
			inverse := make([]int64, len(perm))
			for i, p := range perm {
				inverse[p] = int64(i)
			}
			return []*ir.Value{c.Transpose(c.Dy[0], inverse...)}
		},
		"Concat":         concat,
		"Split":          split,
		"Slice":          slice,
		"Gather":         gather,
		"GatherElements": gatherElements,
	})
}

func concat(c *Ctx) []*ir.Value {
	axis, _ := op.Axis(c.N.Int("axis", 0), c.Out(0).Rank())
	out := make([]*ir.Value, len(c.N.In))
	start := int64(0)
	for i, x := range c.N.In {
		end := start + x.Shape[axis]
		out[i] = c.when(i, func() *ir.Value {
			return c.Slice(c.Dy[0], []int64{start}, []int64{end}, []int64{int64(axis)}, []int64{1})
		})
		start = end
	}
	return out
}

// split concatenates the gradients of the parts; parts that do not matter are zero.
func split(c *Ctx) []*ir.Value {
	x := c.In(0)
	axis, _ := op.Axis(c.N.Int("axis", 0), x.Rank())
	sizes, err := op.SplitSizes(c.N, x.Shape[axis])
	if err != nil {
		c.Fail("node %s: %w", c.N.Name, err)
		return nil
	}
	parts := make([]*ir.Value, len(sizes))
	start := int64(0)
	for i, size := range sizes {
		if parts[i] = c.Dy[i]; parts[i] == nil {
			like := c.Out(i)
			if like == nil {
				like = c.Slice(x, []int64{start}, []int64{start + size}, []int64{int64(axis)}, []int64{1})
			}
			parts[i] = c.ExpandLike(c.Float(x, 0), like)
		}
		start += size
	}
	return []*ir.Value{c.Concat(int64(axis), parts...)}
}

// slice puts the gradient back in its place: zeros between the steps, a flip where the step is negative, and padding.
func slice(c *Ctx) []*ir.Value {
	ranges, err := op.SliceRanges(c.N)
	if err != nil {
		c.Fail("node %s: %w", c.N.Name, err)
		return nil
	}
	x, g := c.In(0), c.Dy[0]
	rank := x.Rank()
	pads := make([]int64, 2*rank)
	for i, r := range ranges {
		axis := int64(i)
		if r.Count == x.Shape[i] && r.Step == 1 {
			continue
		}
		if r.Count == 0 {
			return []*ir.Value{c.ExpandLike(c.Float(g, 0), x)}
		}
		if r.Step < 0 {
			g = c.Slice(g, []int64{-1}, []int64{-r.Count - 1}, []int64{axis}, []int64{-1})
			r.Start += (r.Count - 1) * r.Step
			r.Step = -r.Step
		}
		if r.Step > 1 && r.Count > 1 {
			g = interleave(c, g, i, r.Step)
		}
		pads[i] = r.Start
		pads[rank+i] = x.Shape[i] - r.Start - ((r.Count-1)*r.Step + 1)
	}
	if !all(pads, 0) {
		g = c.Pad(g, pads...)
	}
	return []*ir.Value{g}
}

// interleave puts step-1 zeros between neighbours along axis.
func interleave(c *Ctx, g *ir.Value, axis int, step int64) *ir.Value {
	n := g.Shape[axis]
	wide := c.Unsqueeze(g, int64(axis+1))
	pads := make([]int64, 2*wide.Rank())
	pads[wide.Rank()+axis+1] = step - 1
	wide = c.Pad(wide, pads...)
	dims := g.Shape.Clone()
	for i, d := range dims {
		if d == ir.N {
			dims[i] = -1
		}
	}
	dims[axis] = n * step
	return c.Slice(c.Reshape(wide, dims...), []int64{0}, []int64{(n-1)*step + 1}, []int64{int64(axis)}, []int64{1})
}

// gather multiplies by the one-hot matrix of the indices, so that repeated indices add up in a fixed order.
func gather(c *Ctx) []*ir.Value {
	x, ids, dy := c.In(0), c.In(1), c.Dy[0]
	axis, _ := op.Axis(c.N.Int("axis", 0), x.Rank())
	if !x.Shape.Static() || !ids.Shape.Static() {
		c.Fail("node %s: the gradient of Gather needs static shapes", c.N.Name)
		return nil
	}
	outer, inner := ir.Shape(x.Shape[:axis]).Numel(), ir.Shape(x.Shape[axis+1:]).Numel()
	depth, count := x.Shape[axis], ids.Shape.Numel()
	hot := c.OneHot(c.Reshape(ids, count), depth, dy)                         // [count, depth]
	g := c.MatMul(c.Transpose(hot, 1, 0), c.Reshape(dy, outer, count, inner)) // [outer, depth, inner]
	return []*ir.Value{c.Reshape(g, x.Shape...)}
}

func gatherElements(c *Ctx) []*ir.Value {
	zero := c.ExpandLike(c.Float(c.Dy[0], 0), c.In(0))
	return []*ir.Value{c.One("ScatterElements", ir.Attrs{"axis": c.N.Int("axis", 0), "reduction": "add"}, zero, c.In(1), c.Dy[0])}
}
