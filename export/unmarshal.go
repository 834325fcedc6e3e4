package export

import (
	"fmt"
	"math"
	"os"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/tensor"
)

// ReadOptions says how a model is read.
type ReadOptions struct {
	Batch int64                     // size for a symbolic first dimension of an input; 0 keeps it as ir.N
	Dims  map[string]int64          // sizes for dimension parameters, before Batch
	Infer ir.InferFunc              // type and shape inference; nil means op.Infer
	Fixed map[string]*tensor.Tensor // values of inputs, which become constants
}

// ReadFile reads an ONNX file. See Unmarshal.
func ReadFile(path string, o ReadOptions) (*ir.Graph, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > math.MaxInt32 {
		return nil, fmt.Errorf("%s: %d bytes: an ONNX file holds less than 2 GiB", path, info.Size())
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	g, err := Unmarshal(data, o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return g, nil
}

// Unmarshal decodes an ONNX model of operator set 6 to 27 into the forms of operator set 18. Constant nodes and
// initializers, also those that double as inputs, become constants. Nodes are put in topological order. Values keep
// their names, and so do nodes unless a name is taken already; names in nested graphs get a suffix where they would not
// be unique. Every input dimension must be a number after Dims and Batch, except the first, which may stay ir.N. Errors
// name the byte offset, or the node and operator, at fault.
func Unmarshal(data []byte, o ReadOptions) (*ir.Graph, error) {
	m, err := decodeModel(span{data, 0})
	if err != nil {
		return nil, fmt.Errorf("onnx: %w", err)
	}
	g, err := read(m, o)
	if err != nil {
		return nil, fmt.Errorf("onnx: graph %s: %w", m.graph.name, err)
	}
	return g, nil
}

func read(m *modelProto, o ReadOptions) (*ir.Graph, error) {
	version, ok := m.opsets[""]
	if !ok {
		return nil, fmt.Errorf("no version of the standard operator set is given")
	}
	if version < oldestRead || version > newestOpset {
		return nil, fmt.Errorf("operator set %d: expected %d to %d", version, oldestRead, newestOpset)
	}
	if o.Batch < 0 {
		return nil, fmt.Errorf("batch size %d is negative", o.Batch)
	}
	r := &reader{opset: int(version), infer: o.Infer, fixed: o.Fixed, batch: o.Batch, dims: map[string]int64{}, names: names{}}
	if r.infer == nil {
		r.infer = op.Infer
	}
	if r.batch == 0 {
		r.batch = ir.N
	}
	for _, name := range sortedKeys(o.Dims) {
		if o.Dims[name] < 0 {
			return nil, fmt.Errorf("dimension %q: size %d is negative", name, o.Dims[name])
		}
		r.dims[name] = o.Dims[name]
	}
	g, err := r.graph(m.graph, nil, nil)
	if err != nil {
		return nil, err
	}
	g.Meta = m.meta
	g.Walk(func(n *ir.Node) {
		if n.Name == "" {
			n.Name = n.Op
		}
		n.Name = r.names.fresh(n.Name)
	})
	return g, ir.Verify(g)
}

// reader turns decoded messages into graphs.
type reader struct {
	opset int
	infer ir.InferFunc
	batch int64
	dims  map[string]int64
	fixed map[string]*tensor.Tensor
	names names // of values
}

// scope maps the value names of one graph in the file to values.
type scope struct {
	values map[string]*ir.Value
	outer  *scope
}

func (s *scope) find(name string) *ir.Value {
	for ; s != nil; s = s.outer {
		if v := s.values[name]; v != nil {
			return v
		}
	}
	return nil
}

// define adds a value of the file to the scope and gives it its final name.
func (r *reader) define(s *scope, name string, v *ir.Value) error {
	if name == "" {
		return fmt.Errorf("a value without a name")
	}
	if s.values[name] != nil {
		return fmt.Errorf("value %q is defined twice", name)
	}
	s.values[name] = v
	v.Name = name
	if s.outer != nil {
		v.Name = r.names.fresh(name)
	}
	return nil
}

// graph reads p. like holds, by position, values whose type and shape the inputs of a nested graph take where the file
// leaves theirs open; entries may be nil.
func (r *reader) graph(p *graphProto, outer *scope, like []*ir.Value) (*ir.Graph, error) {
	g := &ir.Graph{Name: p.name, Opset: canonical}
	s := &scope{values: map[string]*ir.Value{}, outer: outer}
	if outer == nil {
		r.reserve(p)
	}
	for _, init := range p.initializers {
		t, err := decodeTensor(init.span)
		if err != nil {
			return nil, err
		}
		if err := r.define(s, init.name, constant(t)); err != nil {
			return nil, fmt.Errorf("byte %d: initializer: %w", init.at, err)
		}
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
	nodes, err := sortNodes(p)
	if err != nil {
		return nil, err
	}
	for _, n := range nodes {
		made, err := r.node(n, s)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", n.title(), err)
		}
		g.Nodes = append(g.Nodes, made...)
	}
	for _, out := range p.outputs {
		v := s.find(out.name)
		if v == nil {
			return nil, fmt.Errorf("output %q is not defined", out.name)
		}
		if out.typ != 0 && out.typ != v.Type {
			return nil, fmt.Errorf("output %q is declared %s and computed as %s", out.name, out.typ, v.Type)
		}
		g.Outputs = append(g.Outputs, v)
	}
	return g, nil
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
		default:
			return nil, fmt.Errorf("dimension %d (%q) is symbolic: its size is needed", i, d.name)
		}
		v.Shape = append(v.Shape, size)
	}
	return v, nil
}

// node reads p and converts it to the canonical operator set, which may take several nodes, or none for a constant.
func (r *reader) node(p *nodeProto, s *scope) ([]*ir.Node, error) {
	if p.domain == "" && p.op == "Constant" {
		return nil, r.constantNode(p, s)
	}
	n := &ir.Node{Name: p.name, Op: p.op, Domain: p.domain}
	for _, name := range p.in {
		v := s.find(name)
		if v == nil && name != "" {
			return nil, fmt.Errorf("input %q is not defined", name)
		}
		n.In = append(n.In, v)
	}
	for _, name := range sortedKeys(p.attrs) {
		value := p.attrs[name]
		if sub, ok := value.(*graphProto); ok {
			g, err := r.graph(sub, s, bodyInputs(n))
			if err != nil {
				return nil, fmt.Errorf("graph %s: %w", sub.name, err)
			}
			value = g
		}
		set(n, name, value)
	}
	for _, name := range p.out {
		if name == "" {
			n.Out = append(n.Out, nil)
			continue
		}
		v := &ir.Value{Def: n}
		if err := r.define(s, name, v); err != nil {
			return nil, err
		}
		n.Out = append(n.Out, v)
	}
	nodes, err := r.upgrade(n)
	if err != nil {
		return nil, err
	}
	for _, n := range nodes {
		if err := r.infer(n); err != nil {
			return nil, err
		}
	}
	return nodes, nil
}

// bodyInputs gives the values that the inputs of a Loop's body are like: iteration number, condition, carried values.
func bodyInputs(n *ir.Node) []*ir.Value {
	if n.Domain != "" || n.Op != "Loop" || len(n.In) < 2 {
		return nil
	}
	return append([]*ir.Value{{Type: ir.Int64}, {Type: ir.Bool}}, n.In[2:]...)
}
