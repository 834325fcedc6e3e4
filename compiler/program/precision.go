package program

import (
	"maps"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/tensor"
)

// inFloat32 makes g, whose constants and attributes may be shared with other graphs, compute in float32 where it does in
// float16, bfloat16 or float64: engines lack gradient operators in those types.
func inFloat32(g *ir.Graph) error {
	changed := false
	seen := map[*ir.Value]bool{}
	values := func(list []*ir.Value) {
		for _, v := range list {
			if v == nil || seen[v] || !other(v.Type) {
				continue
			}
			seen[v], changed = true, true
			v.Type = ir.Float32
			if v.IsConst() {
				v.Const = tensor.FromFloat64s(ir.Float32, v.Shape, v.Const.Float64s())
			}
		}
	}
	g.Walk(func(n *ir.Node) {
		values(n.In)
		values(n.Out)
		for _, sub := range n.Graphs() {
			values(sub.Inputs)
			values(sub.Outputs)
		}
		n.Attrs = maps.Clone(n.Attrs)
		for _, name := range n.Attrs.Names() {
			switch a := n.Attrs[name].(type) {
			case int64:
				if typeAttrs[name] && other(tensor.DType(a)) {
					n.Attrs[name] = int64(ir.Float32)
					changed = true
				}
			case *tensor.Tensor:
				if other(a.DType()) {
					n.Attrs[name] = tensor.FromFloat64s(ir.Float32, a.Shape, a.Float64s())
				}
			}
		}
	})
	if !changed {
		return nil
	}
	return op.Verify(g)
}

// typeAttrs are the attributes that hold the type of an output.
var typeAttrs = map[string]bool{"to": true, "dtype": true, "output_dtype": true}

func other(t tensor.DType) bool {
	return t == tensor.Float16 || t == tensor.BFloat16 || t == tensor.Float64
}
