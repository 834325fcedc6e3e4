package pass

import (
	"slices"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/tensor"
)

// simplify bypasses operators whose result is one of their inputs, shortens chains of reshapes and of transposes, and takes away
// an Expand whose user broadcasts by itself. An output of a graph that equals an input or a constant keeps its Identity.
func simplify(g *ir.Graph) error {
	s := &simplifier{fixed: ir.GivenOut(g), private: op.Private(g), same: map[*ir.Value]*ir.Value{}, names: ir.NewNames(g)}
	s.graph(g)
	renamed := map[*ir.Value]*ir.Value{}
	ir.Each(g, func(g *ir.Graph) { s.rename(g, renamed) })
	g.Replace(renamed)
	return nil
}

// simplifier applies simplifications to a graph and its nested graphs.
type simplifier struct {
	fixed   map[*ir.Value]bool
	private map[*ir.Value]bool
	same    map[*ir.Value]*ir.Value
	names   *ir.Names
}

// rule returns a value that may equal the first output of n up to type and shape, or nil; it may change n.
type rule func(s *simplifier, n *ir.Node) *ir.Value

// simplifications has the rule of each operator.
var simplifications map[string]rule

func init() {
	simplifications = map[string]rule{
		"Identity": first, "Cast": first,
		"Reshape": (*simplifier).reshape, "Flatten": (*simplifier).reshape,
		"Squeeze": (*simplifier).reshape, "Unsqueeze": (*simplifier).reshape,
		"Transpose": (*simplifier).transpose,
		"Expand":    first, "Slice": slice, "Pad": pad, "Dropout": dropout,
		"Concat": single, "Sum": single, "Mean": single, "Max": single, "Min": single,
		"Add": neutral(0, true), "Mul": product, "Sub": neutral(0, false), "Div": neutral(1, false),
		"Pow": neutral(1, false), "Where": expanded,
		"ReduceSum": unsqueezed, "ReduceMean": unsqueezed,
		"Neg": twice, "Relu": idempotent, "Clip": unbounded,
	}
}

// graph applies the rules to g.
func (s *simplifier) graph(g *ir.Graph) {
	filter(g, func(n *ir.Node) bool {
		swap(n.In, s.same)
		for _, sub := range n.Graphs() {
			s.graph(sub)
		}
		r := simplifications[n.Op]
		if r == nil || n.Domain != "" || s.private[n.Out[0]] {
			return true
		}
		v, out := r(s, n), n.Out[0]
		if v == nil || out == nil || v.Type != out.Type || !v.Shape.Equal(out.Shape) {
			return true
		}
		s.same[out] = v
		if s.fixed[out] {
			copyOf(n, v)
		}
		return s.fixed[out]
	})
}

// rename removes y = Identity(x) where y is an output of the same graph and x is none: the node that computes x then defines y.
func (s *simplifier) rename(g *ir.Graph, renamed map[*ir.Value]*ir.Value) {
	local := make(map[*ir.Node]bool, len(g.Nodes))
	filter(g, func(n *ir.Node) bool {
		local[n] = true
		if n.Op != "Identity" || n.Domain != "" || !s.fixed[n.Out[0]] {
			return true
		}
		x, y := n.In[0], n.Out[0]
		if x.Def == nil || !local[x.Def] || s.fixed[x] || renamed[x] != nil {
			return true
		}
		x.Def.Out[slices.Index(x.Def.Out, x)] = y
		y.Def = x.Def
		renamed[x] = y
		return false
	})
}

// first bypasses an operator whose result may be its first input.
func first(_ *simplifier, n *ir.Node) *ir.Value { return n.In[0] }

// single bypasses an operator with one operand out of any number.
func single(_ *simplifier, n *ir.Node) *ir.Value {
	if len(n.In) != 1 {
		return nil
	}
	return n.In[0]
}

// twice bypasses two of an operator that is its own inverse.
func twice(_ *simplifier, n *ir.Node) *ir.Value {
	if m := ir.DefinedBy(n.In[0], n.Op); m != nil {
		return m.In[0]
	}
	return nil
}

// idempotent bypasses the second of two equal operators.
func idempotent(_ *simplifier, n *ir.Node) *ir.Value {
	if ir.DefinedBy(n.In[0], n.Op) != nil {
		return n.In[0]
	}
	return nil
}

// unbounded bypasses a Clip without bounds.
func unbounded(_ *simplifier, n *ir.Node) *ir.Value {
	if n.Input(1) != nil || n.Input(2) != nil {
		return nil
	}
	return n.In[0]
}

