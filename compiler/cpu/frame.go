package cpu

import (
	"maps"
	"slices"

	"rnas/compiler/ir"
)

// frameWidth is the width of images from which on it pays to frame them.
const frameWidth = 16

// frameOf is the number of columns of zeros that a depthwise weight gradient n of x for dy reads left and right of the images, if dy may
// as well be read with them instead of x: images of one size, and strides of 1. The provider computes results that touch the
// padding one by one, and all elements of a row of the kernel together when the images are framed: twice as fast.
func (l *blocking) frameOf(n *ir.Node, x, dy ir.Shape) (columns int64, ok bool) {
	pads := n.Ints("pads", make([]int64, 4))
	strides := n.Ints("dilations", []int64{1, 1})
	p := pads[1]
	ok = p > 0 && pads[3] == p && pads[0] == pads[2] && slices.Equal(strides, []int64{1, 1}) && x.Equal(dy) && x[3] >= frameWidth
	return p, ok
}

// framed is x in blocks with columns of zeros left and right, if a weight gradient asks for it and x is a pointwise convolution that
// is not emitted yet: its padding makes them. Otherwise it is nil.
func (b *blocker) framed(x *ir.Value) *ir.Value {
	p, f := b.frames[x], b.forms[x]
	if p == 0 || f == nil {
		return nil
	}
	if f.framed == nil && f.value == nil && f.conv != nil && f.conv.pointwise() && b.blockable(f.conv.in[0]) {
		conv := *f.conv
		conv.attrs = maps.Clone(conv.attrs)
		conv.attrs["pads"] = []int64{0, p, 0, p}
		f.framed = b.emit(&conv)
	}
	return f.framed
}

// depthwiseWeight is the gradient of a depthwise weight for every image, n of x and dy: [1,N*C,h,w]. With dy framed, x is the kernel, and
// the result comes in reverse order.
func (b *blocker) depthwiseWeight(n *ir.Node) *ir.Value {
	x, dy := n.In[0], n.In[1]
	window := windowOf(n)
	wide := b.framed(dy)
	if wide == nil {
		return b.correlation(b.blocked(x), b.blocked(dy), nil, window)
	}
	pads := slices.Clone(n.Ints("pads", nil))
	pads[1], pads[3] = 0, 0
	window["pads"] = pads
	v := b.correlation(wide, b.blocked(x), nil, window)
	planes, high, wid := v.Shape[1], v.Shape[2], v.Shape[3]
	rows := b.Reshape(v, planes/b.block, high, wid, b.block)
	back := b.Slice(rows, []int64{-1, -1}, []int64{-high - 1, -wid - 1}, []int64{1, 2}, []int64{-1, -1})
	return b.Reshape(back, 1, planes, high, wid)
}
