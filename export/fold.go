package export

import (
	"slices"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/compiler/pass"
	"rnas/internal/tensor"
)

// Limits of what is computed while a model is read: elements of one node's inputs and outputs, of a floating-point
// output (weights keep their names and stay what a gradient can be taken of), and of all nodes together.
const (
	foldElements = 1 << 18
	foldFloats   = 256
	foldWork     = 1 << 24
)

// foldable are the operators that shapes, axes and conditions are computed with. Each takes time in proportion to its
// inputs and outputs.
var foldable = map[string]bool{}

func init() {
	for _, name := range []string{
		"Abs", "Add", "And", "Cast", "CastLike", "Ceil", "Clip", "Concat", "ConstantOfShape", "CumSum", "Div", "Equal", "Expand", "Flatten",
		"Floor", "Gather", "GatherElements", "GatherND", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Max", "Min", "Mod", "Mul",
		"Neg", "NonZero", "Not", "Or", "Pad", "Pow", "Range", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceSum", "Relu", "Reshape", "Round",
		"ScatterElements", "ScatterND", "Sign", "Slice", "Split", "Sqrt", "Squeeze", "Sub", "Tile", "Transpose", "Trilu", "Unsqueeze",
		"Where", "Xor",
	} {
		foldable[name] = true
	}
}

// fold makes the outputs of n constants where they are known and within the limits, so that the nodes after it see
// them. It reports whether n is not needed any more.
func (r *reader) fold(n *ir.Node) bool {
	if n.Domain != "" || len(n.Graphs()) > 0 || len(n.Out) == 0 {
		return false
	}
	if n.Op == "Identity" && n.In[0].IsConst() {
		n.Out[0].Const, n.Out[0].Def = n.In[0].Const, nil
		return true
	}
	if t := knownDims(n); t != nil {
		n.Out[0].Const, n.Out[0].Def = t, nil
		return true
	}
	if !foldable[n.Op] || !r.affordable(n) {
		return false
	}
	results, err := pass.Evaluate(n)
	if err != nil {
		return false
	}
	for i, v := range n.Out {
		if v != nil {
			v.Const, v.Def = results[i], nil
		}
	}
	return true
}

// knownDims is the result of a node that computes sizes which do not depend on the batch; nil for other nodes.
func knownDims(n *ir.Node) *tensor.Tensor {
	v := n.Out[0]
	if len(n.Out) != 1 || v == nil || v.Rank() > 1 || v.Type != ir.Int64 && v.Type != ir.Bool {
		return nil
	}
	dims, ok := op.Dims(v)
	if !ok || int64(len(dims)) != v.Shape.Numel() || slices.ContainsFunc(dims, func(d op.Dim) bool { return !d.Static() }) {
		return nil
	}
	values := make([]float64, len(dims))
	exact := make([]int64, len(dims))
	for i, d := range dims {
		exact[i], values[i] = d.K, float64(d.K)
	}
	if v.Type == ir.Bool {
		return tensor.FromFloat64s(ir.Bool, v.Shape, values)
	}
	return tensor.Of(slices.Clone(v.Shape), exact...)
}

// affordable reports whether all inputs of n are constant and its size is within the limits, and accounts for it.
func (r *reader) affordable(n *ir.Node) bool {
	total := int64(0)
	add := func(v *ir.Value) bool {
		size := v.Shape.Numel()
		total += size
		return size >= 0 && size <= foldElements && v.Type != tensor.String
	}
	for _, v := range n.In {
		if v != nil && (!v.IsConst() || !add(v)) {
			return false
		}
	}
	kept := int64(0)
	for _, v := range n.Out {
		if v == nil {
			continue
		}
		if !add(v) || v.Type.IsFloat() && v.Shape.Numel() > foldFloats {
			return false
		}
		kept += v.Shape.Numel() * int64(v.Type.Size())
	}
	if total > foldElements || total > r.work || r.memory.take(kept) != nil {
		return false
	}
	r.work -= total
	return true
}

// constantShape makes the shape of a Reshape constant that is computed from shapes and keeps the symbolic batch size.
func (r *reader) constantShape(n *ir.Node) {
	if n.Domain != "" || n.Op != "Reshape" || len(n.In) != 2 || n.In[0] == nil || n.In[1].IsConst() || n.Int("allowzero", 0) != 0 {
		return
	}
	in := n.In[0].Shape
	dims, ok := op.Dims(n.In[1])
	if !ok {
		return
	}
	at, hole := -1, -1
	rest := int64(1)
	out := make([]int64, len(dims))
	for i, d := range dims {
		switch out[i] = d.K; {
		case !d.Static() && (at >= 0 || d.K != 0 || d.N < 0):
			return
		case !d.Static():
			at = i
		case d.K == -1:
			hole = i
		case d.K == 0:
			return
		default:
			rest *= d.K
		}
	}
	if at < 0 {
		return
	}
	if dims[at].N == 1 && at < len(in) && in[at] == ir.N {
		out[at] = 0
	} else {
		out[at] = -1
		if hole >= 0 {
			out[hole] = perBatch(in) / max(rest*dims[at].N, 1)
		}
	}
	v := constant(tensor.Vector(out...))
	v.Name = r.names.fresh(base(n) + ".shape")
	n.In[1] = v
}

// perBatch is the number of elements of a shape without its symbolic dimension.
func perBatch(s ir.Shape) int64 {
	n := int64(1)
	for _, d := range s {
		if d != ir.N {
			n *= d
		}
	}
	return n
}

// prune removes nodes of g that compute sizes which nothing uses any more.
func prune(g *ir.Graph) {
	used := map[*ir.Value]bool{}
	use := func(values []*ir.Value) {
		for _, v := range values {
			used[v] = true
		}
	}
	use(g.Outputs)
	kept := make([]*ir.Node, 0, len(g.Nodes))
	for _, n := range slices.Backward(g.Nodes) {
		if n.Domain == "" && (foldable[n.Op] || n.Op == "Shape" || n.Op == "Size") && !slices.ContainsFunc(n.Out, func(v *ir.Value) bool {
			return v != nil && (used[v] || v.Type.IsFloat())
		}) {
			continue
		}
		kept = append(kept, n)
		use(n.In)
		for _, sub := range n.Graphs() {
			use(sub.Outputs)
			sub.Walk(func(n *ir.Node) {
				use(n.In)
				for _, inner := range n.Graphs() {
					use(inner.Outputs)
				}
			})
		}
	}
	slices.Reverse(kept)
	g.Nodes = kept
}
