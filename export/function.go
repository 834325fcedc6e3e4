package export

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"

	"rnas/compiler/ir"
)

// functionProto is a function that the model defines itself.
type functionProto struct {
	name, domain, overload string
	in, out                []string
	defaults               map[string]any // as in nodeProto
	opsets                 map[string]int64
	body                   *graphProto // nodes only
}

func (d *decoder) function(f field) (*functionProto, error) {
	if err := f.want(protowire.BytesType); err != nil {
		return nil, err
	}
	if err := d.memory.take(nodeMemory); err != nil {
		return nil, err
	}
	fn := &functionProto{opsets: map[string]int64{}, body: &graphProto{}}
	defaults := &nodeProto{}
	err := f.span().each(func(f field) error {
		switch f.num {
		case functionName:
			return f.toString(&fn.name)
		case functionDomain:
			return f.toString(&fn.domain)
		case functionOverload:
			return f.toString(&fn.overload)
		case functionInput, functionOutput:
			var name string
			if err := f.toString(&name); err != nil {
				return err
			}
			if f.num == functionInput {
				fn.in = append(fn.in, name)
			} else {
				fn.out = append(fn.out, name)
			}
			return d.memory.take(nameMemory)
		case functionDefault:
			if err := f.want(protowire.BytesType); err != nil {
				return err
			}
			return d.attribute(defaults, f, 0)
		case functionOpset:
			domain, version, err := decodeOpset(f)
			fn.opsets[domain] = version
			if err == nil {
				err = d.memory.take(nameMemory)
			}
			return err
		case functionNode:
			if err := f.want(protowire.BytesType); err != nil {
				return err
			}
			n, err := d.node(f.span(), 0)
			fn.body.nodes = append(fn.body.nodes, n)
			return err
		}
		return nil
	})
	fn.defaults, fn.domain = defaults.attrs, standard(fn.domain)
	if err != nil {
		return nil, fmt.Errorf("function %s: %w", fn.name, err)
	}
	return fn, nil
}

// functionKey is what a node and the function that it calls have in common.
type functionKey struct{ domain, name, overload string }

// functions finds the functions of the model by what nodes call; names are unique.
func (r *reader) functions(list []*functionProto) error {
	r.calls = map[functionKey]*functionProto{}
	for _, fn := range list {
		key := functionKey{fn.domain, fn.name, fn.overload}
		if r.calls[key] != nil {
			return fmt.Errorf("function %s is defined twice", fn.name)
		}
		r.calls[key] = fn
	}
	return nil
}

// call reads the body of a function in place of a node that calls it, and gives its results the names of the outputs.
func (r *reader) call(p *nodeProto, fn *functionProto, s *scope) ([]*ir.Node, error) {
	if r.depth >= maxDepth {
		return nil, fmt.Errorf("functions call each other more than %d deep", maxDepth)
	}
	if len(p.in) > len(fn.in) || len(p.out) > len(fn.out) {
		return nil, fmt.Errorf("expected at most %d inputs and %d outputs, found %d and %d", len(fn.in), len(fn.out), len(p.in), len(p.out))
	}
	inner := &scope{values: map[string]*ir.Value{}, attrs: map[string]any{}, prefix: s.prefix + p.label() + "/", nested: true}
	for i, name := range fn.in {
		var v *ir.Value
		if i < len(p.in) {
			var err error
			if v, err = s.input(p.in[i]); err != nil {
				return nil, err
			}
		}
		inner.values[name] = v
	}
	attrs, err := s.resolve(p.attrs)
	if err != nil {
		return nil, err
	}
	for _, list := range []map[string]any{fn.defaults, attrs} {
		for _, name := range sortedKeys(list) {
			if _, ok := list[name].(*graphProto); ok {
				return nil, fmt.Errorf("attribute %s: graphs as attributes of functions are not supported", name)
			}
			inner.attrs[name] = list[name]
		}
	}
	opset, version := r.opset, fn.opsets[""]
	if version != 0 {
		if version < oldestRead || version > newestOpset {
			return nil, fmt.Errorf("function %s: operator set %d: expected %d to %d", fn.name, version, oldestRead, newestOpset)
		}
		r.opset = int(version)
	}
	r.depth++
	nodes, err := r.nodes(fn.body, inner)
	r.depth--
	r.opset = opset
	if err != nil {
		return nil, fmt.Errorf("function %s: %w", fn.name, err)
	}
	for i, name := range p.out {
		if name == "" {
			continue
		}
		v, ok := inner.values[fn.out[i]]
		if !ok || v == nil {
			return nil, fmt.Errorf("function %s: output %q is not defined", fn.name, fn.out[i])
		}
		if err := s.alias(name, v); err != nil {
			return nil, err
		}
	}
	return nodes, nil
}

// resolve replaces references to attributes of the function around by their values. An attribute that the call leaves
// out is left out.
func (s *scope) resolve(attrs map[string]any) (map[string]any, error) {
	out := make(map[string]any, len(attrs))
	for _, name := range sortedKeys(attrs) {
		value := attrs[name]
		if ref, ok := value.(reference); ok {
			if s.attrs == nil {
				return nil, fmt.Errorf("attribute %s refers to attribute %s of a function, outside of one", name, string(ref))
			}
			if value, ok = s.attrs[string(ref)]; !ok {
				continue
			}
		}
		out[name] = value
	}
	return out, nil
}
