package op

import (
	"fmt"
	"math"
	"slices"

	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

// The operators of this file are those that ONNX Runtime's optimiser makes of standard ones at its extended level
// (onnxruntime/docs/ContribOperators.md). Each is a decomposition, which the reader of files puts in its place.
func init() {
	activation := []Attr{{"activation", kString, false}, {"activation_params", kFloatList, false}}
	matmul := []Attr{
		{"alpha", kFloat, false},
		{"transA", kInt, false},
		{"transB", kInt, false},
		{"transBatchA", kInt, false},
		{"transBatchB", kInt, false},
	}
	skip := []Attr{aEpsilon}
	rows := []Op{
		{Name: "Gelu", In: Arity{1, 1}, Decompose: func(b B, n *ir.Node) []*ir.Value { return gelus(b, n, "none") }},
		{Name: "BiasGelu", In: Arity{2, 2}, Decompose: func(b B, n *ir.Node) []*ir.Value { return gelus(b, n, "none") }},
		{Name: "FastGelu", In: Arity{1, 2}, Decompose: func(b B, n *ir.Node) []*ir.Value { return gelus(b, n, "tanh") }},
		{Name: "QuickGelu", In: Arity{1, 1}, Attrs: []Attr{{"alpha", kFloat, false}}, Decompose: func(b B, n *ir.Node) []*ir.Value {
			return []*ir.Value{b.Mul(n.In[0], b.Sigmoid(b.Scale(n.In[0], float64(n.Float("alpha", 1.702)))))}
		}},
		{Name: "SkipLayerNormalization", In: Arity{3, 5}, Out: Arity{1, 4}, Attrs: skip, Decompose: skipLayerNorm},
		{Name: "SkipSimplifiedLayerNormalization", In: Arity{3, 4}, Out: Arity{1, 4}, Attrs: skip, Decompose: skipRMSNorm},
		{Name: "FusedMatMul", In: Arity{2, 2}, Attrs: matmul, Decompose: fusedMatMul},
		{Name: "TransposeMatMul", In: Arity{2, 2}, Attrs: matmul[:3], Decompose: fusedMatMul},
		{Name: "FusedConv", In: Arity{2, 4}, Attrs: slices.Concat(activation, []Attr{{"group", kInt, false}}, windowAttrs), Decompose: fusedConv},
		{
			Name: "FusedGemm", In: Arity{2, 3}, Decompose: fusedGemm,
			Attrs: []Attr{
				{"alpha", kFloat, false},
				{"beta", kFloat, false},
				{"transA", kInt, false},
				{"transB", kInt, false},
				{"activation", kString, false},
				{"activation_alpha", kFloat, false},
				{"activation_beta", kFloat, false},
				{"activation_gamma", kFloat, false},
			},
		},
		{
			Name: "MatMulNBits", In: Arity{3, 6}, Decompose: matMulNBits,
			Attrs: []Attr{
				{"K", kInt, true},
				{"N", kInt, true},
				{"bits", kInt, false},
				{"block_size", kInt, true},
				{"accuracy_level", kInt, false},
				{"weight_prepacked", kInt, false},
			},
		},
		{Name: "MatMulIntegerToFloat", In: Arity{4, 7}, Decompose: matMulIntegerToFloat},
		{Name: "DynamicQuantizeMatMul", In: Arity{3, 5}, Decompose: dynamicQuantizeMatMul},
	}
	for i := range rows {
		rows[i].Domain = Microsoft
		if rows[i].Out == (Arity{}) {
			rows[i].Out = Arity{1, 1}
		}
	}
	// ONNX Runtime writes this one into the standard domain.
	register(append(rows, Op{
		Name: "SimplifiedLayerNormalization", In: Arity{2, 2}, Out: Arity{1, 2}, Attrs: []Attr{aAxis, aEpsilon, aStash}, Decompose: simplifiedLayerNorm,
	}))
}

// gelus is Gelu of the sum of the inputs (see gaussian).
func gelus(b B, n *ir.Node, approximate string) []*ir.Value {
	x := n.In[0]
	if bias := n.Input(1); bias != nil {
		x = b.Add(x, bias)
	}
	return gaussian(b, &ir.Node{In: []*ir.Value{x}, Attrs: ir.Attrs{"approximate": approximate}})
}

// normOf is a node of a normalisation over the last axis with the epsilon of n.
func normOf(n *ir.Node, epsilon float32, in ...*ir.Value) *ir.Node {
	return &ir.Node{Name: n.Name, In: in, Attrs: ir.Attrs{"axis": int64(-1), "epsilon": n.Float("epsilon", epsilon)}}
}

// skipLayerNorm normalises input + skip + bias; its outputs are the result, mean and inverse deviation, and the sum.
func skipLayerNorm(b B, n *ir.Node) []*ir.Value {
	sum := b.Add(n.In[0], n.In[1])
	if bias := n.Input(4); bias != nil {
		sum = b.Add(sum, bias)
	}
	in := []*ir.Value{sum, n.In[2]}
	if beta := n.Input(3); beta != nil {
		in = append(in, beta)
	}
	return append(layerNorm(b, normOf(n, 1e-12, in...)), sum)
}

func skipRMSNorm(b B, n *ir.Node) []*ir.Value {
	sum := b.Add(n.In[0], n.In[1])
	if bias := n.Input(3); bias != nil {
		sum = b.Add(sum, bias)
	}
	if n.Output(1) != nil || n.Output(2) != nil {
		b.Fail("outputs mean and inv_std_var are not supported")
	}
	return []*ir.Value{rmsNorm(b, normOf(n, 1e-12, sum, n.In[2]))[0], nil, nil, sum}
}

func simplifiedLayerNorm(b B, n *ir.Node) []*ir.Value {
	if n.Output(1) != nil {
		b.Fail("output inv_std_var is not supported")
	}
	return append(rmsNorm(b, n), nil)
}

// fusedMatMul is alpha * A B of matrices that may be transposed. With transBatch the first dimension of a side stands behind its batch
// dimensions, before its last one, before anything else is done.
func fusedMatMul(b B, n *ir.Node) []*ir.Value {
	sides := []*ir.Value{n.In[0], n.In[1]}
	for i, side := range []string{"A", "B"} {
		rank := sides[i].Rank()
		if rank < 2 {
			continue
		}
		perm := make([]int64, rank)
		for k := range perm {
			perm[k] = int64(k)
		}
		if n.Int("transBatch"+side, 0) != 0 {
			perm = slices.Insert(slices.Delete(perm, 0, 1), rank-2, 0)
		}
		if n.Int("trans"+side, 0) != 0 {
			perm[rank-1], perm[rank-2] = perm[rank-2], perm[rank-1]
		}
		if !slices.IsSorted(perm) {
			sides[i] = b.Transpose(sides[i], perm...)
		}
	}
	y := b.MatMul(sides[0], sides[1])
	if alpha := n.Float("alpha", 1); alpha != 1 {
		y = b.Scale(y, float64(alpha))
	}
	return []*ir.Value{y}
}

// activated applies the activation of a fused operator, "" for none. params are its attributes in the order of ONNX Runtime.
func activated(b B, name string, params []float32, x *ir.Value) *ir.Value {
	param := func(i int, def float32) float32 {
		if i < len(params) {
			return params[i]
		}
		return def
	}
	switch name {
	case "":
		return x
	case "Relu", "Tanh", "Sigmoid", "HardSwish", "Softplus", "Softsign":
		return b.One(name, nil, x)
	case "LeakyRelu":
		return b.One(name, ir.Attrs{"alpha": param(0, 0.01)}, x)
	case "Elu", "ThresholdedRelu":
		return b.One(name, ir.Attrs{"alpha": param(0, 1)}, x)
	case "HardSigmoid":
		return b.One(name, ir.Attrs{"alpha": param(0, 0.2), "beta": param(1, 0.5)}, x)
	case "Clip":
		return b.Clip(x, float64(param(0, -math.MaxFloat32)), float64(param(1, math.MaxFloat32)))
	}
	b.Fail("attribute activation: expected Relu, Tanh, Sigmoid, HardSwish, Softplus, Softsign, LeakyRelu, Elu, ThresholdedRelu, HardSigmoid or Clip, found %q", name)
	return x
}

// fusedConv is the activation of a convolution, to which the fourth input is added first.
func fusedConv(b B, n *ir.Node) []*ir.Value {
	attrs := ir.Attrs{}
	for _, name := range n.Attrs.Names() {
		if name != "activation" && name != "activation_params" {
			attrs[name] = n.Attrs[name]
		}
	}
	in := n.In[:2]
	if bias := n.Input(2); bias != nil {
		in = n.In[:3]
	}
	y := b.One("Conv", attrs, in...)
	if sum := n.Input(3); sum != nil {
		y = b.Add(y, sum)
	}
	params, _ := n.Attrs["activation_params"].([]float32)
	return []*ir.Value{activated(b, n.Str("activation", ""), params, y)}
}

func fusedGemm(b B, n *ir.Node) []*ir.Value {
	attrs := ir.Attrs{}
	for _, name := range []string{"alpha", "beta", "transA", "transB"} {
		if v, ok := n.Attrs[name]; ok {
			attrs[name] = v
		}
	}
	var params []float32
	for _, name := range []string{"activation_alpha", "activation_beta", "activation_gamma"} {
		if v, ok := n.Attrs[name].(float32); ok {
			params = append(params, v)
		}
	}
	return []*ir.Value{activated(b, n.Str("activation", ""), params, b.One("Gemm", attrs, n.In...))}
}

// matMulNBits is A [..,K] times the transpose of a matrix [N,K] of whole numbers of few bits. Each block of block_size numbers of a row has a
// scale and a zero point, 2^(bits-1) where none is given. Numbers and zero points are packed from the lowest bit of a byte on.
func matMulNBits(b B, n *ir.Node) []*ir.Value {
	k, rows, bits, block := n.Int("K", 0), n.Int("N", 0), n.Int("bits", 4), n.Int("block_size", 0)
	if bits != 2 && bits != 4 && bits != 8 || block < 16 || k < 1 || rows < 1 || k > 1<<24 || rows > 1<<24 || n.Int("weight_prepacked", 0) != 0 {
		b.Fail("expected 2, 4 or 8 bits, blocks of 16 or more and numbers that are not prepacked, found %d bits and blocks of %d", bits, block)
		return placeholders(1)
	}
	blocks := (k + block - 1) / block
	packed, scales, zeros := n.In[1], n.In[2], n.Input(3)
	if !packed.IsConst() || !scales.IsConst() || zeros != nil && !zeros.IsConst() || n.Input(4) != nil {
		b.Fail("expected constant weights, scales and zero points, and no g_idx")
		return placeholders(1)
	}
	perBlock := block * bits / 8
	if packed.Type != tensor.Uint8 || packed.Shape.Numel() != rows*blocks*perBlock || scales.Shape.Numel() != rows*blocks {
		b.Fail("expected %d bytes and %d scales, found %s and %s", rows*blocks*perBlock, rows*blocks, packed, scales)
		return placeholders(1)
	}
	zero, err := blockZeros(zeros, rows, blocks, bits)
	if err != nil {
		b.Fail("%w", err)
		return placeholders(1)
	}
	w := make([]float64, k*rows)
	at := func(t *tensor.Tensor, from, i int64) float64 { // number i of those packed from byte from on
		per := 8 / bits
		return float64(int64(t.Float64At(int(from+i/per))) >> (i % per * bits) & (1<<bits - 1))
	}
	for r := range rows {
		for i := range k {
			g := r*blocks + i/block
			w[i*rows+r] = (at(packed.Const, g*perBlock, i%block) - zero(r, i/block)) * scales.Const.Float64At(int(g))
		}
	}
	y := b.MatMul(n.In[0], b.Const("weights", tensor.FromFloat64s(n.In[0].Type, []int64{k, rows}, w)))
	if bias := n.Input(5); bias != nil {
		y = b.Add(y, bias)
	}
	return []*ir.Value{y}
}

// blockZeros reads the zero point of a block of a row: a number for each, or bytes in which each row is packed by itself.
func blockZeros(zeros *ir.Value, rows, blocks, bits int64) (func(row, block int64) float64, error) {
	switch per := 8 / bits; {
	case zeros == nil:
		return func(int64, int64) float64 { return float64(int64(1) << (bits - 1)) }, nil
	case zeros.Type.IsFloat() && zeros.Shape.Numel() == rows*blocks:
		return func(row, block int64) float64 { return zeros.Const.Float64At(int(row*blocks + block)) }, nil
	case zeros.Type == tensor.Uint8 && zeros.Shape.Numel() == rows*((blocks+per-1)/per):
		return func(row, block int64) float64 {
			byteAt := row*((blocks+per-1)/per) + block/per
			return float64(int64(zeros.Const.Float64At(int(byteAt))) >> (block % per * bits) & (1<<bits - 1))
		}, nil
	}
	return nil, fmt.Errorf("zero points: expected one for each of %d blocks of %d rows, found %s", blocks, rows, zeros)
}

// matMulIntegerToFloat is the product of two quantised matrices with their scales, plus a bias.
func matMulIntegerToFloat(b B, n *ir.Node) []*ir.Value {
	in := n.In[:2:2]
	for i := 4; i < 6; i++ {
		if zero := n.Input(i); zero != nil {
			for len(in) < i-2 {
				in = append(in, nil)
			}
			in = append(in, zero)
		}
	}
	y := b.Cast(b.One("MatMulInteger", nil, in...), n.In[2].Type)
	y = b.Mul(y, b.Mul(n.In[2], n.In[3]))
	if bias := n.Input(6); bias != nil {
		y = b.Add(y, bias)
	}
	return []*ir.Value{y}
}

func dynamicQuantizeMatMul(b B, n *ir.Node) []*ir.Value {
	q := b.Node("DynamicQuantizeLinear", nil, 3, n.In[0])
	in := []*ir.Value{q[0], n.In[1], q[1], n.In[2], q[2], n.Input(3), n.Input(4)}
	return matMulIntegerToFloat(b, &ir.Node{Name: n.Name, In: in})
}
