package cpu

import (
	"slices"

	"rnas/compiler/ir"
	"rnas/compiler/op"
)

// gradients finds weight gradients and makes x and dy themselves their operands, which only a rewriter understands.
//
// A depthwise gradient is a Conv with N*C groups of x [N,C,H,W] read as [1,N*C,H,W] with dy [N,C,h,w] read as [N*C,1,h,w].
//
// A pointwise gradient is a ReduceSum over the images of MatMul of dy [N,O,H,W], read as [N,O,H*W], with x [N,I,H,W], read as
// [N,I,H*W] and transposed. A dy that does not fit NCHWc stays [N,O,H*W].
func (a *analysis) gradients(g *ir.Graph) {
	for _, n := range g.Nodes {
		switch {
		case n.Domain != "":
		case n.Op == "Conv" && n.Input(2) == nil && n.In[0].Rank() == 4 && n.In[0].Shape[0] == 1:
			a.depthwiseGradient(n)
		case n.Op == "Conv" && n.Input(2) == nil && n.In[0].Rank() == 4:
			a.imageGradient(n)
		case n.Op == "ReduceSum" && n.In[0].Rank() == 3 && n.Int("keepdims", 1) == 0:
			a.pointwiseGradient(n)
		case n.Op == "Reshape":
			a.poolGradient(n)
		}
	}
}

func (a *analysis) depthwiseGradient(n *ir.Node) {
	x, dy, planes := unreshaped(n.In[0]), unreshaped(n.In[1]), n.In[0].Shape[1]
	if planes == ir.N || n.In[1].Shape[0] != planes || n.In[1].Shape[1] != 1 || !a.fits(x) || !a.fits(dy) ||
		!x.Shape[:2].Equal(dy.Shape[:2]) || x.Shape[:2].Numel() != planes ||
		!x.Shape[2:].Equal(n.In[0].Shape[2:]) || !dy.Shape[2:].Equal(n.In[1].Shape[2:]) {
		return
	}
	n.In[0], n.In[1] = x, dy
	a.gradient[n] = true
	if p, ok := a.frameOf(n, x.Shape, dy.Shape); ok && a.uses[dy] == 2 {
		a.frames[dy] = p
	}
}

func (a *analysis) pointwiseGradient(n *ir.Node) {
	m := ir.DefinedBy(n.In[0], "MatMul")
	axes, ok := op.ConstInts(n.Input(1))
	if m == nil || !ok || !slices.Equal(axes, []int64{0}) || m.In[0].Rank() != 3 {
		return
	}
	t := ir.DefinedBy(m.In[1], "Transpose")
	if t == nil || !slices.Equal(t.Ints("perm", nil), []int64{0, 2, 1}) {
		return
	}
	x := unreshaped(t.In[0])
	if !a.fits(x) || !x.Shape.Static() || !t.In[0].Shape.Equal(ir.Shape{x.Shape[0], x.Shape[1], x.Shape[2] * x.Shape[3]}) {
		return
	}
	dy := m.In[0]
	if from := unreshaped(dy); a.fits(from) && from.Shape.Static() && dy.Shape.Equal(ir.Shape{from.Shape[0], from.Shape[1], from.Shape[2] * from.Shape[3]}) {
		dy = from
	}
	n.In = []*ir.Value{dy, x}
	a.gradient[n] = true
}

// unreshaped is the source of the Reshapes that make v, or v itself.
func unreshaped(v *ir.Value) *ir.Value {
	for v.Def != nil && v.Def.Op == "Reshape" && v.Def.Domain == "" {
		v = v.Def.In[0]
	}
	return v
}

func rewriteConv(b *rewriter, n *ir.Node) bool {
	x, w, y := n.In[0], n.In[1], n.Out[0]
	if b.gradient[n] {
		b.set(y, b.depthwiseWeight(n))
		return true
	}
	if b.images[n] {
		b.defineAs(y, b.imageWeight(n))
		return true
	}
	if x.Shape.Static() && w.Shape.Numel() > x.Shape.Numel() && !b.steady(w) {
		return false // a dense weight gradient, whose kernel is a batch of images: too large to lay out anew
	}
	if rewriteDecimating(b, n) {
		return true
	}
	group := n.Int("group", 1)
	depthwise := group == x.Shape[1] && w.Shape[0] == group
	if group != 1 && !depthwise || n.Str("auto_pad", "NOTSET") != "NOTSET" {
		return false
	}
	if group == 1 && b.few(x) && b.fits(y) {
		b.plain(x)
		b.record(y, &nchwc{conv: &nchwcConv{in: [4]*ir.Value{x, b.weight(w), n.Input(2)}, attrs: windowOf(n)}})
		return true
	}
	if group == 1 && b.few(y) && b.fits(x) && n.Input(2) == nil {
		if v := b.tapByTap(x, w, y, windowOf(n)); v != nil {
			b.set(y, v)
			return true
		}
		wide := b.made("filled", w, func(b *rewriter) *ir.Value { return b.Pad(w, 0, 0, 0, 0, b.block-y.Shape[1], 0, 0, 0) })
		b.set(y, b.emit(&nchwcConv{in: [4]*ir.Value{b.nchwc(x), b.weight(wide)}, attrs: windowOf(n)}))
		return true
	}
	if !b.fits(x) || !b.fits(y) {
		return false
	}
	if group == 1 && rewriteWinograd(b, n) {
		return true
	}
	attrs := windowOf(n)
	weight := b.weight(w)
	if depthwise {
		attrs["group"] = group
		if v := b.framed(x); v != nil {
			pads := slices.Clone(n.Ints("pads", nil))
			pads[1], pads[3] = pads[1]-b.frames[x], pads[3]-b.frames[x]
			attrs["pads"] = pads
			b.record(y, &nchwc{conv: &nchwcConv{in: [4]*ir.Value{v, weight, n.Input(2)}, attrs: attrs}})
			return true
		}
	} else if base, scale := b.unscaled(x); scale != nil {
		x, weight = base, b.scaledInputs(weight, scale)
	}
	b.record(y, &nchwc{conv: &nchwcConv{in: [4]*ir.Value{b.nchwc(x), weight, n.Input(2)}, attrs: attrs}})
	return true
}

