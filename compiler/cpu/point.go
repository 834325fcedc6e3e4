package cpu

import (
	"slices"

	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

// rewriteUnary computes element by element, in the order of memory. Further inputs are scalars.
func rewriteUnary(b *rewriter, n *ir.Node) bool {
	x := n.In[0]
	if !b.has(x) || !b.fits(x) {
		return false
	}
	b.plain(n.In[1:]...)
	in := append([]*ir.Value{b.nchwc(x)}, n.In[1:]...)
	b.set(n.Out[0], b.One(n.Op, n.Attrs, in...))
	return true
}

// rewriteRelu makes a Relu the activation of the convolution before it where possible.
func rewriteRelu(b *rewriter, n *ir.Node) bool {
	if c := b.open(n.In[0]); c != nil {
		c.attrs["activation"] = "Relu"
		b.record(n.Out[0], &nchwc{conv: c})
		return true
	}
	return rewriteUnary(b, n)
}

// operand is how an elementwise operator on tensors [N,C,H,W] in NCHWc takes an input.
type operand int

const (
	foreign      operand = iota // not at all
	whole                       // v has the same shape
	everyImage                  // v has one number, or one per image
	everyChannel                // [C,1,1] or [1,C,1,1]
	everyPlane                  // [N,C,1,1]
	everyPixel                  // constant, the same for all images
)

// operand classifies v beside tensors of the given shape.
func (b *rewriter) operand(v *ir.Value, shape ir.Shape) operand {
	if v.Type != ir.Float32 || v.Rank() > 4 {
		return foreign
	}
	if v.Shape.Equal(shape) {
		return whole
	}
	d := ir.Shape{1, 1, 1, 1}
	copy(d[4-v.Rank():], v.Shape)
	switch {
	case d[1] == 1 && d[2] == 1 && d[3] == 1:
		return everyImage
	case d.Equal(ir.Shape{1, shape[1], 1, 1}):
		return everyChannel
	case d.Equal(ir.Shape{shape[0], shape[1], 1, 1}) && shape.Static():
		return everyPlane
	case v.IsConst() && d[0] == 1:
		return everyPixel
	}
	return foreign
}

// operands classifies the inputs of n. It is not ok, and n stays plain, if some input is foreign or none is known in NCHWc.
func (b *rewriter) operands(n *ir.Node) (kinds []operand, ok bool) {
	y := n.Out[0]
	if !b.fits(y) {
		return nil, false
	}
	for _, v := range n.In {
		k := b.operand(v, y.Shape)
		if k == foreign {
			return nil, false
		}
		kinds = append(kinds, k)
		ok = ok || k == whole && b.has(v)
	}
	return kinds, ok
}

// take returns v as an operand of kind k beside tensors of the given shape.
func (b *rewriter) take(v *ir.Value, k operand, shape ir.Shape) *ir.Value {
	switch k {
	case whole:
		return b.nchwc(v)
	case everyChannel:
		// Broadcast over pixels in the middle; slow, see channelwise.
		b.plain(v)
		return b.Reshape(b.Expand(b.Reshape(v, 1, shape[1]/b.block, 1, b.block), 1, shape[1]/b.block, shape[2]*shape[3], b.block),
			1, shape[1], shape[2], shape[3])
	case everyPlane:
		return b.planes(v, shape)
	case everyPixel:
		return b.pixels(v, shape)
	}
	b.plain(v)
	return v
}

// pixels lays a constant out in NCHWc as [1,C,H,W].
func (b *rewriter) pixels(v *ir.Value, shape ir.Shape) *ir.Value {
	c, h, w := shape[1], shape[2], shape[3]
	d := ir.Shape{1, 1, 1, 1}
	copy(d[4-v.Rank():], v.Shape)
	at := func(i, axis, stride int64) int64 {
		if d[axis] == 1 {
			return 0
		}
		return i * stride
	}
	from := v.Const.Float32s()
	to := make([]float32, 0, c*h*w)
	for outer := int64(0); outer < c; outer += b.block {
		for y := range h {
			for x := range w {
				for inner := range b.block {
					to = append(to, from[at(outer+inner, 1, d[2]*d[3])+at(y, 2, d[3])+at(x, 3, 1)])
				}
			}
		}
	}
	return b.Const("pixels", tensor.Of([]int64{1, c, h, w}, to...))
}

// rewriteBinary computes an operator with any number of elementwise operands.
func rewriteBinary(b *rewriter, n *ir.Node) bool {
	kinds, ok := b.operands(n)
	if !ok {
		return false
	}
	in := make([]*ir.Value, len(n.In))
	for i, v := range n.In {
		in[i] = b.take(v, kinds[i], n.Out[0].Shape)
	}
	b.set(n.Out[0], b.One(n.Op, n.Attrs, in...))
	return true
}

// rewriteSub reuses a tensor minus its mean where a normalisation has computed that.
func rewriteSub(b *rewriter, n *ir.Node) bool {
	if c := b.centred[n.In[0]]; c.value != nil && unreshaped(n.In[1]) == c.mean {
		b.known[n.Out[0]], b.pending[n.Out[0]] = b.known[c.value], true
		return true
	}
	return rewriteBinary(b, n)
}

// channelwise is scale*x+shift with one number of each per channel, as a depthwise 1x1 convolution. A nil shift is 0. The scale
// may be a vector, which may have other dimensions of 1, or a column.
func (b *rewriter) channelwise(x, scale, shift *ir.Value) *nchwcConv {
	c, w := x.Shape[1], b.column(scale)
	if w.Shape.Numel() != c {
		w = b.Expand(w, c, 1, 1, 1)
	}
	if shift != nil {
		b.plain(shift)
		shift = b.Reshape(shift, c)
	}
	return &nchwcConv{
		in: [4]*ir.Value{b.nchwc(x), w, shift}, attrs: ir.Attrs{"kernel_shape": []int64{1, 1}, "group": c},
		of: x, scale: w,
	}
}

// rewriteMul multiplies by one number per channel as a convolution, and defers a product with one use.
func rewriteMul(b *rewriter, n *ir.Node) bool {
	kinds, ok := b.operands(n)
	if !ok {
		return false
	}
	for i, k := range kinds {
		if k == everyChannel && kinds[1-i] == whole {
			b.record(n.Out[0], &nchwc{conv: b.channelwise(n.In[1-i], n.In[i], nil)})
			return true
		}
	}
	if kinds[0] == whole && kinds[1] == whole && b.uses[n.Out[0]] == 1 {
		b.record(n.Out[0], &nchwc{product: n.In})
		return true
	}
	return rewriteBinary(b, n)
}

// rewriteAdd makes a number per channel the bias of the convolution before it where possible.
func rewriteAdd(b *rewriter, n *ir.Node) bool {
	kinds, ok := b.operands(n)
	if !ok {
		return false
	}
	for i, k := range kinds {
		x, other := n.In[1-i], n.In[i]
		switch c := b.open(x); {
		case k == everyChannel && c != nil && c.in[2] == nil && c.in[3] == nil:
			b.plain(other)
			c.in[2] = b.Reshape(other, other.Shape.Numel())
			b.record(n.Out[0], &nchwc{conv: c})
			return true
		case k == everyChannel && kinds[1-i] == whole:
			ones := b.Fill(other, 1, n.Out[0].Shape[1])
			b.record(n.Out[0], &nchwc{conv: b.channelwise(x, ones, other)})
			return true
		}
	}
	return rewriteSum(b, n)
}

// rewriteSum starts with the terms that are computed. Each convolution not yet emitted then absorbs the sum so far.
func rewriteSum(b *rewriter, n *ir.Node) bool {
	kinds, ok := b.operands(n)
	if !ok {
		return false
	}
	var rest []*ir.Value
	var convs []*nchwcConv
	terms := n.In
	if !slices.ContainsFunc(kinds, func(k operand) bool { return k != whole }) {
		terms = b.weave(terms)
		if f := b.known[terms[0]]; len(terms) == 1 && f != nil && f.phases != nil {
			b.record(n.Out[0], f)
			return true
		}
		kinds = make([]operand, len(terms))
		for i := range kinds {
			kinds[i] = whole
		}
	}
	for i, v := range terms {
		c := b.open(v)
		if c == nil || c.in[3] != nil {
			rest = append(rest, b.take(v, kinds[i], n.Out[0].Shape))
			continue
		}
		convs = append(convs, c)
	}
	if len(rest) > 0 && !slices.ContainsFunc(rest, func(v *ir.Value) bool { return v.Shape.Equal(n.Out[0].Shape) }) {
		rest, convs = append(rest, b.emit(convs[0])), convs[1:]
	}
	if len(convs) == 0 {
		b.set(n.Out[0], b.Sum(rest...))
		return true
	}
	var sum *ir.Value
	if len(rest) > 0 {
		sum = b.Sum(rest...)
	}
	for i, c := range convs {
		c.in[3] = sum
		if i == len(convs)-1 {
			b.record(n.Out[0], &nchwc{conv: c})
			break
		}
		sum = b.emit(c)
	}
	return true
}
