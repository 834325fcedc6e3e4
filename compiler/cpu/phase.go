package cpu

import (
	"slices"

	"rnas/compiler/ir"
	"rnas/compiler/op"
)

// rewritePhases computes a dense transposed convolution of stride 2 as four convolutions, one for each parity of the rows and
// columns of the result. The kernel has at least two rows and columns. Pixel 2i+a takes the elements k of the kernel for which
// a+pad-k is even, from the pixels i+(a+pad-k)/2. No product with 0 is taken.
func rewritePhases(b *rewriter, n *ir.Node, win op.Window) bool {
	x, w, y := n.In[0], n.In[1], n.Out[0]
	if !slices.Equal(win.Dilations, []int64{1, 1}) || slices.Min(win.Kernel) < 2 {
		return false
	}
	var axes [2][2]phase
	for i := range 2 {
		for a := range axes[i] {
			axes[i][a] = phaseOf(int64(a), win.Kernel[i], win.Pads[i], x.Shape[2+i], y.Shape[2+i])
			if axes[i][a].before < 0 || axes[i][a].after < 0 {
				return false
			}
		}
	}
	result := &phased{}
	for i, r := range axes[0] {
		for j, c := range axes[1] {
			kernel := b.made("phase "+string(rune('0'+2*i+j)), w, func(b *rewriter) *ir.Value {
				part := b.Slice(w, []int64{r.last, c.last}, []int64{-win.Kernel[0] - 1, -win.Kernel[1] - 1}, []int64{2, 3}, []int64{-2, -2})
				return b.layOut(b.Transpose(part, 1, 0, 2, 3))
			})
			attrs := ir.Attrs{"kernel_shape": []int64{r.taps, c.taps}, "pads": []int64{r.before, c.before, r.after, c.after}}
			result[i][j] = b.later(&nchwcConv{in: [4]*ir.Value{b.nchwc(x), kernel}, attrs: attrs})
		}
	}
	b.record(y, &nchwc{phases: result})
	return true
}

// phase is one parity of the pixels along an axis: the last element of the kernel that it takes, how many elements it takes, and
// the padding with which they give one result for two pixels.
type phase struct{ last, taps, before, after int64 }

// phaseOf is the phase of parity a for a kernel with a padding at its begin, between narrow pixels of the input and wide ones of
// the result.
func phaseOf(a, kernel, pad, narrow, wide int64) phase {
	p := phase{last: kernel - 1}
	if (a+pad-p.last)%2 != 0 {
		p.last--
	}
	p.taps = p.last/2 + 1
	p.before = -(a + pad - p.last) / 2
	p.after = (wide+1)/2 + p.taps - 1 - narrow - p.before
	return p
}

// woven is a tensor in NCHWc whose pixel len(phases)*i+r along an axis is pixel i of phases[r].
func (b *rewriter) woven(axis int, phases ...*ir.Value) *ir.Value {
	shape := phases[0].Shape.Clone()
	run := b.block
	if axis == 2 {
		run *= shape[3]
	}
	shape[axis] *= int64(len(phases))
	views := make([]*ir.Value, len(phases))
	for r, v := range phases {
		views[r] = b.Reshape(v, -1, run)
	}
	return b.Reshape(b.Concat(1, views...), shape...)
}

// cropped leaves out the rows and columns of a tensor in NCHWc that lie beyond the shape.
func (b *rewriter) cropped(v *ir.Value, shape ir.Shape) *ir.Value {
	if v.Shape.Equal(shape) {
		return v
	}
	view := b.Reshape(v, v.Shape[0], v.Shape[1]/b.block, v.Shape[2], v.Shape[3], b.block)
	return b.Reshape(b.Slice(view, []int64{0, 0}, shape[2:], []int64{2, 3}, []int64{1, 1}), shape...)
}
