package cpu

import (
	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/compiler/pass"
)

// Blocked computes in the channel-blocked layout of ONNX Runtime's CPU provider, which that provider itself chooses only
// for convolutions with constant weights. Block is the number of channels per block on this machine. Only float32 tensors
// [N,C,H,W] with C a multiple of block take part. The result is for execution only: see op.Blocked.
func NCHWc(block int64) pass.Pass {
	return pass.Pass{
		Name:  "nchwc",
		Why:   "convolutions with computed weights and gradients run several times faster in the blocked layout",
		After: []pass.Need{{Pass: "identity", Why: "a copy would leave the layout and enter it again"}},
		Run: func(g *ir.Graph) error {
			l := &blocking{block: block, gradient: map[*ir.Node]bool{}, images: map[*ir.Node]bool{}, pools: map[*ir.Node]*ir.Node{}, blank: map[string]*ir.Value{}, frames: map[*ir.Value]int64{}}
			return l.run(g)
		},
	}
}

// blocking is what the blockers of a graph and its nested graphs share.
type blocking struct {
	block    int64
	gradient map[*ir.Node]bool     // weight gradients, see gradients
	images   map[*ir.Node]bool     // weight gradients of convolutions of images, see imageGradient
	pools    map[*ir.Node]*ir.Node // gradients of MaxPool nodes, see poolGradient
	frames   map[*ir.Value]int64   // columns of zeros that weight gradients ask for, see frameOf
	uses     map[*ir.Value]int
	blank    map[string]*ir.Value // see zeros
}

