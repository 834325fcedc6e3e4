package grad

import (
	"rnas/compiler/ir"
	"rnas/compiler/op"
)

func init() {
	register(map[string]Rule{
		"ReduceSum":  func(c *Ctx) []*ir.Value { return []*ir.Value{c.ExpandLike(keepDims(c, c.Dy[0]), c.In(0))} },
		"ReduceMean": reduceMean,
		"ReduceMax":  reduceExtremum,
		"ReduceMin":  reduceExtremum,
		"ReduceL1": func(c *Ctx) []*ir.Value {
			return []*ir.Value{c.Mul(keepDims(c, c.Dy[0]), c.Sign(c.In(0)))}
		},
		// The gradient of the norm is taken as 0 where the norm is 0.
		"ReduceL2": func(c *Ctx) []*ir.Value {
			y := keepDims(c, c.Out(0))
			safe := c.Where(c.Equal(y, c.Float(y, 0)), c.Float(y, 1), y)
			return []*ir.Value{c.Mul(c.Div(keepDims(c, c.Dy[0]), safe), c.In(0))}
		},
		"ReduceSumSquare": func(c *Ctx) []*ir.Value {
			return []*ir.Value{c.Mul(c.Scale(keepDims(c, c.Dy[0]), 2), c.In(0))}
		},
		"ReduceLogSum": func(c *Ctx) []*ir.Value {
			g := c.Div(keepDims(c, c.Dy[0]), c.Exp(keepDims(c, c.Out(0))))
			return []*ir.Value{c.ExpandLike(g, c.In(0))}
		},
		"ReduceLogSumExp": func(c *Ctx) []*ir.Value {
			return []*ir.Value{c.Mul(keepDims(c, c.Dy[0]), c.Exp(c.Sub(c.In(0), keepDims(c, c.Out(0)))))}
		},
		"TopK": func(c *Ctx) []*ir.Value {
			if c.Dy[0] == nil {
				return nil
			}
			zero := c.ExpandLike(c.Float(c.Dy[0], 0), c.In(0))
			return []*ir.Value{c.One("ScatterElements", ir.Attrs{"axis": c.N.Int("axis", -1), "reduction": "add"}, zero, indices(c), c.Dy[0])}
		},
	})
}

// keepDims gives a reduced value back the dimensions of size 1 that the node dropped.
func keepDims(c *Ctx, v *ir.Value) *ir.Value {
	if v.Rank() == c.In(0).Rank() {
		return v
	}
	mask, err := op.ReduceMask(c.N)
	if err != nil {
		c.Fail("node %s: %w", c.N.Name, err)
		return v
	}
	var axes []int64
	for i, reduced := range mask {
		if reduced {
			axes = append(axes, int64(i))
		}
	}
	return c.Unsqueeze(v, axes...)
}

func reduceMean(c *Ctx) []*ir.Value {
	mask, err := op.ReduceMask(c.N)
	if err != nil {
		c.Fail("node %s: %w", c.N.Name, err)
		return nil
	}
	count := int64(1)
	for i, reduced := range mask {
		if reduced {
			if c.In(0).Shape[i] == ir.N {
				c.Fail("node %s: the gradient of a mean over a symbolic dimension needs a static batch", c.N.Name)
				return nil
			}
			count *= c.In(0).Shape[i]
		}
	}
	return []*ir.Value{c.ExpandLike(c.Scale(keepDims(c, c.Dy[0]), 1/float64(max(count, 1))), c.In(0))}
}

func reduceExtremum(c *Ctx) []*ir.Value {
	hits := c.Cast(c.Equal(c.In(0), keepDims(c, c.Out(0))), c.Dy[0].Type)
	mask, err := op.ReduceMask(c.N)
	if err != nil {
		c.Fail("node %s: %w", c.N.Name, err)
		return nil
	}
	var axes []int64
	for i, reduced := range mask {
		if reduced {
			axes = append(axes, int64(i))
		}
	}
	ties := hits
	if len(axes) > 0 {
		ties = c.ReduceSum(hits, true, axes...)
	}
	return []*ir.Value{c.Mul(hits, c.Div(keepDims(c, c.Dy[0]), ties))}
}
