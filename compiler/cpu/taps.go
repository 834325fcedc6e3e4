package cpu

import (
	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

// tapByTap computes a convolution of x with a weight of few output channels, y, which would fill most of a block with zeros. A
// pointwise convolution computes all elements of the kernel side by side as output channels, a depthwise one of a single 1 per
// channel moves them to their places, and another pointwise one adds them up. It returns nil if that costs more than the direct
// way.
func (b *rewriter) tapByTap(x, w, y *ir.Value, window ir.Attrs) *ir.Value {
	few, taps := w.Shape[0], w.Shape[2]*w.Shape[3]
	wide := (few*taps + b.block - 1) / b.block * b.block
	// A tap of a depthwise convolution takes some three times as long as one of the others.
	if direct := taps * b.block * x.Shape[1]; taps == 1 || wide*(x.Shape[1]+3*taps+b.block) > direct || y.Shape[2] < x.Shape[2] {
		return nil
	}
	point := func() ir.Attrs { return ir.Attrs{"kernel_shape": []int64{1, 1}} }
	side := b.made("side by side", w, func(b *rewriter) *ir.Value {
		rows := b.Reshape(b.Transpose(w, 2, 3, 0, 1), few*taps, w.Shape[1], 1, 1)
		return b.Pad(rows, 0, 0, 0, 0, wide-few*taps, 0, 0, 0)
	})
	move := tensor.Zeros(ir.Float32, wide, 1, w.Shape[2], w.Shape[3])
	add := tensor.Zeros(ir.Float32, b.block, wide, 1, 1)
	for t := range taps {
		for o := range few {
			channel := t*few + o
			move.Float32s()[channel*taps+t] = 1
			add.Float32s()[o*wide+channel] = 1
		}
	}
	window["group"] = wide
	v := b.emit(&nchwcConv{in: [4]*ir.Value{b.nchwc(x), b.weight(side)}, attrs: point()})
	v = b.emit(&nchwcConv{in: [4]*ir.Value{v, b.weight(b.Const("move", move))}, attrs: window})
	return b.emit(&nchwcConv{in: [4]*ir.Value{v, b.weight(b.Const("add", add))}, attrs: point()})
}
