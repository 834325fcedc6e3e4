package export

import (
	"fmt"
	"maps"
	"slices"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/tensor"
)

// downgrade rewrites the node of an operator from its form in operator set 18 to the one that files below an operator
// set use. Rows are applied in order.
type downgrade struct {
	below int
	ops   []string
	apply func(c *converter, n *ir.Node) error
}

// The forms are those of https://github.com/onnx/onnx/blob/main/docs/Changelog.md.
var downgrades = []downgrade{
	{18, []string{
		"ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceSumSquare",
		"ReduceLogSum", "ReduceLogSumExp",
	}, axesToAttribute},
	{23, []string{"QuantizeLinear"}, drop("precision", int64(0))},
	{23, []string{"DequantizeLinear"}, drop("output_dtype", int64(0))},
	{21, []string{"QuantizeLinear"}, drop("output_dtype", int64(0))},
	{21, []string{"QuantizeLinear", "DequantizeLinear"}, drop("block_size", int64(0))},
	{19, []string{"QuantizeLinear"}, func(_ *converter, n *ir.Node) error {
		delete(n.Attrs, "saturate") // says how to convert to types that are refused
		return nil
	}},
	{20, []string{"GridSample"}, gridModes},
	{18, []string{"Split"}, splitSizesToInput},
	{18, []string{"Pad"}, padAllAxes},
	{18, []string{"ScatterElements", "ScatterND"}, onlyValues("reduction", "none", "add", "mul")},
	{16, []string{"ScatterElements", "ScatterND"}, drop("reduction", "none")},
	{15, []string{"Shape"}, drop("start", int64(0))},
	{15, []string{"Shape"}, wholeShape},
	{14, []string{"BatchNormalization"}, drop("training_mode", int64(0))},
	{14, []string{"Reshape"}, drop("allowzero", int64(0))},

	{18, []string{"OptionalGetElement", "OptionalHasElement"}, unavailable(18)},
	{17, []string{"SequenceMap"}, unavailable(17)},
	{15, []string{"Optional"}, unavailable(15)},
	{14, []string{"HardSwish", "Trilu"}, unavailable(14)},
}

// converter rewrites a copy of a graph; the values are shared with the original.
type converter struct {
	opset   int
	names   names
	source  *ir.Graph
	builder op.B // of decompositions, at the end of a copy of source; made on first use
}

// convert returns g in the forms of an operator set; operators that it lacks are decomposed into simpler ones. Operator
// sets above 18 took nothing away from the forms of 18 that the operators of this module use.
func convert(g *ir.Graph, opset int) (*ir.Graph, error) {
	if g.Opset != canonical {
		return nil, fmt.Errorf("operator set %d cannot become %d: only %d is converted", g.Opset, opset, canonical)
	}
	if opset < oldestWrite || opset > newestOpset {
		return nil, fmt.Errorf("operator set %d: expected %d to %d", opset, oldestWrite, newestOpset)
	}
	c := &converter{opset: opset, names: namesOf(g), source: g}
	return c.graph(g)
}

func (c *converter) graph(g *ir.Graph) (*ir.Graph, error) {
	out := *g
	out.Opset = c.opset
	var err error
	if out.Nodes, err = c.nodes(g.Nodes); err != nil {
		return nil, err
	}
	return &out, nil
}

func (c *converter) nodes(from []*ir.Node) ([]*ir.Node, error) {
	out := make([]*ir.Node, 0, len(from))
	for _, n := range from {
		n = &ir.Node{
			Name: n.Name, Op: n.Op, Domain: n.Domain,
			In: slices.Clone(n.In), Out: n.Out, Attrs: maps.Clone(n.Attrs),
		}
		if since := op.Since(n); c.opset < since {
			made, err := c.decompose(n, since)
			if err == nil {
				made, err = c.nodes(made)
			}
			if err != nil {
				return nil, fmt.Errorf("node %s (%s): %w", n.Name, n.Op, err)
			}
			out = append(out, made...)
			continue
		}
		if err := c.node(n); err != nil {
			return nil, fmt.Errorf("node %s (%s): %w", n.Name, n.Op, err)
		}
		out = append(out, n)
	}
	return out, nil
}

