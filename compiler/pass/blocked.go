package pass

import (
	"slices"

	"rnas/compiler/ir"
	"rnas/compiler/op"
)

// Blocked computes convolutions with computed weights in the channel-blocked layout of ONNX Runtime's CPU provider, which
// that provider itself chooses only for constant weights. Block is the number of channels per block on this machine. Only
// float32 tensors [N,C,H,W] with C a multiple of block take part. The result is for execution only: see op.Blocked.
func Blocked(block int64) Pass {
	return Pass{
		Name: "blocked",
		Why:  "depthwise convolutions and their gradients run several times faster in the blocked layout",
		Run:  func(g *ir.Graph) error { return layBlocked(g, block) },
	}
}

func layBlocked(g *ir.Graph, block int64) error {
	correlations := map[*ir.Node]bool{}
	each(g, func(g *ir.Graph) { correlate(g, block, correlations) })
	if err := dead(g); err != nil {
		return err
	}
	b := op.Extend(g)
	old := g.Nodes
	g.Nodes = make([]*ir.Node, 0, 2*len(old))
	newBlocker(b, block, correlations).graph(old, g.Outputs)
	return b.Err()
}

// correlate finds the weight gradients of depthwise convolutions: Conv with N*C groups of x [N,C,H,W] read as [1,N*C,H,W]
// with dy [N,C,h,w] read as [N*C,1,h,w]. Their operands become x and dy themselves, which only a blocker understands.
func correlate(g *ir.Graph, block int64, found map[*ir.Node]bool) {
	for _, n := range g.Nodes {
		if n.Op != "Conv" || n.Domain != "" || n.Input(2) != nil || n.In[0].Rank() != 4 || n.In[0].Shape[0] != 1 {
			continue
		}
		planes := n.In[0].Shape[1]
		if planes == ir.N || n.In[1].Shape[0] != planes || n.In[1].Shape[1] != 1 {
			continue
		}
		x, dy := unreshaped(n.In[0]), unreshaped(n.In[1])
		if x == n.In[0] && dy == n.In[1] || !blockable(x, block) || !blockable(dy, block) ||
			!x.Shape[:2].Equal(dy.Shape[:2]) || x.Shape[:2].Numel() != planes ||
			!x.Shape[2:].Equal(n.In[0].Shape[2:]) || !dy.Shape[2:].Equal(n.In[1].Shape[2:]) {
			continue
		}
		n.In[0], n.In[1] = x, dy
		found[n] = true
	}
}

// unreshaped is what v is a Reshape of, or v.
func unreshaped(v *ir.Value) *ir.Value {
	for v.Def != nil && v.Def.Op == "Reshape" && v.Def.Domain == "" {
		v = v.Def.In[0]
	}
	return v
}

// blockable reports whether v can be blocked.
func blockable(v *ir.Value, block int64) bool {
	return v.Rank() == 4 && v.Type == ir.Float32 && v.Shape[1] != ir.N && v.Shape[1]%block == 0 && v.Shape[1] > 0
}

// blocker rewrites one graph. Every value keeps its identity; a value computed in blocked form gets its plain definition,
// a ReorderOutput, when a node needs that.
type blocker struct {
	op.B
	block        int64
	correlations map[*ir.Node]bool
	form         map[*ir.Value]*ir.Value // blocked forms
	pending      map[*ir.Value]bool      // values without their plain definition
}

func newBlocker(b op.B, block int64, correlations map[*ir.Node]bool) *blocker {
	return &blocker{
		B: b, block: block, correlations: correlations,
		form: map[*ir.Value]*ir.Value{}, pending: map[*ir.Value]bool{},
	}
}

func (b *blocker) graph(nodes []*ir.Node, outputs []*ir.Value) {
	for _, n := range nodes {
		if rule := blockRules[n.Op]; rule != nil && n.Domain == "" {
			done := false
			b.In(n.Name, func() { done = rule(b, n) })
			if done {
				continue
			}
		}
		b.keep(n)
	}
	for _, v := range outputs {
		b.plain(v)
	}
}

