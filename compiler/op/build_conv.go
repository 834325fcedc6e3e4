package op

import "rnas/compiler/ir"

// Conv2D is the geometry of a two-dimensional convolution or pooling. A Stride, Dilation or Group of 0 means 1. Pads are top,
// left, bottom, right.
type Conv2D struct {
	Kernel   [2]int64
	Stride   int64
	Dilation int64
	Pads     [4]int64
	Group    int64
}

// Same is the geometry of a k by k window, padded alike on all sides so that the size stays the same at stride 1.
func Same(k, stride, dilation int64) Conv2D {
	p := dilation * (k - 1) / 2
	return Conv2D{Kernel: [2]int64{k, k}, Stride: stride, Dilation: dilation, Pads: [4]int64{p, p, p, p}}
}

func (g Conv2D) attrs() ir.Attrs {
	s, d := max(g.Stride, 1), max(g.Dilation, 1)
	a := ir.Attrs{
		"kernel_shape": []int64{g.Kernel[0], g.Kernel[1]}, "strides": []int64{s, s}, "pads": g.Pads[:],
	}
	if d != 1 {
		a["dilations"] = []int64{d, d}
	}
	return a
}

// Conv convolves x [N,C,H,W] with w [O,C/group,kh,kw]; bias [O] may be nil.
func (b B) Conv(x, w, bias *ir.Value, g Conv2D) *ir.Value {
	a := g.attrs()
	if g.Group > 1 {
		a["group"] = g.Group
	}
	if bias == nil {
		return b.One("Conv", a, x, w)
	}
	return b.One("Conv", a, x, w, bias)
}

// MaxPool takes the maximum over windows of x [N,C,H,W]. Padding never wins.
func (b B) MaxPool(x *ir.Value, g Conv2D) *ir.Value { return b.One("MaxPool", g.attrs(), x) }

// AveragePool averages over the part of each window that lies inside x [N,C,H,W].
func (b B) AveragePool(x *ir.Value, g Conv2D) *ir.Value { return b.One("AveragePool", g.attrs(), x) }

// GlobalAveragePool averages over all spatial positions: [N,C,H,W] to [N,C,1,1].
func (b B) GlobalAveragePool(x *ir.Value) *ir.Value { return b.One("GlobalAveragePool", nil, x) }

// BatchNorm is scale*(x-mean)/sqrt(variance+eps) + bias, with one number [C] of each per channel.
func (b B) BatchNorm(x, scale, bias, mean, variance *ir.Value, eps float32) *ir.Value {
	return b.One("BatchNormalization", ir.Attrs{"epsilon": eps}, x, scale, bias, mean, variance)
}

// BatchNormTrain normalises x by the statistics of the batch and returns them: mean and biased variance [C]. ONNX mixes them into
// running statistics with weight 1-momentum; with momentum 0 the batch statistics come out pure.
//
// ONNX Runtime's CPU kernel writes the statistics over the memory of its inputs runMean and runVariance, whose content does not
// matter: both must be variables [C] that no other node reads.
func (b B) BatchNormTrain(x, scale, bias, runMean, runVariance *ir.Value, eps float32) (y, mean, variance *ir.Value) {
	out := b.Node("BatchNormalization", ir.Attrs{"epsilon": eps, "momentum": float32(0), "training_mode": int64(1)},
		3, x, scale, bias, runMean, runVariance)
	return out[0], out[1], out[2]
}
