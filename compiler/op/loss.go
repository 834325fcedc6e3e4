package op

import (
	"fmt"

	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

func init() {
	attrs := []Attr{{"ignore_index", kInt, false}, {"reduction", kString, false}}
	register([]Op{
		{Name: "NegativeLogLikelihoodLoss", In: Arity{2, 3}, Out: Arity{1, 1}, Attrs: attrs, Infer: loss, Decompose: func(b B, n *ir.Node) []*ir.Value {
			return []*ir.Value{likelihood(b, n, n.In[0])}
		}},
		{Name: "SoftmaxCrossEntropyLoss", In: Arity{2, 3}, Out: Arity{1, 2}, Attrs: attrs, Infer: loss, Decompose: func(b B, n *ir.Node) []*ir.Value {
			p := b.LogSoftmax(n.In[0], 1)
			return []*ir.Value{likelihood(b, n, p), p}
		}},
	})
}

// loss infers a loss for scores [N,C,...], labels [N,...] and weights [C]; output 1 has the log-probabilities.
func loss(c *Ctx) error {
	x, labels := c.Shape(0), c.Shape(1)
	if len(x) < 2 || x[1] == ir.N || !c.Type(0).IsFloat() {
		return fmt.Errorf("scores: expected floating-point numbers of shape [N,C,...]")
	}
	want := append(x[:1].Clone(), x[2:]...)
	if !labels.Equal(want) {
		return fmt.Errorf("labels: expected shape %s, found %s", want, labels)
	}
	if t := c.Type(1); t != ir.Int64 && t != ir.Int32 {
		return fmt.Errorf("labels: expected int32 or int64, found %s", t)
	}
	if w := c.Input(2); w != nil && !w.Shape.Equal(x[1:2]) {
		return fmt.Errorf("weights: expected shape %s, found %s", x[1:2], w.Shape)
	}
	if err := c.SameType(0, 2); err != nil {
		return err
	}
	switch r := c.Str("reduction", "mean"); r {
	case "none":
	case "mean", "sum":
		want = ir.Shape{}
	default:
		return fmt.Errorf("attribute reduction: %q is not known", r)
	}
	if err := c.Set(1, c.Type(0), x...); err != nil {
		return err
	}
	return c.Set(0, c.Type(0), want...)
}

// likelihood is the weighted negative of the log-probabilities p [N,C,...] at the labels [N,...] of the node.
func likelihood(b B, n *ir.Node, p *ir.Value) *ir.Value {
	labels, weights := n.In[1], n.Input(2)
	number := func(v int64) *ir.Value {
		return b.Const("label", tensor.FromFloat64s(labels.Type, nil, []float64{float64(v)}))
	}
	var valid *ir.Value
	if ignore, given := n.Attrs["ignore_index"].(int64); given {
		valid = b.One("Not", nil, b.Equal(labels, number(ignore)))
		labels = b.Where(valid, labels, number(0))
	}
	classes := make([]float64, p.Shape[1])
	for k := range classes {
		classes[k] = float64(k)
	}
	shape := []int64{p.Shape[1]}
	for range p.Rank() - 2 {
		shape = append(shape, 1)
	}
	here := b.Equal(b.Unsqueeze(labels, 1), b.Const("classes", tensor.FromFloat64s(labels.Type, shape, classes)))
	loss := b.Neg(b.ReduceSum(b.Where(here, p, b.Float(p, 0)), false, 1))
	w := b.ExpandLike(b.Float(loss, 1), loss)
	if weights != nil {
		w = b.Gather(weights, labels, 0)
	}
	if valid != nil {
		w = b.Where(valid, w, b.Float(w, 0))
	}
	loss = b.Mul(loss, w)
	switch n.Str("reduction", "mean") {
	case "mean":
		return b.Div(b.ReduceSum(loss, false), b.ReduceSum(w, false))
	case "sum":
		return b.ReduceSum(loss, false)
	}
	return loss
}
