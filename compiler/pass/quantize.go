package pass

import (
	"fmt"
	"math"
	"slices"

	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

// Range is the range of the numbers that a value takes.
type Range struct{ Lo, Hi float64 }

// Operators that run on 8-bit integers between a DequantizeLinear and a QuantizeLinear, and those that only move or
// choose numbers, whose results have the scale of their first input.
var (
	integerOps = []string{"Conv", "Gemm", "MatMul", "Add", "Mul", "Concat", "AveragePool", "GlobalAveragePool", "Relu"}
	movingOps  = []string{"MaxPool", "Flatten", "Reshape", "Transpose", "Squeeze", "Unsqueeze", "Slice", "Identity"}
)

// Quantize makes a graph compute in 8-bit integers, in the layout of nodes that ONNX Runtime calls QDQ (Jacob et al. 2018). A
// QuantizeLinear and a DequantizeLinear follow every activation of Activations, with uint8 numbers and one scale for the whole
// tensor. Conv, Gemm and MatMul get int8 weights, with one scale for each output channel, and int32 biases.
//
// ranges are those of the activations on calibration data, by name. They are extended to include zero, which is then represented
// exactly. A Relu right after an operator becomes part of the range of the operator.
func Quantize(ranges map[string]Range) Pass {
	return Pass{
		Name: "quantize", Why: "weights of a quarter of the size, and integer arithmetic",
		After: []Need{{"foldbn", "integers hold the weights that normalisation has become part of, and its result is rounded once"}},
		Run:   func(g *ir.Graph) error { return quantize(g, ranges) },
	}
}

// Activations lists the float32 values of g that Quantize represents by integers, in order: inputs and results of the operators
// that run on integers. Outputs of g and what only a Relu reads are left out.
func Activations(g *ir.Graph) []*ir.Value {
	uses, fixed := ir.CountUses(g), ir.GivenOut(g)
	var list []*ir.Value
	seen := map[*ir.Value]bool{}
	add := func(v *ir.Value) {
		if v == nil || seen[v] || v.IsConst() || v.Type != ir.Float32 || fixed[v] {
			return
		}
		seen[v] = true
		list = append(list, v)
	}
	relu := map[*ir.Value]bool{} // values that only a Relu reads
	for _, n := range g.Nodes {
		if n.Op == "Relu" && n.Domain == "" && uses[n.In[0]] == 1 {
			relu[n.In[0]] = true
		}
	}
	for _, n := range g.Nodes {
		moves := isOp(n, movingOps) && seen[n.In[0]]
		if !moves && !runsOnIntegers(n) {
			continue
		}
		for _, v := range n.In {
			if !relu[v] {
				add(v)
			}
		}
		if !relu[n.Out[0]] {
			add(n.Out[0])
		}
	}
	return list
}

// isOp reports whether n is one of the listed operators of the standard domain.
func isOp(n *ir.Node, list []string) bool { return n.Domain == "" && slices.Contains(list, n.Op) }

// runsOnIntegers reports whether n can run on 8-bit integers.
func runsOnIntegers(n *ir.Node) bool {
	if !isOp(n, integerOps) {
		return false
	}
	switch n.Op {
	case "Gemm":
		return n.Int("transA", 0) == 0 && n.Float("alpha", 1) == 1 && n.Float("beta", 1) == 1 && weighted(n)
	case "Conv", "MatMul":
		return weighted(n)
	case "Add", "Mul":
		return !n.In[0].IsConst() && !n.In[1].IsConst()
	}
	return true
}

// weighted reports whether weight and bias of n are constants, and the weight is float32.
func weighted(n *ir.Node) bool {
	w, b := n.In[1], n.Input(2)
	return w.IsConst() && w.Type == ir.Float32 && w.Rank() >= 2 && (b == nil || b.IsConst() && b.Rank() == 1)
}

// code is how numbers q represent a tensor: (q - zero)*scale.
type code struct{ scale, zero *ir.Value }

// quantizer builds the nodes of a quantised graph.
type quantizer struct {
	names  *ir.Names
	codes  map[*ir.Value]code      // of activations
	real   map[*ir.Value]*ir.Value // activations after a round trip
	ranges map[string]Range
	nodes  []*ir.Node
}

func quantize(g *ir.Graph, ranges map[string]Range) error {
	q := &quantizer{names: ir.NewNames(g), codes: map[*ir.Value]code{}, real: map[*ir.Value]*ir.Value{}, ranges: ranges}
	wanted := map[*ir.Value]bool{}
	for _, v := range Activations(g) {
		wanted[v] = true
	}
	for _, v := range g.Inputs {
		if wanted[v] {
			if err := q.activation(v); err != nil {
				return err
			}
		}
	}
	for _, n := range g.Nodes {
		if c, ok := q.codes[n.Input(0)]; ok && isOp(n, movingOps) && wanted[n.Out[0]] {
			q.codes[n.Out[0]] = c
		}
		in := slices.Clone(n.In)
		for i, v := range in {
			if r := q.real[v]; r != nil {
				in[i] = r
			}
		}
		if c, ok := q.codes[n.Input(0)]; ok && runsOnIntegers(n) && slices.Contains([]string{"Conv", "Gemm", "MatMul"}, n.Op) {
			q.weights(n, in, c)
		}
		n.In = in
		for _, sub := range n.Graphs() {
			sub.Replace(q.real)
		}
		q.nodes = append(q.nodes, n)
		for _, v := range n.Out {
			if wanted[v] {
				if err := q.activation(v); err != nil {
					return err
				}
			}
		}
	}
	g.Nodes = q.nodes
	return nil
}

// activation sends v through uint8 numbers.
func (q *quantizer) activation(v *ir.Value) error {
	c, ok := q.codes[v]
	if !ok {
		r, ok := q.ranges[v.Name]
		if !ok || !(r.Lo <= r.Hi) || math.IsInf(r.Hi-r.Lo, 0) {
			return fmt.Errorf("activation %s: expected a finite range, found %v", v, r)
		}
		r.Lo, r.Hi = min(r.Lo, 0), max(r.Hi, 0)
		scale := float32((r.Hi - r.Lo) / math.MaxUint8)
		if scale < math.SmallestNonzeroFloat32*(1<<24) { // all zero, or nothing that float32 divides by well
			scale = 1
		}
		zero := math.RoundToEven(-r.Lo / float64(scale))
		c = code{
			q.constant(v.Name+".scale", tensor.Scalar(scale)),
			q.constant(v.Name+".zero_point", tensor.Scalar(uint8(min(max(zero, 0), math.MaxUint8)))),
		}
		q.codes[v] = c
	}
	number := q.node("QuantizeLinear", v.Name+".quantized", tensor.Uint8, v.Shape, nil, v, c.scale, c.zero)
	q.real[v] = q.node("DequantizeLinear", v.Name+".dequantized", ir.Float32, v.Shape, nil, number, c.scale, c.zero)
	return nil
}

// weights turns weight and bias of n, whose first input has the code c, into integers; in are the new inputs of n.
func (q *quantizer) weights(n *ir.Node, in []*ir.Value, c code) {
	w, b := n.In[1], n.Input(2)
	axis := 0
	if n.Op == "MatMul" || n.Op == "Gemm" && n.Int("transB", 0) == 0 {
		axis = w.Rank() - 1
	}
	activation := float64(c.scale.Const.Float32s()[0])
	channels := int(w.Shape[axis])
	channel := func(i int) int { return i / int(w.Shape[axis+1:].Numel()) % channels }
	values := w.Const.Float64s()
	scales := make([]float32, channels)
	for i, v := range values {
		scales[channel(i)] = max(scales[channel(i)], float32(math.Abs(v)/math.MaxInt8))
	}
	if b != nil { // int32 must hold the bias in units of both scales
		for k, v := range b.Const.Float64s() {
			scales[k] = max(scales[k], float32(math.Abs(v)/activation/(1<<30)))
		}
	}
	for k, s := range scales {
		if s == 0 {
			scales[k] = 1
		}
	}
	numbers := make([]float64, len(values))
	for i, v := range values {
		numbers[i] = min(max(math.RoundToEven(v/float64(scales[channel(i)])), -math.MaxInt8), math.MaxInt8)
	}
	scale := q.constant(w.Name+".scale", tensor.Vector(scales...))
	zero := q.constant(w.Name+".zero_point", tensor.Zeros(tensor.Int8, int64(channels)))
	data := q.constant(w.Name+".int8", tensor.FromFloat64s(tensor.Int8, w.Shape, numbers))
	in[1] = q.node("DequantizeLinear", w.Name+".dequantized", ir.Float32, w.Shape, ir.Attrs{"axis": int64(axis)}, data, scale, zero)
	if b == nil {
		return
	}
	products, units := make([]float32, channels), make([]int32, channels)
	for k, v := range b.Const.Float64s() {
		products[k] = float32(activation) * scales[k]
		units[k] = int32(math.RoundToEven(v / float64(products[k])))
	}
	scale = q.constant(b.Name+".scale", tensor.Vector(products...))
	data = q.constant(b.Name+".int32", tensor.Vector(units...))
	in[2] = q.node("DequantizeLinear", b.Name+".dequantized", ir.Float32, b.Shape, ir.Attrs{"axis": int64(0)}, data, scale)
}

func (q *quantizer) constant(name string, t *tensor.Tensor) *ir.Value {
	return &ir.Value{Name: q.names.Unique(name), Type: t.DType(), Shape: ir.Shape(t.Shape).Clone(), Const: t}
}

// node appends an operator with one output.
func (q *quantizer) node(op, name string, t ir.DType, shape ir.Shape, attrs ir.Attrs, in ...*ir.Value) *ir.Value {
	v := &ir.Value{Name: q.names.Unique(name), Type: t, Shape: shape.Clone()}
	v.Def = &ir.Node{Name: q.names.Unique(v.Name + "/" + op), Op: op, Attrs: attrs, In: in, Out: []*ir.Value{v}}
	q.nodes = append(q.nodes, v.Def)
	return v
}
