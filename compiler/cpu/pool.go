package cpu

import (
	"slices"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/tensor"
)

// poolGradient finds the gradient of a MaxPool, a ScatterElements of dy to the places that the Indices output names. It makes x, y
// and dy themselves the operands of the Reshape that follows, which only a rewriter understands.
func (a *analysis) poolGradient(n *ir.Node) {
	scatter := ir.DefinedBy(n.In[0], "ScatterElements")
	if scatter == nil || len(scatter.In) != 3 || scatter.Str("reduction", "none") != "add" || scatter.Int("axis", 0) != 0 || scatter.In[0].Rank() != 1 {
		return
	}
	zero, ids, dy := unreshaped(scatter.In[0]), unreshaped(scatter.In[1]), unreshaped(scatter.In[2])
	pool := ir.DefinedBy(ids, "MaxPool")
	if pool == nil || pool.Output(1) != ids || !isZero(zero) {
		return
	}
	x, y := pool.In[0], pool.Out[0]
	if !a.fits(x) || !x.Shape.Static() || !n.Out[0].Shape.Equal(x.Shape) || !dy.Shape.Equal(y.Shape) || !separable(pool) {
		return
	}
	n.In = []*ir.Value{x, y, dy}
	a.pools[n] = pool
}

// isZero reports whether v is the constant 0, possibly expanded.
func isZero(v *ir.Value) bool {
	for v.Def != nil && (v.Def.Op == "Expand" || v.Def.Op == "Reshape") {
		v = v.Def.In[0]
	}
	return v.IsConst() && !slices.ContainsFunc(v.Const.Float64s(), func(f float64) bool { return f != 0 })
}

// separable reports whether routeBack can take MaxPool n apart: strides of 1 or 2 that divide the size, and an odd window padded
// by half of it.
func separable(n *ir.Node) bool {
	x, y := n.In[0], n.Out[0]
	w, err := op.WindowOf(n, n.Ints("kernel_shape", nil), x.Shape[2:])
	if err != nil || len(w.Kernel) != 2 {
		return false
	}
	for i := range 2 {
		k, s := w.Kernel[i], w.Strides[i]
		if k%2 == 0 || k < s || w.Pads[i] != k/2 || w.Pads[2+i] != k/2 || w.Dilations[i] != 1 || s > 2 || x.Shape[2+i] != s*y.Shape[2+i] {
			return false
		}
	}
	return true
}

// rewritePoolGradient sends the gradient of each window to its first largest element in the order of memory: to the first row that
// attains the maximum, and there to the first column.
func rewritePoolGradient(b *rewriter, n *ir.Node) bool {
	pool := b.pools[n]
	if pool == nil {
		return false
	}
	x, y, dy := n.In[0], n.In[1], n.In[2]
	kernel, strides := pool.Ints("kernel_shape", nil), pool.Ints("strides", []int64{1, 1})
	rows := b.native("MaxPool", alongAxis(3, kernel[1], strides[1]), b.nchwc(x))
	back := b.routeBack(rows, b.nchwc(y), b.nchwc(dy), 2, kernel[0], strides[0])
	b.set(n.Out[0], b.routeBack(b.nchwc(x), rows, back, 3, kernel[1], strides[1]))
	return true
}

// alongAxis is a window of k elements along one axis, padded by k/2.
func alongAxis(axis int, k, stride int64) ir.Attrs {
	kernel, strides, pads := []int64{1, 1}, []int64{1, 1}, []int64{0, 0, 0, 0}
	kernel[axis-2], strides[axis-2], pads[axis-2], pads[axis] = k, stride, k/2, k/2
	return ir.Attrs{"kernel_shape": kernel, "strides": strides, "pads": pads}
}

// tap is a depthwise convolution of x that picks element i of k along an axis and multiplies it by factor. It adds sum, which may
// be nil.
func (b *rewriter) tap(x *ir.Value, axis int, i, k, stride int64, factor float64, sum *ir.Value) *ir.Value {
	c := x.Shape[1]
	attrs := alongAxis(axis, k, stride)
	kernel := attrs["kernel_shape"].([]int64)
	w := tensor.Zeros(ir.Float32, c, 1, kernel[0], kernel[1])
	for ch := range c {
		w.Float32s()[ch*k+i] = float32(factor)
	}
	attrs["group"] = c
	return b.emit(&nchwcConv{in: [4]*ir.Value{x, b.weight(b.Const("tap", w)), nil, sum}, attrs: attrs})
}

// routeBack is the gradient of y = max over windows of k elements of x along one axis, for the gradient dy of y; all are in NCHWc.
// An element is the largest where y-x is 0. Differences below 1e-30 count in part.
func (b *rewriter) routeBack(x, y, dy *ir.Value, axis int, k, stride int64) *ir.Value {
	parts := make([]*ir.Value, k)
	for i := range k - 1 {
		short := b.tap(x, axis, i, k, stride, -1, b.outside(y, axis, i, k, stride))
		hit := b.One("HardSigmoid", ir.Attrs{"alpha": float32(-1e30), "beta": float32(1)}, short)
		parts[i] = b.Mul(hit, dy)
		dy = b.Sub(dy, parts[i])
	}
	parts[k-1] = dy
	// Element stride*j+r of x is number i of window j+q.
	phases := make([]*ir.Value, stride)
	for i := k - 1; i >= 0; i-- {
		r := ((i-k/2)%stride + stride) % stride
		q := (r + k/2 - i) / stride
		switch sum := phases[r]; {
		case q != 0:
			phases[r] = b.tap(parts[i], axis, q+max(q, -q), 2*max(q, -q)+1, 1, 1, sum)
		case sum != nil:
			phases[r] = b.Add(parts[i], sum)
		default:
			phases[r] = parts[i]
		}
	}
	if stride == 1 {
		return phases[0]
	}
	return b.woven(axis, phases...)
}

// outside is y, made large where element i of the window lies in the padding.
func (b *rewriter) outside(y *ir.Value, axis int, i, k, stride int64) *ir.Value {
	shape := ir.Shape{1, 1, 1, 1}
	shape[axis] = y.Shape[axis]
	far := tensor.Zeros(ir.Float32, shape...)
	any := false
	for o := range shape[axis] {
		if at := o*stride + i - k/2; at < 0 || at >= stride*shape[axis] {
			far.Float32s()[o], any = 1e30, true
		}
	}
	if !any {
		return y
	}
	return b.Add(y, b.pixels(b.Const("outside", far), y.Shape))
}
