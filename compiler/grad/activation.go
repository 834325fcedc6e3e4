package grad

import (
	"math"

	"rnas/compiler/ir"
)

// Subgradients at kinks follow PyTorch: prelu counts 0 to the negative side, hardshrink and threshold to the flat part.
func init() {
	one := func(c *Ctx, like *ir.Value) *ir.Value { return c.Float(like, 1) }
	square := func(c *Ctx, x *ir.Value) *ir.Value { return c.Mul(x, x) }
	asin := func(c *Ctx, x, _, dy *ir.Value) *ir.Value {
		return c.Div(dy, c.Sqrt(c.Sub(one(c, x), square(c, x))))
	}
	register(map[string]Rule{
		"Asin":  unaryRule(asin),
		"Acos":  unaryRule(func(c *Ctx, x, y, dy *ir.Value) *ir.Value { return c.Neg(asin(c, x, y, dy)) }),
		"Atan":  unaryRule(func(c *Ctx, x, _, dy *ir.Value) *ir.Value { return c.Div(dy, c.Add(square(c, x), one(c, x))) }),
		"Asinh": unaryRule(func(c *Ctx, x, _, dy *ir.Value) *ir.Value { return c.Div(dy, c.Sqrt(c.Add(square(c, x), one(c, x)))) }),
		"Acosh": unaryRule(func(c *Ctx, x, _, dy *ir.Value) *ir.Value { return c.Div(dy, c.Sqrt(c.Sub(square(c, x), one(c, x)))) }),
		"Atanh": unaryRule(func(c *Ctx, x, _, dy *ir.Value) *ir.Value { return c.Div(dy, c.Sub(one(c, x), square(c, x))) }),
		"Sinh":  unaryRule(func(c *Ctx, x, _, dy *ir.Value) *ir.Value { return c.Mul(dy, c.One("Cosh", nil, x)) }),
		"Cosh":  unaryRule(func(c *Ctx, x, _, dy *ir.Value) *ir.Value { return c.Mul(dy, c.One("Sinh", nil, x)) }),
		"Tan":   unaryRule(func(c *Ctx, _, y, dy *ir.Value) *ir.Value { return c.Mul(dy, c.Add(square(c, y), one(c, y))) }),
		"Celu": unaryRule(func(c *Ctx, x, y, dy *ir.Value) *ir.Value {
			slope := c.Add(c.Scale(y, 1/float64(c.N.Float("alpha", 1))), one(c, y))
			return c.Where(c.Greater(x, c.Float(x, 0)), dy, c.Mul(dy, slope))
		}),
		"Selu": unaryRule(func(c *Ctx, x, y, dy *ir.Value) *ir.Value {
			alpha, gamma := float64(c.N.Float("alpha", seluAlpha)), float64(c.N.Float("gamma", seluGamma))
			return c.Where(c.Greater(x, c.Float(x, 0)), c.Scale(dy, gamma), c.Mul(dy, c.Add(y, c.Float(y, alpha*gamma))))
		}),
		"Gelu": unaryRule(gelu),
		"Mish": unaryRule(func(c *Ctx, x, _, dy *ir.Value) *ir.Value {
			t := c.Tanh(c.One("Softplus", nil, x))
			inner := c.Mul(c.Mul(x, c.Sigmoid(x)), c.Sub(one(c, x), square(c, t)))
			return c.Mul(dy, c.Add(t, inner))
		}),
		"Swish": unaryRule(func(c *Ctx, x, y, dy *ir.Value) *ir.Value {
			alpha := float64(c.N.Float("alpha", 1))
			s := c.Sigmoid(c.Scale(x, alpha))
			return c.Mul(dy, c.Add(s, c.Scale(c.Mul(y, c.Sub(one(c, s), s)), alpha)))
		}),
		"ThresholdedRelu": unaryRule(func(c *Ctx, x, _, dy *ir.Value) *ir.Value {
			return c.Where(c.Greater(x, c.Float(x, float64(c.N.Float("alpha", 1)))), dy, c.Float(dy, 0))
		}),
		"Shrink": unaryRule(func(c *Ctx, x, _, dy *ir.Value) *ir.Value {
			lambda := float64(c.N.Float("lambd", 0.5))
			outside := c.One("Or", nil, c.Less(x, c.Float(x, -lambda)), c.Greater(x, c.Float(x, lambda)))
			return c.Where(outside, dy, c.Float(dy, 0))
		}),
		"PRelu": func(c *Ctx) []*ir.Value {
			x, slope, dy := c.In(0), c.In(1), c.Dy[0]
			positive := c.Greater(x, c.Float(x, 0))
			return []*ir.Value{
				c.when(0, func() *ir.Value { return c.Where(positive, dy, c.Mul(dy, slope)) }),
				c.when(1, func() *ir.Value { return c.Where(positive, c.Float(dy, 0), c.Mul(dy, x)) }),
			}
		},
		// x - trunc(x/m) m: the quotient is an integer that does not move.
		"Mod": func(c *Ctx) []*ir.Value {
			return []*ir.Value{c.Dy[0], c.when(1, func() *ir.Value {
				quotient := c.One("Round", nil, c.Div(c.Sub(c.In(0), c.Out(0)), c.In(1)))
				return c.Neg(c.Mul(c.Dy[0], quotient))
			})}
		},
		"CastLike": func(c *Ctx) []*ir.Value { return []*ir.Value{castBack(c, c.In(0), nil, c.Dy[0]), nil} },
	})
}

// Constants of self-normalising networks (Klambauer et al. 2017, section 2), as ONNX rounds them.
const (
	seluAlpha = 1.67326319217681884765625
	seluGamma = 1.05070102214813232421875
)

// gelu differentiates x Phi(x) (Hendrycks & Gimpel 2016) or its tanh approximation.
func gelu(c *Ctx, x, _, dy *ir.Value) *ir.Value {
	half := c.Float(x, 0.5)
	square := c.Mul(x, x)
	if c.N.Str("approximate", "none") == "none" {
		cumulative := c.Add(c.Scale(c.One("Erf", nil, c.Scale(x, math.Sqrt2/2)), 0.5), half)
		density := c.Scale(c.Exp(c.Scale(square, -0.5)), 1/math.Sqrt(2*math.Pi))
		return c.Mul(dy, c.Add(cumulative, c.Mul(x, density)))
	}
	k := math.Sqrt(2 / math.Pi)
	inner := c.Mul(c.Scale(x, k), c.Add(c.Scale(square, 0.044715), c.Float(x, 1)))
	t := c.Tanh(inner)
	slope := c.Add(c.Scale(square, 3*0.044715*k), c.Float(x, k))
	bump := c.Mul(c.Mul(c.Scale(x, 0.5), slope), c.Sub(c.Float(x, 1), c.Mul(t, t)))
	return c.Mul(dy, c.Add(c.Add(c.Scale(t, 0.5), half), bump))
}