func (l *blocking) run(g *ir.Graph) error {
	l.uses = ir.CountUses(g)
	ir.Each(g, l.gradients)
	if err := pass.Dead.Run(g); err != nil {
		return err
	}
	l.uses = ir.CountUses(g)
	b := op.Extend(g)
	nodes := g.Nodes
	g.Nodes = make([]*ir.Node, 0, 2*len(nodes))
	newBlocker(l, b, nil).graph(g.Inputs, nodes, g.Outputs)
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

// blockable reports whether v can be blocked.
func (l *blocking) blockable(v *ir.Value) bool {
	return v != nil && v.Rank() == 4 && v.Type == ir.Float32 && v.Shape[1] > 0 && v.Shape[1]%l.block == 0
}

// form is the blocked form of a value. A convolution without users is not emitted yet: it may take up an addition or a
// Relu. Neither is a product, which may become part of a correlation, nor a tensor in phases, which may be moved or added to another.
type form struct {
	value   *ir.Value
	conv    *blockedConv
	product []*ir.Value // two plain values
	phases  *phased
	column  *ir.Value // of a vector, see column
	framed  *ir.Value // beside the value, see framed
}

// blockedConv holds the inputs (x, weight, bias, sum, of which the last two may be nil) and attributes of an operator, and the
// scope that it belongs to wherever it is emitted.
type blockedConv struct {
	in    [4]*ir.Value
	attrs ir.Attrs
	scope string
	// Of channelwise ones: what they multiply, and the factors [C,1,1,1].
	of, scale *ir.Value
}

// blocker rewrites one graph. Every value keeps its identity; one that is computed in blocked form gets its plain
// definition, a ReorderOutput, when a node asks for it.
type blocker struct {
	op.B
	*blocking
	outer   *blocker
	local   map[*ir.Value]bool // values defined in this graph
	forms   map[*ir.Value]*form
	pending map[*ir.Value]bool // values with a form and no plain definition
	weights map[weightForm]*ir.Value

	decimations map[decimation]*ir.Value
	centred     map[*ir.Value]centring // by the tensor that is centred
	squares     map[*ir.Value]squared  // by the variance
}

func newBlocker(l *blocking, b op.B, outer *blocker) *blocker {
	return &blocker{
		B: b, blocking: l, outer: outer, local: map[*ir.Value]bool{},
		forms: map[*ir.Value]*form{}, pending: map[*ir.Value]bool{}, weights: map[weightForm]*ir.Value{},
		decimations: map[decimation]*ir.Value{}, centred: map[*ir.Value]centring{}, squares: map[*ir.Value]squared{},
	}
}

func (b *blocker) graph(inputs []*ir.Value, nodes []*ir.Node, outputs []*ir.Value) {
	b.define(inputs)
	for _, n := range nodes {
		if b.Err() != nil {
			return
		}
		done := false
		b.In(n.Name, func() {
			rule := blockRules[n.Op]
			done = blockColumn(b, n) || rule != nil && n.Domain == "" && rule(b, n)
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

func (b *blocker) define(values []*ir.Value) {
	for _, v := range values {
		b.local[v] = true
	}
}

// keep leaves n as it is.
func (b *blocker) keep(n *ir.Node) {
	b.plain(n.In...)
	for _, sub := range n.Graphs() {
		if len(b.pending) > 0 {
			sub.Walk(func(n *ir.Node) { b.plain(n.In...) })
			ir.Each(sub, func(g *ir.Graph) { b.plain(g.Outputs...) })
		}
		inner := op.B{Builder: b.Nested(sub.Name)}
		newBlocker(b.blocking, inner, b).graph(sub.Inputs, sub.Nodes, sub.Outputs)
		sub.Nodes = inner.Graph().Nodes
	}
	g := b.Graph()
	g.Nodes = append(g.Nodes, n)
}

// plain makes sure that values are defined.
func (b *blocker) plain(values ...*ir.Value) {
	for _, v := range values {
		if b.pending[v] {
			delete(b.pending, v)
			if c := b.forms[v].column; c != nil {
				b.defineAs(v, b.One("Reshape", nil, c, b.Ints(v.Shape...)))
				continue
			}
			b.defineAs(v, b.reordered("ReorderOutput", ir.Attrs{"channels": v.Shape[1]}, b.blocked(v)))
		}
	}
}

// defineAs gives v the definition of result, which the caller has just made and must not use any more.
func (b *blocker) defineAs(v, result *ir.Value) {
	if result.Def != nil {
		result.Def.Out[0], v.Def = v, result.Def
	}
}

// has reports whether v has a blocked form already.
func (b *blocker) has(v *ir.Value) bool { return b.forms[v] != nil }

// blocked is v in blocked form.
func (b *blocker) blocked(v *ir.Value) *ir.Value {
	f := b.forms[v]
	if f == nil {
		f = &form{value: b.reordered("ReorderInput", ir.Attrs{}, v)}
		b.forms[v] = f
	}
	switch {
	case f.value != nil:
	case f.conv != nil:
		f.value = b.emit(f.conv)
	case f.product != nil:
		f.value = b.Mul(b.blocked(f.product[0]), b.blocked(f.product[1]))
	case f.phases != nil:
		f.value = b.cropped(b.interleaved(f.phases), v.Shape)
	case f.column != nil:
		b.plain(v)
		f.value = b.reordered("ReorderInput", ir.Attrs{}, v)
	}
	return f.value
}

// set records that the blocked value computes v.
func (b *blocker) set(v, blocked *ir.Value) { b.setForm(v, &form{value: blocked}) }

func (b *blocker) setForm(v *ir.Value, f *form) {
	if f.conv != nil && f.conv.scope == "" {
		f.conv.scope = b.Scope()
	}
	b.forms[v], b.pending[v] = f, true
}

// reordered is an operator of the blocked domain.
func (b *blocker) reordered(name string, attrs ir.Attrs, in ...*ir.Value) *ir.Value {
	attrs[op.Block] = b.block
	return b.DomainNode(op.Blocked, name, attrs, 1, in...)[0]
}

// blockRules compute a node in blocked form, or report that they do not.
var blockRules map[string]func(b *blocker, n *ir.Node) bool

func init() {
	blockRules = map[string]func(b *blocker, n *ir.Node) bool{
		"Conv": blockConv, "ConvTranspose": blockConvTranspose,
		"Add": blockAdd, "Sub": blockSub, "Mul": blockMul, "Div": blockBinary, "Sum": blockSum, "Max": blockBinary, "Min": blockBinary,
		"BatchNormalization": blockNorm, "ReduceSum": blockReduce,
		"Concat": blockConcat, "Expand": blockExpand, "Split": blockSplit, "Slice": blockSlice, "Pad": blockPad,
		"MaxPool": blockPool, "AveragePool": blockPool, "GlobalAveragePool": blockGlobalPool,
		"Relu": blockRelu, "Reshape": blockPoolGradient,
	}
	for _, name := range []string{
		"HardSigmoid", "Sign", "Neg", "Abs", "Exp", "Log", "Sqrt", "Reciprocal", "Sigmoid", "Tanh", "Softplus", "Softsign", "Erf",
		"LeakyRelu", "Elu", "HardSwish", "Clip",
	} {
		blockRules[name] = blockUnary
	}
}
