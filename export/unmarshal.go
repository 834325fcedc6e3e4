package export

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/tensor"
)

// ReadOptions says how a model is read.
type ReadOptions struct {
	Batch int64            // size for a symbolic first dimension of an input; 0 keeps it as ir.N
	Dims  map[string]int64 // sizes for dimension parameters, before Batch
	// Image holds sizes for the symbolic dimensions after the first of an input with one dimension more.
	Image []int64
	Fixed map[string]*tensor.Tensor // values of inputs, which become constants
	Infer ir.InferFunc              // type and shape inference; nil means op.Infer, and that constants are computed
	Dir   string                    // folder of the files in which the model keeps its tensors; "" refuses such models
}

// ErrSymbolic marks models that cannot be read with a symbolic batch size but can with a given one.
var ErrSymbolic = errors.New("the model needs a batch size")

// ReadFile reads an ONNX file, and the files of its folder that it keeps tensors in. See Unmarshal.
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
	if o.Dir == "" {
		o.Dir = filepath.Dir(path)
	}
	g, err := Unmarshal(data, o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return g, nil
}

// Unmarshal decodes an ONNX model of operator set 6 to 27 into the forms of operator set 18. Constant nodes and
// initializers, also those that double as inputs, become constants, and so does what nodes compute of shapes and small
// constants. Functions of the model are expanded, and an If whose condition is constant is replaced by its branch.
// Nodes are put in topological order. Values keep their names, and so do nodes unless a name is taken already; names in
// nested graphs and functions change where they would not be unique. Every input dimension must be a number after Dims,
// Batch and Image, except the first, which may stay ir.N. Errors name the byte offset, or the node and operator, at
// fault; they wrap ErrSymbolic where only the batch size is missing. No more memory is used than 4 times the bytes of
// the files plus 64 MiB.
func Unmarshal(data []byte, o ReadOptions) (*ir.Graph, error) {
	d := &decoder{memory: newMemory(int64(len(data))), external: &external{dir: o.Dir}}
	defer d.external.close()
	m, err := d.model(span{data, 0})
	if err != nil {
		return nil, fmt.Errorf("onnx: %w", err)
	}
	kept := *d.memory
	g, symbolic, err := read(d, m, o)
	if err != nil && symbolic {
		*d.memory = kept
		o.Batch = 1
		if _, _, fixed := read(d, m, o); fixed == nil {
			err = fmt.Errorf("%w: %w", ErrSymbolic, err)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("onnx: graph %s: %w", m.graph.name, err)
	}
	return g, nil
}

// read makes the graph; symbolic reports whether an input has a symbolic batch size, also beside an error.
func read(d *decoder, m *modelProto, o ReadOptions) (g *ir.Graph, symbolic bool, err error) {
	version, ok := m.opsets[""]
	if m.irVersion > 0 && m.irVersion < oldestIR {
		return nil, false, fmt.Errorf("IR version %d: expected %d or above", m.irVersion, oldestIR)
	}
	if !ok {
		return nil, false, fmt.Errorf("no version of the standard operator set is given")
	}
	if version < oldestRead || version > newestOpset {
		return nil, false, fmt.Errorf("operator set %d: expected %d to %d", version, oldestRead, newestOpset)
	}
	if o.Batch < 0 {
		return nil, false, fmt.Errorf("batch size %d is negative", o.Batch)
	}
	r := &reader{
		decoder: d, opset: int(version), infer: o.Infer, fixed: o.Fixed, batch: o.Batch, image: o.Image, dims: map[string]int64{}, names: names{},
		work: foldWork,
	}
	if r.infer == nil {
		r.infer, r.folds = op.Infer, true
	}
	if r.batch == 0 {
		r.batch = ir.N
	}
	for _, name := range sortedKeys(o.Dims) {
		if o.Dims[name] < 0 {
			return nil, false, fmt.Errorf("dimension %q: size %d is negative", name, o.Dims[name])
		}
		r.dims[name] = o.Dims[name]
	}
	if err := r.functions(m.functions); err != nil {
		return nil, false, err
	}
	if g, err = r.graph(m.graph, nil, nil); err != nil {
		return nil, r.symbolic, err
	}
	g.Meta = m.meta
	if r.folds {
		prune(g)
	}
	g.Walk(func(n *ir.Node) {
		if n.Name == "" {
			n.Name = n.Op
		}
		n.Name = r.names.fresh(n.Name)
	})
	return g, r.symbolic, ir.Verify(g)
}

// reader turns decoded messages into graphs.
type reader struct {
	*decoder
	opset    int
	infer    ir.InferFunc
	folds    bool
	fixed    map[string]*tensor.Tensor
	batch    int64
	image    []int64
	dims     map[string]int64
	names    names // of values
	calls    map[functionKey]*functionProto
	depth    int   // of calls
	work     int64 // elements that folding may still touch
	symbolic bool  // an input has dimension ir.N
}

// scope maps the value names of one graph in the file to values; an optional input of a function that a call leaves out
// is nil.
type scope struct {
	values map[string]*ir.Value
	outer  *scope
	attrs  map[string]any // of the call, in a function; nil elsewhere
	prefix string         // of the names in a function
	nested bool           // names may occur elsewhere too
}

// inside is a scope for a graph nested in that of s.
func (s *scope) inside() *scope {
	if s == nil {
		return &scope{values: map[string]*ir.Value{}}
	}
	return &scope{values: map[string]*ir.Value{}, outer: s, attrs: s.attrs, prefix: s.prefix, nested: true}
}

func (s *scope) find(name string) (v *ir.Value, ok bool) {
	for ; s != nil; s = s.outer {
		if v, ok := s.values[name]; ok {
			return v, true
		}
	}
	return nil, false
}

// input finds the input of a node; the empty name is that of an absent one.
func (s *scope) input(name string) (*ir.Value, error) {
	v, ok := s.find(name)
	if !ok && name != "" {
		return nil, fmt.Errorf("input %q is not defined", name)
	}
	return v, nil
}

// alias makes name another name of v.
func (s *scope) alias(name string, v *ir.Value) error {
	if name == "" {
		return fmt.Errorf("a value without a name")
	}
	if _, ok := s.values[name]; ok {
		return fmt.Errorf("value %q is defined twice", name)
	}
	s.values[name] = v
	return nil
}

// define adds a value of the file to the scope and gives it its final name.
func (r *reader) define(s *scope, name string, v *ir.Value) error {
	if err := s.alias(name, v); err != nil {
		return err
	}
	v.Name = name
	if s.nested {
		v.Name = r.names.fresh(s.prefix + name)
	}
	return nil
}

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

// node reads p and converts it to the canonical operator set, which may take several nodes, or none for a constant.
func (r *reader) node(p *nodeProto, s *scope) ([]*ir.Node, error) {
	if fn := r.calls[functionKey{p.domain, p.op, p.overload}]; fn != nil {
		return r.call(p, fn, s)
	}
	if r.depth > 0 {
		if err := r.memory.take(nodeMemory + nameMemory*int64(len(p.in)+len(p.out))); err != nil {
			return nil, err
		}
	}
	attrs, err := s.resolve(p.attrs)
	if err != nil {
		return nil, err
	}
	if p.domain == "" && p.op == "Constant" {
		return nil, r.constantNode(p, attrs, s)
	}
	n := &ir.Node{Name: p.name, Op: p.op, Domain: p.domain}
	if p.name != "" {
		n.Name = s.prefix + p.name
	}
	for _, name := range p.in {
		v, err := s.input(name)
		if err != nil {
			return nil, err
		}
		n.In = append(n.In, v)
	}
	if branch, err := r.branch(n, attrs); branch != nil || err != nil {
		return r.inline(branch, p, s, err)
	}
	for _, name := range sortedKeys(attrs) {
		value := attrs[name]
		if sub, ok := value.(*graphProto); ok {
			g, err := r.graph(sub, s, bodyInputs(n, p.attrs))
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
	var kept []*ir.Node
	for _, n := range nodes {
		if r.folds {
			r.constantShape(n)
		}
		if err := r.infer(n); err != nil {
			return nil, err
		}
		if !r.folds || !r.fold(n) {
			kept = append(kept, n)
		}
	}
	return kept, nil
}

// bodyInputs gives the values that the inputs of a body are like. For a Loop they are iteration number, condition and
// carried values, for a Scan the states and one entry of each scanned input.
func bodyInputs(n *ir.Node, attrs map[string]any) []*ir.Value {
	switch {
	case n.Domain != "":
	case n.Op == "Loop" && len(n.In) >= 2:
		return append([]*ir.Value{{Type: ir.Int64}, {Type: ir.Bool}}, n.In[2:]...)
	case n.Op == "Scan":
		scanned, _ := attrs["num_scan_inputs"].(int64)
		axes, _ := attrs["scan_input_axes"].([]int64)
		out := slices.Clone(n.In)
		for i := range out {
			k := i - (len(out) - int(scanned)) // of the scanned inputs
			if k < 0 || scanned < 0 || out[i] == nil {
				continue
			}
			at := int64(0)
			if k < len(axes) {
				at = axes[k]
			}
			axis, err := op.Axis(at, out[i].Rank())
			if err != nil {
				return nil
			}
			out[i] = &ir.Value{Type: out[i].Type, Shape: slices.Delete(out[i].Shape.Clone(), axis, axis+1)}
		}
		return out
	}
	return nil
}
