package grad

import "rnas/compiler/ir"

func init() { register(map[string]Rule{"BatchNormalization": batchNorm}) }

// perChannel gives a vector [C] the shape that broadcasts along axis 1 of like.
func perChannel(c *Ctx, v, like *ir.Value) *ir.Value {
	dims := []int64{v.Shape[0]}
	for i := 2; i < like.Rank(); i++ {
		dims = append(dims, 1)
	}
	return c.Reshape(v, dims...)
}

// overChannels sums over all axes but 1.
func overChannels(c *Ctx, v *ir.Value) *ir.Value {
	axes := []int64{0}
	for i := 2; i < v.Rank(); i++ {
		axes = append(axes, int64(i))
	}
	return c.ReduceSum(v, false, axes...)
}

func batchNorm(c *Ctx) []*ir.Value {
	if c.N.Int("training_mode", 0) != 0 {
		return batchNormTraining(c)
	}
	x, scale, mean, variance, dy := c.In(0), c.In(1), c.In(3), c.In(4), c.Dy[0]
	eps := c.Float(variance, float64(c.N.Float("epsilon", 1e-5)))
	inv := c.Reciprocal(c.Sqrt(c.Add(variance, eps)))
	out := make([]*ir.Value, 5)
	out[0] = c.when(0, func() *ir.Value { return c.Mul(dy, perChannel(c, c.Mul(scale, inv), dy)) })
	if !c.Need(1) && !c.Need(2) && !c.Need(3) && !c.Need(4) {
		return out
	}
	sum := overChannels(c, dy)
	centred := func() *ir.Value { return overChannels(c, c.Mul(dy, c.Sub(x, perChannel(c, mean, x)))) }
	out[1] = c.when(1, func() *ir.Value { return c.Mul(centred(), inv) })
	out[2] = c.when(2, func() *ir.Value { return sum })
	out[3] = c.when(3, func() *ir.Value { return c.Neg(c.Mul(sum, c.Mul(scale, inv))) })
	out[4] = c.when(4, func() *ir.Value {
		cube := c.Mul(inv, c.Mul(inv, inv))
		return c.Scale(c.Mul(centred(), c.Mul(scale, cube)), -0.5)
	})
	return out
}

// batchNormTraining differentiates through the statistics of the batch (Ioffe & Szegedy 2015, section 3) as dx = a*(dy +
// (b*(x-mean) + c)) with one number a, b and c per channel. The large tensors are then read as few times as possible: the forward
// pass may have computed x-mean already, and a can become part of the weights that dx is multiplied by.
//
// With momentum 0 the statistics are outputs like any other, and a gradient that is differentiated again reaches them. With other
// momenta they are computed again.
func batchNormTraining(c *Ctx) []*ir.Value {
	x, mean, variance := c.In(0), c.Out(1), c.Out(2)
	momentum := float64(c.N.Float("momentum", 0.9))
	if !x.Shape.Static() {
		c.Fail("node %s: the gradient of BatchNormalization in training mode needs a static batch", c.N.Name)
		return nil
	}
	m := float64(x.Shape.Numel() / x.Shape[1])
	given := mean != nil && variance != nil && momentum == 0
	if !given {
		mean = c.Scale(overChannels(c, x), 1/m)
	}
	centred := c.Sub(x, perChannel(c, mean, x))
	if !given {
		variance = c.Scale(overChannels(c, c.Mul(centred, centred)), 1/m)
	}
	var parts []*ir.Value
	out := make([]*ir.Value, 5)
	if dy := c.Dy[0]; dy != nil {
		square := c.Add(variance, c.Float(variance, float64(c.N.Float("epsilon", 1e-5))))
		deviation := c.Sqrt(square)
		sum, dot := overChannels(c, dy), overChannels(c, c.Mul(dy, centred))
		out[1] = c.when(1, func() *ir.Value { return c.Div(dot, deviation) })
		out[2] = sum
		if c.Need(0) {
			slope, level := c.Div(dot, c.Scale(square, -m)), c.Scale(sum, -1/m)
			linear := c.Add(c.Mul(centred, perChannel(c, slope, x)), perChannel(c, level, x))
			parts = append(parts, c.Mul(c.Add(dy, linear), perChannel(c, c.Div(c.In(1), deviation), x)))
		}
	}
	if dmean := c.dy(1); dmean != nil {
		parts = append(parts, perChannel(c, c.Scale(dmean, (1-momentum)/m), x))
		out[3] = c.when(3, func() *ir.Value { return c.Scale(dmean, momentum) })
	}
	if dvar := c.dy(2); dvar != nil {
		parts = append(parts, c.Mul(centred, perChannel(c, c.Scale(dvar, 2*(1-momentum)/m), x)))
		out[4] = c.when(4, func() *ir.Value { return c.Scale(dvar, momentum) })
	}
	out[0] = c.when(0, func() *ir.Value { return c.Sum(parts...) })
	return out
}
