package export

import (
	"fmt"
	"slices"

	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

// typeForms says from which operator set on types can be used, by all operators where none is named.
var typeForms = []struct {
	since int
	types []ir.DType
	ops   []string
}{
	{19, []ir.DType{tensor.Float8E4M3FN, tensor.Float8E4M3FNUZ, tensor.Float8E5M2, tensor.Float8E5M2FNUZ}, nil},
	{21, []ir.DType{tensor.Int4, tensor.Uint4}, nil},
	{23, []ir.DType{tensor.Float4E2M1}, nil},
	{24, []ir.DType{tensor.Float8E8M0}, nil},
	{25, []ir.DType{tensor.Int2, tensor.Uint2}, nil},
	{20, []ir.DType{ir.Bool}, []string{"ReduceMax", "ReduceMin"}},
	{20, []ir.DType{ir.Float16, tensor.BFloat16}, []string{"IsInf"}},
	{21, []ir.DType{tensor.Int16, tensor.Uint16}, []string{"QuantizeLinear", "DequantizeLinear"}},
	{21, []ir.DType{ir.Float16, tensor.BFloat16}, []string{"QLinearMatMul"}},
}

// typesSince is the operator set that a node of the standard domain needs for the types of its inputs and outputs, and the type that
// asks for it; 0 for types that every operator set has.
func typesSince(n *ir.Node) (since int, t ir.DType) {
	for _, form := range typeForms {
		if form.since <= since || form.ops != nil && !slices.Contains(form.ops, n.Op) {
			continue
		}
		for _, v := range slices.Concat(n.In, n.Out) {
			if v != nil && slices.Contains(form.types, v.Type) {
				since, t = form.since, v.Type
			}
		}
	}
	return since, t
}

// expressible refuses nodes with types that are younger than the operator set.
func (c *converter) expressible(n *ir.Node) error {
	if since, t := typesSince(n); c.opset < since {
		return fmt.Errorf("operator set %d: %s is possible since %d", c.opset, t, since)
	}
	return nil
}
