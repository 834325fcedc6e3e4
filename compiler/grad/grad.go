// Package grad differentiates graphs by a short reverse walk and one rule per operator. The gradient consists of ordinary
// operators that are appended to the same graph, so that it can be optimised, exported, executed and differentiated again like any
// other part of the graph.
package grad

import (
	"slices"
	"strings"

	"rnas/compiler/ir"
	"rnas/compiler/op"
)

// Ctx is what a rule sees: a builder at the end of the graph, the node N, and the gradients Dy of its outputs. Dy is nil where an
// output does not matter; at least one is given.
type Ctx struct {
	op.B
	N    *ir.Node
	Dy   []*ir.Value
	need []bool
	walk *walk
}

// In is input i of the node, or nil if it is absent.
func (c *Ctx) In(i int) *ir.Value { return c.N.Input(i) }

// Out is output i of the node, or nil if it is absent.
func (c *Ctx) Out(i int) *ir.Value { return c.N.Output(i) }

// dy is the gradient of output i, or nil where the output is absent or does not matter.
func (c *Ctx) dy(i int) *ir.Value {
	if i < len(c.Dy) {
		return c.Dy[i]
	}
	return nil
}

// Need reports whether the gradient of input i is wanted. Rules leave out the others.
func (c *Ctx) Need(i int) bool { return i < len(c.need) && c.need[i] }

// Rule returns the gradient of each input in order. It is nil where there is none or none is wanted. A gradient of broadcast shape
// is summed to the shape of the input by the walk, not by the rule.
type Rule func(c *Ctx) []*ir.Value

var rules = map[string]Rule{}

func register(rows map[string]Rule) {
	for name, rule := range rows {
		if rules[name] != nil {
			panic("grad: two rules for " + name)
		}
		rules[name] = rule
	}
}

// ruleOf is the rule of an operator or of its decomposition, or nil if it has neither.
func ruleOf(domain, name string) Rule {
	if rule := rules[key(&ir.Node{Domain: domain, Op: name})]; rule != nil {
		return rule
	}
	if row := op.Lookup(domain, name); row != nil && row.Decompose != nil && unsupported[name] == "" {
		return decomposed
	}
	return nil
}

// decomposed differentiates the simpler operators that the row of the operator names.
func decomposed(c *Ctx) []*ir.Value {
	return composite(func(c *Ctx) []*ir.Value { return op.Lookup(c.N.Domain, c.N.Op).Decompose(c.B, c.N) })(c)
}

// Support tells how an operator of the standard domain takes part in differentiation.
type Support int

// The three kinds of support.
const (
	None Support = iota // an error when a gradient has to pass
	Zero                // piecewise constant: the gradient is zero and stops there
	Full                // has a rule
)

// Supports returns the support of an operator and, if it has no rule, the reason.
func Supports(name string) (Support, string) {
	if why, ok := constant[name]; ok {
		return Zero, why
	}
	if ruleOf("", name) != nil {
		return Full, ""
	}
	return None, unsupported[name]
}

// Gradients appends to b the gradient of sum_i <ys[i], dys[i]> with respect to each of xs, which are values in the graph of b or
// around it. dys[i] has the shape of ys[i]. A result is nil where ys do not depend on that x. No gradient passes through the
// values in stop, which count as constants.
//
// An operator on the way without a rule is an error. It sticks to the builder and names node and operator.
func Gradients(b op.B, ys, dys, xs []*ir.Value, stop ...*ir.Value) []*ir.Value {
	return gradients(b, slices.Clone(b.Graph().Nodes), ys, dys, xs, stop)
}

// gradients is Gradients over some nodes of the graph of b, in order. All other nodes count as constant.
func gradients(b op.B, nodes []*ir.Node, ys, dys, xs, stop []*ir.Value) []*ir.Value {
	w := walk{b: b, depends: map[*ir.Value]bool{}, parts: map[*ir.Value][]*ir.Value{}, stop: stop}
	for _, x := range xs {
		w.depends[x] = true
	}
	for _, n := range nodes {
		w.mark(n)
	}
	for i, y := range ys {
		if b.Err() != nil {
			break
		}
		if !dys[i].Shape.Equal(y.Shape) {
			b.Fail("gradient of %s has shape %s", y, dys[i].Shape)
		}
		if w.depends[y] {
			w.parts[y] = append(w.parts[y], dys[i])
		}
	}
	for _, n := range slices.Backward(nodes) {
		if b.Err() != nil {
			break
		}
		b.In(scope, func() { w.visit(n) })
	}
	out := make([]*ir.Value, len(xs))
	for i, x := range xs {
		out[i] = w.take(x)
	}
	return out
}

