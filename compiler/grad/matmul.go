package grad

import "rnas/compiler/ir"

func init() {
	register(map[string]Rule{"MatMul": matMul, "Gemm": gemm})
}

func swapLast(c *Ctx, v *ir.Value) *ir.Value {
	perm := make([]int64, v.Rank())
	for i := range perm {
		perm[i] = int64(i)
	}
	k := len(perm)
	perm[k-1], perm[k-2] = perm[k-2], perm[k-1]
	return c.Transpose(v, perm...)
}

func matMul(c *Ctx) []*ir.Value {
	a, b, dy := c.In(0), c.In(1), c.Dy[0]
	vecA, vecB := a.Rank() == 1, b.Rank() == 1
	if vecB {
		b = c.Unsqueeze(b, 1)
		dy = c.Unsqueeze(dy, -1)
	}
	if vecA {
		a = c.Unsqueeze(a, 0)
		dy = c.Unsqueeze(dy, -2)
	}
	return []*ir.Value{
		c.when(0, func() *ir.Value {
			g := sumTo(c.B, c.MatMul(dy, swapLast(c, b)), a)
			return c.ReshapeLike(g, c.In(0))
		}),
		c.when(1, func() *ir.Value {
			g := sumTo(c.B, c.MatMul(swapLast(c, a), dy), b)
			return c.ReshapeLike(g, c.In(1))
		}),
	}
}

func gemm(c *Ctx) []*ir.Value {
	a, b, dy := c.In(0), c.In(1), c.Dy[0]
	tA, tB := c.N.Int("transA", 0) != 0, c.N.Int("transB", 0) != 0
	beta := float64(c.N.Float("beta", 1))
	scaled := dy
	if alpha := float64(c.N.Float("alpha", 1)); alpha != 1 {
		scaled = c.Scale(dy, alpha)
	}
	out := []*ir.Value{
		c.when(0, func() *ir.Value {
			if tA {
				return c.Gemm(b, scaled, nil, tB, true)
			}
			return c.Gemm(scaled, b, nil, false, !tB)
		}),
		c.when(1, func() *ir.Value {
			if tB {
				return c.Gemm(scaled, a, nil, true, tA)
			}
			return c.Gemm(a, scaled, nil, !tA, false)
		}),
	}
	if c.In(2) != nil {
		out = append(out, c.when(2, func() *ir.Value {
			if beta != 1 {
				return c.Scale(dy, beta)
			}
			return dy
		}))
	}
	return out
}