// keep leaves n as it is.
func (b *blocker) keep(n *ir.Node) {
	for _, v := range n.In {
		b.plain(v)
	}
	for _, sub := range n.Graphs() {
		if len(b.pending) > 0 {
			sub.Walk(func(n *ir.Node) {
				for _, v := range n.In {
					b.plain(v)
				}
			})
		}
		inner := op.B{Builder: b.Nested(sub.Name)}
		newBlocker(inner, b.block, b.correlations).graph(sub.Nodes, sub.Outputs)
		sub.Nodes = inner.Graph().Nodes
	}
	g := b.Graph()
	g.Nodes = append(g.Nodes, n)
}

// plain makes sure that v is defined.
func (b *blocker) plain(v *ir.Value) {
	if !b.pending[v] {
		return
	}
	delete(b.pending, v)
	n := b.blockedOp("ReorderOutput", ir.Attrs{"channels": v.Shape[1]}, b.form[v]).Def
	if n != nil {
		n.Out[0], v.Def = v, n
	}
}

// blocked is v in blocked form.
func (b *blocker) blocked(v *ir.Value) *ir.Value {
	if f := b.form[v]; f != nil {
		return f
	}
	f := b.blockedOp("ReorderInput", ir.Attrs{}, v)
	b.form[v] = f
	return f
}

// set records that form computes v.
func (b *blocker) set(v, form *ir.Value) {
	b.form[v], b.pending[v] = form, true
}

func (b *blocker) blockedOp(name string, attrs ir.Attrs, in ...*ir.Value) *ir.Value {
	attrs[op.Block] = b.block
	return b.DomainNode(op.Blocked, name, attrs, 1, in...)[0]
}

// blockRules compute a node in blocked form, or report that they do not.
var blockRules = map[string]func(b *blocker, n *ir.Node) bool{
	"Conv": blockConv,
}

func blockConv(b *blocker, n *ir.Node) bool {
	if b.correlations[n] {
		b.weightGradient(n)
		return true
	}
	x, w := n.In[0], n.In[1]
	if !blockable(x, b.block) || !blockable(n.Out[0], b.block) || n.Str("auto_pad", "NOTSET") != "NOTSET" {
		return false
	}
	if n.Int("group", 1) != x.Shape[1] || w.Shape[0] != x.Shape[1] {
		return false
	}
	b.plain(w)
	in := []*ir.Value{b.blocked(x), b.depthwiseWeight(w)}
	if bias := n.Input(2); bias != nil {
		b.plain(bias)
		in = append(in, bias)
	}
	b.set(n.Out[0], b.blockedOp("Conv", windowOf(n), in...))
	return true
}

func windowOf(n *ir.Node) ir.Attrs {
	attrs := ir.Attrs{}
	for _, name := range n.Attrs.Names() {
		if slices.Contains([]string{"kernel_shape", "strides", "pads", "dilations", "group"}, name) {
			attrs[name] = n.Attrs[name]
		}
	}
	return attrs
}

// depthwiseWeight lays [C,1,h,w] out as [C/block,h,w,block].
func (b *blocker) depthwiseWeight(w *ir.Value) *ir.Value {
	c, taps := w.Shape[0], w.Shape[2]*w.Shape[3]
	return b.Reshape(b.Transpose(b.Reshape(w, c/b.block, b.block, taps), 0, 2, 1), w.Shape...)
}

// weightGradient reads the blocked x [N,C,H,W] as [1,N*C,H,W] and the blocked dy [N,C,h,w] as weight [N*C,1,h,w], which
// moves nothing in memory.
func (b *blocker) weightGradient(n *ir.Node) {
	x, dy := n.In[0], n.In[1]
	planes := x.Shape[0] * x.Shape[1]
	image := b.Reshape(b.blocked(x), 1, planes, x.Shape[2], x.Shape[3])
	kernel := b.Reshape(b.blocked(dy), planes, 1, dy.Shape[2], dy.Shape[3])
	attrs := windowOf(n)
	attrs["group"] = planes
	b.set(n.Out[0], b.blockedOp("Conv", attrs, image, kernel))
}
