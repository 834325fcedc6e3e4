package op

import (
	"fmt"

	"rnas/compiler/ir"
)

// Inline copies the nodes of g to the end of b, with args in place of the inputs of g, and returns the outputs. Types and shapes
// are inferred again, so that a graph with a symbolic batch takes the batch of args. Constants are shared.
func Inline(b B, g *ir.Graph, args []*ir.Value) []*ir.Value {
	if len(args) != len(g.Inputs) {
		b.Fail("graph %s: expected %d arguments, found %d", g.Name, len(g.Inputs), len(args))
		return placeholders(len(g.Outputs))
	}
	m := map[*ir.Value]*ir.Value{}
	for i, v := range g.Inputs {
		m[v] = args[i]
	}
	inline(b, g, m)
	out := make([]*ir.Value, len(g.Outputs))
	for i, v := range g.Outputs {
		out[i] = mapped(b, m, v)
	}
	return out
}

func inline(b B, g *ir.Graph, m map[*ir.Value]*ir.Value) {
	for _, n := range g.Nodes {
		if b.Err() != nil {
			return
		}
		in := make([]*ir.Value, len(n.In))
		for i, v := range n.In {
			if v != nil {
				in[i] = mapped(b, m, v)
			}
		}
		attrs := n.Attrs
		if len(n.Graphs()) > 0 {
			attrs = ir.Attrs{}
			for name, a := range n.Attrs {
				if sub, ok := a.(*ir.Graph); ok {
					a = inlineBody(b, sub, m)
				}
				attrs[name] = a
			}
		}
		b.In(n.Name, func() {
			out := b.DomainNode(n.Domain, n.Op, attrs, len(n.Out), in...)
			for i, v := range n.Out {
				if v == nil {
					if len(out) > 0 && out[i].Def != nil {
						out[i].Def.Out[i] = nil
					}
					continue
				}
				m[v] = out[i]
			}
		})
	}
}

func inlineBody(b B, g *ir.Graph, m map[*ir.Value]*ir.Value) *ir.Graph {
	sub := B{b.Nested(g.Name)}
	for _, v := range g.Inputs {
		m[v] = sub.Input(sub.Free(v.Name), v.Type, v.Shape...)
	}
	inline(sub, g, m)
	for i, v := range g.Outputs {
		sub.Output(sub.Free(fmt.Sprintf("%s.result%d", g.Name, i)), mapped(sub, m, v))
	}
	return sub.Graph()
}

// mapped is the copy of v; constants are copied on first use so that the copy is named for its new graph.
func mapped(b B, m map[*ir.Value]*ir.Value, v *ir.Value) *ir.Value {
	if w := m[v]; w != nil {
		return w
	}
	if v.IsConst() {
		m[v] = b.NamedConst(v.Name, v.Const)
		return m[v]
	}
	return v // a value of a graph around both
}
