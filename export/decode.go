package export

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

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
