package op

import (
	"math"

	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

// Opset is the operator set version of the graphs that the compiler makes.
const Opset = 18

// B builds graphs by typed constructors. Each method appends one node (or none, where the result is plainly its
// input) and returns its first output; the error is sticky as in ir.Builder.
type B struct{ *ir.Builder }

// NewB starts an empty graph.
func NewB(name string) B { return B{ir.NewBuilder(name, Opset, Infer)} }

// Extend continues at the end of g.
func Extend(g *ir.Graph) B { return B{ir.Extend(g, Infer)} }

// One appends a node with one output.
func (b B) One(op string, attrs ir.Attrs, in ...*ir.Value) *ir.Value {
	return b.Node(op, attrs, 1, in...)[0]
}

// Ints is an int64 vector constant.
func (b B) Ints(v ...int64) *ir.Value {
	return b.Const("ints", &tensor.Tensor{Shape: []int64{int64(len(v))}, Data: append([]int64{}, v...)})
}

// Int is an int64 scalar constant.
func (b B) Int(v int64) *ir.Value { return b.Const("int", tensor.Scalar(v)) }

// Float is a scalar constant of the type of like.
func (b B) Float(like *ir.Value, v float64) *ir.Value {
	t := like.Type
	if t == 0 {
		t = ir.Float32
	}
	return b.Const("float", tensor.FromFloat64s(t, nil, []float64{v}))
}

// Fill is a constant tensor of the type of like.
func (b B) Fill(like *ir.Value, v float64, shape ...int64) *ir.Value {
	n, err := tensor.Numel(shape)
	if err != nil {
		b.Fail("fill: %w", err)
		return &ir.Value{}
	}
	values := make([]float64, n)
	for i := range values {
		values[i] = v
	}
	t := like.Type
	if t == 0 {
		t = ir.Float32
	}
	return b.Const("fill", tensor.FromFloat64s(t, shape, values))
}

// Elementwise operators; binary ones broadcast.

func (b B) Add(x, y *ir.Value) *ir.Value            { return b.One("Add", nil, x, y) }
func (b B) Sub(x, y *ir.Value) *ir.Value            { return b.One("Sub", nil, x, y) }
func (b B) Mul(x, y *ir.Value) *ir.Value            { return b.One("Mul", nil, x, y) }
func (b B) Div(x, y *ir.Value) *ir.Value            { return b.One("Div", nil, x, y) }
func (b B) Pow(x, y *ir.Value) *ir.Value            { return b.One("Pow", nil, x, y) }
func (b B) Neg(x *ir.Value) *ir.Value               { return b.One("Neg", nil, x) }
func (b B) Abs(x *ir.Value) *ir.Value               { return b.One("Abs", nil, x) }
func (b B) Sign(x *ir.Value) *ir.Value              { return b.One("Sign", nil, x) }
func (b B) Exp(x *ir.Value) *ir.Value               { return b.One("Exp", nil, x) }
func (b B) Log(x *ir.Value) *ir.Value               { return b.One("Log", nil, x) }
func (b B) Sqrt(x *ir.Value) *ir.Value              { return b.One("Sqrt", nil, x) }
func (b B) Reciprocal(x *ir.Value) *ir.Value        { return b.One("Reciprocal", nil, x) }
func (b B) Relu(x *ir.Value) *ir.Value              { return b.One("Relu", nil, x) }
func (b B) Sigmoid(x *ir.Value) *ir.Value           { return b.One("Sigmoid", nil, x) }
func (b B) Tanh(x *ir.Value) *ir.Value              { return b.One("Tanh", nil, x) }
func (b B) Identity(x *ir.Value) *ir.Value          { return b.One("Identity", nil, x) }
func (b B) Max(x, y *ir.Value) *ir.Value            { return b.One("Max", nil, x, y) }
func (b B) Min(x, y *ir.Value) *ir.Value            { return b.One("Min", nil, x, y) }
func (b B) Equal(x, y *ir.Value) *ir.Value          { return b.One("Equal", nil, x, y) }
func (b B) Greater(x, y *ir.Value) *ir.Value        { return b.One("Greater", nil, x, y) }
func (b B) GreaterOrEqual(x, y *ir.Value) *ir.Value { return b.One("GreaterOrEqual", nil, x, y) }
func (b B) Less(x, y *ir.Value) *ir.Value           { return b.One("Less", nil, x, y) }
func (b B) LessOrEqual(x, y *ir.Value) *ir.Value    { return b.One("LessOrEqual", nil, x, y) }
func (b B) Where(c, x, y *ir.Value) *ir.Value       { return b.One("Where", nil, c, x, y) }
func (b B) Scale(x *ir.Value, k float64) *ir.Value  { return b.Mul(x, b.Float(x, k)) }
func (b B) Softmax(x *ir.Value, axis int64) *ir.Value {
	return b.One("Softmax", ir.Attrs{"axis": axis}, x)
}

func (b B) LogSoftmax(x *ir.Value, ax int64) *ir.Value {
	return b.One("LogSoftmax", ir.Attrs{"axis": ax}, x)
}

func (b B) Concat(axis int64, x ...*ir.Value) *ir.Value {
	return b.One("Concat", ir.Attrs{"axis": axis}, x...)
}

// Sum adds any number of equally shaped values; one value is returned as it is.
func (b B) Sum(x ...*ir.Value) *ir.Value {
	switch len(x) {
	case 1:
		return x[0]
	case 2:
		return b.Add(x[0], x[1])
	}
	return b.One("Sum", nil, x...)
}

// Clip limits x to [lo, hi]; an infinite bound is left out.
func (b B) Clip(x *ir.Value, lo, hi float64) *ir.Value {
	in := []*ir.Value{x, nil, nil}
	if !math.IsInf(lo, -1) {
		in[1] = b.Float(x, lo)
	}
	if !math.IsInf(hi, 1) {
		in[2] = b.Float(x, hi)
	}
	return b.One("Clip", nil, in...)
}

// Cast converts to type t; a value of that type already is returned as it is.
func (b B) Cast(x *ir.Value, t ir.DType) *ir.Value {
	if x.Type == t {
		return x
	}
	return b.One("Cast", ir.Attrs{"to": int64(t)}, x)
}

// Reshape gives x the dimensions dims (0 copies, -1 is the rest); an equal static shape returns x as it is.
func (b B) Reshape(x *ir.Value, dims ...int64) *ir.Value {
	if x.Shape.Equal(dims) && x.Shape.Static() && x.Shape.Numel() != 0 {
		return x
	}
	return b.One("Reshape", nil, x, b.Ints(dims...))
}

// Flatten merges all dimensions but the first.
func (b B) Flatten(x *ir.Value) *ir.Value { return b.One("Flatten", ir.Attrs{"axis": int64(1)}, x) }

// Transpose permutes the dimensions.
func (b B) Transpose(x *ir.Value, perm ...int64) *ir.Value {
	return b.One("Transpose", ir.Attrs{"perm": perm}, x)
}

// Slice takes [start, end) by step along each of axes.
func (b B) Slice(x *ir.Value, starts, ends, axes, steps []int64) *ir.Value {
	return b.One("Slice", nil, x, b.Ints(starts...), b.Ints(ends...), b.Ints(axes...), b.Ints(steps...))
}

// Split cuts x along axis into the given sizes.
func (b B) Split(x *ir.Value, axis int64, sizes ...int64) []*ir.Value {
	return b.Node("Split", ir.Attrs{"axis": axis}, len(sizes), x, b.Ints(sizes...))
}

// Expand broadcasts x to dims.
func (b B) Expand(x *ir.Value, dims ...int64) *ir.Value {
	return b.One("Expand", nil, x, b.Ints(dims...))
}

// ExpandLike broadcasts x to the shape of like, symbolic batch included.
func (b B) ExpandLike(x, like *ir.Value) *ir.Value {
	switch {
	case x.Shape.Equal(like.Shape):
		return x
	case like.Shape.Static():
		return b.Expand(x, like.Shape...)
	}
	return b.One("Expand", nil, x, b.One("Shape", nil, like))
}

// ReshapeLike gives x the shape of like; at most one dimension of it is symbolic.
func (b B) ReshapeLike(x, like *ir.Value) *ir.Value {
	if x.Shape.Equal(like.Shape) {
		return x
	}
	dims := like.Shape.Clone()
	for i, d := range dims {
		if d == ir.N {
			dims[i] = -1
		}
	}
	return b.Reshape(x, dims...)
}

// Squeeze removes the given dimensions of size 1; Unsqueeze inserts them.
func (b B) Squeeze(x *ir.Value, axes ...int64) *ir.Value {
	return b.One("Squeeze", nil, x, b.Ints(axes...))
}

// Unsqueeze inserts dimensions of size 1 at the given places of the result.
func (b B) Unsqueeze(x *ir.Value, axes ...int64) *ir.Value {
	return b.One("Unsqueeze", nil, x, b.Ints(axes...))
}

// Pad adds zeros; pads lists the begins of all dimensions, then the ends.
func (b B) Pad(x *ir.Value, pads ...int64) *ir.Value {
	return b.One("Pad", nil, x, b.Ints(pads...), b.Float(x, 0))
}

// ReduceSum, ReduceMean and ReduceMax reduce over axes (all when none is given).
func (b B) ReduceSum(x *ir.Value, keep bool, axes ...int64) *ir.Value {
	return b.Reduce("ReduceSum", x, keep, axes...)
}

// ReduceMean averages over axes.
func (b B) ReduceMean(x *ir.Value, keep bool, axes ...int64) *ir.Value {
	return b.Reduce("ReduceMean", x, keep, axes...)
}

// ReduceMax takes the maximum over axes.
func (b B) ReduceMax(x *ir.Value, keep bool, axes ...int64) *ir.Value {
	return b.Reduce("ReduceMax", x, keep, axes...)
}

// Reduce appends any of the Reduce operators.
func (b B) Reduce(op string, x *ir.Value, keep bool, axes ...int64) *ir.Value {
	keepdims := int64(0)
	if keep {
		keepdims = 1
	}
	in := []*ir.Value{x}
	if len(axes) > 0 {
		in = append(in, b.Ints(axes...))
	}
	return b.One(op, ir.Attrs{"keepdims": keepdims}, in...)
}

// MatMul multiplies matrices (batched by leading dimensions).
func (b B) MatMul(x, y *ir.Value) *ir.Value { return b.One("MatMul", nil, x, y) }

// Gemm is op(x)*op(y) + bias; bias may be nil.
func (b B) Gemm(x, y, bias *ir.Value, transX, transY bool) *ir.Value {
	attrs := ir.Attrs{}
	if transX {
		attrs["transA"] = int64(1)
	}
	if transY {
		attrs["transB"] = int64(1)
	}
	if bias == nil {
		return b.One("Gemm", attrs, x, y)
	}
	return b.One("Gemm", attrs, x, y, bias)
}

// Conv2D is the geometry of a two-dimensional convolution or pooling. Zero Stride, Dilation and Group mean 1; Pads are
// top, left, bottom, right.
type Conv2D struct {
	Kernel   [2]int64
	Stride   int64
	Dilation int64
	Pads     [4]int64
	Group    int64
}

// Same is the geometry of a k by k window with symmetric padding that keeps the size at stride 1.
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

// MaxPool is the maximum over windows; padding never wins.
func (b B) MaxPool(x *ir.Value, g Conv2D) *ir.Value { return b.One("MaxPool", g.attrs(), x) }

// AveragePool averages over the part of each window that lies inside x.
func (b B) AveragePool(x *ir.Value, g Conv2D) *ir.Value { return b.One("AveragePool", g.attrs(), x) }

// GlobalAveragePool averages over all spatial positions, keeping the dimensions.
func (b B) GlobalAveragePool(x *ir.Value) *ir.Value { return b.One("GlobalAveragePool", nil, x) }

// BatchNorm normalises x by given statistics.
func (b B) BatchNorm(x, scale, bias, mean, variance *ir.Value, eps float32) *ir.Value {
	return b.One("BatchNormalization", ir.Attrs{"epsilon": eps}, x, scale, bias, mean, variance)
}

// BatchNormTrain normalises x by the statistics of the batch and returns them: mean and biased variance per channel.
// ONNX mixes them into running statistics with weight 1-momentum; with momentum 0 the batch statistics come out pure.
// ONNX Runtime's CPU kernel writes them over the memory of its inputs runMean and runVariance, whose content does not
// matter: both must be variables [C] that no other node reads.
func (b B) BatchNormTrain(x, scale, bias, runMean, runVariance *ir.Value, eps float32) (y, mean, variance *ir.Value) {
	out := b.Node("BatchNormalization", ir.Attrs{"epsilon": eps, "momentum": float32(0), "training_mode": int64(1)},
		3, x, scale, bias, runMean, runVariance)
	return out[0], out[1], out[2]
}

// Gather takes slices of x along axis.
func (b B) Gather(x, indices *ir.Value, axis int64) *ir.Value {
	return b.One("Gather", ir.Attrs{"axis": axis}, x, indices)
}

// OneHot is 1 at the labels [N] and 0 elsewhere, shape [N,classes], of the type of like.
func (b B) OneHot(labels *ir.Value, classes int64, like *ir.Value) *ir.Value {
	values := b.Const("off_on", tensor.FromFloat64s(like.Type, []int64{2}, []float64{0, 1}))
	return b.One("OneHot", ir.Attrs{"axis": int64(-1)}, labels, b.Int(classes), values)
}

// TopK is the k largest entries along axis in descending order, and their indices.
func (b B) TopK(x *ir.Value, k, axis int64) (values, indices *ir.Value) {
	out := b.Node("TopK", ir.Attrs{"axis": axis}, 2, x, b.Ints(k))
	return out[0], out[1]
}

// Loop repeats body trips times over the carried values and returns their last state. The body gets its own builder,
// the iteration number (int64 scalar) and the carried values; it may use values of b.
func (b B) Loop(name string, trips int64, carried []*ir.Value, body func(b B, iter *ir.Value, carried []*ir.Value) []*ir.Value) []*ir.Value {
	return b.While(name, trips, carried, func(b B, iter *ir.Value, carried []*ir.Value) ([]*ir.Value, *ir.Value) {
		return body(b, iter, carried), nil
	})
}

// While is Loop that ends after the first iteration for which the second result of body, a bool scalar, is false; nil is true.
func (b B) While(name string, trips int64, carried []*ir.Value, body func(b B, iter *ir.Value, carried []*ir.Value) ([]*ir.Value, *ir.Value)) []*ir.Value {
	if b.Err() != nil {
		return placeholders(len(carried))
	}
	sub := B{b.Nested(name)}
	iter := sub.Input(b.Free(name+".iteration"), ir.Int64)
	cond := sub.Input(b.Free(name+".condition"), ir.Bool)
	in := make([]*ir.Value, len(carried))
	for i, v := range carried {
		in[i] = sub.Input(b.Free(name+".in."+v.Name), v.Type, v.Shape...)
	}
	out, more := body(sub, iter, in)
	if more == nil {
		more = cond
	}
	if len(out) != len(carried) {
		b.Fail("loop %s: the body returns %d of %d carried values", name, len(out), len(carried))
		return placeholders(len(carried))
	}
	sub.Output(b.Free(name+".continue"), more)
	for i, v := range out {
		sub.Output(b.Free(name+".next."+carried[i].Name), v)
	}
	if b.Err() != nil {
		return placeholders(len(carried))
	}
	args := append([]*ir.Value{b.Const("trips", tensor.Scalar(trips)), b.Const("true", tensor.Scalar(true))}, carried...)
	return b.Node("Loop", ir.Attrs{"body": sub.Graph()}, len(carried), args...)
}

func placeholders(n int) []*ir.Value {
	out := make([]*ir.Value, n)
	for i := range out {
		out[i] = &ir.Value{}
	}
	return out
}
