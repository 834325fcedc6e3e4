package op

import (
	"fmt"
	"slices"

	"rnas/compiler/ir"
)

func init() {
	normal := []Attr{{"dtype", kInt, false}, {"seed", kFloat, false}, {"mean", kFloat, false}, {"scale", kFloat, false}}
	uniform := []Attr{{"dtype", kInt, false}, {"seed", kFloat, false}, {"low", kFloat, false}, {"high", kFloat, false}}
	shape := Attr{"shape", kInts, true}
	register([]Op{
		{Name: "RandomNormal", Out: Arity{1, 1}, Attrs: append(slices.Clone(normal), shape), Infer: random},
		{Name: "RandomUniform", Out: Arity{1, 1}, Attrs: append(slices.Clone(uniform), shape), Infer: random},
		{Name: "RandomNormalLike", In: Arity{1, 1}, Out: Arity{1, 1}, Attrs: normal, Infer: random},
		{Name: "RandomUniformLike", In: Arity{1, 1}, Out: Arity{1, 1}, Attrs: uniform, Infer: random},
		{Name: "Bernoulli", Since: 15, In: Arity{1, 1}, Out: Arity{1, 1}, Attrs: []Attr{{"dtype", kInt, false}, {"seed", kFloat, false}}, Infer: random},
		{
			Name: "Multinomial", In: Arity{1, 1}, Out: Arity{1, 1},
			Attrs: []Attr{{"dtype", kInt, false}, {"seed", kFloat, false}, {"sample_size", kInt, false}}, Infer: multinomial,
		},
	})
}

// Random reports whether n draws random numbers, so that equal inputs may give different outputs. Dropout draws unless its
// training mode is absent or the constant false.
func Random(n *ir.Node) bool {
	if n.Domain != "" {
		return false
	}
	switch n.Op {
	case "RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike", "Bernoulli", "Multinomial":
		return true
	case "Dropout":
		mode := n.Input(2)
		return mode != nil && !(mode.IsConst() && mode.Const.Len() == 1 && mode.Const.Float64At(0) == 0)
	}
	return false
}

func random(c *Ctx) error {
	t, shape := ir.Float32, ir.Shape(c.Ints("shape", nil))
	if len(c.In) == 1 {
		t, shape = c.Type(0), c.Shape(0)
	}
	t = ir.DType(c.Int("dtype", int64(t)))
	if !t.Known() || c.Op != "Bernoulli" && !t.IsFloat() {
		return fmt.Errorf("attribute dtype: expected a floating-point type, found %d", int64(t))
	}
	if len(c.In) == 0 && !shape.Static() {
		return fmt.Errorf("attribute shape: %v has a negative dimension", []int64(shape))
	}
	return c.Set(0, t, shape...)
}

func multinomial(c *Ctx) error {
	t := ir.DType(c.Int("dtype", int64(ir.Int32)))
	if t != ir.Int32 && t != ir.Int64 {
		return fmt.Errorf("attribute dtype: expected int32 or int64, found %d", int64(t))
	}
	if len(c.Shape(0)) != 2 || c.Int("sample_size", 1) < 0 {
		return fmt.Errorf("expected [N,classes] and a sample size")
	}
	return c.Set(0, t, c.Shape(0)[0], c.Int("sample_size", 1))
}
