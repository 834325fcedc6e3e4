package cpu

import (
	"slices"

	"rnas/compiler/ir"
)

// rewriteNorm normalises by batch statistics, or by given ones that are not constant.
func rewriteNorm(b *rewriter, n *ir.Node) bool {
	x := n.In[0]
	if !b.has(x) || !b.fits(x) {
		return false
	}
	scale, bias, mean, variance := n.In[1], n.In[2], n.In[3], n.In[4]
	training := n.Int("training_mode", 0) != 0
	if training && (n.Float("momentum", 0.9) != 0 || !x.Shape.Static()) {
		return false
	}
	b.plain(n.In[1:]...)
	epsilon := float64(n.Float("epsilon", 1e-5))
	eps := b.Float(x, epsilon)
	if !training {
		a := b.Div(b.column(scale), b.Sqrt(b.Add(b.column(variance), eps)))
		b.record(n.Out[0], &nchwc{conv: b.channelwise(x, a, b.Sub(bias, b.Mul(mean, b.Reshape(a, x.Shape[1]))))})
		return true
	}
	minus, centred := b.centre(x, n.Output(1))
	// The sums of squares start from epsilon, so that what gradients add to the variance is there already.
	pixels := x.Shape[2] * x.Shape[3]
	sums := b.sumOfProducts(centred, centred, b.Fill(x, epsilon*float64(pixels), x.Shape[0]*x.Shape[1]))
	square := b.Div(sums, b.Float(x, float64(x.Shape[0]*pixels)))
	b.record(n.Out[0], &nchwc{conv: b.channelwise(centred, b.Div(b.column(scale), b.Sqrt(square)), bias)})
	if out := n.Output(1); out != nil {
		b.defineAs(out, b.Neg(minus))
	}
	if out := n.Output(2); out != nil {
		b.record(out, &nchwc{column: b.Sub(square, eps)})
		b.squares[out] = squared{epsilon, square}
	}
	return true
}

// squared is a variance plus epsilon, as a column.
type squared struct {
	epsilon float64
	column  *ir.Value
}

// centring is a tensor minus its mean per channel, kept for the gradient of the normalisation. mean is the output of the
// normalisation that names the mean.
type centring struct{ mean, value *ir.Value }

// centre returns -mean(x) [C] per channel and x-mean(x). If x is a pointwise convolution not yet emitted, the mean is computed
// from its input and becomes its bias, which saves a pass over x. name is the output that holds the mean, or nil.
func (b *rewriter) centre(x, name *ir.Value) (minus, centred *ir.Value) {
	centred = &ir.Value{Name: x.Name, Type: x.Type, Shape: x.Shape}
	var conv *nchwcConv
	if f := b.known[x]; f.value == nil && f.conv != nil && f.conv.pointwise() && b.fits(f.conv.in[0]) && x.Def.Op == "Conv" {
		minus = b.MatMul(b.made("negated", x.Def.In[1], func(b *rewriter) *ir.Value { return b.Neg(b.Reshape(x.Def.In[1], x.Shape[1], -1)) }), b.means(f.conv.in[0]))
		bare := *f.conv
		conv = &bare
		conv.in[2] = minus
	} else {
		minus = b.Neg(b.means(b.nchwc(x)))
		conv = b.channelwise(x, b.Fill(x, 1, x.Shape[1]), minus)
	}
	b.known[centred] = &nchwc{value: b.emit(conv)}
	if name != nil {
		b.centred[x] = centring{name, centred}
	}
	return minus, centred
}

// means is the mean per channel [C] of a tensor in NCHWc.
func (b *rewriter) means(v *ir.Value) *ir.Value {
	if b.Err() != nil {
		return v
	}
	return b.ReduceMean(b.Reshape(b.native("GlobalAveragePool", ir.Attrs{}, v), v.Shape[0], v.Shape[1]), false, 0)
}

// sumOfProducts sums x*y per channel: [C,1,1,1]. The sum of plane i, counted over images and channels, starts from start[i], or
// from 0 if start is nil.
func (b *rewriter) sumOfProducts(x, y, start *ir.Value) *ir.Value {
	sums := b.correlation(b.nchwc(x), b.nchwc(y), start, ir.Attrs{"kernel_shape": []int64{y.Shape[2], y.Shape[3]}})
	return b.ReduceSum(b.Reshape(sums, x.Shape[0], x.Shape[1], 1, 1, 1), false, 0)
}

// rewriteReduce sums over all axes but the channels. Other sums are weight gradients.
func rewriteReduce(b *rewriter, n *ir.Node) bool {
	if b.gradient[n] {
		b.defineAs(n.Out[0], b.pointwiseWeight(n.In[0], n.In[1]))
		return true
	}
	x := n.In[0]
	f := b.known[x]
	if c := b.columnOf(x); c != nil && n.Out[0].Shape.Equal(ir.Shape{1}) {
		b.defineAs(n.Out[0], b.total(c))
		return true
	}
	if f == nil || !b.fits(x) || !x.Shape.Static() || !overAllButChannels(n) {
		return false
	}
	if p := f.product; p != nil && f.value == nil {
		b.record(n.Out[0], &nchwc{column: b.sumOfProducts(p[0], p[1], nil)})
		return true
	}
	means := b.native("GlobalAveragePool", ir.Attrs{}, b.nchwc(x))
	sums := b.Scale(b.ReduceSum(b.Reshape(means, x.Shape[0], x.Shape[1]), false, 0), float64(x.Shape[2]*x.Shape[3]))
	b.defineAs(n.Out[0], b.One("Reshape", nil, sums, b.Ints(n.Out[0].Shape...)))
	return true
}

// total sums a column: [1]. Where the column is a ReduceSum, the total is taken of what that sums, and the column is not computed
// for it.
func (b *rewriter) total(column *ir.Value) *ir.Value {
	if m := ir.DefinedBy(column, "ReduceSum"); m != nil {
		if all := unreshaped(m.In[0]); all.Rank() == 4 && all.Shape[0] == 1 {
			return b.ReduceSum(all, false, 1, 2, 3)
		}
	}
	return b.ReduceSum(column, false, 0, 1, 2)
}

// overAllButChannels reports whether n reduces a tensor [N,C,H,W] over the axes 0, 2 and 3.
func overAllButChannels(n *ir.Node) bool {
	if n.Input(1) == nil || !n.In[1].IsConst() {
		return false
	}
	var axes []int64
	for _, a := range n.In[1].Const.Int64s() {
		axes = append(axes, (a+4)%4)
	}
	slices.Sort(axes)
	return slices.Equal(axes, []int64{0, 2, 3})
}
