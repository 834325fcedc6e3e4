package export

import (
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"rnas/compiler/ir"
)

// The structs below are ONNX's messages, decoded without interpretation. Tensors stay spans of the file until they are
// used.

type modelProto struct {
	irVersion int64
	graph     *graphProto
	opsets    map[string]int64
	meta      map[string]string
	functions []*functionProto
}

type graphProto struct {
	name         string
	nodes        []*nodeProto
	initializers []initializer
	sparse       []sparseInitializer
	inputs       []*valueProto
	outputs      []*valueProto
}

// initializer is a tensor that is not decoded beyond its name.
type initializer struct {
	name string
	span
}

type nodeProto struct {
	name, op, domain, overload string
	in, out                    []string
	attrs                      map[string]any // as ir.Attrs, but *graphProto for graphs, and reference
}

// title names a node in error messages; nodes without a name go by their first output.
func (n *nodeProto) title() string {
	name := n.name
	if name == "" && len(n.out) > 0 {
		name = n.out[0]
	}
	return fmt.Sprintf("node %s (%s)", name, n.op)
}

// label is what names in a function are prefixed with where n calls it.
func (n *nodeProto) label() string {
	if n.name == "" {
		return n.op
	}
	return n.name
}

// valueProto is a ValueInfoProto of a tensor. typ is Undefined and dims nil where the file does not say.
type valueProto struct {
	name string
	typ  ir.DType
	dims []dimension
}

// dimension is a size, or a name where the size is negative.
type dimension struct {
	size int64
	name string
}

// maxDepth limits how deep graphs are nested in attributes.
const maxDepth = 32

// decoder decodes one model.
type decoder struct {
	memory   *memory
	external *external
}

