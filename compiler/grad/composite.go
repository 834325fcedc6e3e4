package grad

import (
	"slices"

	"rnas/compiler/ir"
	"rnas/compiler/op"
)

// composite is the rule of an operator that is a composition of others. f builds the outputs of the node again from its inputs,
// and the gradient is that of the composition, to every order that the parts have one.
func composite(f func(c *Ctx) []*ir.Value) Rule {
	return func(c *Ctx) []*ir.Value {
		start := len(c.Graph().Nodes)
		made := f(c)
		if c.Err() != nil {
			return nil
		}
		var ys, dys, xs []*ir.Value
		for i, dy := range c.Dy {
			if dy != nil {
				ys, dys = append(ys, made[i]), append(dys, dy)
			}
		}
		for i, x := range c.N.In {
			if c.Need(i) && !slices.Contains(xs, x) {
				xs = append(xs, x)
			}
		}
		inputs := len(xs)
		for _, v := range op.Captured(c.N) {
			if c.walk.depends[v] && !slices.Contains(xs, v) {
				xs = append(xs, v)
			}
		}
		grads := gradients(c.B, slices.Clone(c.Graph().Nodes[start:]), ys, dys, xs, nil)
		out := make([]*ir.Value, len(c.N.In))
		for i, x := range xs[inputs:] {
			if g := grads[inputs+i]; g != nil {
				c.walk.parts[x] = append(c.walk.parts[x], g)
			}
		}
		for i, x := range xs[:inputs] { // an input given twice gets its gradient once
			out[slices.Index(c.N.In, x)] = grads[i]
		}
		return out
	}
}
