package interp

import (
	"fmt"
	"math"

	"rnas/compiler/op"
	"rnas/internal/tensor"
)

var binaryKernels = map[string]kernel{
	"Add": fold(add, addInt),
	"Sub": fold(func(x, y float64) float64 { return x - y }, func(x, y int64) int64 { return x - y }),
	"Mul": fold(func(x, y float64) float64 { return x * y }, func(x, y int64) int64 { return x * y }),
	"Div": div,
	"Pow": pow,
	"Sum": fold(add, addInt),
	"Max": fold(func(x, y float64) float64 { return max(x, y) }, func(x, y int64) int64 { return max(x, y) }),
	"Min": fold(func(x, y float64) float64 { return min(x, y) }, func(x, y int64) int64 { return min(x, y) }),
	"Mean": func(c *call) ([]*array, error) {
		total, err := fold(add, nil)(c)
		if err != nil {
			return nil, err
		}
		n := float64(len(c.in))
		return unary(func(x float64) float64 { return x / n }, nil)(&call{Node: c.Node, in: total})
	},

	"And": logic(func(x, y int64) int64 { return x & y }),
	"Or":  logic(func(x, y int64) int64 { return x | y }),
	"Xor": logic(func(x, y int64) int64 { return x ^ y }),

	"Equal":          compare(func(x, y float64) bool { return x == y }, func(x, y int64) bool { return x == y }),
	"Greater":        compare(func(x, y float64) bool { return x > y }, func(x, y int64) bool { return x > y }),
	"GreaterOrEqual": compare(func(x, y float64) bool { return x >= y }, func(x, y int64) bool { return x >= y }),
	"Less":           compare(func(x, y float64) bool { return x < y }, func(x, y int64) bool { return x < y }),
	"LessOrEqual":    compare(func(x, y float64) bool { return x <= y }, func(x, y int64) bool { return x <= y }),

	"Where": where,
}

func add(x, y float64) float64 { return x + y }
func addInt(x, y int64) int64  { return x + y }

// zip applies f to the elements of a and b after broadcasting both to shape.
func zip[T, R any](out []R, shape []int64, a, b []T, ashape, bshape []int64, f func(x, y T) R) {
	a, b = expand(a, ashape, shape), expand(b, bshape, shape)
	for k := range out {
		out[k] = f(a[k], b[k])
	}
}

// fold combines all inputs from left to right with broadcasting.
func fold(f func(x, y float64) float64, i func(x, y int64) int64) kernel {
	return func(c *call) ([]*array, error) {
		acc := c.in[0]
		for _, x := range c.in[1:] {
			var err error
			if acc, err = combine(acc, x, f, i); err != nil {
				return nil, err
			}
		}
		return one(acc), nil
	}
}

func combine(a, b *array, f func(x, y float64) float64, i func(x, y int64) int64) (*array, error) {
	out, err := common(a.dtype, a, b)
	if err != nil {
		return nil, err
	}
	switch {
	case a.dtype.IsFloat():
		zip(out.f, out.shape, a.f, b.f, a.shape, b.shape, f)
	case i != nil && a.dtype != tensor.Bool:
		zip(out.i, out.shape, a.i, b.i, a.shape, b.shape, func(x, y int64) int64 { return wrap(a.dtype, i(x, y)) })
	default:
		return nil, undefinedFor(a)
	}
	return out, nil
}

// div divides. For integers it truncates towards zero, and a zero divisor is an error.
func div(c *call) ([]*array, error) {
	if y := c.in[1]; !y.dtype.IsFloat() {
		for k, v := range y.i {
			if v == 0 {
				return nil, fmt.Errorf("division by zero at element %d of the divisor", k)
			}
		}
	}
	return fold(func(x, y float64) float64 { return x / y }, func(x, y int64) int64 { return x / y })(c)
}

// pow has the type of the base. Integer bases with a negative or fractional exponent go through float64 and truncate.
func pow(c *call) ([]*array, error) {
	x, y := c.in[0], c.in[1]
	if x.dtype == tensor.Bool || y.dtype == tensor.Bool {
		return nil, fmt.Errorf("not defined for bool")
	}
	if !x.dtype.IsFloat() && !y.dtype.IsFloat() {
		return fold(nil, powInt)(c)
	}
	r, err := combine(x.toFloat(), y.toFloat(), math.Pow, nil)
	if err != nil || x.dtype.IsFloat() {
		if r != nil {
			r.dtype = x.dtype
		}
		return one(r), err
	}
	return one(r.toInt(x.dtype)), nil
}

func powInt(x, y int64) int64 {
	if y < 0 {
		return tensor.Truncate(math.Pow(float64(x), float64(y)))
	}
	r := int64(1)
	for ; y > 0; y >>= 1 {
		if y&1 != 0 {
			r *= x
		}
		x *= x
	}
	return r
}

func compare(f func(x, y float64) bool, i func(x, y int64) bool) kernel {
	return func(c *call) ([]*array, error) {
		a, b := c.in[0], c.in[1]
		out, err := common(tensor.Bool, a, b)
		if err != nil {
			return nil, err
		}
		switch {
		case a.dtype.IsFloat():
			zip(out.i, out.shape, a.f, b.f, a.shape, b.shape, func(x, y float64) int64 { return truth(f(x, y)) })
		case a.dtype != tensor.Bool || c.Op == "Equal":
			zip(out.i, out.shape, a.i, b.i, a.shape, b.shape, func(x, y int64) int64 { return truth(i(x, y)) })
		default:
			return nil, undefinedFor(a)
		}
		return one(out), nil
	}
}

func logic(f func(x, y int64) int64) kernel {
	return func(c *call) ([]*array, error) {
		a, b := c.in[0], c.in[1]
		if a.dtype != tensor.Bool {
			return nil, undefinedFor(a)
		}
		out, err := common(tensor.Bool, a, b)
		if err != nil {
			return nil, err
		}
		zip(out.i, out.shape, a.i, b.i, a.shape, b.shape, f)
		return one(out), nil
	}
}

func where(c *call) ([]*array, error) {
	cond, x, y := c.in[0], c.in[1], c.in[2]
	shape, err := op.Broadcast(x.shape, y.shape)
	if err != nil {
		return nil, err
	}
	if shape, err = op.Broadcast(shape, cond.shape); err != nil {
		return nil, err
	}
	out, err := zeros(x.dtype, shape)
	if err != nil {
		return nil, err
	}
	first := expand(cond.i, cond.shape, shape)
	if x.dtype.IsFloat() {
		choose(out.f, first, expand(x.f, x.shape, shape), expand(y.f, y.shape, shape))
	} else {
		choose(out.i, first, expand(x.i, x.shape, shape), expand(y.i, y.shape, shape))
	}
	return one(out), nil
}

func choose[T any](out []T, first []int64, x, y []T) {
	for k := range out {
		if first[k] != 0 {
			out[k] = x[k]
		} else {
			out[k] = y[k]
		}
	}
}
