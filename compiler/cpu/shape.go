package cpu

import (
	"slices"

	"rnas/compiler/ir"
	"rnas/compiler/op"
)

// rewriteConcat joins along the channels.
func rewriteConcat(b *rewriter, n *ir.Node) bool {
	if axis, err := op.Axis(n.Int("axis", 0), n.Out[0].Rank()); err != nil || axis != 1 || !slices.ContainsFunc(n.In, b.has) {
		return false
	}
	for _, v := range n.In {
		if !b.fits(v) {
			return false
		}
	}
	in := make([]*ir.Value, len(n.In))
	for i, v := range n.In {
		in[i] = b.nchwc(v)
	}
	b.set(n.Out[0], b.Concat(1, in...))
	return true
}

// rewriteSplit cuts along the channels, between blocks.
func rewriteSplit(b *rewriter, n *ir.Node) bool {
	x := n.In[0]
	if axis, err := op.Axis(n.Int("axis", 0), x.Rank()); err != nil || axis != 1 || !b.has(x) || !b.fits(x) {
		return false
	}
	for _, v := range n.Out {
		if !b.fits(v) {
			return false
		}
	}
	b.plain(n.In[1:]...)
	parts := b.Node("Split", n.Attrs, len(n.Out), append([]*ir.Value{b.nchwc(x)}, n.In[1:]...)...)
	for i, v := range n.Out {
		b.set(v, parts[i])
	}
	return true
}

// rewriteExpand repeats one pixel, the gradient of a global average, over all pixels.
func rewriteExpand(b *rewriter, n *ir.Node) bool {
	x, y := n.In[0], n.Out[0]
	if len(b.known) == 0 || !b.fits(x) || !b.fits(y) || !y.Shape.Static() || !x.Shape.Equal(ir.Shape{y.Shape[0], y.Shape[1], 1, 1}) {
		return false
	}
	b.set(y, b.planes(x, y.Shape))
	return true
}

// planes repeats v, one number per image and channel, over the pixels of the given shape.
func (b *rewriter) planes(v *ir.Value, shape ir.Shape) *ir.Value {
	b.plain(v)
	blocks := shape[0] * shape[1] / b.block
	return b.Reshape(b.Expand(b.Reshape(v, blocks, 1, b.block), blocks, shape[2]*shape[3], b.block), shape...)
}

// pixelView is v as [N,C/block,H,W,block].
func (b *rewriter) pixelView(v *ir.Value) *ir.Value {
	return b.Reshape(b.nchwc(v), v.Shape[0], v.Shape[1]/b.block, v.Shape[2], v.Shape[3], b.block)
}

// rewriteSlice cuts out pixels, or whole blocks of channels. It picks every second pixel by a convolution, because the provider's
// Slice works with one thread.
func rewriteSlice(b *rewriter, n *ir.Node) bool {
	x, y := n.In[0], n.Out[0]
	if !b.has(x) || !b.fits(x) || !x.Shape.Static() || len(n.In) < 4 {
		return false
	}
	axes, ok := op.ConstInts(n.In[3])
	if ok && slices.Equal(axes, []int64{1}) && b.cutsBlocks(n) {
		b.set(y, b.One("Slice", nil, append([]*ir.Value{b.nchwc(x)}, n.In[1:]...)...))
		return true
	}
	for _, a := range axes {
		ok = ok && a >= 2
	}
	if !ok {
		return false
	}
	if d, ok := b.everySecond(x, y.Shape); ok && b.takesEverySecond(n) {
		b.set(y, b.decimated(d))
		return true
	}
	b.plain(n.In[1:]...)
	b.set(y, b.Reshape(b.One("Slice", nil, append([]*ir.Value{b.pixelView(x)}, n.In[1:]...)...), y.Shape...))
	return true
}

// takesEverySecond reports whether Slice n takes every second row and column, from the first on.
func (b *rewriter) takesEverySecond(n *ir.Node) bool {
	if len(n.In) != 5 {
		return false
	}
	for i, want := range map[int][]int64{1: {0, 0}, 3: {2, 3}, 4: {2, 2}} {
		if got, ok := op.ConstInts(n.In[i]); !ok || !slices.Equal(got, want) {
			return false
		}
	}
	return true
}

// cutsBlocks reports whether Slice n, along the channels, takes whole blocks in their order.
func (b *rewriter) cutsBlocks(n *ir.Node) bool {
	start, ok := op.ConstInts(n.In[1])
	if !ok || len(start) != 1 || start[0] < 0 || start[0]%b.block != 0 || !b.fits(n.Out[0]) {
		return false
	}
	if n.Input(4) == nil {
		return true
	}
	step, ok := op.ConstInts(n.In[4])
	return ok && slices.Equal(step, []int64{1})
}

// rewritePad adds zeros around the pixels.
func rewritePad(b *rewriter, n *ir.Node) bool {
	x, y := n.In[0], n.Out[0]
	pads, ok := op.ConstInts(n.In[1])
	if !ok || !b.has(x) || !b.fits(x) || !x.Shape.Static() || n.Input(3) != nil || n.Str("mode", "constant") != "constant" ||
		pads[0] != 0 || pads[1] != 0 || pads[4] != 0 || pads[5] != 0 {
		return false
	}
	if b.shift(b.known[x], y, pads) {
		return true
	}
	b.plain(n.In[1:]...)
	in := append([]*ir.Value{b.pixelView(x), b.Ints(0, 0, pads[2], pads[3], 0, 0, 0, pads[6], pads[7], 0)}, n.In[2:]...)
	b.set(y, b.Reshape(b.One("Pad", nil, in...), y.Shape...))
	return true
}

// rewritePool takes the maximum or the average over windows.
func rewritePool(b *rewriter, n *ir.Node) bool {
	x := n.In[0]
	if n.Output(1) != nil || n.Int("ceil_mode", 0) != 0 || n.Str("auto_pad", "NOTSET") != "NOTSET" || !b.fits(x) ||
		n.Op == "AveragePool" && n.Attrs["dilations"] != nil {
		return false
	}
	attrs := windowOf(n)
	if v, ok := n.Attrs["count_include_pad"]; ok {
		attrs["count_include_pad"] = v
	}
	b.set(n.Out[0], b.native(n.Op, attrs, b.nchwc(x)))
	return true
}

// rewriteGlobalPool averages over all pixels. The result has one pixel per channel, so that NCHWc and NCHW are the same for it.
func rewriteGlobalPool(b *rewriter, n *ir.Node) bool {
	if x := n.In[0]; b.has(x) && b.fits(x) {
		b.defineAs(n.Out[0], b.native("GlobalAveragePool", ir.Attrs{}, b.nchwc(x)))
		return true
	}
	return false
}
