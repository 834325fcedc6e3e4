package op

import (
	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

var (
	aEpsilon = Attr{"epsilon", kFloat, false}
	aStash   = Attr{"stash_type", kInt, false}
	aAxis    = Attr{"axis", kInt, false}
)

func init() {
	register([]Op{
		{
			Name: "LayerNormalization", Since: 17, In: Arity{2, 3}, Out: Arity{1, 3},
			Attrs: []Attr{aAxis, aEpsilon, aStash}, Decompose: layerNorm,
		},
		{
			Name: "RMSNormalization", Since: 23, In: Arity{2, 2}, Out: Arity{1, 1},
			Attrs: []Attr{aAxis, aEpsilon, aStash}, Decompose: rmsNorm,
		},
		{Name: "InstanceNormalization", In: Arity{3, 3}, Out: Arity{1, 1}, Attrs: []Attr{aEpsilon}, Decompose: instanceNorm},
		{
			// As of operator set 21, with scale and bias per channel; 18 has them per group.
			Name: "GroupNormalization", Since: 21, In: Arity{3, 3}, Out: Arity{1, 1},
			Attrs: []Attr{aEpsilon, aStash, {"num_groups", kInt, true}}, Decompose: groupNorm,
		},
		{
			Name: "MeanVarianceNormalization", In: Arity{1, 1}, Out: Arity{1, 1},
			Attrs: []Attr{{"axes", kInts, false}}, Decompose: meanVarianceNorm,
		},
		{Name: "LpNormalization", In: Arity{1, 1}, Out: Arity{1, 1}, Attrs: []Attr{aAxis, {"p", kInt, false}}, Decompose: lpNorm},
		{
			Name: "LRN", In: Arity{1, 1}, Out: Arity{1, 1},
			Attrs:     []Attr{{"alpha", kFloat, false}, {"beta", kFloat, false}, {"bias", kFloat, false}, {"size", kInt, true}},
			Decompose: localResponseNorm,
		},
	})
}

// stashed is x in the type in which n computes statistics. Only narrower types are converted.
func stashed(b B, n *ir.Node, x *ir.Value) *ir.Value {
	if x.Type != ir.Float16 && x.Type != tensor.BFloat16 {
		return x
	}
	return b.Cast(x, ir.DType(n.Int("stash_type", int64(ir.Float32))))
}

// axesFrom lists the axes of x from the attribute axis of n on.
func axesFrom(b B, n *ir.Node, x *ir.Value) []int64 {
	axis, err := Axis(n.Int("axis", -1), x.Rank())
	if err != nil {
		b.Fail("%w", err)
		return nil
	}
	var axes []int64
	for i := axis; i < x.Rank(); i++ {
		axes = append(axes, int64(i))
	}
	return axes
}

// standardise returns the mean, 1/sqrt(variance+epsilon) and the standardised x over axes, which are kept.
func standardise(b B, n *ir.Node, x *ir.Value, axes []int64) (mean, inverse, y *ir.Value) {
	mean = b.ReduceMean(x, true, axes...)
	centred := b.Sub(x, mean)
	variance := b.ReduceMean(b.Mul(centred, centred), true, axes...)
	inverse = b.Reciprocal(b.Sqrt(b.Add(variance, b.Float(x, float64(n.Float("epsilon", 1e-5))))))
	return mean, inverse, b.Mul(centred, inverse)
}

// perChannel gives a vector [C] the shape that broadcasts along axis 1 of like.
func perChannel(b B, v, like *ir.Value) *ir.Value {
	dims := []int64{-1}
	for i := 2; i < like.Rank(); i++ {
		dims = append(dims, 1)
	}
	return b.Reshape(v, dims...)
}

// spatialAxes are the axes behind batch and channels.
func spatialAxes(b B, x *ir.Value) []int64 {
	if x.Rank() < 3 {
		b.Fail("expected rank at least 3, found %s", x.Shape)
	}
	var axes []int64
	for i := 2; i < x.Rank(); i++ {
		axes = append(axes, int64(i))
	}
	return axes
}

// layerNorm follows Ba, Kiros & Hinton 2016, section 3.1.
func layerNorm(b B, n *ir.Node) []*ir.Value {
	x := n.In[0]
	mean, inverse, y := standardise(b, n, stashed(b, n, x), axesFrom(b, n, x))
	y = b.Mul(b.Cast(y, x.Type), n.In[1])
	if bias := n.Input(2); bias != nil {
		y = b.Add(y, bias)
	}
	return []*ir.Value{y, mean, inverse}
}

// rmsNorm follows Zhang & Sennrich 2019, equation 4.
func rmsNorm(b B, n *ir.Node) []*ir.Value {
	x := stashed(b, n, n.In[0])
	square := b.ReduceMean(b.Mul(x, x), true, axesFrom(b, n, x)...)
	inverse := b.Reciprocal(b.Sqrt(b.Add(square, b.Float(x, float64(n.Float("epsilon", 1e-5))))))
	return []*ir.Value{b.Mul(b.Cast(b.Mul(x, inverse), n.In[0].Type), n.In[1])}
}

// instanceNorm follows Ulyanov, Vedaldi & Lempitsky 2016.
func instanceNorm(b B, n *ir.Node) []*ir.Value {
	x := n.In[0]
	_, _, y := standardise(b, n, x, spatialAxes(b, x))
	return []*ir.Value{b.Add(b.Mul(y, perChannel(b, n.In[1], x)), perChannel(b, n.In[2], x))}
}

// groupNorm follows Wu & He 2018, equations 1, 2 and 7.
func groupNorm(b B, n *ir.Node) []*ir.Value {
	x, groups := n.In[0], n.Int("num_groups", 1)
	if x.Rank() < 2 || groups < 1 || x.Shape[1]%groups != 0 {
		b.Fail("%d groups do not divide the channels of %s", groups, x.Shape)
		return make([]*ir.Value, 1)
	}
	_, _, y := standardise(b, n, b.Reshape(stashed(b, n, x), 0, groups, -1), []int64{2})
	y = b.Cast(b.ReshapeLike(y, x), x.Type)
	return []*ir.Value{b.Add(b.Mul(y, perChannel(b, n.In[1], x)), perChannel(b, n.In[2], x))}
}

func meanVarianceNorm(b B, n *ir.Node) []*ir.Value {
	x, axes := n.In[0], n.Ints("axes", []int64{0, 2, 3})
	centred := b.Sub(x, b.ReduceMean(x, true, axes...))
	variance := b.ReduceMean(b.Mul(centred, centred), true, axes...)
	return []*ir.Value{b.Div(centred, b.Add(b.root(variance, 0.5), b.Float(x, 1e-9)))}
}

// root is x to a power below 1, for x >= 0. The gradient at 0 is 0, where that of Pow and Sqrt is infinite.
func (b B) root(x *ir.Value, power float64) *ir.Value {
	zero := b.Equal(x, b.Float(x, 0))
	inside := b.Where(zero, b.Float(x, 1), x)
	if power == 0.5 {
		inside = b.Sqrt(inside)
	} else {
		inside = b.Pow(inside, b.Float(x, power))
	}
	return b.Where(zero, b.Float(x, 0), inside)
}

// lpNorm divides by the norm, and is 0 with gradient 0 where the norm is 0.
func lpNorm(b B, n *ir.Node) []*ir.Value {
	x := n.In[0]
	reduce := "ReduceL2"
	switch p := n.Int("p", 2); p {
	case 1:
		reduce = "ReduceL1"
	case 2:
	default:
		b.Fail("attribute p: expected 1 or 2, found %d", p)
	}
	norm := b.Reduce(reduce, x, true, n.Int("axis", -1))
	zero := b.Equal(norm, b.Float(x, 0))
	inverse := b.Reciprocal(b.Where(zero, b.Float(x, 1), norm))
	return []*ir.Value{b.Mul(x, b.Where(zero, b.Float(x, 0), inverse))}
}

// localResponseNorm follows Krizhevsky, Sutskever & Hinton 2012, section 3.3. The sum over neighbouring channels is an average
// over windows of a plane of channels by positions.
func localResponseNorm(b B, n *ir.Node) []*ir.Value {
	x, size := n.In[0], n.Int("size", 1)
	if x.Rank() < 3 || size < 1 {
		b.Fail("expected rank at least 3 and a positive size, found %s and %d", x.Shape, size)
		return make([]*ir.Value, 1)
	}
	plane := b.Reshape(b.Mul(x, x), 0, 1, x.Shape[1], -1)
	mean := b.One("AveragePool", ir.Attrs{
		"kernel_shape": []int64{size, 1}, "pads": []int64{(size - 1) / 2, 0, size / 2, 0}, "count_include_pad": int64(1),
	}, plane)
	base := b.Add(b.Scale(b.ReshapeLike(mean, x), float64(n.Float("alpha", 1e-4))), b.Float(x, float64(n.Float("bias", 1))))
	return []*ir.Value{b.Mul(x, b.Pow(base, b.Float(x, -float64(n.Float("beta", 0.75)))))}
}
