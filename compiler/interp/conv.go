package interp

import (
	"fmt"
	"slices"

	"rnas/compiler/op"
)

// conv computes each output plane as a sum over input planes of its group, in the order of the channels.
func conv(c *call) ([]*array, error) {
	x, w, bias := c.in[0], c.in[1], c.arg(2)
	if !x.dtype.IsFloat() {
		return nil, undefinedFor(x)
	}
	win, err := op.WindowOf(c.Node, w.shape[2:], x.shape[2:])
	if err != nil {
		return nil, err
	}
	g, spatial, err := newGrid(win, x.shape[2:], func(i int) int64 { return win.Out(i, x.shape[2+i], false) })
	if err != nil {
		return nil, err
	}
	g.flatten()
	channels, filters, perGroup := int(x.shape[1]), int(w.shape[0]), int(w.shape[1])
	out, err := zeros(x.dtype, slices.Concat(x.shape[:1], w.shape[:1], spatial))
	if err != nil {
		return nil, err
	}
	group := int(c.Int("group", 1))
	if group < 1 || filters%group != 0 || channels != group*perGroup {
		return nil, fmt.Errorf("%d groups do not divide %d input and %d output channels", group, channels, filters)
	}
	size, taps, windows := g.inputs(), g.kernel(), g.windows()
	parallel(int(x.shape[0])*filters, perGroup*taps*windows, func(p int) {
		image, filter := p/filters, p%filters
		dst := out.f[p*windows : (p+1)*windows]
		fillBias(dst, bias, filter)
		first := image*channels + filter/(filters/group)*perGroup
		for k := range perGroup {
			g.correlate(dst, x.f[(first+k)*size:][:size], w.f[(filter*perGroup+k)*taps:][:taps])
		}
	})
	return one(out), nil
}

// convTranspose is the adjoint of conv for w [C,M/group,...]. Each output plane is a sum over the input planes of its group, in
// the order of the channels.
func convTranspose(c *call) ([]*array, error) {
	x, w, bias := c.in[0], c.in[1], c.arg(2)
	if !x.dtype.IsFloat() {
		return nil, undefinedFor(x)
	}
	win, spatial, err := op.TransposedWindow(c.Node, w.shape[2:], x.shape[2:])
	if err != nil {
		return nil, err
	}
	g, _, err := newGrid(win, spatial, func(i int) int64 { return x.shape[2+i] })
	if err != nil {
		return nil, err
	}
	g.flatten()
	channels, perGroup, group := int(x.shape[1]), int(w.shape[1]), int(c.Int("group", 1))
	if group < 1 || channels%group != 0 || int(w.shape[0]) != channels {
		return nil, fmt.Errorf("%d groups do not divide %d input channels", group, channels)
	}
	filters := perGroup * group
	out, err := zeros(x.dtype, slices.Concat(x.shape[:1], []int64{int64(filters)}, spatial))
	if err != nil {
		return nil, err
	}
	size, taps, windows := g.inputs(), g.kernel(), g.windows()
	parallel(int(x.shape[0])*filters, channels/group*taps*windows, func(p int) {
		image, filter := p/filters, p%filters
		dst := out.f[p*size : (p+1)*size]
		fillBias(dst, bias, filter)
		first := filter / perGroup * (channels / group)
		for ch := first; ch < first+channels/group; ch++ {
			g.spread(dst, x.f[(image*channels+ch)*windows:][:windows], w.f[(ch*perGroup+filter%perGroup)*taps:][:taps])
		}
	})
	return one(out), nil
}

func fillBias(dst []float64, bias *array, k int) {
	if bias == nil {
		return
	}
	for i := range dst {
		dst[i] = bias.f[k]
	}
}

// correlate adds the correlation of plane src with kernel ker to dst. Rows run along the windows, or along the kernel
// where that is longer (weight gradients have kernels of the size of an image).
func (g *grid) correlate(dst, src, ker []float64) {
	if g[2].kernel > g[2].out {
		g.correlateTaps(dst, src, ker)
		return
	}
	g.rows(func(k, o, i, n int) {
		to, from, w := dst[o:o+n], src[i:], ker[k]
		if s := g[2].stride; s != 1 {
			for j := range to {
				to[j] += w * from[j*s]
			}
			return
		}
		for j, v := range from[:n] {
			to[j] += w * v
		}
	})
}

// spread adds to dst the adjoint of correlate applied to src.
func (g *grid) spread(dst, src, ker []float64) {
	g.rows(func(k, o, i, n int) {
		from, to, w := src[o:o+n], dst[i:], ker[k]
		if s := g[2].stride; s != 1 {
			for j, v := range from {
				to[j*s] += w * v
			}
			return
		}
		to = to[:n]
		for j, v := range from {
			to[j] += w * v
		}
	})
}

// rows calls f for every tap k and every row of n windows, starting at window o, that the tap joins to input elements
// starting at i, the stride of the last dimension apart.
func (g *grid) rows(f func(k, o, i, n int)) {
	d, h, w := g[0], g[1], g[2]
	for kd := range d.kernel {
		d0, d1 := d.windows(kd)
		for kh := range h.kernel {
			h0, h1 := h.windows(kh)
			for kw := range w.kernel {
				w0, w1 := w.windows(kw)
				if w0 == w1 {
					continue
				}
				k := (kd*h.kernel+kh)*w.kernel + kw
				column := w0*w.stride - w.begin + kw*w.dilation
				for od := d0; od < d1; od++ {
					plane := (od*d.stride - d.begin + kd*d.dilation) * h.in
					for oh := h0; oh < h1; oh++ {
						row := plane + oh*h.stride - h.begin + kh*h.dilation
						f(k, (od*h.out+oh)*w.out+w0, row*w.in+column, w1-w0)
					}
				}
			}
		}
	}
}

func (g *grid) correlateTaps(dst, src, ker []float64) {
	d, h, w := g[0], g[1], g[2]
	o := 0
	for od := range d.out {
		d0, d1 := d.taps(od, 0, 0)
		for oh := range h.out {
			h0, h1 := h.taps(oh, 0, 0)
			for ow := range w.out {
				w0, w1 := w.taps(ow, 0, 0)
				total := 0.0
				for kd := d0; kd < d1 && w0 < w1; kd++ {
					plane := (od*d.stride - d.begin + kd*d.dilation) * h.in
					for kh := h0; kh < h1; kh++ {
						row := (plane + oh*h.stride - h.begin + kh*h.dilation) * w.in
						from := src[row+ow*w.stride-w.begin+w0*w.dilation:]
						at := (kd*h.kernel + kh) * w.kernel
						for j, v := range ker[at+w0 : at+w1] {
							total += v * from[j*w.dilation]
						}
					}
				}
				dst[o] += total
				o++
			}
		}
	}
}
