// Package lower turns architectures into forward graphs: the evaluation network of a genotype, and the supernet of the search.
// Each primitive is one function. Parameters carry the names of the public DARTS code, so that published PyTorch checkpoints fit.
package lower

import (
	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/tensor"
)

// Kind tells what a parameter is, which decides how it starts and whether it is trained.
type Kind int

// Kinds of parameters.
const (
	ConvWeight   Kind = iota // [O,I/g,kh,kw]
	LinearWeight             // [O,I]
	LinearBias               // [O]
	NormScale                // [C]
	NormBias                 // [C]
	RunningMean              // [C], a statistic
	RunningVar               // [C], a statistic
)

// Statistic reports whether the parameter is a running statistic, which is averaged over batches and not trained by gradients.
func (k Kind) Statistic() bool { return k == RunningMean || k == RunningVar }

// Param describes one parameter. FanIn is the number of inputs that one output sums over.
type Param struct {
	Name  string
	Kind  Kind
	Shape []int64
	FanIn int64
}

// Source gives the value of a parameter. It is asked once per name and forward pass. In training it must give statistics that
// nothing else reads (see op.B.BatchNormTrain); their content does not matter then.
type Source func(p Param) *ir.Value

// Stat holds the batch statistics of one normalisation layer: mean and biased variance [C] over Count elements per channel.
type Stat struct {
	Name           string // of the layer; parameters are Name.running_mean and Name.running_var
	Mean, Variance *ir.Value
	Count          int64
}

// Env is what lowering works in: a builder, the parameters and the mode.
type Env struct {
	op.B
	Param Source
	// Train normalises by batch statistics and records them in Stats; otherwise running statistics are used.
	Train bool
	Stats []Stat
	// Fold merges a normalisation by running statistics into the convolution before it, so that neither it nor its
	// gradient costs a pass over the tensor.
	Fold bool
	// Bare leaves every normalisation out.
	Bare bool
	// Activations are the outputs of Relu in the order of lowering: one that several edges share stands there as often as the public
	// code of the network has a layer for it.
	Activations []*ir.Value
	// Alphas are the architecture parameters of a supernet, [2,edges,primitives], normal cells first.
	Alphas *ir.Value
	// Mix, if set, turns the architecture weights, the softmax of Alphas and of its shape, into those that the edges use.
	Mix func(b op.B, weights *ir.Value) *ir.Value
	// DropPath gives, in training, the factor [B,1,1,1] of an edge: 0 drops the edge for that image, 1/keep keeps it. Nil
	// where drop-path is off.
	DropPath func() *ir.Value
	// shared holds what several edges compute from the same state, see once.
	shared map[sharedKey]sharedValue
}

// sharedKey names what edges share: the computation and the state that it starts from.
type sharedKey struct {
	what string
	of   *ir.Value
}

// sharedValue is the result of a shared computation; mean and variance are those of a normalisation.
type sharedValue struct{ value, mean, variance *ir.Value }

// once computes what of x the first time that a cell asks for it. Edges that start at one state share their common beginning, so
// that its gradient is also taken once, of the sum.
func (e *Env) once(what string, x *ir.Value, compute func() sharedValue) sharedValue {
	key := sharedKey{what, x}
	v, ok := e.shared[key]
	if !ok {
		v = compute()
		if e.shared == nil {
			e.shared = map[sharedKey]sharedValue{}
		}
		e.shared[key] = v
	}
	return v
}

// Relu is max(x, 0), made once for every x. The Relu of a concatenation is taken of its parts: a part that is a sum absorbs it,
// and other users of the Relu of a part share it.
func (e *Env) Relu(x *ir.Value) *ir.Value {
	y := e.relu(x)
	e.Activations = append(e.Activations, y)
	return y
}

func (e *Env) relu(x *ir.Value) *ir.Value {
	return e.once("relu", x, func() sharedValue {
		if x.Def == nil || x.Def.Op != "Concat" {
			return sharedValue{value: e.B.Relu(x)}
		}
		parts := make([]*ir.Value, len(x.Def.In))
		for i, v := range x.Def.In {
			parts[i] = e.relu(v)
		}
		return sharedValue{value: e.Concat(x.Def.Int("axis", 0), parts...)}
	}).value
}

// Epsilon is PyTorch's default for batch normalisation.
const Epsilon = 1e-5

// weight asks for a parameter.
func (e *Env) weight(name string, kind Kind, fanIn int64, shape ...int64) *ir.Value {
	return e.Param(Param{Name: name, Kind: kind, Shape: shape, FanIn: fanIn})
}

// conv is a convolution of x [N,C,H,W] without bias; its parameter is name.weight [out,C/group,kh,kw].
func (e *Env) conv(name string, x *ir.Value, out int64, g op.Conv2D) *ir.Value {
	if e.Err() != nil {
		return x
	}
	in := x.Shape[1] / max(g.Group, 1)
	w := e.weight(name+".weight", ConvWeight, in*g.Kernel[0]*g.Kernel[1], out, in, g.Kernel[0], g.Kernel[1])
	return e.Conv(x, w, nil, g)
}

// pointwise is a 1x1 convolution.
func (e *Env) pointwise(name string, x *ir.Value, out, stride int64) *ir.Value {
	return e.conv(name, x, out, op.Conv2D{Kernel: [2]int64{1, 1}, Stride: stride})
}

