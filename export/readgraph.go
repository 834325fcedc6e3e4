package export

import (
	"fmt"

	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

// graph reads p. like holds, by position, values whose type and shape the inputs of a nested graph take where the file
// leaves theirs open; entries may be nil.
func (r *reader) graph(p *graphProto, outer *scope, like []*ir.Value) (*ir.Graph, error) {
	g := &ir.Graph{Name: p.name, Opset: canonical}
	s := outer.inside()
	if outer == nil {
		r.reserve(p)
	}
	if err := r.initializers(p, s); err != nil {
		return nil, err
	}
	for i, in := range p.inputs {
		if v := s.values[in.name]; v.IsConst() {
			continue
		}
		if t := r.fixed[in.name]; t != nil && outer == nil {
			if err := r.fix(s, in, t); err != nil {
				return nil, fmt.Errorf("input %q: %w", in.name, err)
			}
			continue
		}
		var hint *ir.Value
		if i < len(like) {
			hint = like[i]
		}
		v, err := r.input(in, outer != nil, hint)
		if err != nil {
			return nil, fmt.Errorf("input %q: %w", in.name, err)
		}
		if err := r.define(s, in.name, v); err != nil {
			return nil, fmt.Errorf("input: %w", err)
		}
		g.Inputs = append(g.Inputs, v)
	}
	var err error
	if g.Nodes, err = r.nodes(p, s); err != nil {
		return nil, err
	}
	for _, out := range p.outputs {
		v, ok := s.find(out.name)
		if !ok || v == nil {
			return nil, fmt.Errorf("output %q is not defined", out.name)
		}
		if out.typ != 0 && out.typ != v.Type {
			return nil, fmt.Errorf("output %q is declared %s and computed as %s", out.name, out.typ, v.Type)
		}
		if outer == nil && v.Name != out.name {
			n := &ir.Node{Name: out.name, Op: "Identity", In: []*ir.Value{v}}
			n.Out = []*ir.Value{{Name: out.name, Type: v.Type, Shape: v.Shape, Def: n}}
			g.Nodes = append(g.Nodes, n)
			v = n.Out[0]
		}
		g.Outputs = append(g.Outputs, v)
	}
	return g, nil
}

// initializers defines the constants of p.
func (r *reader) initializers(p *graphProto, s *scope) error {
	for _, init := range p.initializers {
		t, err := r.tensor(init.span)
		if err != nil {
			return err
		}
		if err := r.define(s, init.name, constant(t)); err != nil {
			return fmt.Errorf("byte %d: initializer: %w", init.at, err)
		}
	}
	for _, init := range p.sparse {
		t, err := r.sparse(init.field)
		if err != nil {
			return fmt.Errorf("initializer %q: %w", init.name, err)
		}
		if err := r.define(s, init.name, constant(t)); err != nil {
			return fmt.Errorf("byte %d: initializer: %w", init.at, err)
		}
	}
	return nil
}

// nodes reads the nodes of p in topological order.
func (r *reader) nodes(p *graphProto, s *scope) ([]*ir.Node, error) {
	sorted, err := sortNodes(p)
	if err != nil {
		return nil, err
	}
	var out []*ir.Node
	for _, n := range sorted {
		made, err := r.node(n, s)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", n.title(), err)
		}
		out = append(out, made...)
	}
	return out, nil
}

// reserve takes the names of the outermost graph, which are kept as they are.
func (r *reader) reserve(p *graphProto) {
	for _, v := range p.inputs {
		r.names[v.name] = 1
	}
	for _, n := range p.nodes {
		for _, name := range n.out {
			r.names[name] = 1
		}
	}
	for _, init := range p.initializers {
		r.names[init.name] = 1
	}
	for _, init := range p.sparse {
		r.names[init.name] = 1
	}
}

// fix defines an input of the file as the constant t, which must fit its declaration.
func (r *reader) fix(s *scope, p *valueProto, t *tensor.Tensor) error {
	fits := (p.typ == 0 || p.typ == t.DType()) && (p.dims == nil || len(p.dims) == len(t.Shape))
	for i, d := range p.dims {
		fits = fits && (d.size < 0 || d.size == t.Shape[i])
	}
	if !fits {
		return fmt.Errorf("the value is %s%s, which the declaration does not allow", t.DType(), ir.Shape(t.Shape))
	}
	return r.define(s, p.name, constant(t))
}

func (r *reader) input(p *valueProto, nested bool, like *ir.Value) (*ir.Value, error) {
	v := &ir.Value{Type: p.typ, Shape: ir.Shape{}}
	if v.Type == 0 && like != nil {
		v.Type = like.Type
	}
	if v.Type == 0 {
		return nil, fmt.Errorf("no element type")
	}
	if shape := r.shapes[p.name]; shape != nil && !nested {
		v.Shape = shape.Clone()
		r.unbatched = r.unbatched || len(shape) == len(p.dims)+1
		r.symbolic = r.symbolic || !v.Shape.Static()
		return v, nil
	}
	if p.dims == nil {
		if like == nil {
			return nil, fmt.Errorf("no shape")
		}
		v.Shape = like.Shape.Clone()
		return v, nil
	}
	for i, d := range p.dims {
		size, known := r.dims[d.name]
		switch {
		case d.size >= 0:
			size = d.size
		case d.name != "" && known:
		case like != nil && like.Rank() == len(p.dims):
			size = like.Shape[i]
		case i == 0 && !nested:
			size = r.batch
			if d.name != "" {
				r.dims[d.name] = size
			}
		case i > 0 && !nested && len(r.image) == len(p.dims)-1 && r.image[i-1] > 0:
			size = r.image[i-1]
		default:
			return nil, fmt.Errorf("dimension %d (%q) is symbolic: its size is needed", i, d.name)
		}
		v.Shape = append(v.Shape, size)
	}
	r.symbolic = r.symbolic || !v.Shape.Static()
	return v, nil
}
