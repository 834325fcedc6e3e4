package export

import (
	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

// encodeTensor writes t as a TensorProto: raw little-endian data, or string_data for strings, which have no raw form.
func encodeTensor(t *tensor.Tensor, name string) *message {
	m := &message{}
	for _, d := range t.Shape {
		m.int(tensorDims, d)
	}
	m.int(tensorType, int64(t.DType()))
	if s, ok := t.Data.([]string); ok {
		for _, v := range s {
			m.string(tensorStrings, v)
		}
		m.optional(tensorName, name)
		return m
	}
	m.optional(tensorName, name)
	m.bytes(tensorRaw, tensor.Pack(t))
	return m
}

// valueInfo writes type and shape of v as a ValueInfoProto.
func valueInfo(v *ir.Value, name string) *message {
	shape := &message{}
	for _, d := range v.Shape {
		dim := &message{}
		if d == ir.N {
			dim.string(dimensionName, "N")
		} else {
			dim.int(dimensionSize, d)
		}
		shape.sub(shapeDim, dim)
	}
	t := &message{}
	t.int(typeElem, int64(v.Type))
	t.sub(typeShape, shape)
	typ := &message{}
	typ.sub(typeTensor, t)
	m := &message{}
	m.string(valueName, name)
	m.sub(valueType, typ)
	return m
}
