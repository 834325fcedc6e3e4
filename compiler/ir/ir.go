// Package ir is the compiler's graph representation: ONNX operators on typed values, without protobuf.
//
// A Graph is a list of Nodes in topological order. A Node applies one operator to Values and defines new ones. A Value
// has a type and a shape from the moment it is made. Constants are Values that carry their data; graphs nested in
// attributes (loop bodies) may use the Values of the graph around them.
package ir

import (
	"fmt"
	"slices"
	"strings"

	"rnas/internal/tensor"
)

// DType is an element type.
type DType = tensor.DType

// Element types that graphs of this module use by name.
const (
	Float32 = tensor.Float32
	Float64 = tensor.Float64
	Float16 = tensor.Float16
	Int64   = tensor.Int64
	Int32   = tensor.Int32
	Bool    = tensor.Bool
)

// N is the symbolic batch dimension of a Shape. It equals only itself; there is no arithmetic on it.
const N int64 = -1

// Shape lists dimensions; each is >= 0 or N.
type Shape []int64

// String returns text such as "[N,3,32,32]".
func (s Shape) String() string {
	parts := make([]string, len(s))
	for i, d := range s {
		parts[i] = fmt.Sprint(d)
		if d == N {
			parts[i] = "N"
		}
	}
	return "[" + strings.Join(parts, ",") + "]"
}

// Static reports whether no dimension is symbolic.
func (s Shape) Static() bool { return !slices.Contains(s, N) }

// Numel is the number of elements of a static shape, and N for a symbolic one.
func (s Shape) Numel() int64 {
	n := int64(1)
	for _, d := range s {
		if d == N {
			return N
		}
		n *= d
	}
	return n
}

// Equal compares dimension by dimension.
func (s Shape) Equal(t Shape) bool { return slices.Equal(s, t) }

// Clone copies s.
func (s Shape) Clone() Shape { return slices.Clone(s) }

// Value is one tensor of a graph. Name is unique within the outermost graph and everything nested in it. Type and Shape are fixed
// once the defining node has been inferred. A value is one of three kinds: Def is the node that defines it, Const holds its data,
// or it is an input of a graph.
type Value struct {
	Name  string
	Type  DType
	Shape Shape
	Def   *Node
	Const *tensor.Tensor
}

// Rank is the number of dimensions.
func (v *Value) Rank() int { return len(v.Shape) }

// IsConst reports whether the data of v is known at compile time.
func (v *Value) IsConst() bool { return v != nil && v.Const != nil }

// IsNumber reports whether v is a constant of one element.
func (v *Value) IsNumber() bool { return v.IsConst() && v.Const.Len() == 1 }

// String returns text such as "name float32[N,3,32,32]".
func (v *Value) String() string {
	if v == nil {
		return "(none)"
	}
	return fmt.Sprintf("%s %s%s", v.Name, v.Type, v.Shape)
}

// Attrs maps attribute names to int64, float32, string, []int64, []float32, []string, *tensor.Tensor or *Graph.
type Attrs map[string]any

// Names lists the attributes in sorted order, the order of every output.
func (a Attrs) Names() []string {
	if len(a) == 0 {
		return nil
	}
	names := make([]string, 0, len(a))
	for name := range a {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Node applies operator Op to In and defines Out. Domain is that of the operator; "" is the standard one. A nil entry of In is an
// optional input that is not given, a nil entry of Out an optional output that is not wanted.
type Node struct {
	Name   string
	Op     string
	Domain string
	In     []*Value
	Out    []*Value
	Attrs  Attrs
}

// Int is an integer attribute, or def when it is absent.
func (n *Node) Int(name string, def int64) int64 {
	if v, ok := n.Attrs[name].(int64); ok {
		return v
	}
	return def
}

// Float is a float attribute, or def when it is absent.
func (n *Node) Float(name string, def float32) float32 {
	if v, ok := n.Attrs[name].(float32); ok {
		return v
	}
	return def
}

// Str is a string attribute, or def when it is absent.
func (n *Node) Str(name, def string) string {
	if v, ok := n.Attrs[name].(string); ok {
		return v
	}
	return def
}

// Ints is an integer-list attribute, or def when it is absent.
func (n *Node) Ints(name string, def []int64) []int64 {
	if v, ok := n.Attrs[name].([]int64); ok {
		return v
	}
	return def
}

// Input is input i, or nil when it is absent.
func (n *Node) Input(i int) *Value {
	if i < len(n.In) {
		return n.In[i]
	}
	return nil
}

// Output is output i, or nil when it is absent.
func (n *Node) Output(i int) *Value {
	if i < len(n.Out) {
		return n.Out[i]
	}
	return nil
}

// Nests reports whether operators of that name in the standard domain have graphs as attributes.
func Nests(op string) bool { return op == "If" || op == "Loop" || op == "Scan" || op == "SequenceMap" }

// Graphs lists the graphs nested in the attributes, in the order of the attributes' names.
func (n *Node) Graphs() []*Graph {
	if n.Domain == "" && !Nests(n.Op) || len(n.Attrs) == 0 {
		return nil
	}
	nested := false
	for _, v := range n.Attrs {
		if _, ok := v.(*Graph); ok {
			nested = true
			break
		}
	}
	if !nested {
		return nil
	}
	var out []*Graph
	for _, name := range n.Attrs.Names() {
		if g, ok := n.Attrs[name].(*Graph); ok {
			out = append(out, g)
		}
	}
	return out
}

// Graph is a function from Inputs to Outputs. Nodes are in topological order. Meta is free text that travels with the
// file: genotype, class names, normalisation.
type Graph struct {
	Name    string
	Opset   int
	Inputs  []*Value
	Outputs []*Value
	Nodes   []*Node
	Meta    map[string]string
}

// Input finds an input by name, and returns nil if there is none.
func (g *Graph) Input(name string) *Value { return find(g.Inputs, name) }

// Output finds an output by name, and returns nil if there is none.
func (g *Graph) Output(name string) *Value { return find(g.Outputs, name) }

func find(values []*Value, name string) *Value {
	for _, v := range values {
		if v.Name == name {
			return v
		}
	}
	return nil
}

// Walk calls f for every node of g and of the graphs nested in it, a node before its nested graphs.
func (g *Graph) Walk(f func(*Node)) {
	for _, n := range g.Nodes {
		f(n)
		for _, sub := range n.Graphs() {
			sub.Walk(f)
		}
	}
}

// Constants lists the constants that the nodes and outputs of g itself use, in order of first use. A constant that only a nested
// graph uses belongs to that graph: ONNX Runtime lays out weights for speed only where they stand beside the node that uses them.
func (g *Graph) Constants() []*Value {
	var out []*Value
	seen := map[*Value]bool{}
	add := func(values []*Value) {
		for _, v := range values {
			if v.IsConst() && !seen[v] {
				seen[v] = true
				out = append(out, v)
			}
		}
	}
	for _, n := range g.Nodes {
		add(n.In)
	}
	add(g.Outputs)
	return out
}

// Replace turns every use of a key of m into a use of the mapped value: in g, in its nested graphs and among its outputs. Chains
// in m are followed.
func (g *Graph) Replace(m map[*Value]*Value) {
	if len(m) == 0 {
		return
	}
	swap := func(values []*Value) {
		for i, v := range values {
			for {
				to, ok := m[v]
				if !ok {
					break
				}
				v = to
			}
			values[i] = v
		}
	}
	g.Walk(func(n *Node) {
		swap(n.In)
		for _, sub := range n.Graphs() {
			swap(sub.Outputs)
		}
	})
	swap(g.Outputs)
}