func (d *decoder) model(s span) (*modelProto, error) {
	m := &modelProto{opsets: map[string]int64{}, meta: map[string]string{}}
	err := s.each(func(f field) error {
		switch f.num {
		case modelIRVersion:
			return f.toInt(&m.irVersion)
		case modelFunctions:
			fn, err := d.function(f)
			m.functions = append(m.functions, fn)
			return err
		case modelGraph:
			if err := f.want(protowire.BytesType); err != nil {
				return err
			}
			if m.graph != nil {
				return f.errorf("a second graph")
			}
			g, err := d.graph(f.span(), 0)
			m.graph = g
			return err
		case modelOpsetImport:
			domain, version, err := decodeOpset(f)
			if err != nil {
				return err
			}
			m.opsets[domain] = version
			return d.memory.take(nameMemory)
		case modelMetadata:
			key, value, err := decodeEntry(f)
			if err != nil {
				return err
			}
			m.meta[key] = value
			return d.memory.take(nameMemory)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if m.graph == nil {
		return nil, fmt.Errorf("no graph: not an ONNX model")
	}
	return m, nil
}

func decodeOpset(f field) (domain string, version int64, err error) {
	if err := f.want(protowire.BytesType); err != nil {
		return "", 0, err
	}
	err = f.span().each(func(f field) error {
		switch f.num {
		case opsetDomain:
			return f.toString(&domain)
		case opsetVersion:
			return f.toInt(&version)
		}
		return nil
	})
	return standard(domain), version, err
}

// standard gives the standard domain its short name.
func standard(domain string) string {
	if domain == "ai.onnx" {
		return ""
	}
	return domain
}

func decodeEntry(f field) (key, value string, err error) {
	if err := f.want(protowire.BytesType); err != nil {
		return "", "", err
	}
	err = f.span().each(func(f field) error {
		switch f.num {
		case entryKey:
			return f.toString(&key)
		case entryValue:
			return f.toString(&value)
		}
		return nil
	})
	return key, value, err
}

func (f field) toString(dst *string) error {
	if err := f.want(protowire.BytesType); err != nil {
		return err
	}
	*dst = string(f.b)
	return nil
}

func (f field) toInt(dst *int64) error {
	if err := f.want(protowire.VarintType); err != nil {
		return err
	}
	*dst = int64(f.n)
	return nil
}

func (d *decoder) graph(s span, depth int) (*graphProto, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("byte %d: graphs are nested more than %d deep", s.at, maxDepth)
	}
	g := &graphProto{}
	err := s.each(func(f field) error {
		switch f.num {
		case graphName:
			return f.toString(&g.name)
		case graphNode, graphInitializer, graphSparse, graphInput, graphOutput:
			if err := f.want(protowire.BytesType); err != nil {
				return err
			}
		}
		switch f.num {
		case graphNode:
			n, err := d.node(f.span(), depth)
			if err != nil {
				return err
			}
			g.nodes = append(g.nodes, n)
		case graphInitializer:
			init := initializer{span: f.span()}
			err := init.each(func(f field) error {
				if f.num == tensorName {
					return f.toString(&init.name)
				}
				return nil
			})
			if err != nil {
				return err
			}
			g.initializers = append(g.initializers, init)
			return d.memory.take(tensorMemory)
		case graphSparse:
			init, err := d.sparseName(f)
			if err != nil {
				return err
			}
			g.sparse = append(g.sparse, init)
		case graphInput, graphOutput:
			v, err := d.value(f.span())
			if err != nil {
				return err
			}
			if f.num == graphInput {
				g.inputs = append(g.inputs, v)
			} else {
				g.outputs = append(g.outputs, v)
			}
		}
		return nil
	})
	return g, err
}

func (d *decoder) node(s span, depth int) (*nodeProto, error) {
	n := &nodeProto{}
	if err := d.memory.take(nodeMemory); err != nil {
		return nil, err
	}
	var attrs []field
	err := s.each(func(f field) error {
		switch f.num {
		case nodeInput, nodeOutput:
			var name string
			if err := f.toString(&name); err != nil {
				return err
			}
			if f.num == nodeInput {
				n.in = append(n.in, name)
			} else {
				n.out = append(n.out, name)
			}
			return d.memory.take(nameMemory)
		case nodeName:
			return f.toString(&n.name)
		case nodeOp:
			return f.toString(&n.op)
		case nodeDomain:
			return f.toString(&n.domain)
		case nodeOverload:
			return f.toString(&n.overload)
		case nodeAttribute:
			attrs = append(attrs, f)
			return f.want(protowire.BytesType)
		}
		return nil
	})
	n.domain = standard(n.domain)
	for _, f := range attrs {
		if err != nil {
			break
		}
		err = d.attribute(n, f, depth)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", n.title(), err)
	}
	return n, nil
}

func (d *decoder) value(s span) (*valueProto, error) {
	v := &valueProto{}
	if err := d.memory.take(valueMemory); err != nil {
		return nil, err
	}
	var typ []field
	err := s.each(func(f field) error {
		switch f.num {
		case valueName:
			return f.toString(&v.name)
		case valueType:
			typ = append(typ, f)
			return f.want(protowire.BytesType)
		}
		return nil
	})
	for _, f := range typ {
		if err != nil {
			break
		}
		err = d.valueType(v, f.span())
	}
	if err != nil {
		return nil, fmt.Errorf("value %q: %w", v.name, err)
	}
	return v, nil
}

func (d *decoder) valueType(v *valueProto, s span) error {
	return s.each(func(f field) error {
		if f.num > 9 || f.num == 6 { // 6 is the denotation, a comment
			return nil
		}
		if f.num != typeTensor {
			return f.errorf("only tensors are supported, found type field %d", f.num)
		}
		if err := f.want(protowire.BytesType); err != nil {
			return err
		}
		return f.span().each(func(f field) error {
			switch f.num {
			case typeElem:
				var t int64
				if err := f.toInt(&t); err != nil {
					return err
				}
				if t < 0 || t > math.MaxUint8 || t != 0 && !ir.DType(t).Known() {
					return f.errorf("element type %d is not supported", t)
				}
				v.typ = ir.DType(t)
			case typeShape:
				if err := f.want(protowire.BytesType); err != nil {
					return err
				}
				v.dims = []dimension{}
				return f.span().each(func(f field) error {
					if err := d.memory.take(nameMemory); err != nil {
						return err
					}
					return v.decodeDim(f)
				})
			}
			return nil
		})
	})
}

func (v *valueProto) decodeDim(f field) error {
	if f.num != shapeDim {
		return nil
	}
	if err := f.want(protowire.BytesType); err != nil {
		return err
	}
	d := dimension{size: -1}
	err := f.span().each(func(f field) error {
		switch f.num {
		case dimensionSize:
			return f.toInt(&d.size)
		case dimensionName:
			return f.toString(&d.name)
		}
		return nil
	})
	v.dims = append(v.dims, d)
	return err
}
