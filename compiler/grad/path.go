package grad

import (
	"fmt"
	"slices"

	"rnas/compiler/ir"
	"rnas/compiler/op"
)

// Kind tells what a Finding is about.
type Kind string

// The kinds of findings.
const (
	NoRule        Kind = "no gradient"      // the gradient has to pass an operator without a rule
	Cut           Kind = "cut"              // values pass but no gradient
	Surrogate     Kind = "straight-through" // the gradient is that of a function without the rounding
	Random        Kind = "random"           // two runs of the model differ
	Probabilities Kind = "probabilities"    // the output is a Softmax: its loss saturates where the logits do not
)

// Finding is something between an input and an output of a graph that an attack by gradients should know.
type Finding struct {
	Kind     Kind   `json:"kind"`
	Node     string `json:"node"`
	Operator string `json:"operator"`
	Reason   string `json:"reason,omitempty"`
}

// String returns text such as "cut: node Sign_3: Sign: piecewise constant".
func (f Finding) String() string {
	s := fmt.Sprintf("%s: node %s: %s", f.Kind, f.Node, f.Operator)
	if f.Reason != "" {
		s += ": " + f.Reason
	}
	return s
}

// Path examines the way of the gradient from y back to x, both values of g itself, without building it. connected tells whether a
// gradient arrives at x if every operator on the way has a rule. The findings are in the order of the nodes.
func Path(g *ir.Graph, y, x *ir.Value) (connected bool, findings []Finding) {
	p := path{
		walk: walk{depends: map[*ir.Value]bool{x: true}}, varies: map[*ir.Value]bool{x: true},
		matters: map[*ir.Value]bool{y: true}, live: map[*ir.Value]bool{},
	}
	for _, n := range g.Nodes {
		p.mark(n)
		if !shapeOnly[n.Op] && slices.ContainsFunc(uses(n), func(v *ir.Value) bool { return p.varies[v] }) {
			p.set(p.varies, n.Out)
		}
	}
	p.live[y] = p.depends[y]
	for _, n := range slices.Backward(g.Nodes) {
		in := uses(n)
		if anyOf(n.Out, p.matters) {
			p.set(p.matters, in)
		}
		if anyOf(n.Out, p.live) {
			p.set(p.live, slices.DeleteFunc(in, func(v *ir.Value) bool { return !p.depends[v] }))
		}
	}
	for _, n := range g.Nodes {
		if anyOf(n.Out, p.matters) {
			findings = append(findings, p.examine(n)...)
		}
	}
	if n := origin(y); n != nil && (n.Op == "Softmax" || n.Op == "QLinearSoftmax") {
		findings = append(findings, Finding{Probabilities, n.Name, key(n), "attack the logits before it"})
	}
	return p.live[x], findings
}

// path is a walk that also knows which values vary with x in any way, on which ones y depends in any way, and at which ones a
// gradient arrives.
type path struct {
	walk
	varies, matters, live map[*ir.Value]bool
}

func (p *path) examine(n *ir.Node) (findings []Finding) {
	add := func(k Kind, why string) {
		findings = append(findings, Finding{k, n.Name, key(n), why})
	}
	if op.Random(n) {
		add(Random, "")
	}
	for _, g := range n.Graphs() {
		g.Walk(func(m *ir.Node) {
			if op.Random(m) {
				findings = append(findings, Finding{Random, m.Name, key(m), ""})
			}
		})
	}
	if anyOf(n.Out, p.live) {
		support, why := Supports(key(n))
		switch {
		case support == None:
			add(NoRule, why)
		case rounds(n):
			add(Surrogate, "rounds to integers")
		}
		return findings
	}
	if slices.ContainsFunc(n.Out, func(v *ir.Value) bool { return p.matters[v] && p.severed(v) }) {
		if why := p.severs(n); why != "" {
			add(Cut, why)
		}
	}
	return findings
}

// severed reports whether v is a real number that varies with x but has no gradient.
func (p *path) severed(v *ir.Value) bool {
	return v != nil && v.Type.IsFloat() && p.varies[v] && !p.depends[v]
}

// severs is the reason why the gradient ends at n though the results of n are real numbers that vary with x. It is "" where the
// gradient ends at a node before n.
func (p *path) severs(n *ir.Node) string {
	for _, v := range n.In {
		switch {
		case v == nil || !p.varies[v] || p.severed(v):
		case p.depends[v]:
			if _, why := Supports(key(n)); why != "" {
				return why
			}
			return "no output carries a gradient"
		default:
			from := p.rounded(v)
			return fmt.Sprintf("the input varies only as %s, made by node %s (%s)", v.Type, from.Name, key(from))
		}
	}
	return ""
}

// rounded is the node at which what becomes the integer or boolean v ceases to be a real number.
func (p *path) rounded(v *ir.Value) *ir.Node {
	for {
		n := v.Def
		i := slices.IndexFunc(n.In, func(u *ir.Value) bool { return u != nil && p.varies[u] })
		if i < 0 || n.In[i].Type.IsFloat() || n.In[i].Def == nil {
			return n
		}
		v = n.In[i]
	}
}

func (p *path) set(m map[*ir.Value]bool, values []*ir.Value) {
	for _, v := range values {
		if v != nil {
			m[v] = true
		}
	}
}

func anyOf(values []*ir.Value, m map[*ir.Value]bool) bool {
	return slices.ContainsFunc(values, func(v *ir.Value) bool { return m[v] })
}

// uses lists the values that n and its nested graphs read.
func uses(n *ir.Node) []*ir.Value {
	in := slices.Clone(n.In)
	for _, g := range n.Graphs() {
		g.Walk(func(m *ir.Node) { in = append(in, m.In...) })
		in = append(in, g.Outputs...)
	}
	return in
}

// shapeOnly lists operators whose outputs depend on the shape of their input, not on its values.
var shapeOnly = map[string]bool{"Shape": true, "Size": true, "EyeLike": true, "RandomNormalLike": true, "RandomUniformLike": true}

// origin is the node that made the numbers of y other than by moving or converting them, or nil for an input or a constant.
func origin(y *ir.Value) *ir.Node {
	for y.Def != nil {
		switch y.Def.Op {
		case "Identity", "Cast", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "QuantizeLinear", "DequantizeLinear":
			y = y.Def.In[0]
		default:
			return y.Def
		}
	}
	return nil
}