// linear is x [N,I] times name.weight [O,I] transposed plus name.bias [O].
func (e *Env) linear(name string, x *ir.Value, out int64) *ir.Value {
	if e.Err() != nil {
		return x
	}
	in := x.Shape[1]
	w := e.weight(name+".weight", LinearWeight, in, out, in)
	return e.Gemm(x, w, e.weight(name+".bias", LinearBias, in, out), false, true)
}

// norm is batch normalisation of x [N,C,H,W], with name.weight and name.bias if affine. gain, a scalar or nil, multiplies the
// result. It is folded into the scale, so that the weight of an edge costs no pass over the tensor of its own.
func (e *Env) norm(name string, x *ir.Value, affine bool, gain *ir.Value) *ir.Value {
	if e.Err() != nil {
		return x
	}
	if e.Bare {
		if gain != nil {
			return e.gained(x, gain)
		}
		return x
	}
	c := x.Shape[1]
	var scale, bias *ir.Value
	if affine {
		scale = e.weight(name+".weight", NormScale, c, c)
		bias = e.weight(name+".bias", NormBias, c, c)
		if gain != nil {
			scale, bias = e.Mul(scale, gain), e.Mul(bias, gain)
		}
	} else {
		scale, bias = e.Fill(x, 1, c), e.Fill(x, 0, c)
		if gain != nil {
			scale = e.Expand(gain, c)
		}
	}
	mean := e.weight(name+".running_mean", RunningMean, c, c)
	variance := e.weight(name+".running_var", RunningVar, c, c)
	if !e.Train && e.Fold && x.Def != nil && x.Def.Op == "Conv" && len(x.Def.In) == 2 {
		return e.folded(x.Def, scale, bias, mean, variance)
	}
	if !e.Train {
		return e.BatchNorm(x, scale, bias, mean, variance, Epsilon)
	}
	y, m, v := e.BatchNormTrain(x, scale, bias, mean, variance, Epsilon)
	e.Stats = append(e.Stats, Stat{Name: name, Mean: m, Variance: v, Count: x.Shape.Numel() / c})
	return y
}

// sharedNorm is norm without learned scale of an x that several edges normalise. In training, all of them have the same batch
// statistics.
func (e *Env) sharedNorm(name string, x, gain *ir.Value) *ir.Value {
	if !e.Train || e.Bare || e.Err() != nil {
		return e.norm(name, x, false, gain)
	}
	c := x.Shape[1]
	mean := e.weight(name+".running_mean", RunningMean, c, c)
	variance := e.weight(name+".running_var", RunningVar, c, c)
	n := e.once("norm", x, func() sharedValue {
		y, m, v := e.BatchNormTrain(x, e.Fill(x, 1, c), e.Fill(x, 0, c), mean, variance, Epsilon)
		return sharedValue{y, m, v}
	})
	e.Stats = append(e.Stats, Stat{Name: name, Mean: n.mean, Variance: n.variance, Count: x.Shape.Numel() / c})
	return e.gained(n.value, gain)
}

// gained is x times a scalar. The factor is spread over the channels: a sum of edges then absorbs it as it is computed.
func (e *Env) gained(x, gain *ir.Value) *ir.Value {
	if e.Err() != nil {
		return x
	}
	return e.Mul(x, e.Reshape(e.Expand(gain, x.Shape[1]), 1, -1, 1, 1))
}

// folded is a convolution and its normalisation as one convolution, with weight*s and bias-mean*s for s =
// scale/sqrt(variance+epsilon). The node conv becomes unused.
func (e *Env) folded(conv *ir.Node, scale, bias, mean, variance *ir.Value) *ir.Value {
	s := e.Div(scale, e.Sqrt(e.Add(variance, e.Float(variance, Epsilon))))
	w := e.Mul(conv.In[1], e.Reshape(s, -1, 1, 1, 1))
	return e.One("Conv", conv.Attrs, conv.In[0], w, e.Sub(bias, e.Mul(mean, s)))
}

// reluConvNorm is DARTS' ReLUConvBN with a 1x1 kernel; its layers are name.op.1 and name.op.2.
func (e *Env) reluConvNorm(name string, x *ir.Value, out int64, affine bool) *ir.Value {
	return e.norm(name+".op.2", e.pointwise(name+".op.1", e.Relu(x), out, 1), affine, nil)
}

// factorizedReduce is DARTS' FactorizedReduce: two 1x1 convolutions of stride 2, the second shifted by a pixel, each giving half
// of the channels. Its layers are name.conv_1, name.conv_2 and name.bn.
func (e *Env) factorizedReduce(name string, x *ir.Value, out int64, affine bool, gain *ir.Value) *ir.Value {
	if e.Err() != nil {
		return x
	}
	h, w := x.Shape[2], x.Shape[3]
	if out%2 != 0 || h%2 != 0 || w%2 != 0 {
		e.Fail("%s: halving needs an even number of channels, rows and columns, found %d channels of %dx%d", name, out, h, w)
		return x
	}
	x = e.Relu(x)
	shifted := e.Slice(x, []int64{1, 1}, []int64{h, w}, []int64{2, 3}, []int64{1, 1})
	both := e.Concat(1, e.pointwise(name+".conv_1", x, out/2, 2), e.pointwise(name+".conv_2", shifted, out/2, 2))
	return e.norm(name+".bn", both, affine, gain)
}

// vector is a constant of the type of like.
func (e *Env) vector(hint string, like *ir.Value, shape []int64, values []float64) *ir.Value {
	return e.Const(hint, tensor.FromFloat64s(like.Type, shape, values))
}
