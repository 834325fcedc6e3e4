package grad

import (
	"rnas/compiler/ir"
	"rnas/compiler/op"
)

func init() {
	register(map[string]Rule{"Conv": conv, "ConvTranspose": convTranspose})
}

// geometry is the window of a convolution between a "wide" tensor (the input of Conv, the output of ConvTranspose) and a "narrow"
// one.
type geometry struct {
	op.Window
	group int64
	wide  []int64 // spatial sizes
}

func geometryOf(c *Ctx, wide, narrow *ir.Value) (geometry, bool) {
	w := c.In(1)
	var win op.Window
	var err error
	if c.N.Op == "Conv" {
		win, err = op.WindowOf(c.N, w.Shape[2:], wide.Shape[2:])
	} else {
		win, _, err = op.TransposedWindow(c.N, w.Shape[2:], narrow.Shape[2:])
	}
	if err != nil {
		c.Fail("node %s: %w", c.N.Name, err)
		return geometry{}, false
	}
	if !wide.Shape[2:].Static() {
		c.Fail("node %s: the gradient of %s needs static spatial sizes, found %s", c.N.Name, c.N.Op, wide.Shape)
		return geometry{}, false
	}
	return geometry{Window: win, group: c.N.Int("group", 1), wide: wide.Shape[2:]}, true
}

func (g geometry) attrs() ir.Attrs {
	a := ir.Attrs{"kernel_shape": g.Kernel, "strides": g.Strides, "pads": g.Pads, "dilations": g.Dilations}
	if g.group > 1 {
		a["group"] = g.group
	}
	return a
}

func all(v []int64, want int64) bool {
	for _, x := range v {
		if x != want {
			return false
		}
	}
	return true
}

func conv(c *Ctx) []*ir.Value {
	x, w, dy := c.In(0), c.In(1), c.Dy[0]
	g, ok := geometryOf(c, x, dy)
	if !ok {
		return nil
	}
	return []*ir.Value{
		c.when(0, func() *ir.Value { return g.wideGrad(c, dy, w) }),
		c.when(1, func() *ir.Value { return g.weightGrad(c, x, dy, w) }),
		c.when(2, func() *ir.Value { return biasGrad(c, dy) }),
	}
}

func convTranspose(c *Ctx) []*ir.Value {
	x, w, dy := c.In(0), c.In(1), c.Dy[0]
	g, ok := geometryOf(c, dy, x)
	if !ok {
		return nil
	}
	return []*ir.Value{
		c.when(0, func() *ir.Value { return crop(c, c.One("Conv", g.attrs(), dy, w), x.Shape[2:]) }),
		c.when(1, func() *ir.Value { return g.weightGrad(c, dy, x, w) }),
		c.when(2, func() *ir.Value { return biasGrad(c, dy) }),
	}
}

func biasGrad(c *Ctx, dy *ir.Value) *ir.Value {
	axes := []int64{0}
	for i := 2; i < dy.Rank(); i++ {
		axes = append(axes, int64(i))
	}
	return c.ReduceSum(dy, false, axes...)
}

// wideGrad is the gradient of the input of a Conv. At stride 1 it is a Conv with the weight flipped in space and transposed in
// channels. That weight becomes a constant where the weight is one, and the Conv runs several times faster than ConvTranspose on
// the CPU provider. At other strides it is a ConvTranspose with output_padding, whose pads stay symmetric.
func (g geometry) wideGrad(c *Ctx, dy, w *ir.Value) *ir.Value {
	k := len(g.Kernel)
	pads := make([]int64, 2*k)
	fits := all(g.Strides, 1)
	for i := range k {
		reach := (g.Kernel[i] - 1) * g.Dilations[i]
		pads[i], pads[k+i] = reach-g.Pads[i], reach-g.Pads[k+i]
		fits = fits && pads[i] >= 0 && pads[k+i] >= 0
	}
	if fits {
		h := g
		h.Pads = pads
		return c.One("Conv", h.attrs(), dy, g.adjoint(c, w))
	}
	extra := make([]int64, k)
	for i, d := range g.wide {
		reach := (g.Kernel[i]-1)*g.Dilations[i] + 1
		extra[i] = (d + g.Pads[i] + g.Pads[k+i] - reach) % g.Strides[i]
	}
	a := g.attrs()
	a["output_padding"] = extra
	return c.One("ConvTranspose", a, dy, w)
}

// adjoint turns a weight [O,I/g,k...] into [I,O/g,k...], flipped along every spatial axis.
func (g geometry) adjoint(c *Ctx, w *ir.Value) *ir.Value {
	o, i, k := w.Shape[0], w.Shape[1], len(g.Kernel)
	if !all(g.Kernel, 1) {
		starts, ends, axes := make([]int64, k), make([]int64, k), make([]int64, k)
		for a := range k {
			starts[a], ends[a], axes[a] = -1, -g.Kernel[a]-1, int64(2+a)
		}
		w = c.Slice(w, starts, ends, axes, starts)
	}
	if i == 1 && o == g.group {
		return w
	}
	split := append([]int64{g.group, o / g.group, i}, g.Kernel...)
	joined := append([]int64{g.group * i, o / g.group}, g.Kernel...)
	perm := []int64{0, 2, 1}
	for a := range k {
		perm = append(perm, int64(3+a))
	}
	return c.Reshape(c.Transpose(c.Reshape(w, split...), perm...), joined...)
}