// unscaled returns base and scale [C,1,1,1] if x is their product per channel and is not emitted yet; otherwise x and nil. Weights
// that multiply x can absorb the scale.
func (b *rewriter) unscaled(x *ir.Value) (base, scale *ir.Value) {
	f := b.known[x]
	if f == nil || f.value != nil || f.conv == nil {
		return x, nil
	}
	if c := f.conv; c.scale != nil && c.in[2] == nil && c.in[3] == nil && c.attrs["activation"] == nil {
		return c.of, c.scale
	}
	return x, nil
}

// scaledInputs multiplies a weight [O,I,h,w] that is laid out by one factor for each input channel, the column scale.
func (b *rewriter) scaledInputs(w, scale *ir.Value) *ir.Value {
	taps := w.Shape[2] * w.Shape[3]
	if taps == 1 {
		return b.Reshape(b.Mul(b.Reshape(w, w.Shape[0]/b.block, w.Shape[1], 1, 1, b.block), scale), w.Shape...)
	}
	blocks := b.Reshape(w, w.Shape[0]/b.block, w.Shape[1]/b.block, taps, b.block, b.block)
	return b.Reshape(b.Mul(blocks, b.Reshape(scale, 1, w.Shape[1]/b.block, 1, b.block, 1)), w.Shape...)
}

// windowOf copies the attributes that describe the window of n.
func windowOf(n *ir.Node) ir.Attrs {
	attrs := ir.Attrs{}
	for _, name := range n.Attrs.Names() {
		if slices.Contains([]string{"kernel_shape", "strides", "pads", "dilations"}, name) {
			attrs[name] = n.Attrs[name]
		}
	}
	return attrs
}

// emit appends the operator of c.
func (b *rewriter) emit(c *nchwcConv) (y *ir.Value) {
	in := c.in[:]
	for in[len(in)-1] == nil {
		in = in[:len(in)-1]
	}
	b.plain(in[1:]...)
	if c.scope == "" {
		c.scope = b.Scope()
	}
	b.At(c.scope, func() { y = b.native("Conv", c.attrs, slices.Clone(in)...) })
	return y
}

// open returns the convolution that computes v if it can still absorb what follows: it is not emitted, has no activation, and v
// has one use. Otherwise it returns nil.
func (b *rewriter) open(v *ir.Value) *nchwcConv {
	if f := b.known[v]; f != nil && f.value == nil && f.conv != nil && b.uses[v] == 1 && f.conv.attrs["activation"] == nil {
		return f.conv
	}
	return nil
}

// pointwise reports whether c is a dense 1x1 convolution of all pixels without bias, sum and activation.
func (c *nchwcConv) pointwise() bool {
	all := func(name string, want int64) bool {
		v, _ := c.attrs[name].([]int64)
		return !slices.ContainsFunc(v, func(x int64) bool { return x != want })
	}
	return c.in[2] == nil && c.in[3] == nil && c.attrs["activation"] == nil && c.attrs["group"] == nil &&
		all("kernel_shape", 1) && all("strides", 1) && all("pads", 0)
}

// few reports whether v has fewer channels than a block, as images do. A convolution reads such a tensor in NCHW. It writes one as
// one block, filled up with zeros.
func (b *rewriter) few(v *ir.Value) bool {
	return v.Rank() == 4 && v.Type == ir.Float32 && v.Shape[1] > 0 && v.Shape[1] < b.block
}

// weight lays [O,I,h,w] out as [O/block,I/block,h,w,block,block], as [O/block,h,w,block] if I is 1, and as [O/block,I,h,w,block]
// if I is less than a block. Weights from outside a loop are laid out before it.
func (b *rewriter) weight(w *ir.Value) *ir.Value {
	return b.made("laid out", w, func(b *rewriter) *ir.Value { return b.layOut(w) })
}

