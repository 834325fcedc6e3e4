package grad

import (
	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/tensor"
)

func init() {
	register(map[string]Rule{
		"ScatterElements": scatterElements,
		"ScatterND":       scatterND,
		"GatherND":        gatherND,
		"Compress":        compress,
		"OneHot":          oneHot,
	})
}

// places is a set of elements of a tensor that an operator reads or writes.
type places struct {
	take func(v *ir.Value) *ir.Value                            // what stands there
	put  func(v, updates *ir.Value, reduction string) *ir.Value // v with updates combined there
}

func (c *Ctx) fill(v float64, like *ir.Value) *ir.Value { return c.ExpandLike(c.Float(like, v), like) }

// scatter differentiates x with updates combined at some places. Among equal extremes the gradient is shared equally, as
// in PyTorch's scatter_reduce.
func scatter(c *Ctx, p places, x, updates, dy *ir.Value, reduction string) (dx, dUpdates func() *ir.Value) {
	switch reduction {
	case "add":
		return func() *ir.Value { return dy }, func() *ir.Value { return p.take(dy) }
	case "mul":
		return func() *ir.Value { return c.Mul(dy, p.put(c.fill(1, x), updates, "mul")) },
			func() *ir.Value { return c.Mul(p.take(dy), others(c, p, x, updates)) }
	case "max", "min":
		y := c.Out(0)
		hit := c.Cast(c.Equal(x, y), dy.Type)
		hits := c.Cast(c.Equal(updates, p.take(y)), dy.Type)
		share := c.Div(dy, p.put(hit, hits, "add"))
		return func() *ir.Value { return c.Mul(share, hit) }, func() *ir.Value { return c.Mul(p.take(share), hits) }
	}
	return func() *ir.Value { return p.put(dy, c.fill(0, updates), "none") }, func() *ir.Value { return p.take(dy) }
}

// others is, for each update, the product of what stands in its place and of the other updates of that place. It is right for one
// zero among them and for many.
func others(c *Ctx, p places, x, updates *ir.Value) *ir.Value {
	zero, one := c.Float(x, 0), c.Float(x, 1)
	isZero := c.Equal(updates, zero)
	zeros := p.take(p.put(c.fill(0, x), c.Cast(isZero, x.Type), "add"))
	safe := c.Where(isZero, one, updates)
	product := p.take(p.put(x, safe, "mul")) // without the zeros
	return c.Where(isZero,
		c.Where(c.Equal(zeros, one), product, zero),
		c.Where(c.Equal(zeros, zero), c.Div(product, safe), zero))
}

func scatterElements(c *Ctx) []*ir.Value {
	axis, ids := c.N.Int("axis", 0), c.In(1)
	p := places{
		take: func(v *ir.Value) *ir.Value { return c.One("GatherElements", ir.Attrs{"axis": axis}, v, ids) },
		put: func(v, updates *ir.Value, reduction string) *ir.Value {
			return c.One("ScatterElements", reducing(reduction, ir.Attrs{"axis": axis}), v, ids, updates)
		},
	}
	dx, du := scatter(c, p, c.In(0), c.In(2), c.Dy[0], c.N.Str("reduction", "none"))
	return []*ir.Value{c.when(0, dx), nil, c.when(2, du)}
}

func reducing(reduction string, attrs ir.Attrs) ir.Attrs {
	if reduction != "none" {
		attrs["reduction"] = reduction
	}
	return attrs
}

func scatterND(c *Ctx) []*ir.Value {
	dx, du := scatter(c, tuples(c, c.In(1)), c.In(0), c.In(2), c.Dy[0], c.N.Str("reduction", "none"))
	return []*ir.Value{c.when(0, dx), nil, c.when(2, du)}
}

func tuples(c *Ctx, ids *ir.Value) places {
	return places{
		take: func(v *ir.Value) *ir.Value { return c.One("GatherND", nil, v, ids) },
		put: func(v, updates *ir.Value, reduction string) *ir.Value {
			return c.One("ScatterND", reducing(reduction, ir.Attrs{}), v, ids, updates)
		},
	}
}

// gatherND adds the gradient up at the places it came from. Batch dimensions become part of the indices.
func gatherND(c *Ctx) []*ir.Value {
	ids, batch := c.In(1), int(c.N.Int("batch_dims", 0))
	if batch > 0 {
		lead := ids.Shape[:ids.Rank()-1]
		if !lead.Static() {
			c.Fail("node %s: the gradient of GatherND with batch_dims needs static shapes", c.N.Name)
			return nil
		}
		shape := append(lead.Clone(), int64(batch))
		coordinates := make([]int64, 0, shape.Numel())
		for k := range lead.Numel() {
			for d := range batch {
				coordinates = append(coordinates, k/lead[d+1:].Numel()%lead[d])
			}
		}
		ids = c.Concat(-1, c.Const("batch", tensor.Of(shape, coordinates...)), ids)
	}
	return []*ir.Value{tuples(c, ids).put(c.fill(0, c.In(0)), c.Dy[0], "add")}
}

// scatterAlong is the gradient of taking the entries ids along an axis of size depth: a product with a one-hot matrix.
func scatterAlong(c *Ctx, g *ir.Value, axis int, ids []int64, depth int64) *ir.Value {
	hot := make([]float64, int64(len(ids))*depth)
	for k, id := range ids {
		hot[int64(k)*depth+id] = 1
	}
	matrix := c.Const("hot", tensor.FromFloat64s(g.Type, []int64{int64(len(ids)), depth}, hot))
	perm := make([]int64, g.Rank())
	for i := range perm {
		perm[i] = int64(i)
	}
	last := len(perm) - 1
	if axis == last {
		return c.MatMul(g, matrix)
	}
	perm[axis], perm[last] = perm[last], perm[axis]
	return c.Transpose(c.MatMul(c.Transpose(g, perm...), matrix), perm...)
}

func compress(c *Ctx) []*ir.Value {
	ids, err := op.Selected(c.N)
	if err != nil {
		c.Fail("node %s: %w", c.N.Name, err)
		return nil
	}
	x := c.In(0)
	if _, given := c.N.Attrs["axis"]; !given {
		return []*ir.Value{c.ReshapeLike(scatterAlong(c, c.Dy[0], 0, ids, x.Shape.Numel()), x)}
	}
	axis, _ := op.Axis(c.N.Int("axis", 0), x.Rank())
	return []*ir.Value{scatterAlong(c, c.Dy[0], axis, ids, x.Shape[axis])}
}

// oneHot has gradients for its two values only.
func oneHot(c *Ctx) []*ir.Value {
	if !c.Need(2) {
		return nil
	}
	dy := c.Dy[0]
	values := c.Const("off_on", tensor.FromFloat64s(dy.Type, []int64{2}, []float64{0, 1}))
	hot := c.One("OneHot", c.N.Attrs, c.In(0), c.In(1), values)
	total := func(v *ir.Value) *ir.Value { return c.Reshape(c.ReduceSum(v, false), 1) }
	return []*ir.Value{nil, nil, c.Concat(0, total(c.Mul(dy, c.Sub(c.Float(dy, 1), hot))), total(c.Mul(dy, hot)))}
}