// weightGrad is the gradient of the weight [O,I/g,k...] for the wide tensor x [N,I,...] and the gradient dy [N,O,...] on the
// narrow side: a convolution of x by dy with strides and dilations exchanged.
func (g geometry) weightGrad(c *Ctx, x, dy, w *ir.Value) *ir.Value {
	n, in, out := x.Shape[0], x.Shape[1], dy.Shape[1]
	switch {
	case n == ir.N:
		c.Fail("node %s: the gradient of a weight needs a static batch", c.N.Name)
		return w
	case g.group == 1 && all(g.Kernel, 1) && all(g.Pads, 0):
		return g.pointwiseGrad(c, x, dy, w)
	case g.group == in && in == out:
		return g.depthwiseGrad(c, x, dy, w)
	}
	k := len(g.Kernel)
	swap := []int64{1, 0}
	spatial := make([]int64, 0, k)
	for a := range k {
		swap, spatial = append(swap, int64(2+a)), append(spatial, int64(3+a))
	}
	// x as [I/g, g*N, ...]: the images become the channels that the convolution sums over.
	xs := x
	if g.group == 1 {
		xs = c.Transpose(xs, swap...)
	} else {
		xs = c.Reshape(xs, append([]int64{n, g.group, in / g.group}, g.wide...)...)
		xs = c.Transpose(xs, append([]int64{2, 1, 0}, spatial...)...)
		xs = c.Reshape(xs, append([]int64{in / g.group, g.group * n}, g.wide...)...)
	}
	grad := c.One("Conv", g.exchanged(dy, g.group).attrs(), xs, c.Transpose(dy, swap...))
	return c.Transpose(crop(c, grad, g.Kernel), swap...)
}

// exchanged is the geometry of the convolution that makes a weight gradient, with dy as its kernel.
func (g geometry) exchanged(dy *ir.Value, group int64) geometry {
	return geometry{
		Window: op.Window{Kernel: dy.Shape[2:], Strides: g.Dilations, Dilations: g.Strides, Pads: g.Pads},
		group:  group, wide: g.wide,
	}
}

// crop keeps the first sizes along the spatial axes. Rows and columns are left over where a stride does not divide the wide
// tensor, or by output padding.
func crop(c *Ctx, grad *ir.Value, sizes []int64) *ir.Value {
	if c.Err() != nil || ir.Shape(grad.Shape[2:]).Equal(sizes) {
		return grad
	}
	k := len(sizes)
	starts, axes, steps := make([]int64, k), make([]int64, k), make([]int64, k)
	for a := range k {
		axes[a], steps[a] = int64(2+a), 1
	}
	return c.Slice(grad, starts, sizes, axes, steps)
}

// pointwiseGrad is the gradient of a 1x1 weight: dy [N,O,P] times x [N,I,P] transposed, summed over images.
func (g geometry) pointwiseGrad(c *Ctx, x, dy, w *ir.Value) *ir.Value {
	n, in, out := x.Shape[0], x.Shape[1], dy.Shape[1]
	if !all(g.Strides, 1) {
		k := len(g.Kernel)
		starts, ends, axes := make([]int64, k), make([]int64, k), make([]int64, k)
		for a := range k {
			axes[a], ends[a] = int64(2+a), (dy.Shape[2+a]-1)*g.Strides[a]+1
		}
		x = c.Slice(x, starts, ends, axes, g.Strides)
	}
	xt := c.Transpose(c.Reshape(x, n, in, -1), 0, 2, 1)
	prod := c.MatMul(c.Reshape(dy, n, out, -1), xt)
	return c.Reshape(c.ReduceSum(prod, false, 0), w.Shape...)
}

// depthwiseGrad correlates every plane of x with its plane of dy: one group per image and channel, so that neither
// tensor has to be transposed.
func (g geometry) depthwiseGrad(c *Ctx, x, dy, w *ir.Value) *ir.Value {
	n, ch := x.Shape[0], x.Shape[1]
	planes := c.Reshape(x, append([]int64{1, n * ch}, g.wide...)...)
	kernels := c.Reshape(dy, append([]int64{n * ch, 1}, dy.Shape[2:]...)...)
	grad := crop(c, c.One("Conv", g.exchanged(dy, n*ch).attrs(), planes, kernels), g.Kernel)
	grad = c.Reshape(grad, append([]int64{n, ch}, g.Kernel...)...)
	return c.Reshape(c.ReduceSum(grad, false, 0), w.Shape...)
}