// unsqueezed lets n, a sum or mean that drops dimensions, read the input of a Reshape that drops dimensions of 1 at the end.
func unsqueezed(s *simplifier, n *ir.Node) *ir.Value {
	x := n.In[0]
	m := ir.DefinedBy(x, "Reshape")
	axes, ok := op.ConstInts(n.Input(1))
	if m == nil || !ok || len(axes) == 0 || n.Int("keepdims", 1) != 0 {
		return nil
	}
	rank, wide := int64(x.Rank()), m.In[0]
	if int64(wide.Rank()) <= rank || !wide.Shape[:rank].Equal(x.Shape) {
		return nil
	}
	var all []int64
	for _, a := range axes {
		all = append(all, (a+rank)%rank)
	}
	for a := rank; a < int64(wide.Rank()); a++ {
		all = append(all, a)
	}
	c := &ir.Value{Name: s.names.Unique(n.Out[0].Name + ".axes"), Type: ir.Int64, Shape: ir.Shape{int64(len(all))}, Const: tensor.Vector(all...)}
	n.In = []*ir.Value{wide, c}
	return nil
}

// dropout bypasses a Dropout that is not in training mode.
func dropout(_ *simplifier, n *ir.Node) *ir.Value {
	if op.Random(n) || n.Output(1) != nil {
		return nil
	}
	return n.In[0]
}

// slice bypasses a Slice that takes everything.
func slice(_ *simplifier, n *ir.Node) *ir.Value {
	ranges, err := op.SliceRanges(n)
	if err != nil {
		return nil
	}
	for i, d := range n.In[0].Shape {
		if ranges[i] != (op.Range{Start: 0, Step: 1, Count: d}) {
			return nil
		}
	}
	return n.In[0]
}

// pad bypasses a Pad that adds nothing.
func pad(_ *simplifier, n *ir.Node) *ir.Value {
	pads, ok := op.ConstInts(n.In[1])
	if !ok || slices.ContainsFunc(pads, func(p int64) bool { return p != 0 }) {
		return nil
	}
	return n.In[0]
}

// neutral bypasses a binary operator with a constant operand that is unit everywhere.
func neutral(unit float64, commutes bool) rule {
	return func(s *simplifier, n *ir.Node) *ir.Value {
		expanded(s, n)
		switch {
		case filledWith(n.In[1], unit):
			return n.In[0]
		case commutes && filledWith(n.In[0], unit):
			return n.In[1]
		}
		return nil
	}
}

// filledWith reports whether v is a numeric constant that is unit everywhere.
func filledWith(v *ir.Value, unit float64) bool {
	if !v.IsConst() || v.Type == tensor.String || v.Type == tensor.Bool {
		return false
	}
	for i := range v.Const.Len() {
		if v.Const.Float64At(i) != unit {
			return false
		}
	}
	return true
}

// product is neutral(1, true), and joins the factors of a tensor that is multiplied by two numbers.
func product(s *simplifier, n *ir.Node) *ir.Value {
	if v := neutral(1, true)(s, n); v != nil {
		return v
	}
	if m := ir.DefinedBy(n.In[0], "Mul"); m != nil && m.In[1].IsNumber() && n.In[1].IsNumber() && n.In[0].Type.IsFloat() && m.In[0].Shape.Equal(n.Out[0].Shape) {
		k := tensor.FromFloat64s(n.In[1].Type, n.In[1].Shape, []float64{m.In[1].Const.Float64At(0) * n.In[1].Const.Float64At(0)})
		c := &ir.Value{Name: s.names.Unique(n.Out[0].Name + ".factor"), Type: n.In[1].Type, Shape: n.In[1].Shape, Const: k}
		n.In = []*ir.Value{m.In[0], c}
	}
	return nil
}

// expanded lets n read the input of an Expand where the other inputs have the shape of the output.
func expanded(_ *simplifier, n *ir.Node) *ir.Value {
	for i, v := range n.In {
		m := ir.DefinedBy(v, "Expand")
		if m == nil {
			continue
		}
		shape := m.In[0].Shape
		for j, other := range n.In {
			if j == i {
				continue
			}
			var err error
			if shape, err = op.Broadcast(shape, other.Shape); err != nil {
				break
			}
		}
		if shape.Equal(n.Out[0].Shape) {
			n.In[i] = m.In[0]
		}
	}
	return nil
}
