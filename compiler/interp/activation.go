package interp

import (
	"fmt"
	"math"
	"slices"

	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

var activationKernels = map[string]kernel{
	"Acos":  unary(math.Acos, nil),
	"Acosh": unary(math.Acosh, nil),
	"Asin":  unary(math.Asin, nil),
	"Asinh": unary(math.Asinh, nil),
	"Atan":  unary(math.Atan, nil),
	"Atanh": unary(math.Atanh, nil),
	"Cosh":  unary(math.Cosh, nil),
	"Sinh":  unary(math.Sinh, nil),
	"Tan":   unary(math.Tan, nil),
	"Mish":  unary(func(x float64) float64 { return x * math.Tanh(softplus(x)) }, nil),
	"Celu": shaped(func(n *ir.Node) func(float64) float64 {
		alpha := float64(n.Float("alpha", 1))
		return func(x float64) float64 { return max(x, 0) + min(0, alpha*math.Expm1(x/alpha)) }
	}),
	"Selu": shaped(func(n *ir.Node) func(float64) float64 {
		alpha, gamma := float64(n.Float("alpha", 1.67326319217681884765625)), float64(n.Float("gamma", 1.05070102214813232421875))
		return func(x float64) float64 {
			if x > 0 {
				return gamma * x
			}
			return gamma * alpha * math.Expm1(x)
		}
	}),
	"Gelu": shaped(func(n *ir.Node) func(float64) float64 {
		if n.Str("approximate", "none") == "tanh" {
			return func(x float64) float64 {
				return 0.5 * x * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))
			}
		}
		return func(x float64) float64 { return 0.5 * x * math.Erfc(-x/math.Sqrt2) }
	}),
	"Swish": shaped(func(n *ir.Node) func(float64) float64 {
		alpha := float64(n.Float("alpha", 1))
		return func(x float64) float64 { return x * sigmoid(alpha*x) }
	}),
	"ThresholdedRelu": shaped(func(n *ir.Node) func(float64) float64 {
		alpha := float64(n.Float("alpha", 1))
		return func(x float64) float64 {
			if x > alpha {
				return x
			}
			return 0
		}
	}),
	"Shrink":  shrink,
	"PRelu":   fold(prelu[float64], prelu[int64]),
	"Hardmax": alongAxis(hardmax),
	"Mod":     mod,
	"IsNaN":   ask(func(_ *ir.Node, x float64) bool { return math.IsNaN(x) }),
	"IsInf": ask(func(n *ir.Node, x float64) bool {
		return math.IsInf(x, 1) && n.Int("detect_positive", 1) != 0 || math.IsInf(x, -1) && n.Int("detect_negative", 1) != 0
	}),
	"CastLike":   castLike,
	"BitCast":    bitCast,
	"BitShift":   bitShift,
	"BitwiseAnd": fold(nil, func(x, y int64) int64 { return x & y }),
	"BitwiseOr":  fold(nil, func(x, y int64) int64 { return x | y }),
	"BitwiseXor": fold(nil, func(x, y int64) int64 { return x ^ y }),
	"BitwiseNot": unary(nil, func(x int64) int64 { return ^x }),
}

func softplus(x float64) float64 { return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }

func prelu[T float64 | int64](x, slope T) T {
	if x < 0 {
		return slope * x
	}
	return x
}

func shrink(c *call) ([]*array, error) {
	bias, lambda := float64(c.Float("bias", 0)), float64(c.Float("lambd", 0.5))
	f := func(x float64) float64 {
		switch {
		case x < -lambda:
			return x + bias
		case x > lambda:
			return x - bias
		}
		return 0
	}
	return unary(f, func(x int64) int64 { return tensor.Truncate(f(float64(x))) })(c)
}

// hardmax is 1 at the first largest element of a row and 0 elsewhere.
func hardmax(row []float64) {
	best := 0
	for k, v := range row {
		if v > row[best] {
			best = k
		}
	}
	clear(row)
	row[best] = 1
}

// mod is the remainder, which has the sign of the divisor or, with fmod, that of the dividend.
func mod(c *call) ([]*array, error) {
	if y := c.in[1]; !y.dtype.IsFloat() {
		if k := slices.Index(y.i, 0); k >= 0 {
			return nil, fmt.Errorf("division by zero at element %d of the divisor", k)
		}
	}
	return fold(math.Mod, func(x, y int64) int64 {
		r := x % y
		if c.Int("fmod", 0) == 0 && r != 0 && (r < 0) != (y < 0) {
			r += y
		}
		return r
	})(c)
}

// ask is the kernel of a question about every floating-point element.
func ask(f func(n *ir.Node, x float64) bool) kernel {
	return func(c *call) ([]*array, error) {
		x := c.in[0]
		out, err := zeros(tensor.Bool, x.shape)
		if err != nil {
			return nil, err
		}
		for k, v := range x.f {
			out.i[k] = truth(f(c.Node, v))
		}
		return one(out), nil
	}
}

// bitShift shifts unsigned numbers. Shifts by the width or more leave 0.
func bitShift(c *call) ([]*array, error) {
	left := c.Str("direction", "") == "LEFT"
	return fold(nil, func(x, y int64) int64 {
		if left {
			return int64(uint64(x) << uint64(y))
		}
		return int64(uint64(x) >> uint64(y))
	})(c)
}

// bitCast reads the bits of each element as another type of equal width.
func bitCast(c *call) ([]*array, error) {
	x, to := c.in[0], tensor.DType(c.Int("to", 0))
	out, err := zeros(to, x.shape)
	if err != nil {
		return nil, err
	}
	for k := range x.len() {
		var bits uint64
		switch {
		case !x.dtype.IsFloat():
			bits = uint64(x.i[k])
		case x.dtype == tensor.Float64:
			bits = math.Float64bits(x.f[k])
		case x.dtype == tensor.Float32:
			bits = uint64(math.Float32bits(float32(x.f[k])))
		case x.dtype == tensor.Float16:
			bits = uint64(tensor.HalfOf(float32(x.f[k])))
		case x.dtype == tensor.BFloat16:
			bits = uint64(tensor.BFloatOf(float32(x.f[k])))
		default:
			return nil, undefinedFor(x)
		}
		switch to {
		case tensor.Float64:
			out.f[k] = math.Float64frombits(bits)
		case tensor.Float32:
			out.f[k] = float64(math.Float32frombits(uint32(bits)))
		case tensor.Float16:
			out.f[k] = float64(tensor.Half(bits).Float32())
		case tensor.BFloat16:
			out.f[k] = float64(tensor.BFloat(bits).Float32())
		case tensor.Bool:
			out.i[k] = truth(bits&0xff != 0)
		default:
			out.i[k] = wrap(to, int64(bits))
		}
	}
	return one(out), nil
}