func (c *converter) node(n *ir.Node) error {
	for _, name := range n.Attrs.Names() {
		if sub, ok := n.Attrs[name].(*ir.Graph); ok {
			sub, err := c.graph(sub)
			if err != nil {
				return err
			}
			n.Attrs[name] = sub
		}
	}
	if n.Domain != "" {
		return nil
	}
	if err := c.expressible(n); err != nil {
		return err
	}
	for _, d := range downgrades {
		if c.opset < d.below && slices.Contains(d.ops, n.Op) {
			if err := d.apply(c, n); err != nil {
				return fmt.Errorf("operator set %d: %w", c.opset, err)
			}
		}
	}
	return nil
}

func (c *converter) constant(hint string, data []int64) *ir.Value {
	t := tensor.Vector(data...)
	return &ir.Value{Name: c.names.fresh(hint), Type: ir.Int64, Shape: t.Shape, Const: t}
}

func axesToAttribute(_ *converter, n *ir.Node) error {
	in := n.Input(1)
	axes, ok := op.ConstInts(in)
	if in != nil && !ok {
		return fmt.Errorf("axes must be constant")
	}
	noop := n.Int("noop_with_empty_axes", 0) != 0
	delete(n.Attrs, "noop_with_empty_axes")
	n.In = n.In[:1]
	switch {
	case len(axes) > 0:
		set(n, "axes", axes)
	case noop:
		n.Op, n.Attrs = "Identity", nil
	}
	return nil
}

func set(n *ir.Node, name string, value any) {
	if n.Attrs == nil {
		n.Attrs = ir.Attrs{}
	}
	n.Attrs[name] = value
}

func splitSizesToInput(c *converter, n *ir.Node) error {
	delete(n.Attrs, "num_outputs")
	if n.Input(1) != nil {
		return nil
	}
	axis, err := op.Axis(n.Int("axis", 0), n.In[0].Rank())
	if err != nil {
		return err
	}
	sizes, err := op.SplitSizes(n, n.In[0].Shape[axis])
	if err != nil {
		return err
	}
	if slices.Min(sizes) != slices.Max(sizes) {
		n.In = []*ir.Value{n.In[0], c.constant(n.Name+".split", sizes)}
	}
	return nil
}

func padAllAxes(c *converter, n *ir.Node) error {
	if n.Input(3) == nil {
		n.In = n.In[:min(len(n.In), 3)]
		return nil
	}
	axes, ok := op.ConstInts(n.In[3])
	pads, ok2 := op.ConstInts(n.In[1])
	if !ok || !ok2 || len(pads) != 2*len(axes) {
		return fmt.Errorf("pads and axes must be constants that fit")
	}
	rank := n.In[0].Rank()
	all := make([]int64, 2*rank)
	for i, a := range axes {
		axis, err := op.Axis(a, rank)
		if err != nil {
			return err
		}
		all[axis], all[rank+axis] = pads[i], pads[len(axes)+i]
	}
	n.In = slices.Clone(n.In[:3])
	n.In[1] = c.constant(n.Name+".pads", all)
	return nil
}

func gridModes(_ *converter, n *ir.Node) error {
	switch n.Str("mode", "linear") {
	case "linear":
		set(n, "mode", "bilinear")
	case "cubic":
		set(n, "mode", "bicubic")
	}
	return nil
}

// drop removes an attribute that may only have its default value.
func drop(name string, value any) func(*converter, *ir.Node) error {
	return func(_ *converter, n *ir.Node) error {
		if v, ok := n.Attrs[name]; ok && v != value {
			return fmt.Errorf("attribute %s=%v cannot be expressed", name, v)
		}
		delete(n.Attrs, name)
		return nil
	}
}

// onlyValues allows some values of a string attribute.
func onlyValues(name string, values ...string) func(*converter, *ir.Node) error {
	return func(_ *converter, n *ir.Node) error {
		if v := n.Str(name, values[0]); !slices.Contains(values, v) {
			return fmt.Errorf("attribute %s=%s cannot be expressed", name, v)
		}
		return nil
	}
}

func wholeShape(_ *converter, n *ir.Node) error {
	rank := int64(n.In[0].Rank())
	if end := n.Int("end", rank); end < rank {
		return fmt.Errorf("attribute end=%d cannot be expressed", end)
	}
	delete(n.Attrs, "end")
	return nil
}

func unavailable(since int) func(*converter, *ir.Node) error {
	return func(*converter, *ir.Node) error {
		return fmt.Errorf("the operator exists since %d", since)
	}
}
