package export

import (
	"fmt"
	"slices"

	gorgonia "gorgonia.org/tensor"

	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

// Summary counts what Redecode found equal, and lists what it could not compare, sorted by place.
type Summary struct {
	Graphs       int
	Values       int // inputs and outputs: name, order, type and fixed dimensions
	Initializers int // name, type, shape and every element
	Nodes        int // order, operator, inputs and outputs
	Attributes   int // name, kind and value
	Unverified   []string
}

// Redecode decodes data, which Marshal made from g, with the decoder of github.com/owulveryck/onnx-go and compares the
// result with g. The first difference is an error.
//
// The decoder of onnx-go reads no nested graphs and not all element types, and gives away neither the fields of the
// model around the graph nor names and domains of nodes. Therefore each nested graph is decoded as a model of its own.
// What onnx-go cannot read is cut out of the bytes it sees and listed in Summary.Unverified.
func Redecode(data []byte, g *ir.Graph) (Summary, error) {
	var s Summary
	body, opset, err := unwrap(data)
	if err == nil && (opset != g.Opset || opset == canonical) {
		g, err = convert(g, opset)
	}
	if err == nil {
		s.Unverified = []string{"model: versions, operator sets, metadata", "nodes: names and domains", "inputs and outputs: symbolic dimensions"}
		c := &comparer{sum: &s, enc: &encoder{names: namesOf(g), written: map[*ir.Value]bool{}}}
		err = c.graph(body, g, "graph "+g.Name)
	}
	if err != nil {
		return s, fmt.Errorf("redecode: %w", err)
	}
	return s, nil
}

// unwrap takes graph and operator set out of a model.
func unwrap(data []byte) (graph []byte, opset int, err error) {
	err = span{data, 0}.each(func(f field) error {
		switch f.num {
		case modelGraph:
			graph = f.b
		case modelOpsetImport:
			domain, version, err := decodeOpset(f)
			if domain == "" {
				opset = int(version)
			}
			return err
		}
		return nil
	})
	return graph, opset, err
}

// comparer compares graphs with what onnx-go makes of their bytes. enc gives the names of constants in the file.
type comparer struct {
	sum *Summary
	enc *encoder
}

func (c *comparer) graph(data []byte, g *ir.Graph, where string) error {
	c.sum.Graphs++
	names := c.enc.localNames(g)
	if len(g.Nodes) == 0 {
		c.skip(where, "graph without nodes")
		return nil
	}
	p := &projection{where: where}
	cut, err := p.graph(data)
	if err != nil {
		return fmt.Errorf("%s: %w", where, err)
	}
	c.sum.Unverified = append(c.sum.Unverified, p.cut...)
	m := &message{}
	m.bytes(modelGraph, cut)
	r, err := record(m.concat())
	if err != nil {
		return fmt.Errorf("%s: onnx-go: %w", where, err)
	}
	if err := c.compare(r, p, g, names); err != nil {
		return fmt.Errorf("%s: %w", where, err)
	}
	for i, n := range g.Nodes {
		for _, name := range n.Attrs.Names() {
			sub, ok := n.Attrs[name].(*ir.Graph)
			if !ok {
				continue
			}
			data, ok := p.nested[nestedKey{i, name}]
			if !ok {
				return fmt.Errorf("%s: node %s (%s): attribute %s is missing", where, n.Name, n.Op, name)
			}
			if err := c.graph(data, sub, fmt.Sprintf("%s, node %s, %s", where, n.Name, name)); err != nil {
				return err
			}
			c.sum.Attributes++
		}
	}
	return nil
}

func (c *comparer) skip(where, what string) {
	c.sum.Unverified = append(c.sum.Unverified, where+": "+what)
}

// compare checks one graph without the graphs nested in it.
func (c *comparer) compare(r *recording, p *projection, g *ir.Graph, names local) error {
	if err := c.values("input", r.model.Input, r, p, g.Inputs, names); err != nil {
		return err
	}
	if err := c.values("output", r.model.Output, r, p, g.Outputs, names); err != nil {
		return err
	}
	for _, v := range g.Constants() {
		name := names.name(v)
		if p.dropped["initializer "+name] {
			continue
		}
		n := r.named[name]
		if n == nil || len(n.tensors) == 0 || !sameTensor(n.GetTensor(), v.Const) {
			return fmt.Errorf("initializer %s differs", name)
		}
		c.sum.Initializers++
	}
	if len(r.ops) != len(g.Nodes) {
		return fmt.Errorf("%d nodes, expected %d", len(r.ops), len(g.Nodes))
	}
	for i, n := range g.Nodes {
		if err := c.node(r.ops[i], p, i, n, names); err != nil {
			return fmt.Errorf("node %s (%s): %w", n.Name, n.Op, err)
		}
		c.sum.Nodes++
	}
	return nil
}

func (c *comparer) values(what string, ids []int64, r *recording, p *projection, want []*ir.Value, names local) error {
	if len(ids) != len(want) {
		return fmt.Errorf("%d %ss, expected %d", len(ids), what, len(want))
	}
	for i, v := range want {
		n := r.nodes[ids[i]]
		if n.name != names.name(v) {
			return fmt.Errorf("%s %d is %s, expected %s", what, i, n.name, names.name(v))
		}
		if p.dropped["value "+n.name] {
			continue
		}
		if len(n.tensors) == 0 {
			return fmt.Errorf("%s %s is not declared", what, v)
		}
		if t := n.tensors[0]; t.Dtype().String() != v.Type.String() || !sameDims(t.Shape(), v.Shape) {
			return fmt.Errorf("%s %s is declared %s%v", what, v, t.Dtype(), t.Shape())
		}
		c.sum.Values++
	}
	return nil
}

// sameDims compares the fixed dimensions; onnx-go leaves out symbolic ones.
func sameDims(got []int, want ir.Shape) bool {
	var fixed []int
	for _, d := range want {
		if d != ir.N {
			fixed = append(fixed, int(d))
		}
	}
	return slices.Equal(got, fixed)
}

func (c *comparer) node(got operation, p *projection, i int, n *ir.Node, names local) error {
	if got.Name != n.Op {
		return fmt.Errorf("the operator is %s", got.Name)
	}
	list := func(values []*ir.Value) []string {
		out := make([]string, len(values))
		for i, v := range values {
			out[i] = names.name(v)
		}
		return out
	}
	if want := list(n.Out); !slices.Equal(got.out, want) {
		return fmt.Errorf("outputs %q, expected %q", got.out, want)
	}
	in := list(n.In)
	if len(in) == 0 {
		in = []string{n.Name + "/input"} // onnx-go's stand-in
	}
	// Its edges run from every output to every input.
	if want := slices.Repeat(in, len(n.Out)); !slices.Equal(got.in, want) {
		return fmt.Errorf("inputs %q, expected %q", got.in, want)
	}
	left := len(got.Attributes)
	for _, name := range n.Attrs.Names() {
		if _, nested := n.Attrs[name].(*ir.Graph); nested || p.dropped[fmt.Sprintf("attribute %d %s", i, name)] {
			continue
		}
		found, ok := got.Attributes[name]
		if !ok || !sameAttribute(found, n.Attrs[name]) {
			return fmt.Errorf("attribute %s is %v, expected %v", name, found, n.Attrs[name])
		}
		left--
		c.sum.Attributes++
	}
	if left != 0 {
		return fmt.Errorf("%d attributes too many", left)
	}
	return nil
}

func sameAttribute(got, want any) bool {
	switch want := want.(type) {
	case []int64:
		got, ok := got.([]int64)
		return ok && slices.Equal(got, want)
	case []float32:
		got, ok := got.([]float32)
		return ok && slices.Equal(got, want)
	case []string:
		got, ok := got.([]string)
		return ok && slices.Equal(got, want)
	case *tensor.Tensor:
		got, ok := got.(gorgonia.Tensor)
		return ok && sameTensor(got, want)
	}
	return got == want
}

func sameTensor(got gorgonia.Tensor, want *tensor.Tensor) bool {
	shape := make([]int64, len(got.Shape()))
	for i, d := range got.Shape() {
		shape[i] = int64(d)
	}
	var t *tensor.Tensor
	var err error
	switch d := got.Data().(type) {
	case float32: // a tensor of one element, whatever its rank
		t, err = tensor.New(shape, []float32{d})
	case float64:
		t, err = tensor.New(shape, []float64{d})
	case int64:
		t, err = tensor.New(shape, []int64{d})
	case int32:
		t, err = tensor.New(shape, []int32{d})
	case []float32:
		t, err = tensor.New(shape, d)
	case []float64:
		t, err = tensor.New(shape, d)
	case []int64:
		t, err = tensor.New(shape, d)
	case []int32:
		t, err = tensor.New(shape, d)
	default:
		return false
	}
	return err == nil && tensor.Equal(t, want)
}

// record runs onnx-go's decoder. A panic in it is an error about the model.
func record(model []byte) (r *recording, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	r = newRecording()
	return r, r.model.UnmarshalBinary(model)
}
