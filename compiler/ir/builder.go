package ir

import (
	"fmt"
	"path/filepath"
	"runtime"

	"rnas/internal/tensor"
)

// InferFunc checks a node and sets type and shape of its outputs.
type InferFunc func(n *Node) error

// Builder makes a Graph node by node. Its error is sticky: after the first failure every call returns a placeholder
// value, and Build reports that failure with operator, shapes and call site. So code that builds graphs reads as
// formulas. Nested builders share names and error with their parent.
type Builder struct {
	graph *Graph
	infer InferFunc
	scope string
	*shared
}

// shared is what nested builders have in common with their parent.
type shared struct {
	names map[string]int
	err   error
}

// NewBuilder starts an empty graph.
func NewBuilder(name string, opset int, infer InferFunc) *Builder {
	return &Builder{
		graph:  &Graph{Name: name, Opset: opset},
		infer:  infer,
		shared: &shared{names: map[string]int{}},
	}
}

// Extend continues building at the end of g, which must be well formed.
func Extend(g *Graph, infer InferFunc) *Builder {
	// Every node has its name and, mostly, that of one value; what is added is often as much again.
	b := &Builder{graph: g, infer: infer, shared: &shared{names: make(map[string]int, 4*len(g.Nodes))}}
	b.reserve(g)
	return b
}

func (b *Builder) reserve(g *Graph) {
	mark := func(values []*Value) {
		for _, v := range values {
			if v != nil {
				b.names[v.Name] = 1
			}
		}
	}
	mark(g.Inputs)
	for _, n := range g.Nodes {
		b.names[n.Name] = 1
		mark(n.In)
		mark(n.Out)
		for _, sub := range n.Graphs() {
			b.reserve(sub)
		}
	}
}

// Nested starts a nested graph; its nodes may use values of b.
func (b *Builder) Nested(name string) *Builder {
	return &Builder{graph: &Graph{Name: name, Opset: b.graph.Opset}, infer: b.infer, scope: b.scope, shared: b.shared}
}

// Graph is the graph under construction.
func (b *Builder) Graph() *Graph { return b.graph }

// Opset is the operator set version of the graph.
func (b *Builder) Opset() int { return b.graph.Opset }

// In extends the scope while f runs. The scope is a path such as "cells.3.normal/edge.2.skip_connect" that prefixes the names of
// nodes.
func (b *Builder) In(scope string, f func()) {
	old := b.scope
	if old != "" && scope != "" {
		scope = old + "/" + scope
	}
	b.scope = scope
	f()
	b.scope = old
}

// Scope is the present scope.
func (b *Builder) Scope() string { return b.scope }

// At sets the whole path of the scope while f runs, whatever the present scope is.
func (b *Builder) At(scope string, f func()) {
	old := b.scope
	b.scope = scope
	f()
	b.scope = old
}

// Take reserves a value name derived from name.
func (b *Builder) Take(name string) string { return b.unique(name) }

// Free is a value name derived from name that is not taken yet.
func (b *Builder) Free(name string) string {
	for k := 0; ; k++ {
		free := name
		if k > 0 {
			free = fmt.Sprintf("%s_%d", name, k)
		}
		if b.names[free] == 0 {
			return free
		}
	}
}

// unique returns name, or name with the smallest suffix that makes it unique.
func (b *Builder) unique(name string) string {
	k := b.names[name]
	b.names[name] = k + 1
	if k == 0 {
		return name
	}
	return b.unique(fmt.Sprintf("%s_%d", name, k))
}

// Input declares a graph input; the name is kept as it is and must be new.
func (b *Builder) Input(name string, t DType, shape ...int64) *Value {
	if b.names[name] > 0 {
		b.Fail("input %q: the name is taken", name)
	}
	v := &Value{Name: b.unique(name), Type: t, Shape: Shape(shape).Clone()}
	b.graph.Inputs = append(b.graph.Inputs, v)
	return v
}

// Const makes a constant named after hint. The tensor is not copied and must not change.
func (b *Builder) Const(hint string, t *tensor.Tensor) *Value {
	if b.scope != "" {
		hint = b.scope + "/" + hint
	}
	return b.NamedConst(hint, t)
}

// NamedConst is Const with a name outside the scope. Parameters carry the names of their checkpoint.
func (b *Builder) NamedConst(name string, t *tensor.Tensor) *Value {
	return &Value{Name: b.unique(name), Type: t.DType(), Shape: Shape(t.Shape).Clone(), Const: t}
}

// Node appends an operator with nOut outputs and infers their types and shapes.
func (b *Builder) Node(op string, attrs Attrs, nOut int, in ...*Value) []*Value {
	return b.DomainNode("", op, attrs, nOut, in...)
}

// DomainNode is Node for an operator outside the standard domain.
func (b *Builder) DomainNode(domain, op string, attrs Attrs, nOut int, in ...*Value) []*Value {
	out := make([]*Value, nOut)
	for i := range out {
		out[i] = &Value{}
	}
	if b.err != nil {
		return out
	}
	name := op
	if b.scope != "" {
		name = b.scope + "/" + op
	}
	n := &Node{Name: b.unique(name), Op: op, Domain: domain, In: in, Out: out, Attrs: attrs}
	for i, v := range out {
		v.Def = n
		v.Name = n.Name + ".out"
		if i > 0 {
			v.Name = fmt.Sprintf("%s.out%d", n.Name, i)
		}
		v.Name = b.unique(v.Name)
	}
	if err := b.infer(n); err != nil {
		b.Fail("%w", err)
		return out
	}
	b.graph.Nodes = append(b.graph.Nodes, n)
	return out
}

// Output declares v a graph output. The name must be new. Inputs, constants and values that are outputs already pass through an
// Identity node.
func (b *Builder) Output(name string, v *Value) {
	if b.err != nil {
		return
	}
	if v.Def == nil || find(b.graph.Outputs, v.Name) != nil || !b.owns(v) {
		v = b.Node("Identity", nil, 1, v)[0]
	}
	if b.err != nil {
		return
	}
	if b.names[name] > 0 {
		b.Fail("output %q: the name is taken", name)
		return
	}
	v.Name = b.unique(name)
	b.graph.Outputs = append(b.graph.Outputs, v)
}

func (b *Builder) owns(v *Value) bool {
	for i := len(b.graph.Nodes) - 1; i >= 0; i-- {
		if b.graph.Nodes[i] == v.Def {
			return true
		}
	}
	return false
}

// Fail keeps the first error, together with the nearest caller outside the packages ir and op, which only pass errors on.
func (b *Builder) Fail(format string, args ...any) {
	if b.err != nil {
		return
	}
	where := ""
	for skip := 1; skip < 12; skip++ {
		_, file, line, ok := runtime.Caller(skip)
		if !ok {
			break
		}
		if dir := filepath.Base(filepath.Dir(file)); dir != "ir" && dir != "op" {
			where = fmt.Sprintf(" (%s/%s:%d)", dir, filepath.Base(file), line)
			break
		}
	}
	b.err = fmt.Errorf("%w%s", fmt.Errorf(format, args...), where)
}

// Err is the first error so far.
func (b *Builder) Err() error { return b.err }

// Build returns the finished graph or the first error.
func (b *Builder) Build() (*Graph, error) {
	if b.err != nil {
		return nil, fmt.Errorf("graph %s: %w", b.graph.Name, b.err)
	}
	if err := Verify(b.graph); err != nil {
		return nil, err
	}
	return b.graph, nil
}
