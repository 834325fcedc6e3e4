package grad

import (
	"math"
	"slices"

	"rnas/compiler/ir"
	"rnas/compiler/op"
)

// unaryRule is the rule of an operator with one input and one output, dx = f(c, x, y, dy).
func unaryRule(f func(c *Ctx, x, y, dy *ir.Value) *ir.Value) Rule {
	return func(c *Ctx) []*ir.Value { return []*ir.Value{f(c, c.In(0), c.Out(0), c.Dy[0])} }
}

// Operators with one operand. Subgradients at kinks follow PyTorch: 0 for Relu and Abs at 0, 1 for Clip at both bounds.
func init() {
	register(map[string]Rule{
		"Identity":   unaryRule(func(_ *Ctx, _, _, dy *ir.Value) *ir.Value { return dy }),
		"Neg":        unaryRule(func(c *Ctx, _, _, dy *ir.Value) *ir.Value { return c.Neg(dy) }),
		"Abs":        unaryRule(func(c *Ctx, x, _, dy *ir.Value) *ir.Value { return c.Mul(dy, c.Sign(x)) }),
		"Exp":        unaryRule(func(c *Ctx, _, y, dy *ir.Value) *ir.Value { return c.Mul(dy, y) }),
		"Log":        unaryRule(func(c *Ctx, x, _, dy *ir.Value) *ir.Value { return c.Div(dy, x) }),
		"Sqrt":       unaryRule(func(c *Ctx, _, y, dy *ir.Value) *ir.Value { return c.Div(c.Scale(dy, 0.5), y) }),
		"Reciprocal": unaryRule(func(c *Ctx, _, y, dy *ir.Value) *ir.Value { return c.Neg(c.Mul(dy, c.Mul(y, y))) }),
		// The sign of the result of Relu is exactly its derivative.
		"Relu": unaryRule(func(c *Ctx, _, y, dy *ir.Value) *ir.Value { return c.Mul(dy, c.Sign(y)) }),
		"Sigmoid": unaryRule(func(c *Ctx, _, y, dy *ir.Value) *ir.Value {
			return c.Mul(dy, c.Mul(y, c.Sub(c.Float(y, 1), y)))
		}),
		"Tanh": unaryRule(func(c *Ctx, _, y, dy *ir.Value) *ir.Value {
			return c.Mul(dy, c.Sub(c.Float(y, 1), c.Mul(y, y)))
		}),
		"Softplus": unaryRule(func(c *Ctx, x, _, dy *ir.Value) *ir.Value { return c.Mul(dy, c.Sigmoid(x)) }),
		"Softsign": unaryRule(func(c *Ctx, x, _, dy *ir.Value) *ir.Value {
			d := c.Add(c.Abs(x), c.Float(x, 1))
			return c.Div(dy, c.Mul(d, d))
		}),
		"Erf": unaryRule(func(c *Ctx, x, _, dy *ir.Value) *ir.Value {
			return c.Mul(dy, c.Scale(c.Exp(c.Neg(c.Mul(x, x))), 2/math.Sqrt(math.Pi)))
		}),
		"Sin": unaryRule(func(c *Ctx, x, _, dy *ir.Value) *ir.Value { return c.Mul(dy, c.One("Cos", nil, x)) }),
		"Cos": unaryRule(func(c *Ctx, x, _, dy *ir.Value) *ir.Value { return c.Neg(c.Mul(dy, c.One("Sin", nil, x))) }),
		"HardSigmoid": unaryRule(func(c *Ctx, _, y, dy *ir.Value) *ir.Value {
			inside := c.One("And", nil, c.Greater(y, c.Float(y, 0)), c.Less(y, c.Float(y, 1)))
			return c.Where(inside, c.Scale(dy, float64(c.N.Float("alpha", 0.2))), c.Float(dy, 0))
		}),
		"HardSwish": unaryRule(func(c *Ctx, x, _, dy *ir.Value) *ir.Value {
			zero := c.Float(x, 0)
			slope := c.Add(c.Scale(x, 1.0/3), c.Float(x, 0.5))
			slope = c.Where(c.GreaterOrEqual(x, c.Float(x, 3)), c.Float(x, 1), slope)
			return c.Mul(dy, c.Where(c.LessOrEqual(x, c.Float(x, -3)), zero, slope))
		}),
		"LeakyRelu": unaryRule(func(c *Ctx, x, _, dy *ir.Value) *ir.Value {
			return c.Where(c.Greater(x, c.Float(x, 0)), dy, c.Scale(dy, float64(c.N.Float("alpha", 0.01))))
		}),
		"Elu": unaryRule(func(c *Ctx, x, y, dy *ir.Value) *ir.Value {
			alpha := float64(c.N.Float("alpha", 1))
			return c.Where(c.Greater(x, c.Float(x, 0)), dy, c.Mul(dy, c.Add(y, c.Float(y, alpha))))
		}),
		"Cast":    unaryRule(castBack),
		"Dropout": dropout,
		"Clip":    clip,
		"Softmax": unaryRule(func(c *Ctx, _, y, dy *ir.Value) *ir.Value {
			axis := c.N.Int("axis", -1)
			return c.Mul(y, c.Sub(dy, c.ReduceSum(c.Mul(dy, y), true, axis)))
		}),
		"LogSoftmax": unaryRule(func(c *Ctx, _, y, dy *ir.Value) *ir.Value {
			axis := c.N.Int("axis", -1)
			return c.Sub(dy, c.Mul(c.Exp(y), c.ReduceSum(dy, true, axis)))
		}),
	})
}

