package op

import (
	"fmt"

	"rnas/compiler/ir"
)

func init() {
	register([]Op{
		{
			Name: "If", In: Arity{1, 1}, Out: Arity{1, -1},
			Attrs: []Attr{{"then_branch", kGraph, true}, {"else_branch", kGraph, true}}, Infer: branches,
		},
		{Name: "Loop", In: Arity{2, -1}, Out: Arity{1, -1}, Attrs: []Attr{{"body", kGraph, true}}, Infer: loop},
	})
}

// loop infers a Loop. Its inputs are trip count, condition and the carried values. The body takes iteration number, condition and
// the carried values, and gives condition, carried values and one element of each scan output. Shapes of carried values must not
// change from one iteration to the next.
func loop(c *Ctx) error {
	body := c.Attrs["body"].(*ir.Graph)
	k := len(c.In) - 2
	if c.Type(0) != ir.Int64 || c.Type(1) != ir.Bool {
		return fmt.Errorf("expected an int64 trip count and a bool condition")
	}
	if len(body.Inputs) != k+2 {
		return fmt.Errorf("body: expected %d inputs, found %d", k+2, len(body.Inputs))
	}
	if len(body.Outputs) != len(c.Out)+1 || len(c.Out) < k {
		return fmt.Errorf("body: %d outputs do not fit %d carried values and %d outputs of the node", len(body.Outputs), k, len(c.Out))
	}
	if body.Inputs[0].Type != ir.Int64 || body.Inputs[1].Type != ir.Bool || body.Outputs[0].Type != ir.Bool {
		return fmt.Errorf("body: expected an int64 iteration number and bool conditions")
	}
	for i := range k {
		for _, v := range []*ir.Value{body.Inputs[2+i], body.Outputs[1+i]} {
			if v.Type != c.Type(2+i) || !v.Shape.Equal(c.Shape(2+i)) {
				return fmt.Errorf("body: carried value %d is %s%s outside and %s inside", i, c.Type(2+i), c.Shape(2+i), v)
			}
		}
		if err := c.Set(i, c.Type(2+i), c.Shape(2+i)...); err != nil {
			return err
		}
	}
	for i := k; i < len(c.Out); i++ {
		trips, ok := c.ConstInts(0)
		if !ok || len(trips) != 1 || trips[0] < 0 {
			return fmt.Errorf("scan outputs need a constant trip count")
		}
		v := body.Outputs[1+i]
		if err := c.Set(i, v.Type, append(ir.Shape{trips[0]}, v.Shape...)...); err != nil {
			return err
		}
	}
	return nil
}

// branches infers an If: two graphs without inputs give the outputs. The types and shapes of both must agree, which ONNX does not
// ask.
func branches(c *Ctx) error {
	if c.Type(0) != ir.Bool || c.Shape(0).Numel() != 1 {
		return fmt.Errorf("expected one bool as condition")
	}
	then, otherwise := c.Attrs["then_branch"].(*ir.Graph), c.Attrs["else_branch"].(*ir.Graph)
	for _, g := range []*ir.Graph{then, otherwise} {
		if len(g.Inputs) != 0 || len(g.Outputs) != len(c.Out) {
			return fmt.Errorf("branch %s: expected 0 inputs and %d outputs, found %d and %d", g.Name, len(c.Out), len(g.Inputs), len(g.Outputs))
		}
	}
	for i, v := range then.Outputs {
		if w := otherwise.Outputs[i]; v.Type != w.Type || !v.Shape.Equal(w.Shape) {
			return fmt.Errorf("output %d is %s%s in one branch and %s%s in the other", i, v.Type, v.Shape, w.Type, w.Shape)
		}
		if err := c.Set(i, v.Type, v.Shape...); err != nil {
			return err
		}
	}
	return nil
}
