package op

import (
	"math"

	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

// Opset is the operator set version of the graphs that the compiler makes.
const Opset = 18

// B builds graphs by typed constructors. Each method appends one node and returns its first output; where the result is plainly an
// input, the method appends nothing and returns that input. The error is sticky as in ir.Builder.
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

// Float is a scalar constant of the type of like, or float32 if like has none.
func (b B) Float(like *ir.Value, v float64) *ir.Value {
	t := like.Type
	if t == 0 {
		t = ir.Float32
	}
	return b.Const("float", tensor.FromFloat64s(t, nil, []float64{v}))
}

// Fill is a constant tensor of the given shape, filled with v, of the type of like, or float32 if like has none.
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

// Softmax is exp(x) over its sum along axis.
func (b B) Softmax(x *ir.Value, axis int64) *ir.Value {
	return b.One("Softmax", ir.Attrs{"axis": axis}, x)
}

// LogSoftmax is the logarithm of Softmax.
func (b B) LogSoftmax(x *ir.Value, ax int64) *ir.Value {
	return b.One("LogSoftmax", ir.Attrs{"axis": ax}, x)
}

// Sum adds any number of values of equal shape. One value is returned as it is.
func (b B) Sum(x ...*ir.Value) *ir.Value {
	switch len(x) {
	case 1:
		return x[0]
	case 2:
		return b.Add(x[0], x[1])
	}
	return b.One("Sum", nil, x...)
}

// Clip limits x to [lo, hi]. An infinite bound is left out.
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

// Cast converts x to type t. A value of that type is returned as it is.
func (b B) Cast(x *ir.Value, t ir.DType) *ir.Value {
	if x.Type == t {
		return x
	}
	return b.One("Cast", ir.Attrs{"to": int64(t)}, x)
}

// ReduceSum sums over axes, or over all of them when none is given; keep leaves them with size 1.
func (b B) ReduceSum(x *ir.Value, keep bool, axes ...int64) *ir.Value {
	return b.Reduce("ReduceSum", x, keep, axes...)
}

// ReduceMean averages as ReduceSum sums.
func (b B) ReduceMean(x *ir.Value, keep bool, axes ...int64) *ir.Value {
	return b.Reduce("ReduceMean", x, keep, axes...)
}

// ReduceMax takes the maximum as ReduceSum sums.
func (b B) ReduceMax(x *ir.Value, keep bool, axes ...int64) *ir.Value {
	return b.Reduce("ReduceMax", x, keep, axes...)
}

// Reduce appends the Reduce operator op, over all axes when none is given; keep leaves them with size 1.
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

// MatMul multiplies matrices [...,M,K] and [...,K,N]; leading dimensions are batches and broadcast.
func (b B) MatMul(x, y *ir.Value) *ir.Value { return b.One("MatMul", nil, x, y) }

// Gemm is x*y + bias for matrices, either of which may be transposed; bias may be nil.
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

// OneHot is 1 at the labels [N] and 0 elsewhere: [N,classes], of the type of like.
func (b B) OneHot(labels *ir.Value, classes int64, like *ir.Value) *ir.Value {
	values := b.Const("off_on", tensor.FromFloat64s(like.Type, []int64{2}, []float64{0, 1}))
	return b.One("OneHot", ir.Attrs{"axis": int64(-1)}, labels, b.Int(classes), values)
}

// TopK returns the k largest entries along axis in descending order, and their indices.
func (b B) TopK(x *ir.Value, k, axis int64) (values, indices *ir.Value) {
	out := b.Node("TopK", ir.Attrs{"axis": axis}, 2, x, b.Ints(k))
	return out[0], out[1]
}