// Operators with several operands. Ties of Max and Min get equal shares of the gradient, as in PyTorch.
func init() {
	register(map[string]Rule{
		"Add": func(c *Ctx) []*ir.Value { return []*ir.Value{c.Dy[0], c.Dy[0]} },
		"Sub": func(c *Ctx) []*ir.Value {
			return []*ir.Value{c.Dy[0], c.when(1, func() *ir.Value { return c.Neg(c.Dy[0]) })}
		},
		"Mul": func(c *Ctx) []*ir.Value {
			return []*ir.Value{
				c.when(0, func() *ir.Value { return c.Mul(c.Dy[0], c.In(1)) }),
				c.when(1, func() *ir.Value { return c.Mul(c.Dy[0], c.In(0)) }),
			}
		},
		"Div": func(c *Ctx) []*ir.Value {
			return []*ir.Value{
				c.when(0, func() *ir.Value { return c.Div(c.Dy[0], c.In(1)) }),
				c.when(1, func() *ir.Value { return c.Neg(c.Mul(c.Dy[0], c.Div(c.Out(0), c.In(1)))) }),
			}
		},
		"Pow":  pow,
		"Sum":  func(c *Ctx) []*ir.Value { return c.each(c.Dy[0]) },
		"Mean": func(c *Ctx) []*ir.Value { return c.each(c.Scale(c.Dy[0], 1/float64(len(c.N.In)))) },
		"Max":  extremum,
		"Min":  extremum,
		"Where": func(c *Ctx) []*ir.Value {
			zero := c.Float(c.Dy[0], 0)
			return []*ir.Value{
				nil,
				c.when(1, func() *ir.Value { return c.Where(c.In(0), c.Dy[0], zero) }),
				c.when(2, func() *ir.Value { return c.Where(c.In(0), zero, c.Dy[0]) }),
			}
		},
	})
}

// when calls f only if the gradient of input i is wanted, and returns nil otherwise.
func (c *Ctx) when(i int, f func() *ir.Value) *ir.Value {
	if !c.Need(i) {
		return nil
	}
	return f()
}

// each is the same gradient for every input.
func (c *Ctx) each(g *ir.Value) []*ir.Value {
	out := make([]*ir.Value, len(c.N.In))
	for i := range out {
		out[i] = g
	}
	return out
}