// made returns what build makes of the weight w. It is built once, and before the loop that uses it.
func (b *rewriter) made(what string, w *ir.Value, build func(b *rewriter) *ir.Value) *ir.Value {
	if b.outer != nil && !b.local[w] && !w.IsConst() {
		return b.outer.made(what, w, build)
	}
	key := weightKey{what, w}
	if b.weights[key] == nil {
		b.plain(w)
		b.weights[key] = build(b)
		b.local[b.weights[key]] = true
	}
	return b.weights[key]
}

// weightKey names what is made of a weight.
type weightKey struct {
	what string
	of   *ir.Value
}

// layOut moves the elements of w as weight says; the shape stays.
func (b *rewriter) layOut(w *ir.Value) *ir.Value {
	out, in, taps := w.Shape[0], w.Shape[1], w.Shape[2]*w.Shape[3]
	var v *ir.Value
	switch {
	case in < b.block:
		v = b.Transpose(b.Reshape(w, out/b.block, b.block, in*taps), 0, 2, 1)
	case taps == 1:
		v = b.Transpose(b.Reshape(w, out/b.block, b.block, in/b.block, b.block), 0, 2, 3, 1)
	default:
		v = b.Transpose(b.Reshape(w, out/b.block, b.block, in/b.block, b.block, taps), 0, 2, 4, 3, 1)
	}
	return b.Reshape(v, w.Shape...)
}

// correlation convolves x [N,C,H,W] with dy [N,C,h,w], both in NCHWc, plane by plane and adds bias [N*C], which may be nil. The
// result is [1,N*C,...]. Reading x as [1,N*C,H,W] and dy as a weight [N*C,1,h,w] moves nothing in memory.
func (b *rewriter) correlation(x, dy, bias *ir.Value, window ir.Attrs) *ir.Value {
	planes := x.Shape[0] * x.Shape[1]
	image := b.Reshape(x, 1, planes, x.Shape[2], x.Shape[3])
	kernel := b.Reshape(dy, planes, 1, dy.Shape[2], dy.Shape[3])
	window["group"] = planes
	if bias != nil {
		return b.native("Conv", window, image, kernel, bias)
	}
	return b.native("Conv", window, image, kernel)
}

// wideProducts is the number of channels of x from which on products takes less time than MatMul: 10 to 30% less with blocks of 8.
const wideProducts = 64

// products sums dy [N,O,H,W] times x [N,I,H,W] over images and pixels: [I/block,O,block]. It is a pointwise convolution whose
// channels are the pixels, with a group for each image. The blocks of x are its weights as they lie; dy comes in blocks of pixels.
func (b *rewriter) products(dy, x *ir.Value) *ir.Value {
	images, out, in, pixels := dy.Shape[0], dy.Shape[1], x.Shape[1], x.Shape[2]*x.Shape[3]
	image := b.native("ReorderInput", ir.Attrs{"channels_last": int64(1)}, b.Reshape(dy, images, 1, out, pixels))
	attrs := ir.Attrs{"kernel_shape": []int64{1, 1}, "group": images}
	each := b.native("Conv", attrs, b.Reshape(image, 1, images*pixels, 1, out), b.Reshape(b.nchwc(x), images*in, pixels, 1, 1))
	return b.ReduceSum(b.Reshape(each, images, in/b.block, out, b.block), false, 0)
}

// pointwiseWeight is the gradient [O,I] of a pointwise weight for dy [N,O,H,W] or [N,O,H*W] and x [N,I,H,W]. The blocks of x are
// matrices [H*W,block] in memory.
func (b *rewriter) pointwiseWeight(dy, x *ir.Value) *ir.Value {
	dy, scale := b.unscaled(dy)
	b.plain(dy)
	images, out, blocks, pixels := dy.Shape[0], dy.Shape[1], x.Shape[1]/b.block, x.Shape[2]*x.Shape[3]
	var w *ir.Value
	if b.block <= 8 && x.Shape[1] >= wideProducts && pixels%b.block == 0 {
		w = b.Reshape(b.Transpose(b.products(dy, x), 1, 0, 2), out, x.Shape[1])
	} else if blocks == 1 {
		rows := b.Reshape(b.nchwc(x), images, pixels, b.block)
		w = b.ReduceSum(b.MatMul(b.Reshape(dy, images, out, pixels), rows), false, 0)
	} else {
		rows := b.Reshape(b.nchwc(x), images, blocks, pixels, b.block)
		products := b.ReduceSum(b.MatMul(b.Reshape(dy, images, 1, out, pixels), rows), false, 0)
		w = b.Reshape(b.Transpose(products, 1, 0, 2), out, x.Shape[1])
	}
	if scale != nil {
		w = b.Mul(w, b.Reshape(scale, out, 1))
	}
	return w
}
