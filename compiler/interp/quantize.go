package interp

import (
	"fmt"
	"math"
	"slices"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/tensor"
)

// Quantised operators round to their declared types where the rest of the package does not: which integer a number
// becomes depends on the last bit of a quotient. Rounding is half to even, and numbers outside the range of the integer
// type become its ends.
func init() {
	for name, k := range map[string]kernel{
		":QuantizeLinear":                  quantizeLinear,
		":DequantizeLinear":                dequantizeLinear,
		":DynamicQuantizeLinear":           dynamicQuantizeLinear,
		":ConvInteger":                     integer("Conv"),
		":MatMulInteger":                   integer("MatMul"),
		op.Microsoft + ":QuantizeLinear":   quantizeLinear,
		op.Microsoft + ":DequantizeLinear": dequantizeLinear,
	} {
		kernels[name] = k
	}
	for _, q := range op.QLinears() {
		kernels[q[0]+":"+q[1]] = qlinear
	}
}

// roundTo rounds v to the type t, a floating-point type.
func roundTo(t tensor.DType, v float64) float64 {
	switch t {
	case tensor.Float32:
		return float64(float32(v))
	case tensor.Float16:
		return float64(tensor.HalfOf(float32(v)).Float32())
	case tensor.BFloat16:
		return float64(tensor.BFloatOf(float32(v)).Float32())
	}
	return v
}

// saturate rounds v half to even, adds zero and limits the sum to the range of t; NaN gives zero.
func saturate(t tensor.DType, v, zero float64) int64 {
	lo, hi, _ := op.QuantizedRange(t)
	if math.IsNaN(v) {
		v = 0
	}
	return int64(clamp(math.RoundToEven(v)+zero, float64(lo), float64(hi)))
}

// elementOf returns, for each element of x, the element of the scale that belongs to it.
func (c *call) elementOf(x, scale *array) (func(k int) int, error) {
	g, err := op.GranularityOf(c.Node, x.shape, scale.shape)
	if err != nil {
		return nil, err
	}
	return scaleIndex(g, x.shape), nil
}

func scaleIndex(g op.Granularity, shape []int64) func(k int) int {
	if g.Axis < 0 {
		return func(int) int { return 0 }
	}
	size, inner := int(shape[g.Axis]), 1
	for _, d := range shape[g.Axis+1:] {
		inner *= int(d)
	}
	if g.Block == 0 {
		return func(k int) int { return k / inner % size }
	}
	block := int(g.Block)
	blocks := (size + block - 1) / block
	return func(k int) int { return (k/inner/size*blocks+k/inner%size/block)*inner + k%inner }
}

// zeroAt is the zero point at k, or 0 if there is none. A single number stands for all.
func zeroAt(zero *array, k int) float64 {
	if zero != nil && zero.len() == 1 {
		k = 0
	}
	return zero.float(k)
}

func quantizeLinear(c *call) ([]*array, error) {
	x, scale, zero := c.in[0], c.in[1], c.arg(2)
	at, err := c.elementOf(x, scale)
	if err != nil {
		return nil, err
	}
	out, err := zeros(c.Out[0].Type, x.shape)
	if err != nil {
		return nil, err
	}
	divide := tensor.DType(c.Int("precision", int64(scale.dtype)))
	for k := range out.len() {
		s := at(k)
		q := roundTo(divide, roundTo(x.dtype, x.float(k))/roundTo(scale.dtype, scale.float(s)))
		if out.dtype.IsFloat() {
			out.f[k] = tensor.Round(out.dtype, q+zeroAt(zero, s), c.Int("saturate", 1) != 0, tensor.RoundNearest)
			continue
		}
		out.i[k] = saturate(out.dtype, q, zeroAt(zero, s))
	}
	return one(out), nil
}

