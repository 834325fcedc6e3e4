package export

import (
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// attributeKinds names ONNX's attribute kinds that have no counterpart here.
var attributeKinds = map[int64]string{
	9: "tensor list", 10: "graph list", 12: "sparse tensor list", 13: "type", 14: "type list",
}

// reference is the value of an attribute in a function: the attribute of that name of the call.
type reference string

// kindRef stands for the kind of an attribute that refers to another.
const kindRef = -1

// attribute decodes an AttributeProto. Files of the first format version do not state the kind; there the field that
// is present tells.
func (d *decoder) attribute(n *nodeProto, at field, depth int) error {
	var (
		ref     string
		sparse  []field
		name    string
		kind    int64
		present = map[int64]bool{}
		i       int64
		fl      float32
		str     string
		tensors []span
		graphs  []span
		floats  = []float32{}
		ints    = []int64{}
		strs    = []string{}
	)
	err := at.span().each(func(f field) error {
		switch f.num {
		case attrName:
			return f.toString(&name)
		case attrType:
			return f.toInt(&kind)
		case attrRef:
			return f.toString(&ref)
		case attrInt:
			present[kindInt] = true
			return f.toInt(&i)
		case attrFloat:
			present[kindFloat] = true
			fl = math.Float32frombits(uint32(f.n))
			return f.want(protowire.Fixed32Type)
		case attrString:
			present[kindString] = true
			return f.toString(&str)
		case attrTensor:
			present[kindTensor] = true
			tensors = append(tensors, f.span())
			return f.want(protowire.BytesType)
		case attrSparse:
			present[kindSparse] = true
			sparse = append(sparse, f)
			return f.want(protowire.BytesType)
		case attrGraph:
			present[kindGraph] = true
			graphs = append(graphs, f.span())
			return f.want(protowire.BytesType)
		case attrInts:
			present[kindInts] = true
			if err := d.memory.take(8 * int64(max(len(f.b), 1))); err != nil {
				return err
			}
			return f.varints(func(v uint64) { ints = append(ints, int64(v)) })
		case attrFloats:
			present[kindFloats] = true
			return f.fixed32s(func(v uint32) { floats = append(floats, math.Float32frombits(v)) })
		case attrStrings:
			present[kindStrings] = true
			strs = append(strs, string(f.b))
			if err := d.memory.take(nameMemory); err != nil {
				return err
			}
			return f.want(protowire.BytesType)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := d.memory.take(attrMemory); err != nil {
		return err
	}
	if kind == 0 && ref == "" {
		for k := range present {
			kind = k
		}
		if len(present) != 1 {
			return at.errorf("attribute %s has no type", name)
		}
	}
	var value any
	if ref != "" {
		kind = kindRef
	}
	switch kind {
	case kindRef:
		value = reference(ref)
	case kindInt:
		value = i
	case kindFloat:
		value = fl
	case kindString:
		value = str
	case kindInts:
		value = ints
	case kindFloats:
		value = floats
	case kindStrings:
		value = strs
	case kindTensor:
		if len(tensors) != 1 {
			return at.errorf("attribute %s: expected 1 tensor, found %d", name, len(tensors))
		}
		t, err := d.tensor(tensors[0])
		if err != nil {
			return fmt.Errorf("attribute %s: %w", name, err)
		}
		value = t
	case kindSparse:
		if len(sparse) != 1 {
			return at.errorf("attribute %s: expected 1 sparse tensor, found %d", name, len(sparse))
		}
		t, err := d.sparse(sparse[0])
		if err != nil {
			return fmt.Errorf("attribute %s: %w", name, err)
		}
		value = t
	case kindGraph:
		if len(graphs) != 1 {
			return at.errorf("attribute %s: expected 1 graph, found %d", name, len(graphs))
		}
		g, err := d.graph(graphs[0], depth+1)
		if err != nil {
			return fmt.Errorf("attribute %s: %w", name, err)
		}
		value = g
	default:
		if what, ok := attributeKinds[kind]; ok {
			return at.errorf("attribute %s: kind %s is not supported", name, what)
		}
		return at.errorf("attribute %s: kind %d is not known", name, kind)
	}
	if _, ok := n.attrs[name]; ok {
		return at.errorf("attribute %s is given twice", name)
	}
	if n.attrs == nil {
		n.attrs = map[string]any{}
	}
	n.attrs[name] = value
	return nil
}
