package lower

import (
	"fmt"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/genotype"
)

// edge is the place where a primitive stands: the prefix of its parameter names, the number of channels, the stride and, in a
// supernet, the architecture weight that multiplies it. The stride is 2 where a reduction cell reads its inputs.
type edge struct {
	name   string
	c      int64
	stride int64
	super  bool      // no learned scale in normalisation; pooling is normalised too
	gain   *ir.Value // scalar or nil
}

// primitive lowers one operation; a nil result means zero.
type primitive func(e *Env, x *ir.Value, at edge) *ir.Value

// primitives has one row per operation of the search spaces (Liu et al. 2019, DARTS, section 3.1.1 and its code; NASNet and
// AmoebaNet cells add sep_conv_7x7 and conv_7x1_1x7).
var primitives = map[genotype.Primitive]primitive{
	genotype.None:        func(*Env, *ir.Value, edge) *ir.Value { return nil },
	genotype.SkipConnect: skip,
	genotype.MaxPool3x3:  pool(genotype.MaxPool3x3, op.B.MaxPool),
	genotype.AvgPool3x3:  pool(genotype.AvgPool3x3, op.B.AveragePool),
	genotype.SepConv3x3:  sepConv(3),
	genotype.SepConv5x5:  sepConv(5),
	genotype.SepConv7x7:  sepConv(7),
	genotype.DilConv3x3:  dilConv(3),
	genotype.DilConv5x5:  dilConv(5),
	genotype.Conv7x1_1x7: conv7x1,
}

// skip passes x on; at stride 2 it is a factorized reduction.
func skip(e *Env, x *ir.Value, at edge) *ir.Value {
	if at.stride == 2 {
		return e.factorizedReduce(at.name, x, at.c, !at.super, at.gain)
	}
	if at.gain != nil {
		return e.gained(x, at.gain)
	}
	return x
}

// pool is pooling over windows of 3x3; in a supernet a normalisation follows.
func pool(name genotype.Primitive, window func(op.B, *ir.Value, op.Conv2D) *ir.Value) primitive {
	return func(e *Env, x *ir.Value, at edge) *ir.Value {
		y := e.pooled(name, window, x, at.stride)
		if at.super {
			y = e.sharedNorm(at.name+".1", y, at.gain)
		}
		return y
	}
}

// pooled is a 3x3 pooling of x, once for all edges that pool it alike.
func (e *Env) pooled(name genotype.Primitive, window func(op.B, *ir.Value, op.Conv2D) *ir.Value, x *ir.Value, stride int64) *ir.Value {
	return e.once(fmt.Sprint(name, stride), x, func() sharedValue {
		return sharedValue{value: window(e.B, x, op.Same(3, stride, 1))}
	}).value
}

// separable is Relu, depthwise and pointwise convolution, normalisation; the layers are numbered from first.
func (e *Env) separable(at edge, x *ir.Value, first int, k, stride, dilation int64, gain *ir.Value) *ir.Value {
	g := op.Same(k, stride, dilation)
	g.Group = at.c
	y := e.conv(layer(at, first), e.Relu(x), at.c, g)
	y = e.pointwise(layer(at, first+1), y, at.c, 1)
	return e.norm(layer(at, first+2), y, !at.super, gain)
}

// sepConv is two separable convolutions with k by k kernels, of which the first has the stride.
func sepConv(k int64) primitive {
	return func(e *Env, x *ir.Value, at edge) *ir.Value {
		y := e.separable(at, x, 1, k, at.stride, 1, nil)
		return e.separable(at, y, 5, k, 1, 1, at.gain)
	}
}

// dilConv is a separable convolution with a k by k kernel of dilation 2.
func dilConv(k int64) primitive {
	return func(e *Env, x *ir.Value, at edge) *ir.Value { return e.separable(at, x, 1, k, at.stride, 2, at.gain) }
}

// conv7x1 is a 1x7 convolution followed by a 7x1 one, each with the stride along its own axis. Unlike the others it is a bare
// sequence in DARTS, so that its parameters carry no ".op".
func conv7x1(e *Env, x *ir.Value, at edge) *ir.Value {
	row := e.strided(at.name+".1", e.Relu(x), at.c, [2]int64{1, 7}, [2]int64{1, at.stride}, [4]int64{0, 3, 0, 3})
	col := e.strided(at.name+".2", row, at.c, [2]int64{7, 1}, [2]int64{at.stride, 1}, [4]int64{3, 0, 3, 0})
	return e.norm(at.name+".3", col, !at.super, at.gain)
}

// strided is a dense convolution with a stride for each axis.
func (e *Env) strided(name string, x *ir.Value, out int64, kernel, stride [2]int64, pads [4]int64) *ir.Value {
	if e.Err() != nil {
		return x
	}
	in := x.Shape[1]
	w := e.weight(name+".weight", ConvWeight, in*kernel[0]*kernel[1], out, in, kernel[0], kernel[1])
	return e.One("Conv", ir.Attrs{"kernel_shape": kernel[:], "strides": stride[:], "pads": pads[:]}, x, w)
}

// layer is the name of layer i of a primitive.
func layer(at edge, i int) string { return fmt.Sprintf("%s.op.%d", at.name, i) }