// scope is the part of a path under which the nodes of a gradient stand.
const scope = "grad"

// Made reports whether n is a part of a gradient, by its name.
func Made(n *ir.Node) bool { return slices.Contains(strings.Split(n.Name, "/"), scope) }

type walk struct {
	b       op.B
	depends map[*ir.Value]bool
	stop    []*ir.Value
	parts   map[*ir.Value][]*ir.Value
}

// mark records which outputs of n depend on the wanted values through floating-point inputs.
func (w *walk) mark(n *ir.Node) {
	depends := func(v *ir.Value) bool { return v != nil && w.depends[v] }
	hit := slices.ContainsFunc(n.In, depends)
	for _, g := range n.Graphs() {
		hit = hit || slices.ContainsFunc(g.Outputs, depends)
		g.Walk(func(m *ir.Node) {
			hit = hit || slices.ContainsFunc(m.In, depends)
			for _, sub := range m.Graphs() {
				hit = hit || slices.ContainsFunc(sub.Outputs, depends)
			}
		})
	}
	if !hit {
		return
	}
	if _, stop := constant[n.Op]; stop && n.Domain == "" {
		return
	}
	for i, v := range n.Out {
		if v != nil && w.carries(n, i) && !slices.Contains(w.stop, v) {
			w.depends[v] = true
		}
	}
}

// take is the accumulated gradient of v, or nil if there is none.
func (w *walk) take(v *ir.Value) *ir.Value {
	parts := w.parts[v]
	if len(parts) == 0 {
		return nil
	}
	if len(parts) > 1 {
		parts = []*ir.Value{w.b.Sum(parts...)}
		w.parts[v] = parts
	}
	return parts[0]
}

func (w *walk) visit(n *ir.Node) {
	dy := make([]*ir.Value, len(n.Out))
	any := false
	for i, v := range n.Out {
		if v != nil && w.depends[v] {
			dy[i] = w.take(v)
			any = any || dy[i] != nil
		}
	}
	if !any {
		return
	}
	rule := ruleOf(n.Domain, n.Op)
	if rule == nil {
		why := unsupported[n.Op]
		if why != "" {
			why = ": " + why
		}
		w.b.Fail("node %s: operator %s has no gradient%s", n.Name, key(n), why)
		return
	}
	need := make([]bool, len(n.In))
	for i, v := range n.In {
		need[i] = v != nil && w.depends[v]
	}
	c := &Ctx{B: w.b, N: n, Dy: dy, need: need, walk: w}
	w.b.In(n.Name, func() {
		grads := rule(c)
		for i, g := range grads {
			if g == nil || !c.Need(i) || w.b.Err() != nil {
				continue
			}
			g = sumTo(w.b, g, n.In[i])
			w.parts[n.In[i]] = append(w.parts[n.In[i]], g)
		}
	})
}

// sumTo undoes broadcasting: it sums g over the dimensions along which x was repeated.
func sumTo(b op.B, g, x *ir.Value) *ir.Value {
	if g.Shape.Equal(x.Shape) || b.Err() != nil {
		return g
	}
	if s, err := op.Broadcast(g.Shape, x.Shape); err != nil {
		b.Fail("gradient of %s has shape %s", x, g.Shape)
		return g
	} else if !s.Equal(g.Shape) {
		return b.ExpandLike(g, x)
	}
	lead := g.Rank() - x.Rank()
	var axes []int64
	for i, d := range g.Shape {
		if i < lead || d != x.Shape[i-lead] {
			axes = append(axes, int64(i))
		}
	}
	if lead == 0 {
		return b.ReduceSum(g, true, axes...)
	}
	return b.ReshapeLike(b.ReduceSum(g, false, axes...), x)
}
