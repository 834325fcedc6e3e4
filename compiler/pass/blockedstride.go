package pass

import (
	"slices"

	"rnas/compiler/ir"
	"rnas/compiler/op"
)

// spread is a tensor twice as wide and high as a blocked one, whose pixel (2i+at, 2j+at) is pixel (i, j) of it; all others are 0. at
// is 0 or 1. The last row and column may be missing.
type spread struct {
	of *ir.Value
	at int64
}

// blockConvTranspose computes the gradients of convolutions of stride 2: dense ones phase by phase, or, with a 1x1 kernel, which
// leaves the result spread, and depthwise ones, as a convolution of the spread input.
func blockConvTranspose(b *blocker, n *ir.Node) bool {
	x, w, y := n.In[0], n.In[1], n.Out[0]
	if !b.blockable(x) || !b.blockable(y) || !y.Shape.Static() || n.Input(2) != nil || n.Str("auto_pad", "NOTSET") != "NOTSET" {
		return false
	}
	win, err := op.WindowOf(n, n.Ints("kernel_shape", w.Shape[2:]), x.Shape[2:])
	if err != nil || !slices.Equal(win.Strides, []int64{2, 2}) {
		return false
	}
	if n.Int("group", 1) == 1 && blockPhases(b, n, win) {
		return true
	}
	dense := n.Int("group", 1) == 1 && slices.Equal(win.Kernel, []int64{1, 1}) && slices.Equal(win.Pads, make([]int64, 4))
	depthwise := n.Int("group", 1) == x.Shape[1] && w.Shape[1] == 1
	for i := range 2 {
		missing := 2*x.Shape[2+i] - y.Shape[2+i]
		dense = dense && (missing == 0 || missing == 1)
		depthwise = depthwise && win.Kernel[i] > 1
	}
	switch {
	case dense:
		transposed := b.made("transposed", w, func(b *blocker) *ir.Value { return b.Transpose(w, 1, 0, 2, 3) })
		conv := &blockedConv{in: [4]*ir.Value{b.blocked(x), b.weight(transposed)}, attrs: ir.Attrs{"kernel_shape": win.Kernel}}
		b.setForm(y, &form{spread: &spread{of: b.emit(conv)}})
		return true
	case depthwise:
		pads := make([]int64, 4)
		for i := range 2 {
			reach := (win.Kernel[i] - 1) * win.Dilations[i]
			pads[i] = reach - win.Pads[i]
			pads[2+i] = y.Shape[2+i] + win.Pads[i] - 2*x.Shape[2+i]
			if pads[i] < 0 || pads[2+i] < 0 {
				return false
			}
		}
		kernel := win.Kernel
		flipped := b.made("flipped", w, func(b *blocker) *ir.Value {
			return b.Slice(w, []int64{-1, -1}, []int64{-kernel[0] - 1, -kernel[1] - 1}, []int64{2, 3}, []int64{-1, -1})
		})
		attrs := ir.Attrs{"kernel_shape": kernel, "dilations": win.Dilations, "pads": pads, "group": x.Shape[1]}
		b.setForm(y, &form{conv: &blockedConv{in: [4]*ir.Value{b.widened(&spread{of: b.blocked(x)}), b.weight(flipped)}, attrs: attrs}})
		return true
	}
	return false
}

// widened is s in memory, with its last row and column.
func (b *blocker) widened(s *spread) *ir.Value {
	if s.at == 0 {
		return b.interleaved(s, nil)
	}
	return b.interleaved(nil, s)
}

// fill is s, the blocked form of v, in memory.
func (b *blocker) fill(s *spread, v *ir.Value) *ir.Value {
	return b.cropped(b.widened(s), v.Shape)
}

// shift records that v is the spread form f moved down and right by one pixel, if it is.
func (b *blocker) shift(f *form, v *ir.Value, pads []int64) bool {
	s := f.spread
	if s == nil || f.value != nil || s.at != 0 || !slices.Equal(pads, []int64{0, 0, 1, 1, 0, 0, 0, 0}) ||
		v.Shape[2] != 2*s.of.Shape[2] || v.Shape[3] != 2*s.of.Shape[3] {
		return false
	}
	b.setForm(v, &form{spread: &spread{of: s.of, at: 1}})
	return true
}

// unsliced is what x is a Slice of, when that only leaves out the first row and column.
func (b *blocker) unsliced(x *ir.Value) *ir.Value {
	n := definedBy(x, "Slice")
	if n == nil || len(n.In) != 5 || !b.blockable(n.In[0]) || !n.In[0].Shape.Static() {
		return nil
	}
	from := n.In[0]
	for i, want := range [][]int64{{1, 1}, {from.Shape[2], from.Shape[3]}, {2, 3}, {1, 1}} {
		if got, ok := op.ConstInts(n.In[1+i]); !ok || !slices.Equal(got, want) {
			return nil
		}
	}
	return from
}

// blockShifted computes a 1x1 convolution of stride 2 of a shifted tensor, the second half of a factorized reduction, on the
// tensor itself: as one with a 2x2 kernel that is 0 but for its last element.
func blockShifted(b *blocker, n *ir.Node) bool {
	x, w, y := n.In[0], n.In[1], n.Out[0]
	from := b.unsliced(x)
	attrs := windowOf(n)
	if from == nil || !b.blockable(y) || n.Int("group", 1) != 1 || w.Shape[2]*w.Shape[3] != 1 ||
		!slices.Equal(n.Ints("strides", nil), []int64{2, 2}) || !slices.Equal(n.Ints("pads", make([]int64, 4)), make([]int64, 4)) ||
		from.Shape[2] != 2*y.Shape[2] || from.Shape[3] != 2*y.Shape[3] {
		return false
	}
	attrs["kernel_shape"] = []int64{2, 2}
	corner := b.made("corner", w, func(b *blocker) *ir.Value { return b.Pad(w, 0, 0, 1, 1, 0, 0, 0, 0) })
	b.setForm(y, &form{conv: &blockedConv{in: [4]*ir.Value{b.blocked(from), b.weight(corner), n.Input(2)}, attrs: attrs}})
	return true
}
