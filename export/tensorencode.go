package export

import (
	"strconv"

	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

// encodeTensor writes t as a TensorProto: raw little-endian data, or string_data for strings, which have no raw form.
// Large ones go into data if there is such a file.
func encodeTensor(t *tensor.Tensor, name string, data *dataFile) *message {
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
	raw := tensor.Pack(t)
	if data == nil || len(raw) < externalMin {
		m.bytes(tensorRaw, raw)
		return m
	}
	offset := data.add(raw)
	for _, entry := range [][2]string{
		{"location", data.name}, {"offset", strconv.FormatInt(offset, 10)}, {"length", strconv.Itoa(len(raw))},
	} {
		e := &message{}
		e.string(entryKey, entry[0])
		e.string(entryValue, entry[1])
		m.sub(tensorExternal, e)
	}
	m.int(tensorLocation, 1)
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
