package pass

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
	eps := b.Float(x, float64(n.Float("epsilon", 1e-5)))
	inverse := func(variance *ir.Value) *ir.Value { return b.Mul(scale, b.Reciprocal(b.Sqrt(b.Add(variance, eps)))) }
	if !training {
		a := inverse(variance)
		b.setForm(n.Out[0], &form{conv: b.channelwise(x, a, b.Sub(bias, b.Mul(mean, a)))})
		return true
	}
	c, pixels := x.Shape[1], x.Shape[2]*x.Shape[3]
	mean = b.ReduceMean(b.Reshape(b.reordered("GlobalAveragePool", ir.Attrs{}, b.blocked(x)), x.Shape[0], c), false, 0)
	centred := &ir.Value{Name: x.Name, Type: x.Type, Shape: x.Shape}
	b.forms[centred] = &form{value: b.emit(b.channelwise(x, b.Fill(x, 1, c), b.Neg(mean)))}
	variance = b.Div(b.sumOfProducts(centred, centred), b.Float(x, float64(x.Shape[0]*pixels)))
	b.setForm(n.Out[0], &form{conv: b.channelwise(centred, inverse(variance), bias)})
	for i, v := range []*ir.Value{mean, variance} {
		if out := n.Output(1 + i); out != nil {
			b.defineAs(out, b.Identity(v))
		}
	}
	return true
}

// sumOfProducts sums x*y per channel: [C].
func (b *blocker) sumOfProducts(x, y *ir.Value) *ir.Value {
	sums := b.correlation(x, y, ir.Attrs{"kernel_shape": []int64{y.Shape[2], y.Shape[3]}})
	return b.ReduceSum(b.Reshape(sums, x.Shape[0], x.Shape[1]), false, 0)
}

// blockReduce sums over all axes but the channels. Other sums are weight gradients.
func blockReduce(b *blocker, n *ir.Node) bool {
	if b.gradient[n] {
		b.defineAs(n.Out[0], b.pointwiseWeight(n.In[0], n.In[1]))
		return true
	}
	x := n.In[0]
	f := b.forms[x]
	if f == nil || !b.blockable(x) || !x.Shape.Static() || !overAllButChannels(n) {
		return false
	}
	var sums *ir.Value
	if p := f.product; p != nil && f.value == nil {
		sums = b.sumOfProducts(p[0], p[1])
	} else {
		means := b.reordered("GlobalAveragePool", ir.Attrs{}, b.blocked(x))
		sums = b.Scale(b.ReduceSum(b.Reshape(means, x.Shape[0], x.Shape[1]), false, 0), float64(x.Shape[2]*x.Shape[3]))
	}
	b.defineAs(n.Out[0], b.One("Reshape", nil, sums, b.Ints(n.Out[0].Shape...)))
	return true
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
