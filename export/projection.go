package export

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"

	"rnas/internal/tensor"
)

// projection is what onnx-go can read of an encoded graph. Everything that stays keeps its bytes.
type projection struct {
	where   string
	nested  map[nestedKey][]byte
	dropped map[string]bool // "initializer NAME", "value NAME", "attribute INDEX NAME"
	cut     []string        // the same for people
	nodes   int
}

// nestedKey is the place of a nested graph: index of the node and name of the attribute.
type nestedKey struct {
	node int
	attr string
}

func (p *projection) drop(key, what string, args ...any) {
	p.dropped[key] = true
	p.cut = append(p.cut, p.where+": "+fmt.Sprintf(what, args...))
}

// rewrite copies the fields of a message; edit may replace the content of a length-delimited one or drop the field.
func rewrite(data []byte, edit func(field) (content []byte, keep bool, err error)) ([]byte, error) {
	out := &message{}
	pos := 0
	err := span{data, 0}.each(func(f field) error {
		end := f.at
		if f.typ == protowire.BytesType {
			end += len(f.b)
		} else {
			_, _, n := protowire.ConsumeField(data[pos:])
			end = pos + n
		}
		whole := data[pos:end]
		pos = end
		if f.typ != protowire.BytesType {
			out.raw(whole)
			return nil
		}
		content, keep, err := edit(f)
		if keep {
			out.bytes(f.num, content)
		}
		return err
	})
	return out.concat(), err
}

func (p *projection) graph(data []byte) ([]byte, error) {
	p.nested, p.dropped = map[nestedKey][]byte{}, map[string]bool{}
	return rewrite(data, func(f field) ([]byte, bool, error) {
		switch f.num {
		case graphNode:
			node, err := p.node(f.b)
			p.nodes++
			return node, true, err
		case graphInitializer:
			t, err := header(f.span())
			if err == nil && !t.readable() {
				p.drop("initializer "+t.name, "initializer %s: %s%v", t.name, t.typ, t.dims)
				return nil, false, nil
			}
			return f.b, true, err
		case graphInput, graphOutput, graphValueInfo:
			d := &decoder{memory: newMemory(int64(len(f.b)))}
			v, err := d.value(f.span())
			if err != nil || v.declarable() {
				return f.b, true, err
			}
			p.drop("value "+v.name, "type and shape of %s: %s", v.name, v.typ)
			return nameOnly(v.name), true, nil
		}
		return f.b, true, nil
	})
}

// nameOnly is a ValueInfoProto that says nothing but the name.
func nameOnly(name string) []byte {
	m := &message{}
	m.string(valueName, name)
	return m.concat()
}

func (p *projection) node(data []byte) ([]byte, error) {
	return rewrite(data, func(f field) ([]byte, bool, error) {
		if f.num != nodeAttribute {
			return f.b, true, nil
		}
		var name string
		keep := true
		err := f.span().each(func(a field) error {
			switch a.num {
			case attrName:
				return a.toString(&name)
			case attrGraph:
				p.nested[nestedKey{p.nodes, name}] = a.b
				keep = false
			case attrTensor:
				t, err := header(a.span())
				if err == nil && !t.readable() {
					p.drop(fmt.Sprintf("attribute %d %s", p.nodes, name), "node %d: attribute %s: %s%v", p.nodes, name, t.typ, t.dims)
					keep = false
				}
				return err
			}
			return nil
		})
		return f.b, keep, err
	})
}

// header decodes a TensorProto up to its data.
func header(s span) (*tensorProto, error) {
	t := &tensorProto{at: s.at, data: map[protowire.Number][]field{}}
	return t, s.each(t.field)
}

// readable reports whether onnx-go reads the content; it expects bools in groups of 8 bytes, and refuses empty tensors.
func (p *tensorProto) readable() bool {
	for _, d := range p.dims {
		if d == 0 {
			return false
		}
	}
	switch p.typ {
	case tensor.Float32, tensor.Float64, tensor.Int32, tensor.Int64:
		return true
	}
	return false
}

// declarable reports whether onnx-go reads the declaration.
func (v *valueProto) declarable() bool {
	for _, d := range v.dims {
		if d.size == 0 {
			return false
		}
	}
	return v.typ != tensor.Float16 && v.typ != tensor.BFloat16
}
