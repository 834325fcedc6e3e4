package grad

import (
	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

func init() {
	register(map[string]Rule{
		"NegativeLogLikelihoodLoss": composite(func(c *Ctx) []*ir.Value { return []*ir.Value{likelihood(c, c.In(0))} }),
		"SoftmaxCrossEntropyLoss": composite(func(c *Ctx) []*ir.Value {
			p := c.LogSoftmax(c.In(0), 1)
			return []*ir.Value{likelihood(c, p), p}
		}),
	})
}

// likelihood is the weighted negative of the log-probabilities p [N,C,...] at the labels [N,...] of the node.
func likelihood(c *Ctx, p *ir.Value) *ir.Value {
	labels, weights := c.In(1), c.In(2)
	number := func(v int64) *ir.Value {
		return c.Const("label", tensor.FromFloat64s(labels.Type, nil, []float64{float64(v)}))
	}
	var valid *ir.Value
	if ignore, given := c.N.Attrs["ignore_index"].(int64); given {
		valid = c.One("Not", nil, c.Equal(labels, number(ignore)))
		labels = c.Where(valid, labels, number(0))
	}
	classes := make([]float64, p.Shape[1])
	for k := range classes {
		classes[k] = float64(k)
	}
	shape := []int64{p.Shape[1]}
	for range p.Rank() - 2 {
		shape = append(shape, 1)
	}
	here := c.Equal(c.Unsqueeze(labels, 1), c.Const("classes", tensor.FromFloat64s(labels.Type, shape, classes)))
	loss := c.Neg(c.ReduceSum(c.Where(here, p, c.Float(p, 0)), false, 1))
	w := c.fill(1, loss)
	if weights != nil {
		w = c.Gather(weights, labels, 0)
	}
	if valid != nil {
		w = c.Where(valid, w, c.Float(w, 0))
	}
	loss = c.Mul(loss, w)
	switch c.N.Str("reduction", "mean") {
	case "mean":
		return c.Div(c.ReduceSum(loss, false), c.ReduceSum(w, false))
	case "sum":
		return c.ReduceSum(loss, false)
	}
	return loss
}
