package op

import (
	"fmt"

	"rnas/compiler/ir"
)

func init() {
	register([]Op{
		{
			Name: "BatchNormalization", In: Arity{5, 5}, Out: Arity{1, 3},
			Attrs: []Attr{{"epsilon", kFloat, false}, {"momentum", kFloat, false}, {"training_mode", kInt, false}},
			Infer: batchNorm,
		},
		{Name: "MatMul", In: Arity{2, 2}, Out: Arity{1, 1}, Infer: matMul},
		{
			Name: "Gemm", In: Arity{2, 3}, Out: Arity{1, 1},
			Attrs: []Attr{{"alpha", kFloat, false}, {"beta", kFloat, false}, {"transA", kInt, false}, {"transB", kInt, false}},
			Infer: gemm,
		},
		{Name: "Dropout", In: Arity{1, 3}, Out: Arity{1, 2}, Attrs: []Attr{{"seed", kInt, false}}, Infer: func(c *Ctx) error {
			if err := c.Set(1, ir.Bool, c.Shape(0)...); err != nil {
				return err
			}
			return unary(c)
		}},
	})
}

func batchNorm(c *Ctx) error {
	x := c.Shape(0)
	if len(x) < 2 {
		return fmt.Errorf("expected rank at least 2")
	}
	for i := 1; i < 5; i++ {
		if !c.Shape(i).Equal(ir.Shape{x[1]}) {
			return fmt.Errorf("input %d: expected shape [%d], found %s", i, x[1], c.Shape(i))
		}
	}
	if len(c.Out) > 1 && c.Int("training_mode", 0) == 0 {
		return fmt.Errorf("statistics are outputs only in training mode")
	}
	for i := 1; i < 3; i++ {
		if err := c.Set(i, c.Type(3), x[1]); err != nil {
			return err
		}
	}
	return c.Set(0, c.Type(0), x...)
}

func matMul(c *Ctx) error {
	if err := c.SameType(0, 1); err != nil {
		return err
	}
	a, b := c.Shape(0).Clone(), c.Shape(1).Clone()
	if len(a) == 0 || len(b) == 0 {
		return fmt.Errorf("scalars cannot be multiplied")
	}
	vecA, vecB := len(a) == 1, len(b) == 1
	if vecA {
		a = ir.Shape{1, a[0]}
	}
	if vecB {
		b = ir.Shape{b[0], 1}
	}
	m, k, n := a[len(a)-2], a[len(a)-1], b[len(b)-1]
	if b[len(b)-2] != k {
		return fmt.Errorf("inner sizes %d and %d differ", k, b[len(b)-2])
	}
	out, err := Broadcast(a[:len(a)-2], b[:len(b)-2])
	if err != nil {
		return err
	}
	if !vecA {
		out = append(out, m)
	}
	if !vecB {
		out = append(out, n)
	}
	return c.Set(0, c.Type(0), out...)
}

func gemm(c *Ctx) error {
	if err := c.SameType(0, 1, 2); err != nil {
		return err
	}
	a, b := c.Shape(0).Clone(), c.Shape(1).Clone()
	if len(a) != 2 || len(b) != 2 {
		return fmt.Errorf("expected two matrices")
	}
	if c.Int("transA", 0) != 0 {
		a[0], a[1] = a[1], a[0]
	}
	if c.Int("transB", 0) != 0 {
		b[0], b[1] = b[1], b[0]
	}
	if a[1] != b[0] {
		return fmt.Errorf("inner sizes %d and %d differ", a[1], b[0])
	}
	out := ir.Shape{a[0], b[1]}
	if bias := c.Input(2); bias != nil {
		if s, err := Broadcast(out, bias.Shape); err != nil || !s.Equal(out) {
			return fmt.Errorf("bias %s does not broadcast to %s", bias.Shape, out)
		}
	}
	return c.Set(0, c.Type(0), out...)
}
