package cpu

import (
	"slices"

	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

// blockUnary computes element by element, in whatever order. Further inputs are scalars.
func blockUnary(b *blocker, n *ir.Node) bool {
	x := n.In[0]
	if !b.has(x) || !b.blockable(x) {
		return false
	}
	b.plain(n.In[1:]...)
	in := append([]*ir.Value{b.blocked(x)}, n.In[1:]...)
	b.set(n.Out[0], b.One(n.Op, n.Attrs, in...))
	return true
}

func blockRelu(b *blocker, n *ir.Node) bool {
	if c := b.open(n.In[0]); c != nil {
		c.attrs["activation"] = "Relu"
		b.setForm(n.Out[0], &form{conv: c})
		return true
	}
	return blockUnary(b, n)
}

// operand is how an elementwise operator on blocked tensors of shape [N,C,H,W] takes v.
type operand int

const (
	foreign      operand = iota // not at all
	whole                       // v has the same shape
	everyImage                  // v has one number, or one per image
	everyChannel                // [C,1,1] or [1,C,1,1]
	everyPlane                  // [N,C,1,1]
	everyPixel                  // constant, the same for all images
)

func (b *blocker) operand(v *ir.Value, shape ir.Shape) operand {
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

// operands classifies the inputs of n; ok is false if n is to stay plain: some input is foreign, or none is blocked.
func (b *blocker) operands(n *ir.Node) (kinds []operand, ok bool) {
	y := n.Out[0]
	if !b.blockable(y) {
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

// take is v as an operand of an elementwise operator beside tensors of the given shape.
func (b *blocker) take(v *ir.Value, k operand, shape ir.Shape) *ir.Value {
	switch k {
	case whole:
		return b.blocked(v)
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

// pixels lays a constant out in blocks as [1,C,H,W].
func (b *blocker) pixels(v *ir.Value, shape ir.Shape) *ir.Value {
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

func blockBinary(b *blocker, n *ir.Node) bool {
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

// blockSub finds a tensor less its mean where a normalisation has computed that.
func blockSub(b *blocker, n *ir.Node) bool {
	if c := b.centred[n.In[0]]; c.value != nil && unreshaped(n.In[1]) == c.mean {
		b.forms[n.Out[0]], b.pending[n.Out[0]] = b.forms[c.value], true
		return true
	}
	return blockBinary(b, n)
}

// channelwise is scale*x+shift with one number of each per channel, as a convolution without neighbours; a nil shift is 0. The scale may
// be a vector, which may have other dimensions of 1, or a column.
func (b *blocker) channelwise(x, scale, shift *ir.Value) *blockedConv {
	c, w := x.Shape[1], b.column(scale)
	if w.Shape.Numel() != c {
		w = b.Expand(w, c, 1, 1, 1)
	}
	if shift != nil {
		b.plain(shift)
		shift = b.Reshape(shift, c)
	}
	return &blockedConv{
		in: [4]*ir.Value{b.blocked(x), w, shift}, attrs: ir.Attrs{"kernel_shape": []int64{1, 1}, "group": c},
		of: x, scale: w,
	}
}

func blockMul(b *blocker, n *ir.Node) bool {
	kinds, ok := b.operands(n)
	if !ok {
		return false
	}
	for i, k := range kinds {
		if k == everyChannel && kinds[1-i] == whole {
			b.setForm(n.Out[0], &form{conv: b.channelwise(n.In[1-i], n.In[i], nil)})
			return true
		}
	}
	if kinds[0] == whole && kinds[1] == whole && b.uses[n.Out[0]] == 1 {
		b.setForm(n.Out[0], &form{product: n.In})
		return true
	}
	return blockBinary(b, n)
}

// blockAdd lets a convolution take up the addition where possible.
func blockAdd(b *blocker, n *ir.Node) bool {
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
			b.setForm(n.Out[0], &form{conv: c})
			return true
		case k == everyChannel && kinds[1-i] == whole:
			ones := b.Fill(other, 1, n.Out[0].Shape[1])
			b.setForm(n.Out[0], &form{conv: b.channelwise(x, ones, other)})
			return true
		}
	}
	return blockSum(b, n)
}

// blockSum starts with what is there and adds convolutions that are not emitted yet, each as it is computed.
func blockSum(b *blocker, n *ir.Node) bool {
	kinds, ok := b.operands(n)
	if !ok {
		return false
	}
	var rest []*ir.Value
	var convs []*blockedConv
	terms := n.In
	if !slices.ContainsFunc(kinds, func(k operand) bool { return k != whole }) {
		terms = b.weave(terms)
		if f := b.forms[terms[0]]; len(terms) == 1 && f != nil && f.phases != nil {
			b.setForm(n.Out[0], f)
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
			b.setForm(n.Out[0], &form{conv: c})
			break
		}
		sum = b.emit(c)
	}
	return true
}
