package pass

import (
	"math"
	"slices"

	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

// Float16 stores weights and computes in float16 between float32 inputs and outputs, with Casts at the edges. What loses too much
// stays in float32:
//
//   - reductions, softmax and every other operator that halfSafe does not list,
//   - the arithmetic on the inputs before the first weights (pixel normalisation),
//   - nodes with a nested graph,
//   - nodes with a constant that float16 cannot hold.
//
// The pass does not know whether activations fit.
func Float16() Pass {
	return Pass{
		Name: "float16", Why: "weights of half the size, and faster where the provider computes in float16",
		After: []Need{{"foldbn", "normalisation is folded in the precision of the weights"}},
		Run:   float16,
	}
}

// halfSafe are operators whose result is as exact as their operands, or a sum of few products.
var halfSafe = map[string]bool{}

func init() {
	for _, name := range []string{
		"Add", "AveragePool", "Clip", "Concat", "Conv", "ConvTranspose", "Div", "Expand", "Flatten", "Gather", "Gemm", "HardSigmoid",
		"HardSwish", "Identity", "LeakyRelu", "MatMul", "Max", "MaxPool", "Min", "Mul", "Pad", "PRelu", "Relu", "Reshape", "Sigmoid",
		"Slice", "Split", "Squeeze", "Sub", "Sum", "Tanh", "Transpose", "Unsqueeze",
	} {
		halfSafe[name] = true
	}
}

func float16(g *ir.Graph) error {
	h := &halver{
		names: ir.NewNames(g), outputs: ir.GivenOut(g), raw: map[*ir.Value]bool{}, made: map[*ir.Value]bool{},
		narrow: map[*ir.Value]*ir.Value{}, wide: map[*ir.Value]*ir.Value{},
	}
	for _, v := range g.Inputs {
		h.raw[v] = true
	}
	for _, n := range g.Nodes {
		h.node(n)
	}
	g.Nodes = h.nodes
	return nil
}

// halver builds the nodes of a graph in float16.
type halver struct {
	names   *ir.Names
	outputs map[*ir.Value]bool
	nodes   []*ir.Node
	raw     map[*ir.Value]bool      // inputs, and what arithmetic with constants makes of them
	made    map[*ir.Value]bool      // values that are float16 now
	narrow  map[*ir.Value]*ir.Value // float32 to float16
	wide    map[*ir.Value]*ir.Value // float16 to float32
}

// node appends n, in float16 if it fits.
func (h *halver) node(n *ir.Node) {
	if !h.fits(n) {
		for _, sub := range n.Graphs() {
			sub.Walk(func(m *ir.Node) { h.inputs(m, h.widened) })
			for i, v := range sub.Outputs {
				sub.Outputs[i] = h.widened(v)
			}
		}
		h.inputs(n, h.widened)
		h.nodes = append(h.nodes, n)
		return
	}
	h.inputs(n, h.narrowed)
	h.nodes = append(h.nodes, n)
	for i, v := range n.Out {
		switch {
		case v == nil || v.Type != ir.Float32:
		case h.outputs[v]:
			half := &ir.Value{Name: h.names.Unique(v.Name + ".float16"), Type: ir.Float16, Shape: v.Shape, Def: n}
			n.Out[i] = half
			h.cast(half, v)
			h.narrow[v] = half
		default:
			v.Type = ir.Float16
			h.made[v] = true
		}
	}
}

// fits reports whether n is to be computed in float16.
func (h *halver) fits(n *ir.Node) bool {
	if n.Domain != "" || !halfSafe[n.Op] || len(n.Graphs()) > 0 {
		return false
	}
	raw, weights := len(n.In) > 0, slices.Contains([]string{"Conv", "ConvTranspose", "Gemm", "MatMul"}, n.Op)
	for _, v := range n.In {
		if v == nil {
			continue
		}
		if v.IsConst() && v.Type == ir.Float32 && slices.ContainsFunc(v.Const.Float32s(), overflows) {
			return false
		}
		raw = raw && (v.IsConst() || h.raw[v])
	}
	if raw && !weights {
		for _, v := range n.Out {
			h.raw[v] = true
		}
		return false
	}
	return true
}

// overflows reports whether f is finite and becomes infinite in float16.
func overflows(f float32) bool {
	return math.IsInf(float64(tensor.HalfOf(f).Float32()), 0) && !math.IsInf(float64(f), 0)
}

// inputs replaces every input of n that is given by what f makes of it.
func (h *halver) inputs(n *ir.Node, f func(*ir.Value) *ir.Value) {
	n.In = slices.Clone(n.In)
	for i, v := range n.In {
		if v != nil {
			n.In[i] = f(v)
		}
	}
}

// narrowed returns v in float16 if v is float32, and v itself otherwise.
func (h *halver) narrowed(v *ir.Value) *ir.Value {
	if v.Type != ir.Float32 {
		return v
	}
	if h.narrow[v] == nil {
		if v.IsConst() {
			t := tensor.FromFloat64s(ir.Float16, v.Shape, v.Const.Float64s())
			h.narrow[v] = &ir.Value{Name: h.names.Unique(v.Name + ".float16"), Type: ir.Float16, Shape: v.Shape, Const: t}
		} else {
			to := &ir.Value{Name: h.names.Unique(v.Name + ".float16"), Type: ir.Float16, Shape: v.Shape}
			h.cast(v, to)
			h.narrow[v] = to
		}
	}
	return h.narrow[v]
}

// widened returns v in float32 if this pass turned v into float16, and v itself otherwise.
func (h *halver) widened(v *ir.Value) *ir.Value {
	if !h.made[v] {
		return v
	}
	if h.wide[v] == nil {
		to := &ir.Value{Name: h.names.Unique(v.Name + ".float32"), Type: ir.Float32, Shape: v.Shape}
		h.cast(v, to)
		h.wide[v] = to
	}
	return h.wide[v]
}

// cast defines the value to as a Cast of from.
func (h *halver) cast(from, to *ir.Value) {
	to.Def = &ir.Node{
		Name: h.names.Unique(to.Name + "/Cast"), Op: "Cast", Attrs: ir.Attrs{"to": int64(to.Type)},
		In: []*ir.Value{from}, Out: []*ir.Value{to},
	}
	h.nodes = append(h.nodes, to.Def)
}
