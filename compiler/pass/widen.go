package pass

import (
	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

// Widen computes in float32 what a graph computes in float16 and bfloat16; constants keep their rounded numbers. The
// gradient of such a graph does not underflow. Inputs and outputs keep their types.
func Widen() Pass {
	return Pass{Name: "widen", Why: "gradients of computations in 16 bits do not underflow", Run: widen}
}

func widen(g *ir.Graph) error {
	w := &widener{names: names{graph: g}, fixed: map[*ir.Value]bool{}, seen: map[*ir.Value]bool{}}
	fixed := append(append([]*ir.Value{}, g.Inputs...), g.Outputs...)
	for _, v := range fixed {
		w.fixed[v] = narrowType(v.Type)
	}
	var nodes []*ir.Node
	inside := map[*ir.Value]*ir.Value{} // inputs in float32
	for _, v := range g.Inputs {
		if w.fixed[v] {
			n := w.cast(v, &ir.Value{Name: w.names.unique(v.Name + ".float32"), Type: ir.Float32, Shape: v.Shape})
			inside[v] = n.Out[0]
			nodes = append(nodes, n)
		}
	}
	var last []*ir.Node // Casts to outputs
	for _, n := range g.Nodes {
		for i, v := range n.Out {
			if v != nil && w.fixed[v] {
				to := &ir.Value{Name: w.names.unique(v.Name + ".float32"), Type: ir.Float32, Shape: v.Shape, Def: n}
				inside[v], n.Out[i] = to, to
				last = append(last, w.cast(to, v))
			}
		}
	}
	each(g, func(sub *ir.Graph) {
		for _, n := range sub.Nodes {
			swap(n.In, inside)
			w.node(n)
		}
		if sub != g {
			swap(sub.Outputs, inside)
			w.values(sub.Inputs)
			w.values(sub.Outputs)
		}
	})
	g.Nodes = append(append(nodes, g.Nodes...), last...)
	return nil
}

type widener struct {
	names names
	fixed map[*ir.Value]bool
	seen  map[*ir.Value]bool
}

func narrowType(t ir.DType) bool { return t == tensor.Float16 || t == tensor.BFloat16 }

func (w *widener) values(list []*ir.Value) {
	for _, v := range list {
		if v == nil || w.seen[v] || w.fixed[v] {
			continue
		}
		w.seen[v] = true
		if narrowType(v.Type) {
			v.Type = ir.Float32
			if v.Const != nil {
				v.Const = tensor.FromFloat64s(ir.Float32, v.Shape, v.Const.Float64s())
			}
		}
	}
}

// node gives the values of n and the attributes that name types their new types.
func (w *widener) node(n *ir.Node) {
	w.values(n.In)
	w.values(n.Out)
	for _, name := range n.Attrs.Names() {
		switch a := n.Attrs[name].(type) {
		case int64:
			if (name == "to" || name == "dtype" || name == "output_dtype") && narrowType(ir.DType(a)) {
				n.Attrs[name] = int64(ir.Float32)
			}
		case *tensor.Tensor:
			if narrowType(a.DType()) {
				n.Attrs[name] = tensor.FromFloat64s(ir.Float32, a.Shape, a.Float64s())
			}
		}
	}
	if n.Op == "Cast" && n.Domain == "" && n.In[0].Type == n.Out[0].Type {
		copyOf(n, n.In[0])
	}
}

func (w *widener) cast(from, to *ir.Value) *ir.Node {
	to.Def = &ir.Node{
		Name: w.names.unique(to.Name + "/Cast"), Op: "Cast", Attrs: ir.Attrs{"to": int64(to.Type)},
		In: []*ir.Value{from}, Out: []*ir.Value{to},
	}
	return to.Def
}
