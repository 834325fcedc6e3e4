package cpu

import (
	"slices"

	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

// mostPatches is the largest number of elements of a patch, rounded up to whole blocks, for which imageWeight pays.
const mostPatches = 64

// imageGradient finds the gradient of a dense weight for x [N,C,H,W] with fewer channels than a block and dy [N,O,H',W']: a Conv
// of x with dy, both with images and channels exchanged. It makes x and dy themselves its operands, which only a rewriter
// understands.
func (a *analysis) imageGradient(n *ir.Node) {
	exchanged := func(v *ir.Value) *ir.Value {
		if m := ir.DefinedBy(v, "Transpose"); m != nil && slices.Equal(m.Ints("perm", nil), []int64{1, 0, 2, 3}) {
			return m.In[0]
		}
		return nil
	}
	x, dy := exchanged(n.In[0]), exchanged(n.In[1])
	ones := []int64{1, 1}
	if x == nil || dy == nil || n.Int("group", 1) != 1 || !a.fits(dy) || !dy.Shape.Static() || !x.Shape.Static() ||
		x.Type != ir.Float32 || x.Shape[1] >= a.block || !slices.Equal(n.Ints("strides", ones), ones) ||
		!slices.Equal(n.Ints("dilations", ones), ones) || n.Str("auto_pad", "NOTSET") != "NOTSET" || a.patch(n) > mostPatches {
		return
	}
	n.In[0], n.In[1] = x, dy
	a.images[n] = true
}

// patch is the number of elements of x that an element of dy is multiplied by, in whole blocks.
func (a *analysis) patch(n *ir.Node) int64 {
	y := n.Out[0].Shape
	return (y[0]*y[2]*y[3] + a.block - 1) / a.block * a.block
}

// imageWeight is n, the gradient [C,O,h,w] of a dense weight that reads images. A convolution with a single 1 per channel lays the
// elements of every patch side by side as channels. The rest is the gradient of a pointwise weight.
func (b *rewriter) imageWeight(n *ir.Node) *ir.Value {
	x, dy, y := n.In[0], n.In[1], n.Out[0].Shape
	channels, out, taps, wide := y[0], y[1], y[2]*y[3], b.patch(n)
	pick := tensor.Zeros(ir.Float32, wide, channels, y[2], y[3])
	for i := range channels * taps {
		pick.Float32s()[i*channels*taps+i] = 1
	}
	attrs := ir.Attrs{"kernel_shape": []int64{y[2], y[3]}, "pads": n.Ints("pads", make([]int64, 4))}
	b.plain(x)
	patches := &ir.Value{Name: x.Name, Type: x.Type, Shape: ir.Shape{x.Shape[0], wide, dy.Shape[2], dy.Shape[3]}}
	b.set(patches, b.emit(&nchwcConv{in: [4]*ir.Value{x, b.weight(b.Const("patches", pick))}, attrs: attrs}))
	w := b.Slice(b.pointwiseWeight(dy, patches), []int64{0}, []int64{channels * taps}, []int64{1}, []int64{1})
	return b.Transpose(b.Reshape(w, out, channels, y[2], y[3]), 1, 0, 2, 3)
}
