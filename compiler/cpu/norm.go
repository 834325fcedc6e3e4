package cpu

import (
	"slices"

	"rnas/compiler/ir"
)

// blockNorm normalises by batch statistics, or by given ones that are not constant.
func blockNorm(b *blocker, n *ir.Node) bool {
	x := n.In[0]
	if !b.has(x) || !b.blockable(x) {
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
		b.setForm(n.Out[0], &form{conv: b.channelwise(x, a, b.Sub(bias, b.Mul(mean, b.Reshape(a, x.Shape[1]))))})
		return true
	}
	minus, centred := b.centre(x, n.Output(1))
	// The sums of squares start from epsilon, so that what gradients add to the variance is there already.
	pixels := x.Shape[2] * x.Shape[3]
	sums := b.sumOfProducts(centred, centred, b.Fill(x, epsilon*float64(pixels), x.Shape[0]*x.Shape[1]))
	square := b.Div(sums, b.Float(x, float64(x.Shape[0]*pixels)))
	b.setForm(n.Out[0], &form{conv: b.channelwise(centred, b.Div(b.column(scale), b.Sqrt(square)), bias)})
	if out := n.Output(1); out != nil {
		b.defineAs(out, b.Neg(minus))
	}
	if out := n.Output(2); out != nil {
		b.setForm(out, &form{column: b.Sub(square, eps)})
		b.squares[out] = squared{epsilon, square}
	}
	return true
}

// squared is a variance plus epsilon, as a column.
type squared struct {
	epsilon float64
	column  *ir.Value
}

// centring is a tensor less the mean of each channel, blocked, for the gradient of a normalisation; mean is the output of the
// normalisation that names it.
type centring struct{ mean, value *ir.Value }

// centre is minus the mean of each channel of x over images and pixels, [C], and x less the mean. A pointwise convolution that is not
// emitted yet starts from minus the mean of its result, which it makes of the mean of its input, and so costs no further pass over x.
func (b *blocker) centre(x, name *ir.Value) (minus, centred *ir.Value) {
	centred = &ir.Value{Name: x.Name, Type: x.Type, Shape: x.Shape}
	var conv *blockedConv
	if f := b.forms[x]; f.value == nil && f.conv != nil && f.conv.pointwise() && b.blockable(f.conv.in[0]) && x.Def.Op == "Conv" {
		minus = b.MatMul(b.made("negated", x.Def.In[1], func(b *blocker) *ir.Value { return b.Neg(b.Reshape(x.Def.In[1], x.Shape[1], -1)) }), b.means(f.conv.in[0]))
		bare := *f.conv
		conv = &bare
		conv.in[2] = minus
	} else {
		minus = b.Neg(b.means(b.blocked(x)))
		conv = b.channelwise(x, b.Fill(x, 1, x.Shape[1]), minus)
	}
	b.forms[centred] = &form{value: b.emit(conv)}
	if name != nil {
		b.centred[x] = centring{name, centred}
	}
	return minus, centred
}

// means is the mean of each channel of a blocked tensor, [C].
func (b *blocker) means(v *ir.Value) *ir.Value {
	if b.Err() != nil {
		return v
	}
	return b.ReduceMean(b.Reshape(b.reordered("GlobalAveragePool", ir.Attrs{}, v), v.Shape[0], v.Shape[1]), false, 0)
}

// sumOfProducts sums x*y per channel: [C,1,1,1]. The sum of image and channel i starts from start[i], or from 0.
func (b *blocker) sumOfProducts(x, y, start *ir.Value) *ir.Value {
	sums := b.correlation(b.blocked(x), b.blocked(y), start, ir.Attrs{"kernel_shape": []int64{y.Shape[2], y.Shape[3]}})
	return b.ReduceSum(b.Reshape(sums, x.Shape[0], x.Shape[1], 1, 1, 1), false, 0)
}

// blockReduce sums over all axes but the channels. Other sums are weight gradients.
func blockReduce(b *blocker, n *ir.Node) bool {
	if b.gradient[n] {
		b.defineAs(n.Out[0], b.pointwiseWeight(n.In[0], n.In[1]))
		return true
	}
	x := n.In[0]
	f := b.forms[x]
	if c := b.columnOf(x); c != nil && n.Out[0].Shape.Equal(ir.Shape{1}) {
		b.defineAs(n.Out[0], b.total(c))
		return true
	}
	if f == nil || !b.blockable(x) || !x.Shape.Static() || !overAllButChannels(n) {
		return false
	}
	if p := f.product; p != nil && f.value == nil {
		b.setForm(n.Out[0], &form{column: b.sumOfProducts(p[0], p[1], nil)})
		return true
	}
	means := b.reordered("GlobalAveragePool", ir.Attrs{}, b.blocked(x))
	sums := b.Scale(b.ReduceSum(b.Reshape(means, x.Shape[0], x.Shape[1]), false, 0), float64(x.Shape[2]*x.Shape[3]))
	b.defineAs(n.Out[0], b.One("Reshape", nil, sums, b.Ints(n.Out[0].Shape...)))
	return true
}

// total sums a column: [1]. What only the total needs is not summed by channel.
func (b *blocker) total(column *ir.Value) *ir.Value {
	if m := ir.DefinedBy(column, "ReduceSum"); m != nil {
		if all := unreshaped(m.In[0]); all.Rank() == 4 && all.Shape[0] == 1 {
			return b.ReduceSum(all, false, 1, 2, 3)
		}
	}
	return b.ReduceSum(column, false, 0, 1, 2)
}

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
