package export

import (
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// attributeKind is a kind of attribute that can be read: a value, or parts of one, in fields of one number.
type attributeKind struct {
	kind  int64 // of AttributeProto.AttributeType
	field protowire.Number
	none  any // the value that no field gives
	// add gives the value that the fields so far and f give. For tensors and graphs it is the []field of their messages.
	add     func(d *decoder, value any, f field) (any, error)
	message string // what one message is, in words; "" for numbers and strings
}

var attributeKinds = []attributeKind{
	{kindFloat, attrFloat, float32(0), one(field.toFloat), ""},
	{kindInt, attrInt, int64(0), one(field.toInt), ""},
	{kindString, attrString, "", one(field.toString), ""},
	{kindTensor, attrTensor, []field(nil), addMessage, "tensor"},
	{kindGraph, attrGraph, []field(nil), addMessage, "graph"},
	{kindFloats, attrFloats, []float32{}, addFloats, ""},
	{kindInts, attrInts, []int64{}, addInts, ""},
	{kindStrings, attrStrings, []string{}, addString, ""},
	{kindSparse, attrSparse, []field(nil), addMessage, "sparse tensor"},
}

// otherKinds names ONNX's kinds of attributes that cannot be read.
var otherKinds = map[int64]string{
	9: "tensor list", 10: "graph list", 12: "sparse tensor list", 13: "type", 14: "type list",
}

// reference is the value of an attribute in a function: the attribute of that name of the call.
type reference string

// attributeProto is an AttributeProto whose tensors and graphs are not decoded yet.
type attributeProto struct {
	name   string
	ref    string        // attribute of the call that this one refers to; "" for none
	kind   int64         // 0 where the file does not say
	values map[int64]any // of each kind that has a field, as add of its row gives it
}

// attribute decodes an AttributeProto at and gives it to n.
func (d *decoder) attribute(n *nodeProto, at field, depth int) error {
	p := attributeProto{values: map[int64]any{}}
	if err := at.span().each(func(f field) error { return p.read(d, f) }); err != nil {
		return err
	}
	if err := d.memory.take(attrMemory); err != nil {
		return err
	}
	value, err := p.value(d, at, depth)
	if err != nil {
		return err
	}
	if _, ok := n.attrs[p.name]; ok {
		return at.errorf("attribute %s is given twice", p.name)
	}
	if n.attrs == nil {
		n.attrs = map[string]any{}
	}
	n.attrs[p.name] = value
	return nil
}

// read takes in one field of the message.
func (p *attributeProto) read(d *decoder, f field) (err error) {
	switch f.num {
	case attrName:
		return f.toString(&p.name)
	case attrType:
		return f.toInt(&p.kind)
	case attrRef:
		return f.toString(&p.ref)
	}
	for _, k := range attributeKinds {
		if k.field == f.num {
			value, ok := p.values[k.kind]
			if !ok {
				value = k.none
			}
			p.values[k.kind], err = k.add(d, value, f)
		}
	}
	return err
}

// value is what nodeProto.attrs holds for the attribute. A file of the first format version does not state the kind;
// there the one field that is present tells.
func (p *attributeProto) value(d *decoder, at field, depth int) (any, error) {
	if p.ref != "" {
		return reference(p.ref), nil
	}
	if p.kind == 0 {
		if len(p.values) != 1 {
			return nil, at.errorf("attribute %s has no type", p.name)
		}
		for k := range p.values {
			p.kind = k
		}
	}
	for _, k := range attributeKinds {
		if k.kind != p.kind {
			continue
		}
		value, ok := p.values[k.kind]
		if !ok {
			value = k.none
		}
		if k.message == "" {
			return value, nil
		}
		messages := value.([]field)
		if len(messages) != 1 {
			return nil, at.errorf("attribute %s: expected 1 %s, found %d", p.name, k.message, len(messages))
		}
		value, err := d.attributeMessage(k.kind, messages[0], depth)
		if err != nil {
			return nil, fmt.Errorf("attribute %s: %w", p.name, err)
		}
		return value, nil
	}
	if what, ok := otherKinds[p.kind]; ok {
		return nil, at.errorf("attribute %s: kind %s is not supported", p.name, what)
	}
	return nil, at.errorf("attribute %s: kind %d is not known", p.name, p.kind)
}

// attributeMessage decodes the tensor or graph of an attribute of a node at the given depth.
func (d *decoder) attributeMessage(kind int64, f field, depth int) (any, error) {
	switch kind {
	case kindTensor:
		return d.tensor(f.span())
	case kindSparse:
		return d.sparse(f)
	}
	return d.graph(f.span(), depth+1)
}

// one is the add of a kind with a single value, of which the last field counts.
func one[T any](read func(field, *T) error) func(*decoder, any, field) (any, error) {
	return func(_ *decoder, _ any, f field) (any, error) {
		var v T
		err := read(f, &v)
		return v, err
	}
}

func addMessage(_ *decoder, value any, f field) (any, error) {
	return append(value.([]field), f), f.want(protowire.BytesType)
}

func addFloats(_ *decoder, value any, f field) (any, error) {
	floats := value.([]float32)
	err := f.fixed32s(func(v uint32) { floats = append(floats, math.Float32frombits(v)) })
	return floats, err
}

func addInts(d *decoder, value any, f field) (any, error) {
	ints := value.([]int64)
	if err := d.memory.take(8 * int64(max(len(f.b), 1))); err != nil {
		return nil, err
	}
	err := f.varints(func(v uint64) { ints = append(ints, int64(v)) })
	return ints, err
}

func addString(d *decoder, value any, f field) (any, error) {
	if err := d.memory.take(nameMemory); err != nil {
		return nil, err
	}
	return append(value.([]string), string(f.b)), f.want(protowire.BytesType)
}
