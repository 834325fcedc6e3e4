package interp

import (
	"fmt"
	"math"

	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

var unaryKernels = map[string]kernel{
	"Abs":        unary(math.Abs, func(x int64) int64 { return max(x, -x) }),
	"Neg":        unary(func(x float64) float64 { return -x }, func(x int64) int64 { return -x }),
	"Sign":       unary(sign, func(x int64) int64 { return truth(x > 0) - truth(x < 0) }),
	"Exp":        unary(math.Exp, nil),
	"Log":        unary(math.Log, nil),
	"Sqrt":       unary(math.Sqrt, nil),
	"Reciprocal": unary(func(x float64) float64 { return 1 / x }, nil),
	"Relu":       unary(func(x float64) float64 { return max(x, 0) }, func(x int64) int64 { return max(x, 0) }),
	"Sigmoid":    unary(sigmoid, nil),
	"Tanh":       unary(math.Tanh, nil),
	"Softplus":   unary(softplus, nil),
	"Softsign":   unary(func(x float64) float64 { return x / (1 + math.Abs(x)) }, nil),
	"Erf":        unary(math.Erf, nil),
	"Floor":      unary(math.Floor, nil),
	"Ceil":       unary(math.Ceil, nil),
	"Round":      unary(math.RoundToEven, nil),
	"Sin":        unary(math.Sin, nil),
	"Cos":        unary(math.Cos, nil),
	"HardSwish":  unary(func(x float64) float64 { return x * clamp(x/6+0.5, 0, 1) }, nil),
	"HardSigmoid": shaped(func(n *ir.Node) func(float64) float64 {
		alpha, beta := float64(n.Float("alpha", 0.2)), float64(n.Float("beta", 0.5))
		return func(x float64) float64 { return clamp(alpha*x+beta, 0, 1) }
	}),
	"LeakyRelu": shaped(func(n *ir.Node) func(float64) float64 {
		alpha := float64(n.Float("alpha", 0.01))
		return func(x float64) float64 {
			if x < 0 {
				return alpha * x
			}
			return x
		}
	}),
	"Elu": shaped(func(n *ir.Node) func(float64) float64 {
		alpha := float64(n.Float("alpha", 1))
		return func(x float64) float64 {
			if x < 0 {
				return alpha * math.Expm1(x)
			}
			return x
		}
	}),
	"Identity": func(c *call) ([]*array, error) { return c.in[:1], nil },
	"Not":      not,
	"Cast":     cast,
	"Clip":     clip,
}

func one(a *array) []*array       { return []*array{a} }
func undefinedFor(a *array) error { return fmt.Errorf("not defined for %s", a.dtype) }

// clamp limits x to [lo, hi], where hi wins over a larger lo. NaN stays NaN.
func clamp(x, lo, hi float64) float64 { return min(max(x, lo), hi) }

func sign(x float64) float64 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	case x == 0:
		return 0
	}
	return x
}

func sigmoid(x float64) float64 {
	if x < 0 {
		e := math.Exp(x)
		return e / (1 + e)
	}
	return 1 / (1 + math.Exp(-x))
}

// unary is the kernel that applies f to floating-point numbers and i to integers. With a nil i, the operator takes no integers.
func unary(f func(float64) float64, i func(int64) int64) kernel {
	return func(c *call) ([]*array, error) {
		x := c.in[0]
		out, err := zeros(x.dtype, x.shape)
		if err != nil {
			return nil, err
		}
		switch {
		case x.dtype.IsFloat():
			for k, v := range x.f {
				out.f[k] = f(v)
			}
		case i != nil && x.dtype != tensor.Bool:
			for k, v := range x.i {
				out.i[k] = wrap(x.dtype, i(v))
			}
		default:
			return nil, undefinedFor(x)
		}
		return one(out), nil
	}
}

// shaped is a unary operator whose function depends on attributes.
func shaped(f func(n *ir.Node) func(float64) float64) kernel {
	return func(c *call) ([]*array, error) { return unary(f(c.Node), nil)(c) }
}

func not(c *call) ([]*array, error) {
	x := c.in[0]
	if x.dtype != tensor.Bool {
		return nil, undefinedFor(x)
	}
	out, err := zeros(tensor.Bool, x.shape)
	if err != nil {
		return nil, err
	}
	for k, v := range x.i {
		out.i[k] = 1 - v
	}
	return one(out), nil
}

func clip(c *call) ([]*array, error) {
	lo, hi := c.arg(1), c.arg(2)
	f := func(x float64) float64 {
		if lo != nil {
			x = max(x, lo.f[0])
		}
		if hi != nil {
			x = min(x, hi.f[0])
		}
		return x
	}
	i := func(x int64) int64 {
		if lo != nil {
			x = max(x, lo.i[0])
		}
		if hi != nil {
			x = min(x, hi.i[0])
		}
		return x
	}
	return unary(f, i)(c)
}

func (a *array) toFloat() *array {
	if a.dtype.IsFloat() {
		return a
	}
	return &array{dtype: tensor.Float64, shape: a.shape, f: asFloats(a.i)}
}

// toInt truncates and wraps to the integer type t.
func (a *array) toInt(t tensor.DType) *array {
	out := &array{dtype: t, shape: a.shape, i: make([]int64, a.len())}
	for k := range out.i {
		out.i[k] = wrap(t, a.int(k))
	}
	return out
}
