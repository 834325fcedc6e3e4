package pass

import (
	"slices"

	"rnas/compiler/interp"
	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/tensor"
)

// Limits of constant folding in bytes. A result over foldMax is not folded. A result over foldSmall is folded only if it is at most
// foldGrowth times as large as the inputs, which an Expand of a scalar is not.
const (
	foldMax    = 64 << 20
	foldSmall  = 4 << 10
	foldGrowth = 4
)

// fold computes nodes whose inputs are all constant, and Shape and Size of static shapes. Every result is rounded to its type, as
// an engine would do. Nodes stay that have nested graphs, that draw random numbers or that the interpreter refuses.
func fold(g *ir.Graph) error {
	f := folder{fixed: ir.GivenOut(g), private: op.Private(g), known: map[*ir.Value]*ir.Value{}, names: ir.NewNames(g)}
	f.graph(g)
	return nil
}

// folder replaces nodes of a graph and its nested graphs by constants.
type folder struct {
	fixed   map[*ir.Value]bool
	private map[*ir.Value]bool
	known   map[*ir.Value]*ir.Value // constant content of graph outputs
	names   *ir.Names
}

func (f *folder) graph(g *ir.Graph) {
	nodes := make([]*ir.Node, 0, len(g.Nodes))
	for _, n := range g.Nodes {
		swap(n.In, f.known)
		subs := n.Graphs()
		for _, sub := range subs {
			f.graph(sub)
		}
		results, ok := f.evaluate(n, len(subs) > 0)
		if !ok {
			nodes = append(nodes, n)
			continue
		}
		for i, v := range n.Out {
			if v == nil {
				continue
			}
			if !f.fixed[v] {
				v.Const, v.Def = results[i], nil
				continue
			}
			c := &ir.Value{Name: f.names.Unique(v.Name + ".value"), Type: v.Type, Shape: v.Shape, Const: results[i]}
			f.known[v] = c
			v.Def = &ir.Node{Name: f.names.Unique(v.Name + ".copy"), Op: "Identity", In: []*ir.Value{c}, Out: []*ir.Value{v}}
			nodes = append(nodes, v.Def)
		}
		n.In, n.Out = nil, nil // so that constants which only folded nodes read can be freed while others are made
	}
	g.Nodes = nodes
}

// evaluate computes the outputs of n. It is not ok if n must stay.
func (f *folder) evaluate(n *ir.Node, nested bool) (results []*tensor.Tensor, ok bool) {
	if n.Op == "Shape" && n.Domain == "" {
		return shapeOf(n)
	}
	if n.Op == "Size" && n.Domain == "" && n.In[0].Shape.Static() {
		return []*tensor.Tensor{tensor.Scalar(n.In[0].Shape.Numel())}, true
	}
	if slices.ContainsFunc(n.Out, func(v *ir.Value) bool { return f.private[v] }) {
		return nil, false
	}
	if nested || op.Random(n) || n.Op == "Identity" && f.fixed[n.Out[0]] || !worthwhile(n) {
		return nil, false
	}
	if results := viewOf(n); results != nil {
		return results, true
	}
	results, err := Evaluate(n)
	return results, err == nil
}

// viewOf returns the result of a node that only gives its constant input another shape, or nil for other nodes.
func viewOf(n *ir.Node) []*tensor.Tensor {
	switch n.Op {
	case "Reshape", "Flatten", "Squeeze", "Unsqueeze":
		if n.Domain == "" && n.In[0].Type == n.Out[0].Type && n.In[0].Shape.Numel() == n.Out[0].Shape.Numel() {
			return []*tensor.Tensor{{Shape: n.Out[0].Shape.Clone(), Data: n.In[0].Const.Data}}
		}
	}
	return nil
}

// Evaluate computes the outputs of a node with the reference interpreter. The inputs must be constant and the outputs have static
// shapes. Results of outputs that are not wanted are nil. Every result is rounded to its type, as an engine would do.
func Evaluate(n *ir.Node) ([]*tensor.Tensor, error) {
	trial := *n
	trial.Out = make([]*ir.Value, len(n.Out))
	g := &ir.Graph{Name: n.Name, Nodes: []*ir.Node{&trial}}
	for i, v := range n.Out {
		if v != nil {
			trial.Out[i] = &ir.Value{Name: v.Name, Type: v.Type, Shape: v.Shape, Def: &trial}
			g.Outputs = append(g.Outputs, trial.Out[i])
		}
	}
	computed, err := interp.RunOrdered(g)
	if err != nil {
		return nil, err
	}
	results := make([]*tensor.Tensor, len(n.Out))
	for i, v := range n.Out {
		if v == nil {
			continue
		}
		results[i], computed = computed[0], computed[1:]
		if values, ok := results[i].Data.([]float64); ok && v.Type.IsFloat() {
			results[i] = tensor.FromFloat64s(v.Type, v.Shape, values)
		}
	}
	return results, nil
}

// worthwhile reports whether all inputs of n are constant and its outputs are within the limits.
func worthwhile(n *ir.Node) bool {
	in, out := int64(0), int64(0)
	for _, v := range n.In {
		if v == nil {
			continue
		}
		if !v.IsConst() {
			return false
		}
		in += bytesOf(v)
	}
	for _, v := range n.Out {
		if v == nil {
			continue
		}
		if !v.Shape.Static() {
			return false
		}
		out += bytesOf(v)
	}
	return out <= foldSmall || out <= foldMax && out <= foldGrowth*in
}

// bytesOf is the size of a value of static shape.
func bytesOf(v *ir.Value) int64 { return v.Shape.Numel() * int64(v.Type.Size()) }

// shapeOf returns the result of a Shape node. It is not ok if a dimension that the node asks for is symbolic.
func shapeOf(n *ir.Node) ([]*tensor.Tensor, bool) {
	dims := op.ShapeRange(n)
	if !dims.Static() {
		return nil, false
	}
	return []*tensor.Tensor{tensor.Vector([]int64(dims.Clone())...)}, true
}