// dropout passes the gradient where the mask does, scaled alike. In training mode it is that of the mask which the forward pass drew, whose
// ratio must be constant.
func dropout(c *Ctx) []*ir.Value {
	dy := c.Dy[0]
	if !op.Random(c.N) {
		return []*ir.Value{dy, nil, nil}[:len(c.N.In)]
	}
	ratio := 0.5
	if r := c.N.Input(1); r.IsNumber() {
		ratio = r.Const.Float64At(0)
	} else if r != nil {
		c.Fail("node %s: Dropout in training mode has a gradient for a constant ratio only", c.N.Name)
		return nil
	}
	if mode := c.N.Input(2); !mode.IsNumber() || ratio < 0 || ratio >= 1 {
		c.Fail("node %s: Dropout in training mode has a gradient for a constant mode and a ratio from 0 to below 1 only", c.N.Name)
		return nil
	}
	mask := c.N.Output(1)
	if mask == nil {
		mask = &ir.Value{Name: c.Take(c.N.Name + ".mask"), Type: ir.Bool, Shape: c.N.Out[0].Shape.Clone(), Def: c.N}
		c.N.Out = append(c.N.Out[:1:1], mask)
	}
	return []*ir.Value{c.Scale(c.Mul(dy, c.Cast(mask, dy.Type)), 1/(1-ratio)), nil, nil}[:len(c.N.In)]
}

// clip is the rule of min(max(x, lo), hi), in which hi wins over a larger lo.
func clip(c *Ctx) []*ir.Value {
	x, lo, hi, dy := c.In(0), c.In(1), c.In(2), c.Dy[0]
	zero := c.Float(dy, 0)
	g, dlo, dhi := dy, dy, dy
	if lo != nil {
		g = c.Where(c.GreaterOrEqual(x, lo), g, zero)
		dlo = c.Where(c.Less(x, lo), dy, zero)
	}
	if hi != nil {
		g = c.Where(c.LessOrEqual(x, hi), g, zero)
		dhi = c.Where(c.Greater(x, hi), dy, zero)
	}
	if lo != nil && hi != nil && (c.Need(1) || c.Need(2)) {
		swapped := c.Less(hi, lo)
		dlo, dhi = c.Where(swapped, zero, dlo), c.Where(swapped, dy, dhi)
	}
	return []*ir.Value{g, c.when(1, func() *ir.Value { return dlo }), c.when(2, func() *ir.Value { return dhi })}
}

func pow(c *Ctx) []*ir.Value {
	x, p, y, dy := c.In(0), c.In(1), c.Out(0), c.Dy[0]
	return []*ir.Value{
		c.when(0, func() *ir.Value {
			q := c.Cast(p, x.Type)
			r := q
			if !nonzero(p) { // 0 x^-1 is 0 at x = 0 too
				zero := c.Float(x, 0)
				r = c.Where(c.One("And", nil, c.Equal(q, zero), c.Equal(x, zero)), c.Float(x, 1), q)
			}
			return c.Mul(dy, c.Mul(q, c.Pow(x, c.Sub(r, c.Float(x, 1)))))
		}),
		// d x^p / dp = x^p log x, taken as 0 at x = 0.
		c.when(1, func() *ir.Value {
			zero := c.Float(x, 0)
			safe := c.Where(c.Equal(x, zero), c.Float(x, 1), x)
			return c.Cast(c.Mul(dy, c.Mul(y, c.Log(safe))), p.Type)
		}),
	}
}

// nonzero reports whether v is a constant without zeros.
func nonzero(v *ir.Value) bool {
	return v.IsConst() && !slices.Contains(v.Const.Float64s(), 0)
}

func extremum(c *Ctx) []*ir.Value {
	out := make([]*ir.Value, len(c.N.In))
	if len(out) == 1 {
		return []*ir.Value{c.Dy[0]}
	}
	hits := make([]*ir.Value, len(out))
	for i, x := range c.N.In {
		hits[i] = c.Cast(c.Equal(x, c.Out(0)), c.Dy[0].Type)
	}
	ties := hits[0]
	for _, h := range hits[1:] {
		ties = c.Add(ties, h)
	}
	share := c.Div(c.Dy[0], ties)
	for i := range out {
		out[i] = c.when(i, func() *ir.Value { return c.Mul(share, hits[i]) })
	}
	return out
}
