package op

import (
	"fmt"

	"rnas/compiler/ir"
)

func init() {
	register([]Op{
		{Name: "Loop", In: Arity{2, -1}, Out: Arity{1, -1}, Attrs: []Attr{{"body", kGraph, true}}, Infer: loop},
	})
}

// loop follows the rules of ONNX: inputs are trip count, condition and the carried values; the body takes iteration
// number, condition and the carried values, and gives condition, carried values and one element of each scan output.
// Shapes of carried values must not change from one iteration to the next.
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
