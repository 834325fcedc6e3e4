package op

import (
	"fmt"

	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

func init() {
	register([]Op{
		{Name: "GatherND", In: Arity{2, 2}, Out: Arity{1, 1}, Attrs: []Attr{{"batch_dims", kInt, false}}, Infer: gatherND},
		{Name: "ScatterND", In: Arity{3, 3}, Out: Arity{1, 1}, Attrs: []Attr{{"reduction", kString, false}}, Infer: scatterND},
		{
			Name: "TensorScatter", Since: 24, In: Arity{2, 3}, Out: Arity{1, 1},
			Attrs: []Attr{{"axis", kInt, false}, {"mode", kString, false}}, Infer: tensorScatter,
			Decompose: scatterEntries,
		},
	})
}

// indexTuples checks the indices of GatherND and ScatterND. rest is the shape of what one tuple names, after batch leading
// dimensions.
func (c *Ctx) indexTuples(batch int64) (rest ir.Shape, err error) {
	s, ids := c.Shape(0), c.Shape(1)
	if c.Type(1) != ir.Int64 {
		return nil, fmt.Errorf("indices: expected int64, found %s", c.Type(1))
	}
	if len(s) == 0 || len(ids) == 0 || batch < 0 || batch >= int64(min(len(s), len(ids))) {
		return nil, fmt.Errorf("data and indices need a rank over %d", max(batch, 0))
	}
	k := ids[len(ids)-1]
	if k == ir.N || k+batch > int64(len(s)) {
		return nil, fmt.Errorf("indices of %s name too many dimensions", ids)
	}
	if !s[:batch].Equal(ids[:batch]) {
		return nil, fmt.Errorf("the first %d dimensions differ", batch)
	}
	return s[batch+k:], nil
}

func gatherND(c *Ctx) error {
	rest, err := c.indexTuples(c.Int("batch_dims", 0))
	if err != nil {
		return err
	}
	ids := c.Shape(1)
	return c.Set(0, c.Type(0), append(ids[:len(ids)-1].Clone(), rest...)...)
}

// reduction checks the attribute that says how updates combine with the elements in their places.
func (c *Ctx) reduction() error {
	switch r := c.Str("reduction", "none"); r {
	case "none", "add", "mul", "max", "min":
		return nil
	default:
		return fmt.Errorf("attribute reduction: %q is not known", r)
	}
}

func scatterND(c *Ctx) error {
	rest, err := c.indexTuples(0)
	if err != nil {
		return err
	}
	ids := c.Shape(1)
	if want := append(ids[:len(ids)-1].Clone(), rest...); !c.Shape(2).Equal(want) {
		return fmt.Errorf("updates: expected shape %s, found %s", want, c.Shape(2))
	}
	if err := c.SameType(0, 2); err != nil {
		return err
	}
	if err := c.reduction(); err != nil {
		return err
	}
	return unary(c)
}

// tensorScatter infers TensorScatter, which writes an update into a cache that is at least as long, from the place that input 2
// gives for each element of the batch.
func tensorScatter(c *Ctx) error {
	s, update := c.Shape(0), c.Shape(1)
	axis, err := Axis(c.Int("axis", -2), len(s))
	if err != nil {
		return err
	}
	if axis == 0 || len(update) != len(s) {
		return fmt.Errorf("expected two tensors of one rank and an axis after the batch")
	}
	for i := range s {
		if s[i] != update[i] && (i != axis || s[i] == ir.N || update[i] == ir.N || update[i] > s[i]) {
			return fmt.Errorf("update does not fit along dimension %d", i)
		}
	}
	if err := c.SameType(0, 1); err != nil {
		return err
	}
	if v := c.Input(2); v != nil && (v.Type != ir.Int64 || !v.Shape.Equal(ir.Shape{s[0]})) {
		return fmt.Errorf("write indices: expected int64%s", ir.Shape{s[0]})
	}
	if mode := c.Str("mode", "linear"); mode != "linear" && mode != "circular" {
		return fmt.Errorf("attribute mode: expected linear or circular, found %q", mode)
	}
	return unary(c)
}

// scatterEntries is TensorScatter as a ScatterElements whose indices count from the write index on.
func scatterEntries(b B, n *ir.Node) []*ir.Value {
	x, update := n.In[0], n.In[1]
	axis, _ := Axis(n.Int("axis", -2), x.Rank())
	count := make([]int64, update.Shape[axis])
	for k := range count {
		count[k] = int64(k)
	}
	shape := fill(x.Rank(), 1)
	shape[axis] = int64(len(count))
	ids := b.Const("entries", tensor.Of(shape, count...))
	if from := n.Input(2); from != nil {
		shape = fill(x.Rank(), 1)
		shape[0] = -1
		ids = b.Add(ids, b.Reshape(from, shape...))
	}
	if n.Str("mode", "linear") == "circular" {
		ids = b.One("Mod", nil, ids, b.Int(x.Shape[axis]))
	}
	return []*ir.Value{b.One("ScatterElements", ir.Attrs{"axis": int64(axis)}, x, b.ExpandLike(ids, update), update)}
}