func dequantizeLinear(c *call) ([]*array, error) {
	x, scale, zero := c.in[0], c.in[1], c.arg(2)
	at, err := c.elementOf(x, scale)
	if err != nil {
		return nil, err
	}
	out, err := zeros(c.Out[0].Type, x.shape)
	if err != nil {
		return nil, err
	}
	for k := range out.f {
		s := at(k)
		out.f[k] = (x.float(k) - zeroAt(zero, s)) * scale.float(s)
	}
	return one(out), nil
}

// dynamicQuantizeLinear quantises to the range of the data, extended to include zero.
func dynamicQuantizeLinear(c *call) ([]*array, error) {
	x := c.in[0]
	lo, hi := 0.0, 0.0
	for _, v := range x.f {
		lo, hi = min(lo, roundTo(tensor.Float32, v)), max(hi, roundTo(tensor.Float32, v))
	}
	scale := roundTo(tensor.Float32, roundTo(tensor.Float32, hi-lo)/math.MaxUint8)
	zero := 0.0
	if scale > 0 {
		zero = float64(saturate(tensor.Uint8, roundTo(tensor.Float32, -lo/scale), 0))
	}
	out, err := zeros(tensor.Uint8, x.shape)
	if err != nil {
		return nil, err
	}
	for k, v := range x.f {
		if scale > 0 {
			out.i[k] = saturate(tensor.Uint8, roundTo(tensor.Float32, roundTo(tensor.Float32, v)/scale), zero)
		}
	}
	return []*array{
		out,
		{dtype: tensor.Float32, f: []float64{scale}},
		{dtype: tensor.Uint8, i: []int64{int64(zero)}},
	}, nil
}

// operand is a quantised tensor at run time.
type operand struct {
	data, scale, zero *array
	axis              int
}

// each computes a number from every element of the data and its scale and zero point.
func (o operand) each(f func(v float64, scale, zero float64) float64) (*array, error) {
	out, err := zeros(tensor.Float64, o.data.shape)
	if err != nil {
		return nil, err
	}
	scale, err := spread(o.scale, o.data.shape, o.axis)
	if err != nil {
		return nil, err
	}
	zero, err := spread(o.zero, o.data.shape, o.axis)
	if err != nil {
		return nil, err
	}
	for k := range out.f {
		out.f[k] = f(o.data.float(k), scale(k), zero(k))
	}
	return out, nil
}

// spread reads a scale or zero point for elements of a tensor of the given shape: one number for all, a vector along
// axis, or a tensor that broadcasts.
func spread(v *array, shape []int64, axis int) (func(k int) float64, error) {
	switch {
	case v == nil || v.len() == 1:
		return func(int) float64 { return v.float(0) }, nil
	case len(v.shape) == 1 && axis >= 0 && axis < len(shape) && v.shape[0] == shape[axis]:
		at := scaleIndex(op.Granularity{Axis: axis}, shape)
		return func(k int) float64 { return v.float(at(k)) }, nil
	}
	if b, err := op.Broadcast(v.shape, shape); err != nil || len(v.shape) != len(shape) || !b.Equal(shape) {
		return nil, fmt.Errorf("scale or zero point of shape %v does not fit %v", v.shape, shape)
	}
	return func(k int) float64 {
		at, stride := 0, 1
		for d := len(shape) - 1; d >= 0; d-- {
			i := k % int(shape[d])
			k /= int(shape[d])
			if v.shape[d] != 1 {
				at += i * stride
			}
			stride *= int(v.shape[d])
		}
		return v.float(at)
	}, nil
}

