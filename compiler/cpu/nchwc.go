package cpu

import (
	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/compiler/pass"
)

// NCHWc is the pass that computes in NCHWc, the layout of ONNX Runtime's CPU provider with channels in blocks (see op.NCHWc). The
// provider chooses that layout by itself only for convolutions with constant weights. Block is the number of channels of a block
// on this machine. Only float32 tensors [N,C,H,W] with C a multiple of block take part. The result is for execution only.
func NCHWc(block int64) pass.Pass {
	return pass.Pass{
		Name:  "nchwc",
		Why:   "convolutions with computed weights and gradients run several times faster in NCHWc",
		After: []pass.Need{{Pass: "identity", Why: "a copy would leave the layout and enter it again"}},
		Run:   func(g *ir.Graph) error { return newAnalysis(block).run(g) },
	}
}

// analysis is what the rewriters of a graph and its nested graphs share: what is known of the whole graph before it is rewritten,
// and constants.
type analysis struct {
	block    int64
	gradient map[*ir.Node]bool     // weight gradients, see gradients
	images   map[*ir.Node]bool     // weight gradients of convolutions of images, see imageGradient
	pools    map[*ir.Node]*ir.Node // gradients of MaxPool, and the MaxPool of each, see poolGradient
	frames   map[*ir.Value]int64   // columns of zeros that weight gradients ask for, see frameOf
	uses     map[*ir.Value]int
	blank    map[string]*ir.Value // constants by shape, see zeros
}

func newAnalysis(block int64) *analysis {
	return &analysis{
		block: block, gradient: map[*ir.Node]bool{}, images: map[*ir.Node]bool{}, pools: map[*ir.Node]*ir.Node{},
		frames: map[*ir.Value]int64{}, blank: map[string]*ir.Value{},
	}
}

// run rewrites g and its nested graphs, and tidies up.
func (a *analysis) run(g *ir.Graph) error {
	a.uses = ir.CountUses(g)
	ir.Each(g, a.gradients)
	if err := pass.Dead.Run(g); err != nil {
		return err
	}
	a.uses = ir.CountUses(g)
	b := op.Extend(g)
	nodes := g.Nodes
	g.Nodes = make([]*ir.Node, 0, 2*len(nodes))
	newRewriter(a, b, nil).graph(g.Inputs, nodes, g.Outputs)
	if err := b.Err(); err != nil {
		return err
	}
	for _, p := range []pass.Pass{pass.Fold, pass.Identity, pass.CSE, pass.Dead} {
		if err := p.Run(g); err != nil {
			return err
		}
	}
	return nil
}

// fits reports whether v can be in NCHWc.
func (a *analysis) fits(v *ir.Value) bool {
	return v != nil && v.Rank() == 4 && v.Type == ir.Float32 && v.Shape[1] > 0 && v.Shape[1]%a.block == 0
}

// nchwc is how a value exists in NCHWc. While value is nil, emission is deferred: a convolution waits to absorb a following Add or
// Relu, a product to become a correlation, phases to be shifted or summed. At most one of conv, product and phases is set.
type nchwc struct {
	value   *ir.Value
	conv    *nchwcConv
	product []*ir.Value // the two factors
	phases  *phased
	column  *ir.Value // of a vector, see column
	framed  *ir.Value // beside the value, see framed
}

// nchwcConv is a Conv of the NCHWc domain that is not emitted yet: its inputs x, weight, bias and sum, of which the last two may
// be nil, its attributes, and the scope that names it wherever it is emitted.
type nchwcConv struct {
	in    [4]*ir.Value
	attrs ir.Attrs
	scope string
	// A channelwise one multiplies of by scale [C,1,1,1].
	of, scale *ir.Value
}

// rewriter rewrites one graph. Every value keeps its identity. A value that is computed in NCHWc gets its definition in NCHW, a
// ReorderOutput, when a node asks for it. "Plain" means in NCHW.
type rewriter struct {
	op.B
	*analysis
	outer   *rewriter          // of the graph around this one, nil for the outermost
	local   map[*ir.Value]bool // values defined in this graph
	known   map[*ir.Value]*nchwc
	pending map[*ir.Value]bool // values known in NCHWc that have no definition in NCHW
	weights map[weightKey]*ir.Value

	decimations map[decimation]*ir.Value
	centred     map[*ir.Value]centring // by the tensor that is centred
	squares     map[*ir.Value]squared  // by the variance
}

func newRewriter(a *analysis, b op.B, outer *rewriter) *rewriter {
	return &rewriter{
		B: b, analysis: a, outer: outer, local: map[*ir.Value]bool{},
		known: map[*ir.Value]*nchwc{}, pending: map[*ir.Value]bool{}, weights: map[weightKey]*ir.Value{},
		decimations: map[decimation]*ir.Value{}, centred: map[*ir.Value]centring{}, squares: map[*ir.Value]squared{},
	}
}

