package interp

import (
	"slices"

	"rnas/compiler/op"
)

// The kernels of the domain NCHWc bring their operands into NCHW, compute there and go back.
func init() {
	for name, k := range map[string]kernel{
		"ReorderInput":      reorderInput,
		"ReorderOutput":     reorderOutput,
		"Conv":              nchwcConv,
		"MaxPool":           inNCHWc(maxPool),
		"AveragePool":       inNCHWc(averagePool),
		"GlobalAveragePool": inNCHWc(globalPool(mean[float64])),
	} {
		kernels[op.NCHWc+":"+name] = k
	}
}

// reorder is a with its elements moved as if by reshaping to dims and transposing by perm; the shape stays.
func reorder(a *array, perm []int, dims ...int) *array {
	stride := make([]int, len(dims))
	s := 1
	for i := len(dims) - 1; i >= 0; i-- {
		stride[i] = s
		s *= dims[i]
	}
	at := make([]int, 0, s)
	var walk func(d, from int)
	walk = func(d, from int) {
		if d == len(perm) {
			at = append(at, from)
			return
		}
		for i := range dims[perm[d]] {
			walk(d+1, from+i*stride[perm[d]])
		}
	}
	walk(0, 0)
	return a.take(a.shape, at, nil)
}

func (c *call) blockSize() int { return int(c.Int(op.Block, 1)) }

// block moves the elements of [N,C,...] to [N,C/block,...,block].
func (c *call) block(a *array) *array {
	b, n, ch := c.blockSize(), int(a.shape[0]), int(a.shape[1])
	return reorder(a, []int{0, 1, 3, 2}, n, ch/b, b, a.len()/max(n*ch, 1))
}

// unblock undoes block.
func (c *call) unblock(a *array) *array {
	b, n, ch := c.blockSize(), int(a.shape[0]), int(a.shape[1])
	return reorder(a, []int{0, 1, 3, 2}, n, ch/b, a.len()/max(n*ch, 1), b)
}

func reorderInput(c *call) ([]*array, error) {
	x := c.in[0]
	if c.Int("channels_last", 0) == 0 {
		return one(c.block(x)), nil
	}
	b, n, ch := c.blockSize(), int(x.shape[0]), int(x.shape[3])
	y := *reorder(x, []int{0, 2, 1, 3}, n, x.len()/max(n*ch, 1), ch/b, b)
	y.shape = []int64{x.shape[0], x.shape[3], x.shape[1], x.shape[2]}
	return one(&y), nil
}

func reorderOutput(c *call) ([]*array, error) {
	plain := c.unblock(c.in[0])
	n, ch, keep := int(plain.shape[0]), int(plain.shape[1]), int(c.Int("channels", plain.shape[1]))
	if keep == ch {
		return one(plain), nil
	}
	pixels := plain.len() / max(n*ch, 1)
	var at []int
	for i := range n {
		for k := range keep * pixels {
			at = append(at, i*ch*pixels+k)
		}
	}
	shape := slices.Clone(plain.shape)
	shape[1] = int64(keep)
	return one(plain.take(shape, at, nil)), nil
}

// unblockWeight moves the elements of a weight in NCHWc to [O,I,h,w].
func (c *call) unblockWeight(w *array) *array {
	b, out, in := c.blockSize(), int(w.shape[0]), int(w.shape[1])
	taps := w.len() / max(out*in, 1)
	if in < b {
		return reorder(w, []int{0, 2, 1}, out/b, in*taps, b)
	}
	return reorder(w, []int{0, 4, 1, 3, 2}, out/b, in/b, taps, b, b)
}

// inNCHWc is kernel k for one input and one output in NCHWc.
func inNCHWc(k kernel) kernel {
	return func(c *call) ([]*array, error) {
		plain := *c
		plain.in = one(c.unblock(c.in[0]))
		out, err := k(&plain)
		if err != nil {
			return nil, err
		}
		return one(c.block(out[0])), nil
	}
}

func nchwcConv(c *call) ([]*array, error) {
	plain := *c
	plain.in = slices.Clone(c.in)
	plain.in[1] = c.unblockWeight(c.in[1])
	if int(c.in[0].shape[1]) >= c.blockSize() {
		plain.in[0] = c.unblock(c.in[0])
	}
	out, err := conv(&plain)
	if err != nil {
		return nil, err
	}
	y := c.block(out[0])
	if sum := c.arg(3); sum != nil {
		for i := range y.f {
			y.f[i] += sum.f[i]
		}
	}
	if c.Str("activation", "") == "Relu" {
		for i, v := range y.f {
			y.f[i] = max(v, 0)
		}
	}
	return one(y), nil
}