// compute runs a floating-point operator.
func compute(c *call, name string, attrs ir.Attrs, in ...*array) (*array, error) {
	out, err := kernels[":"+name](&call{Node: &ir.Node{Name: c.Name, Op: name, Attrs: attrs, In: make([]*ir.Value, len(in)), Out: c.Out}, in: in})
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// shifted is the operand without its zero point, an exact integer.
func (o operand) shifted() (*array, error) {
	return o.each(func(v, _, zero float64) float64 { return v - zero })
}

// qlinear computes an operator on quantised tensors. Convolution and product sum integers exactly and scale the sum
// once, as integer hardware does; the other operators compute on the real numbers that the operands stand for.
func qlinear(c *call) ([]*array, error) {
	q, _ := op.QLinearOf(c.Node)
	at := func(v *ir.Value) *array {
		if i := slices.Index(c.Node.In, v); i >= 0 && v != nil {
			return c.in[i]
		}
		return nil
	}
	var operands []operand
	for _, o := range q.Operands {
		operands = append(operands, operand{c.in[o.Input], at(o.Scale), at(o.Zero), o.Axis})
	}
	if q.Op == "Conv" || q.Op == "MatMul" || q.Op == "Gemm" {
		return sums(c, q, operands, at(q.Bias.Data), at(q.Scale), at(q.Zero))
	}
	var in []*array
	for _, o := range operands {
		v, err := o.each(func(v, scale, zero float64) float64 { return (v - zero) * scale })
		if err != nil {
			return nil, err
		}
		in = append(in, v)
	}
	y, err := compute(c, q.Op, q.Attrs, in...)
	if err != nil {
		return nil, err
	}
	return requantize(c, y, func(int) float64 { return 1 }, at(q.Scale), at(q.Zero))
}

// sums is qlinear for the operators that are sums of products. The bias is in units of the product of the scales.
func sums(c *call, q op.QLinear, operands []operand, bias, scale, zero *array) ([]*array, error) {
	var in []*array
	for _, o := range operands {
		v, err := o.shifted()
		if err != nil {
			return nil, err
		}
		in = append(in, v)
	}
	if bias != nil {
		in = append(in, bias.toFloat())
	}
	attrs, alpha := ir.Attrs{}, 1.0
	for _, name := range q.Attrs.Names() {
		if name == "alpha" {
			alpha = float64(c.Float("alpha", 1))
			continue
		}
		attrs[name] = q.Attrs[name]
	}
	y, err := compute(c, q.Op, attrs, in...)
	if err != nil {
		return nil, err
	}
	axis := 1 // of the result, for the channels of the second operand
	if q.Op == "MatMul" {
		axis = len(y.shape) - 1
	}
	rows := max(len(y.shape)-2, 0)
	if q.Op == "Conv" {
		rows = 0
	}
	left, err := spread(operands[0].scale, y.shape, rows)
	if err != nil {
		return nil, err
	}
	right, err := spread(operands[1].scale, y.shape, axis)
	if err != nil {
		return nil, err
	}
	product := func(k int) float64 { return alpha * roundTo(tensor.Float32, left(k)*right(k)) }
	return requantize(c, y, product, scale, zero)
}

// requantize multiplies y by the factor and quantises it, or leaves it real if there is no scale.
func requantize(c *call, y *array, factor func(k int) float64, scale, zero *array) ([]*array, error) {
	out, err := zeros(c.Out[0].Type, y.shape)
	if err != nil {
		return nil, err
	}
	for k, v := range y.f {
		if scale == nil {
			out.f[k] = v * factor(k)
			continue
		}
		f := roundTo(tensor.Float32, factor(k)/scale.float(0))
		out.i[k] = saturate(out.dtype, roundTo(tensor.Float32, v*f), zero.float(0))
	}
	return one(out), nil
}

// integer runs an operator on integers without their zero points, with int32 results.
func integer(name string) kernel {
	return func(c *call) ([]*array, error) {
		in := make([]*array, 2)
		for i := range in {
			o := operand{data: c.in[i], zero: c.arg(2 + i)}
			if name == "MatMul" {
				o.axis = max(len(o.data.shape)-2+i, 0)
			}
			var err error
			if in[i], err = o.shifted(); err != nil {
				return nil, err
			}
		}
		y, err := compute(c, name, c.Attrs, in...)
		if err != nil {
			return nil, err
		}
		out, err := zeros(tensor.Int32, y.shape)
		if err != nil {
			return nil, err
		}
		for k, v := range y.f {
			out.i[k] = wrap(tensor.Int32, int64(v))
		}
		return one(out), nil
	}
}
