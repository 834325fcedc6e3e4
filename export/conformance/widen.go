package conformance

import (
	"maps"
	"strings"

	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

// widen turns all values of 16-bit and 32-bit floating-point types into float64, so that constants of the gradient are
// not rounded to those types.
func widen(g *ir.Graph) {
	seen := map[*ir.Value]bool{}
	values := func(list []*ir.Value) {
		for _, v := range list {
			if v == nil || seen[v] {
				continue
			}
			seen[v] = true
			v.Type = wide(v.Type)
			if v.Const != nil {
				v.Const = wideTensor(v.Const)
			}
		}
	}
	values(g.Inputs)
	g.Walk(func(n *ir.Node) {
		values(n.In)
		values(n.Out)
		for _, sub := range n.Graphs() {
			values(sub.Inputs)
			values(sub.Outputs)
		}
		if n.Op == "ConstantOfShape" && n.Attrs["value"] == nil { // 0 in float32 by default
			n.Attrs = ir.Attrs{"value": tensor.Vector[float32](0)}
		}
		if strings.HasSuffix(n.Op, "Window") && n.Int("output_datatype", int64(tensor.Float32)) == int64(tensor.Float32) {
			n.Attrs = maps.Clone(n.Attrs)
			if n.Attrs == nil {
				n.Attrs = ir.Attrs{}
			}
			n.Attrs["output_datatype"] = int64(tensor.Float64)
		}
		for _, name := range n.Attrs.Names() {
			switch a := n.Attrs[name].(type) {
			case int64:
				if name == "to" || name == "dtype" || name == "output_dtype" {
					n.Attrs[name] = int64(wide(tensor.DType(a)))
				}
			case *tensor.Tensor:
				n.Attrs[name] = wideTensor(a)
			}
		}
	})
	values(g.Outputs)
}

func wide(t tensor.DType) tensor.DType {
	switch t {
	case tensor.Float16, tensor.BFloat16, tensor.Float32:
		return tensor.Float64
	}
	return t
}

func wideTensor(t *tensor.Tensor) *tensor.Tensor {
	if w := wide(t.DType()); w != t.DType() {
		return tensor.FromFloat64s(w, t.Shape, t.Float64s())
	}
	return t
}
