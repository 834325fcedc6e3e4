package cpu

import (
	"rnas/compiler/ir"
	"rnas/compiler/pass"
)

// Sums turns a Sum of three or more large float32 tensors of one shape into a chain of Add, in the same order and so with the
// same rounding. The CPU provider of ONNX Runtime computes Add with all its threads and Sum with one.
var Sums = pass.Pass{
	Name: "sums", Why: "the CPU provider adds two tensors with all threads, several with one",
	After: []pass.Need{{Pass: "nchwc", Why: "what a sum merges it has to see all at once"}},
	Run: func(g *ir.Graph) error {
		free := ir.NewNames(g)
		ir.Each(g, func(g *ir.Graph) {
			nodes := make([]*ir.Node, 0, len(g.Nodes))
			for _, n := range g.Nodes {
				if n.Op == "Sum" && n.Domain == "" && len(n.In) > 2 && large(n) {
					nodes = append(nodes, chain(n, free)...)
				}
				nodes = append(nodes, n)
			}
			g.Nodes = nodes
		})
		return nil
	},
}

// parallelSize is the number of elements from which on several threads pay.
const parallelSize = 1 << 15

// large reports whether all inputs of n have the shape of its result, of at least parallelSize elements.
func large(n *ir.Node) bool {
	y := n.Out[0]
	for _, v := range n.In {
		if !v.Shape.Equal(y.Shape) {
			return false
		}
	}
	return y.Type == ir.Float32 && y.Shape.Static() && y.Shape.Numel() >= parallelSize
}

// chain makes the Sum n the last Add of a chain and returns the others.
func chain(n *ir.Node, free *ir.Names) []*ir.Node {
	var before []*ir.Node
	sum, last := n.In[0], len(n.In)-1
	for _, v := range n.In[1:last] {
		name := free.Unique(n.Name + "/partial")
		add := &ir.Node{Name: name, Op: "Add", In: []*ir.Value{sum, v}}
		sum = &ir.Value{Name: free.Unique(name + ".out"), Type: sum.Type, Shape: sum.Shape.Clone(), Def: add}
		add.Out = []*ir.Value{sum}
		before = append(before, add)
	}
	n.Op, n.In = "Add", []*ir.Value{sum, n.In[last]}
	return before
}
