package cpu

import (
	"maps"
	"slices"

	"rnas/compiler/ir"
)

// frameWidth is the width of images from which on it pays to frame them.
const frameWidth = 16

// frameOf returns the number of columns of zeros that the depthwise weight gradient n of x for dy reads on the left and right of
// images. It is ok to frame dy instead of x if x and dy have one size and the strides are 1.
//
// The provider computes results that touch the padding one by one, and all elements of a row of the kernel together when the
// images are framed: twice as fast.
func (a *analysis) frameOf(n *ir.Node, x, dy ir.Shape) (columns int64, ok bool) {
	pads := n.Ints("pads", make([]int64, 4))
	strides := n.Ints("dilations", []int64{1, 1})
	p := pads[1]
	ok = p > 0 && pads[3] == p && pads[0] == pads[2] && slices.Equal(strides, []int64{1, 1}) && x.Equal(dy) && x[3] >= frameWidth
	return p, ok
}

// framed returns x in NCHWc with columns of zeros on the left and right, if a weight gradient asks for it and x is a pointwise
// convolution that is not emitted yet: its padding makes the columns. Otherwise it returns nil.
func (b *rewriter) framed(x *ir.Value) *ir.Value {
	p, f := b.frames[x], b.known[x]
	if p == 0 || f == nil {
		return nil
	}
	if f.framed == nil && f.value == nil && f.conv != nil && f.conv.pointwise() && b.fits(f.conv.in[0]) {
		conv := *f.conv
		conv.attrs = maps.Clone(conv.attrs)
		conv.attrs["pads"] = []int64{0, p, 0, p}
		f.framed = b.emit(&conv)
	}
	return f.framed
}

// depthwiseWeight is n, the gradient of a depthwise weight for every image, of x and dy: [1,N*C,h,w]. If dy is framed, x is the
// kernel, and the result comes in reverse order.
func (b *rewriter) depthwiseWeight(n *ir.Node) *ir.Value {
	x, dy := n.In[0], n.In[1]
	window := windowOf(n)
	wide := b.framed(dy)
	if wide == nil {
		return b.correlation(b.nchwc(x), b.nchwc(dy), nil, window)
	}
	pads := slices.Clone(n.Ints("pads", nil))
	pads[1], pads[3] = 0, 0
	window["pads"] = pads
	v := b.correlation(wide, b.nchwc(x), nil, window)
	planes, high, wid := v.Shape[1], v.Shape[2], v.Shape[3]
	rows := b.Reshape(v, planes/b.block, high, wid, b.block)
	back := b.Slice(rows, []int64{-1, -1}, []int64{-high - 1, -wid - 1}, []int64{1, 2}, []int64{-1, -1})
	return b.Reshape(back, 1, planes, high, wid)
}
