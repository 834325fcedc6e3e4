package op

import (
	"fmt"

	"rnas/compiler/ir"
)

func init() {
	var rows []Op
	for _, name := range []string{
		"ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceSumSquare",
		"ReduceLogSum", "ReduceLogSumExp",
	} {
		rows = append(rows, Op{
			Name: name, In: Arity{1, 2}, Out: Arity{1, 1},
			Attrs: []Attr{{"keepdims", kInt, false}, {"noop_with_empty_axes", kInt, false}},
			Infer: reduce,
		})
	}
	for _, name := range []string{"ArgMax", "ArgMin"} {
		rows = append(rows, Op{
			Name: name, In: Arity{1, 1}, Out: Arity{1, 1},
			Attrs: []Attr{{"axis", kInt, false}, {"keepdims", kInt, false}, {"select_last_index", kInt, false}},
			Infer: argReduce,
		})
	}
	rows = append(rows, Op{
		Name: "TopK", In: Arity{2, 2}, Out: Arity{2, 2},
		Attrs: []Attr{{"axis", kInt, false}, {"largest", kInt, false}, {"sorted", kInt, false}},
		Infer: topK,
	})
	register(rows)
}

// ReduceMask is the mask of reduced dimensions of a Reduce node. Without axes, all are reduced, or none if the node has
// noop_with_empty_axes.
func ReduceMask(n *ir.Node) ([]bool, error) {
	rank := n.In[0].Rank()
	axes, ok := ConstInts(n.Input(1))
	if n.Input(1) != nil && !ok {
		return nil, fmt.Errorf("axes must be constant")
	}
	if len(axes) == 0 {
		mask := make([]bool, rank)
		for i := range mask {
			mask[i] = n.Int("noop_with_empty_axes", 0) == 0
		}
		return mask, nil
	}
	return Axes(axes, rank)
}

func reduce(c *Ctx) error {
	mask, err := ReduceMask(c.Node)
	if err != nil {
		return err
	}
	return c.Set(0, c.Type(0), collapse(c.Shape(0), mask, c.Int("keepdims", 1) != 0)...)
}

func collapse(s ir.Shape, mask []bool, keep bool) ir.Shape {
	out := ir.Shape{}
	for i, d := range s {
		switch {
		case !mask[i]:
			out = append(out, d)
		case keep:
			out = append(out, 1)
		}
	}
	return out
}

func argReduce(c *Ctx) error {
	axis, err := Axis(c.Int("axis", 0), len(c.Shape(0)))
	if err != nil {
		return err
	}
	mask := make([]bool, len(c.Shape(0)))
	mask[axis] = true
	return c.Set(0, ir.Int64, collapse(c.Shape(0), mask, c.Int("keepdims", 1) != 0)...)
}

func topK(c *Ctx) error {
	axis, err := Axis(c.Int("axis", -1), len(c.Shape(0)))
	if err != nil {
		return err
	}
	k, ok := c.ConstInts(1)
	if !ok || len(k) != 1 {
		return fmt.Errorf("k must be one constant number")
	}
	out := c.Shape(0).Clone()
	if k[0] < 0 || out[axis] != ir.N && k[0] > out[axis] {
		return fmt.Errorf("k %d is outside dimension %d", k[0], out[axis])
	}
	out[axis] = k[0]
	if err := c.Set(1, ir.Int64, out...); err != nil {
		return err
	}
	return c.Set(0, c.Type(0), out...)
}
