package interp

import (
	"fmt"
	"math"
	"slices"

	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

var controlKernels = map[string]kernel{"If": branch, "Loop": loop}

// loop runs the body at most trip count times and while the condition holds. An absent trip count is no limit, and an absent
// condition is true. The outputs are the carried values, then the scan outputs stacked along a new first dimension.
func loop(c *call) ([]*array, error) {
	trips, going := int64(math.MaxInt64), int64(1)
	var err error
	if a := c.in[0]; a != nil {
		if trips, err = a.scalar(); err != nil {
			return nil, fmt.Errorf("trip count: %w", err)
		}
	}
	if a := c.in[1]; a != nil {
		if going, err = a.scalar(); err != nil {
			return nil, fmt.Errorf("condition: %w", err)
		}
	}
	carried := c.in[2:]
	g := c.sub[0].graph
	scans := make([][]*array, len(g.Outputs)-1-len(carried))
	for iter := int64(0); iter < trips && going != 0; iter++ {
		f := &frame{values: map[*ir.Value]*array{}, consts: c.frame.consts, outer: c.frame}
		for i, a := range []*array{{dtype: tensor.Int64, i: []int64{iter}}, {dtype: tensor.Bool, i: []int64{going}}} {
			v := g.Inputs[i]
			if v.Type != a.dtype || v.Shape.Numel() != 1 {
				return nil, fmt.Errorf("body: input %d: expected one %s, found %s", i, a.dtype, v)
			}
			f.values[v] = a.view(v.Shape)
		}
		for i, a := range carried {
			f.values[g.Inputs[2+i]] = a
		}
		out, err := c.sub[0].run(f)
		if err != nil {
			return nil, fmt.Errorf("iteration %d: graph %s: %w", iter, g.Name, err)
		}
		if going, err = out[0].scalar(); err != nil {
			return nil, fmt.Errorf("iteration %d: condition: %w", iter, err)
		}
		carried = out[1 : 1+len(carried)]
		for i := range scans {
			scans[i] = append(scans[i], out[1+len(carried)+i])
		}
	}
	results := slices.Clone(carried)
	for i, parts := range scans {
		a, err := stack(parts, g.Outputs[1+len(carried)+i])
		if err != nil {
			return nil, fmt.Errorf("scan output %d: %w", i, err)
		}
		results = append(results, a)
	}
	return results, nil
}

// branch runs one of two graphs.
func branch(c *call) ([]*array, error) {
	condition, err := c.in[0].scalar()
	if err != nil {
		return nil, fmt.Errorf("condition: %w", err)
	}
	name := "else_branch"
	if condition != 0 {
		name = "then_branch"
	}
	for _, p := range c.sub {
		if p.graph == c.Attrs[name] {
			out, err := p.run(&frame{values: map[*ir.Value]*array{}, consts: c.frame.consts, outer: c.frame})
			if err != nil {
				return nil, fmt.Errorf("graph %s: %w", p.graph.Name, err)
			}
			return out, nil
		}
	}
	return nil, fmt.Errorf("attribute %s is missing", name)
}

// stack joins arrays of equal shape along a new first dimension. Without any, the shape is that of v.
func stack(parts []*array, v *ir.Value) (*array, error) {
	shape := []int64(v.Shape)
	if len(parts) > 0 {
		shape = parts[0].shape
	}
	out, err := zeros(v.Type, slices.Concat([]int64{int64(len(parts))}, shape))
	if err != nil {
		return nil, err
	}
	out.f, out.i = out.f[:0], out.i[:0]
	for k, a := range parts {
		if !slices.Equal(a.shape, shape) {
			return nil, fmt.Errorf("iteration %d has shape %v, expected %v", k, a.shape, shape)
		}
		out.f, out.i = append(out.f, a.f...), append(out.i, a.i...)
	}
	return out, nil
}
