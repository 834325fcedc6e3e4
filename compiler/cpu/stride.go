package cpu

import (
	"slices"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/tensor"
)

// rewriteConvTranspose computes the input gradients of convolutions of stride 2. A dense one is computed phase by phase; a 1x1
// kernel has one phase. A depthwise one is a convolution of the input with zeros between its pixels.
func rewriteConvTranspose(b *rewriter, n *ir.Node) bool {
	x, w, y := n.In[0], n.In[1], n.Out[0]
	if !b.fits(x) || !b.fits(y) || !y.Shape.Static() || n.Input(2) != nil || n.Str("auto_pad", "NOTSET") != "NOTSET" {
		return false
	}
	win, err := op.WindowOf(n, n.Ints("kernel_shape", w.Shape[2:]), x.Shape[2:])
	if err != nil || !slices.Equal(win.Strides, []int64{2, 2}) {
		return false
	}
	if n.Int("group", 1) == 1 && rewritePhases(b, n, win) {
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
		transposed := b.made("transposed", w, func(b *rewriter) *ir.Value { return b.Transpose(w, 1, 0, 2, 3) })
		conv := &nchwcConv{in: [4]*ir.Value{b.nchwc(x), b.weight(transposed)}, attrs: ir.Attrs{"kernel_shape": win.Kernel}}
		b.record(y, &nchwc{phases: &phased{{b.later(conv)}}})
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
		flipped := b.made("flipped", w, func(b *rewriter) *ir.Value {
			return b.Slice(w, []int64{-1, -1}, []int64{-kernel[0] - 1, -kernel[1] - 1}, []int64{2, 3}, []int64{-1, -1})
		})
		attrs := ir.Attrs{"kernel_shape": kernel, "dilations": win.Dilations, "pads": pads, "group": x.Shape[1]}
		b.record(y, &nchwc{conv: &nchwcConv{in: [4]*ir.Value{b.interleaved(&phased{{{value: b.nchwc(x)}}}), b.weight(flipped)}, attrs: attrs}})
		return true
	}
	return false
}

// unsliced returns the source of the Slice x if that only leaves out the first row and column, or nil.
func (b *rewriter) unsliced(x *ir.Value) *ir.Value {
	n := ir.DefinedBy(x, "Slice")
	if n == nil || len(n.In) != 5 || !b.fits(n.In[0]) || !n.In[0].Shape.Static() {
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

// decimation is every second pixel of a tensor along rows and columns, starting from pixel at, which is 0 or 1.
type decimation struct {
	of *ir.Value
	at int64
}

// decimated emits d once, as a depthwise convolution that picks the pixels.
func (b *rewriter) decimated(d decimation) *ir.Value {
	if v := b.decimations[d]; v != nil {
		return v
	}
	c, k := d.of.Shape[1], d.at+1
	w := tensor.Zeros(ir.Float32, c, 1, k, k)
	for ch := range c {
		w.Float32s()[(ch+1)*k*k-1] = 1
	}
	attrs := ir.Attrs{"kernel_shape": []int64{k, k}, "strides": []int64{2, 2}, "group": c}
	v := b.emit(&nchwcConv{in: [4]*ir.Value{b.nchwc(d.of), b.weight(b.Const("pick", w))}, attrs: attrs})
	b.decimations[d] = v
	return v
}

// everySecond is the decimation of x, or of what x is a Slice of, that has the given shape.
func (b *rewriter) everySecond(x *ir.Value, shape ir.Shape) (d decimation, ok bool) {
	d = decimation{of: x}
	if from := b.unsliced(x); from != nil {
		d = decimation{of: from, at: 1}
	}
	if !b.fits(d.of) || !d.of.Shape.Static() {
		return d, false
	}
	for i := 2; i < 4; i++ {
		if shape[i] != (d.of.Shape[i]-d.at+1)/2 || d.of.Shape[i] <= d.at {
			return d, false
		}
	}
	return d, true
}

// rewriteDecimating computes a 1x1 convolution of stride 2 as one of stride 1 on the pixels that it reads. Its weight gradient
// reads the same pixels. It also takes the shifted tensor in the second half of a factorized reduction.
func rewriteDecimating(b *rewriter, n *ir.Node) bool {
	x, w, y := n.In[0], n.In[1], n.Out[0]
	if !b.fits(y) || n.Int("group", 1) != 1 || w.Shape[2]*w.Shape[3] != 1 || !slices.Equal(n.Ints("strides", nil), []int64{2, 2}) ||
		slices.ContainsFunc(n.Ints("pads", nil), func(p int64) bool { return p != 0 }) {
		return false
	}
	d, ok := b.everySecond(x, y.Shape)
	if !ok {
		return false
	}
	attrs := ir.Attrs{"kernel_shape": []int64{1, 1}}
	b.record(y, &nchwc{conv: &nchwcConv{in: [4]*ir.Value{b.decimated(d), b.weight(w), n.Input(2)}, attrs: attrs}})
	return true
}