// graph rewrites the nodes of one graph. Its outputs are defined in NCHW.
func (b *rewriter) graph(inputs []*ir.Value, nodes []*ir.Node, outputs []*ir.Value) {
	b.define(inputs)
	for _, n := range nodes {
		if b.Err() != nil {
			return
		}
		done := false
		b.In(n.Name, func() {
			rule := nchwcRules[n.Op]
			done = rewriteColumn(b, n) || rule != nil && n.Domain == "" && rule(b, n)
		})
		if !done {
			b.keep(n)
		}
		b.define(n.Out)
	}
	for _, v := range outputs {
		b.plain(v)
	}
}

func (b *rewriter) define(values []*ir.Value) {
	for _, v := range values {
		b.local[v] = true
	}
}

// keep leaves n as it is, and rewrites the graphs nested in it.
func (b *rewriter) keep(n *ir.Node) {
	b.plain(n.In...)
	for _, sub := range n.Graphs() {
		if len(b.pending) > 0 {
			sub.Walk(func(n *ir.Node) { b.plain(n.In...) })
			ir.Each(sub, func(g *ir.Graph) { b.plain(g.Outputs...) })
		}
		inner := op.B{Builder: b.Nested(sub.Name)}
		newRewriter(b.analysis, inner, b).graph(sub.Inputs, sub.Nodes, sub.Outputs)
		sub.Nodes = inner.Graph().Nodes
	}
	g := b.Graph()
	g.Nodes = append(g.Nodes, n)
}

// plain makes sure that values are defined in NCHW.
func (b *rewriter) plain(values ...*ir.Value) {
	for _, v := range values {
		if b.pending[v] {
			delete(b.pending, v)
			if c := b.known[v].column; c != nil {
				b.defineAs(v, b.One("Reshape", nil, c, b.Ints(v.Shape...)))
				continue
			}
			b.defineAs(v, b.native("ReorderOutput", ir.Attrs{"channels": v.Shape[1]}, b.nchwc(v)))
		}
	}
}

// defineAs gives v the definition of result. The caller has just made result and must not use it any more.
func (b *rewriter) defineAs(v, result *ir.Value) {
	if result.Def != nil {
		result.Def.Out[0], v.Def = v, result.Def
	}
}

// has reports whether v is known in NCHWc.
func (b *rewriter) has(v *ir.Value) bool { return b.known[v] != nil }

// nchwc returns v in NCHWc and emits what was deferred. A value of NCHW passes through a ReorderInput.
func (b *rewriter) nchwc(v *ir.Value) *ir.Value {
	f := b.known[v]
	if f == nil {
		f = &nchwc{value: b.native("ReorderInput", ir.Attrs{}, v)}
		b.known[v] = f
	}
	switch {
	case f.value != nil:
	case f.conv != nil:
		f.value = b.emit(f.conv)
	case f.product != nil:
		f.value = b.Mul(b.nchwc(f.product[0]), b.nchwc(f.product[1]))
	case f.phases != nil:
		f.value = b.cropped(b.interleaved(f.phases), v.Shape)
	case f.column != nil:
		b.plain(v)
		f.value = b.native("ReorderInput", ir.Attrs{}, v)
	}
	return f.value
}

// set records that computed is v in NCHWc.
func (b *rewriter) set(v, computed *ir.Value) { b.record(v, &nchwc{value: computed}) }

// record says how v exists in NCHWc.
func (b *rewriter) record(v *ir.Value, f *nchwc) {
	if f.conv != nil && f.conv.scope == "" {
		f.conv.scope = b.Scope()
	}
	b.known[v], b.pending[v] = f, true
}

// native appends an operator of the NCHWc domain.
func (b *rewriter) native(name string, attrs ir.Attrs, in ...*ir.Value) *ir.Value {
	attrs[op.Block] = b.block
	return b.DomainNode(op.NCHWc, name, attrs, 1, in...)[0]
}

// nchwcRules has one row per operator of the standard domain. A rule computes a node in NCHWc, or reports false and changes
// nothing.
var nchwcRules map[string]func(b *rewriter, n *ir.Node) bool

func init() {
	nchwcRules = map[string]func(b *rewriter, n *ir.Node) bool{
		"Conv": rewriteConv, "ConvTranspose": rewriteConvTranspose,
		"Add": rewriteAdd, "Sub": rewriteSub, "Mul": rewriteMul, "Div": rewriteBinary, "Sum": rewriteSum, "Max": rewriteBinary, "Min": rewriteBinary,
		"BatchNormalization": rewriteNorm, "ReduceSum": rewriteReduce,
		"Concat": rewriteConcat, "Expand": rewriteExpand, "Split": rewriteSplit, "Slice": rewriteSlice, "Pad": rewritePad,
		"MaxPool": rewritePool, "AveragePool": rewritePool, "GlobalAveragePool": rewriteGlobalPool,
		"Relu": rewriteRelu, "Reshape": rewritePoolGradient,
	}
	for _, name := range []string{
		"HardSigmoid", "Sign", "Neg", "Abs", "Exp", "Log", "Sqrt", "Reciprocal", "Sigmoid", "Tanh", "Softplus", "Softsign", "Erf",
		"LeakyRelu", "Elu", "HardSwish", "Clip",
	} {
		nchwcRules[name] = rewriteUnary
	}
}
