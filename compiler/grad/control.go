package grad

import (
	"slices"

	"rnas/compiler/ir"
	"rnas/compiler/op"
)

func init() { register(map[string]Rule{"If": branches}) }

// branches makes another If. Its branches compute those of the node again, and the gradients of the values around the node that
// they use.
func branches(c *Ctx) []*ir.Value {
	outer := slices.DeleteFunc(op.Captured(c.N), func(v *ir.Value) bool { return !c.walk.depends[v] })
	attrs := ir.Attrs{}
	for _, name := range []string{"else_branch", "then_branch"} {
		sub := op.B{Builder: c.Nested(c.N.Name + "." + name)}
		made := op.Inline(sub, c.N.Attrs[name].(*ir.Graph), nil)
		var ys, dys []*ir.Value
		for i, dy := range c.Dy {
			if dy != nil {
				ys, dys = append(ys, made[i]), append(dys, dy)
			}
		}
		grads := gradients(sub, slices.Clone(sub.Graph().Nodes), ys, dys, outer, nil)
		for i, g := range grads {
			if g == nil {
				g = sub.ExpandLike(sub.Float(outer[i], 0), outer[i])
			}
			sub.Output(sub.Free(c.N.Name+".gradient"), g)
		}
		attrs[name] = sub.Graph()
	}
	for i, g := range c.Node("If", attrs, len(outer), c.In(0)) {
		c.walk.parts[outer[i]] = append(c.walk.parts[outer[i]], g)
	}
	return nil
}
