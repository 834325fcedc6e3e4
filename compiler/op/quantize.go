package op

import (
	"fmt"
	"math"

	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

func init() {
	scaled := []Attr{
		{"axis", kInt, false},
		{"block_size", kInt, false},
		{"output_dtype", kInt, false},
		{"saturate", kInt, false},
		{"precision", kInt, false},
	}
	for _, domain := range []string{"", Microsoft} {
		register([]Op{
			{Name: "QuantizeLinear", Domain: domain, In: Arity{2, 3}, Out: Arity{1, 1}, Attrs: scaled, Infer: quantizeLinear},
			{Name: "DequantizeLinear", Domain: domain, In: Arity{2, 3}, Out: Arity{1, 1}, Attrs: scaled, Infer: dequantizeLinear},
		})
	}
	register([]Op{{Name: "DynamicQuantizeLinear", In: Arity{1, 1}, Out: Arity{1, 3}, Infer: dynamicQuantizeLinear}})
}

// Microsoft is the domain of the operators that ONNX Runtime adds to the standard ones.
const Microsoft = "com.microsoft"

// Granularity tells which element of a scale or zero point belongs to which element of a tensor. There is one for the whole tensor
// if Axis < 0, one for each index of Axis if Block is 0, and otherwise one for every Block consecutive indices of Axis, where all
// other dimensions have scales of their own.
type Granularity struct {
	Axis  int
	Block int64
}

// GranularityOf tells how a QuantizeLinear or DequantizeLinear node with inputs of shapes x and scale shares its scales.
func GranularityOf(n *ir.Node, x, scale ir.Shape) (Granularity, error) {
	block := n.Int("block_size", 0)
	if scale.Numel() == 1 && block == 0 {
		return Granularity{Axis: -1}, nil
	}
	axis, err := Axis(n.Int("axis", 1), len(x))
	if err != nil {
		return Granularity{}, err
	}
	switch {
	case block < 0:
		return Granularity{}, fmt.Errorf("attribute block_size: expected at least 0, found %d", block)
	case block == 0 && (len(scale) != 1 || scale[0] != x[axis]):
		return Granularity{}, fmt.Errorf("scale: expected one number or [%d], found %s", x[axis], scale)
	case block == 0:
		return Granularity{Axis: axis}, nil
	}
	want := x.Clone()
	if want[axis] == ir.N {
		return Granularity{}, fmt.Errorf("attribute block_size: axis %d of %s is symbolic", axis, x)
	}
	want[axis] = want[axis] / block
	if want[axis]*block != x[axis] {
		want[axis]++
	}
	if !scale.Equal(want) {
		return Granularity{}, fmt.Errorf("scale: expected shape %s for blocks of %d, found %s", want, block, scale)
	}
	return Granularity{Axis: axis, Block: block}, nil
}

// Quantized reports whether t is an integer type that real numbers are quantised to.
func Quantized(t ir.DType) bool {
	_, _, ok := QuantizedRange(t)
	return ok
}

// QuantizedRange is the smallest and the largest number of a quantised type.
func QuantizedRange(t ir.DType) (lo, hi int64, ok bool) {
	switch t {
	case tensor.Uint8:
		return 0, math.MaxUint8, true
	case tensor.Int8:
		return math.MinInt8, math.MaxInt8, true
	case tensor.Uint16:
		return 0, math.MaxUint16, true
	case tensor.Int16:
		return math.MinInt16, math.MaxInt16, true
	case tensor.Uint4:
		return 0, 15, true
	case tensor.Int4:
		return -8, 7, true
	case tensor.Uint2:
		return 0, 3, true
	case tensor.Int2:
		return -2, 1, true
	}
	return 0, 0, false
}

// Scaled reports whether numbers are divided by a scale for type t: a quantised integer, or a floating-point type of at most 8
// bits with a sign.
func Scaled(t ir.DType) bool { return Quantized(t) || t.IsSmall() && t != tensor.Float8E8M0 }

// zeroPoint checks that input i, if given, has the type t and the shape of the scale.
func (c *Ctx) zeroPoint(i int, t ir.DType, scale ir.Shape) error {
	z := c.Input(i)
	if z == nil {
		return nil
	}
	if z.Type != t {
		return fmt.Errorf("zero point: expected %s, found %s", t, z.Type)
	}
	if !z.Shape.Equal(scale) && (z.Shape.Numel() != 1 || scale.Numel() != 1) {
		return fmt.Errorf("zero point: expected the shape %s of the scale, found %s", scale, z.Shape)
	}
	return nil
}

func quantizeLinear(c *Ctx) error {
	if t := c.Type(0); !t.IsFloat() && t != ir.Int32 {
		return fmt.Errorf("expected a floating-point type or int32, found %s", t)
	}
	if !c.Type(1).IsFloat() {
		return fmt.Errorf("scale: expected a floating-point type, found %s", c.Type(1))
	}
	if _, err := GranularityOf(c.Node, c.Shape(0), c.Shape(1)); err != nil {
		return err
	}
	to := ir.DType(c.Int("output_dtype", 0))
	if z := c.Input(2); z != nil {
		if to != 0 && to != z.Type {
			return fmt.Errorf("attribute output_dtype: %s differs from the zero point, which is %s", to, z.Type)
		}
		to = z.Type
	}
	if to == 0 {
		to = tensor.Uint8
	}
	if !Scaled(to) {
		return fmt.Errorf("cannot quantise to %s", to)
	}
	if err := c.zeroPoint(2, to, c.Shape(1)); err != nil {
		return err
	}
	return c.Set(0, to, c.Shape(0)...)
}

func dequantizeLinear(c *Ctx) error {
	t := c.Type(0)
	if !Scaled(t) && t != ir.Int32 {
		return fmt.Errorf("expected a quantised type or int32, found %s", t)
	}
	if !c.Type(1).IsFloat() {
		return fmt.Errorf("scale: expected a floating-point type, found %s", c.Type(1))
	}
	if _, err := GranularityOf(c.Node, c.Shape(0), c.Shape(1)); err != nil {
		return err
	}
	if err := c.zeroPoint(2, t, c.Shape(1)); err != nil {
		return err
	}
	to := ir.DType(c.Int("output_dtype", int64(c.Type(1))))
	if !to.IsFloat() {
		return fmt.Errorf("attribute output_dtype: expected a floating-point type, found %s", to)
	}
	return c.Set(0, to, c.Shape(0)...)
}

func dynamicQuantizeLinear(c *Ctx) error {
	if c.Type(0) != ir.Float32 {
		return fmt.Errorf("expected float32, found %s", c.Type(0))
	}
	for i, t := range []ir.DType{ir.Float32, tensor.Uint8} {
		if err := c.Set(1+i, t); err != nil {
			return err
		}
	}
	return c.Set(0, tensor.Uint8, c.Shape(0)...)
}
