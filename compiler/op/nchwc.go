package op

import (
	"fmt"

	"rnas/compiler/ir"
)

// NCHWc is the operator domain of the layout NCHWc, in which ONNX Runtime's CPU provider keeps channels in blocks. The domain is
// internal to that provider: graphs that use it are for execution in the process that made them, never for files.
//
// A tensor in NCHWc has the shape [N,C,H,W] that it has in NCHW, but its elements lie in memory as [N,C/block,H,W,block]. A weight of
// shape [O,I,h,w] lies as [O/block,I/block,h,w,block of I,block of O], and as [O/block,h,w,block] where every channel is a group of
// its own (I = 1).
//
// A Conv also takes a tensor in NCHW of fewer channels than a block, with a weight that lies as [O/block,I,h,w,block of O]. A
// ReorderOutput may leave out the last channels of the last block. A ReorderInput may take [N,H,W,C].
const NCHWc = "com.microsoft.nchwc"

// Block is the attribute with the number of channels of a block, which must be that of the machine: ONNX Runtime does not read the
// attribute. ONNX lets every operator have attributes whose names start with two underscores.
const Block = "__block"

func init() {
	block := Attr{Block, kInt, true}
	window := func(more ...Attr) []Attr { return append(append(more, block), windowAttrs...) }
	register([]Op{
		{
			Name: "ReorderInput", Domain: NCHWc, In: Arity{1, 1}, Out: Arity{1, 1},
			Attrs: []Attr{block, {"channels_last", kInt, false}}, Infer: inNCHWc(reorderInput),
		},
		{
			Name: "ReorderOutput", Domain: NCHWc, In: Arity{1, 1}, Out: Arity{1, 1},
			Attrs: []Attr{block, {"channels", kInt, true}}, Infer: inNCHWc(reorderOutput),
		},
		{
			Name: "Conv", Domain: NCHWc, In: Arity{2, 4}, Out: Arity{1, 1},
			Attrs: window(Attr{"group", kInt, false}, Attr{"activation", kString, false}), Infer: inNCHWc(nchwcConv),
		},
		{Name: "MaxPool", Domain: NCHWc, In: Arity{1, 1}, Out: Arity{1, 1}, Attrs: window(), Infer: inNCHWc(pool)},
		{
			Name: "AveragePool", Domain: NCHWc, In: Arity{1, 1}, Out: Arity{1, 1},
			Attrs: window(Attr{"count_include_pad", kInt, false}), Infer: inNCHWc(pool),
		},
		{Name: "GlobalAveragePool", Domain: NCHWc, In: Arity{1, 1}, Out: Arity{1, 1}, Attrs: []Attr{block}, Infer: inNCHWc(globalPool)},
	})
}

// inNCHWc is infer for an operator whose first input is in NCHWc.
func inNCHWc(infer func(c *Ctx) error) func(c *Ctx) error {
	return func(c *Ctx) error {
		block := c.Int(Block, 0)
		if block < 1 {
			return fmt.Errorf("attribute %s: expected a positive number, found %d", Block, block)
		}
		few := func(channels int64) bool { return c.Op == "Conv" && channels > 0 && channels < block }
		axis, layout := 1, "[N,C,H,W]"
		if c.Op == "ReorderInput" && c.Int("channels_last", 0) != 0 {
			axis, layout = 3, "[N,H,W,C]"
		}
		if x := c.Shape(0); len(x) != 4 || x[axis] == ir.N || x[axis]%block != 0 && !few(x[axis]) || c.Type(0) != ir.Float32 {
			return fmt.Errorf("expected float32 %s with C a multiple of %d", layout, block)
		}
		return infer(c)
	}
}

func reorderInput(c *Ctx) error {
	x := c.Shape(0)
	if c.Int("channels_last", 0) != 0 {
		x = ir.Shape{x[0], x[3], x[1], x[2]}
	}
	return c.Set(0, c.Type(0), x...)
}

func reorderOutput(c *Ctx) error {
	shape := c.Shape(0).Clone()
	channels := c.Int("channels", 0)
	if channels <= shape[1]-c.Int(Block, 0) || channels > shape[1] {
		return fmt.Errorf("attribute channels: expected a number that ends in the last block of %d, found %d", shape[1], channels)
	}
	shape[1] = channels
	return c.Set(0, c.Type(0), shape...)
}

// nchwcConv infers a Conv, which takes a fourth input of the shape of the result, which is added to it before the activation.
func nchwcConv(c *Ctx) error {
	if a := c.Str("activation", "Relu"); a != "Relu" {
		return fmt.Errorf("attribute activation: %q is not known", a)
	}
	if err := conv(c); err != nil {
		return err
	}
	block, w := c.Int(Block, 0), c.Shape(1)
	depthwise := c.Int("group", 1) == w[0] && w[1] == 1
	if w[0]%block != 0 || !depthwise && w[1]%block != 0 && w[1] > block {
		return fmt.Errorf("expected channels that are multiples of %d", block)
	}
	if sum := c.Input(3); sum != nil && c.Out[0] != nil && (!sum.Shape.Equal(c.Out[0].Shape) || sum.Type != c.Type(0)) {
		return fmt.Errorf("sum: expected %s%s", c.Type(0), c.Out[0].Shape)
	}
	return nil
}
