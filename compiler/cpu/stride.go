package cpu

import (
	"slices"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/tensor"
)

// blockConvTranspose computes the gradients of convolutions of stride 2: dense ones phase by phase, of which a 1x1 kernel
// has one, and depthwise ones as a convolution of the spread input.
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
		b.setForm(y, &form{phases: &phased{{b.later(conv)}}})
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
		b.setForm(y, &form{conv: &blockedConv{in: [4]*ir.Value{b.interleaved(&phased{{{value: b.blocked(x)}}}), b.weight(flipped)}, attrs: attrs}})
		return true
	}
	return false
}

// unsliced is what x is a Slice of, when that only leaves out the first row and column.
func (b *blocker) unsliced(x *ir.Value) *ir.Value {
	n := ir.DefinedBy(x, "Slice")
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

// decimation is every second pixel of a tensor along rows and columns, from pixel at, 0 or 1, on.
type decimation struct {
	of *ir.Value
	at int64
}

// decimated is d in memory, made once: a depthwise convolution that picks the pixels.
func (b *blocker) decimated(d decimation) *ir.Value {
	if v := b.decimations[d]; v != nil {
		return v
	}
	c, k := d.of.Shape[1], d.at+1
	w := tensor.Zeros(ir.Float32, c, 1, k, k)
	for ch := range c {
		w.Float32s()[(ch+1)*k*k-1] = 1
	}
	attrs := ir.Attrs{"kernel_shape": []int64{k, k}, "strides": []int64{2, 2}, "group": c}
	v := b.emit(&blockedConv{in: [4]*ir.Value{b.blocked(d.of), b.weight(b.Const("pick", w))}, attrs: attrs})
	b.decimations[d] = v
	return v
}

// everySecond is the decimation that gives shape when taken of x, or of what x is a Slice of.
func (b *blocker) everySecond(x *ir.Value, shape ir.Shape) (d decimation, ok bool) {
	d = decimation{of: x}
	if from := b.unsliced(x); from != nil {
		d = decimation{of: from, at: 1}
	}
	if !b.blockable(d.of) || !d.of.Shape.Static() {
		return d, false
	}
	for i := 2; i < 4; i++ {
		if shape[i] != (d.of.Shape[i]-d.at+1)/2 || d.of.Shape[i] <= d.at {
			return d, false
		}
	}
	return d, true
}

// blockDecimating computes a 1x1 convolution of stride 2, also of a shifted tensor as in the second half of a factorized
// reduction, as one of the pixels that it reads; its weight gradient reads the same ones.
func blockDecimating(b *blocker, n *ir.Node) bool {
	x, w, y := n.In[0], n.In[1], n.Out[0]
	if !b.blockable(y) || n.Int("group", 1) != 1 || w.Shape[2]*w.Shape[3] != 1 || !slices.Equal(n.Ints("strides", nil), []int64{2, 2}) ||
		slices.ContainsFunc(n.Ints("pads", nil), func(p int64) bool { return p != 0 }) {
		return false
	}
	d, ok := b.everySecond(x, y.Shape)
	if !ok {
		return false
	}
	attrs := ir.Attrs{"kernel_shape": []int64{1, 1}}
	b.setForm(y, &form{conv: &blockedConv{in: [4]*ir.Value{b.decimated(d), b.weight(w), n.Input(2)}, attrs: attrs}})
	return true
}
