package op

import (
	"fmt"

	"rnas/compiler/ir"
)

func init() {
	attrs := []Attr{{"ignore_index", kInt, false}, {"reduction", kString, false}}
	register([]Op{
		{Name: "NegativeLogLikelihoodLoss", In: Arity{2, 3}, Out: Arity{1, 1}, Attrs: attrs, Infer: loss},
		{Name: "SoftmaxCrossEntropyLoss", In: Arity{2, 3}, Out: Arity{1, 2}, Attrs: attrs, Infer: loss},
	})
}

// loss takes scores [N,C,...], labels [N,...] and weights [C]; output 1 has the log-probabilities.
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
