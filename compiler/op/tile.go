package op

import (
	"fmt"

	"rnas/compiler/ir"
)

func init() {
	blocks := []Attr{{"blocksize", kInt, true}}
	register([]Op{
		{Name: "Tile", In: Arity{2, 2}, Out: Arity{1, 1}, Infer: tile},
		{Name: "DepthToSpace", In: Arity{1, 1}, Out: Arity{1, 1}, Attrs: append([]Attr{{"mode", kString, false}}, blocks...), Infer: depthToSpace},
		{Name: "SpaceToDepth", In: Arity{1, 1}, Out: Arity{1, 1}, Attrs: blocks, Infer: spaceToDepth},
		{
			Name: "ReverseSequence", In: Arity{2, 2}, Out: Arity{1, 1},
			Attrs: []Attr{{"batch_axis", kInt, false}, {"time_axis", kInt, false}}, Infer: reverseSequence,
		},
	})
}

func tile(c *Ctx) error {
	repeats, ok := c.ConstInts(1)
	if !ok {
		return fmt.Errorf("repeats must be constant")
	}
	out := c.Shape(0).Clone()
	if len(repeats) != len(out) {
		return fmt.Errorf("%d repeats for rank %d", len(repeats), len(out))
	}
	for i, r := range repeats {
		switch {
		case r < 0:
			return fmt.Errorf("repeats %v must not be negative", repeats)
		case out[i] == ir.N && r != 1:
			return fmt.Errorf("a symbolic dimension cannot be repeated")
		case out[i] > 0 && r > maxDimension/out[i]:
			return fmt.Errorf("repeats %v are too many", repeats)
		case r != 1:
			out[i] *= r
		}
	}
	return c.Set(0, c.Type(0), out...)
}

// maxDimension bounds one dimension, so that products of two do not overflow.
const maxDimension = 1 << 31

// image checks an input [N,C,H,W] and a block size.
func (c *Ctx) image() (s ir.Shape, block int64, err error) {
	s, block = c.Shape(0), c.Int("blocksize", 0)
	if len(s) != 4 || s[1] == ir.N || s[2] == ir.N || s[3] == ir.N {
		return nil, 0, fmt.Errorf("expected [N,C,H,W] with static C, H and W")
	}
	if block < 1 || block > 1<<15 {
		return nil, 0, fmt.Errorf("attribute blocksize: expected 1 to %d, found %d", 1<<15, block)
	}
	return s, block, nil
}

func depthToSpace(c *Ctx) error {
	s, b, err := c.image()
	if err != nil {
		return err
	}
	if mode := c.Str("mode", "DCR"); mode != "DCR" && mode != "CRD" {
		return fmt.Errorf("attribute mode: expected DCR or CRD, found %q", mode)
	}
	if s[1]%(b*b) != 0 {
		return fmt.Errorf("%d channels are not a multiple of %d", s[1], b*b)
	}
	return c.Set(0, c.Type(0), s[0], s[1]/(b*b), s[2]*b, s[3]*b)
}

func spaceToDepth(c *Ctx) error {
	s, b, err := c.image()
	if err != nil {
		return err
	}
	if s[2]%b != 0 || s[3]%b != 0 {
		return fmt.Errorf("height and width are not multiples of %d", b)
	}
	return c.Set(0, c.Type(0), s[0], s[1]*b*b, s[2]/b, s[3]/b)
}

func reverseSequence(c *Ctx) error {
	s := c.Shape(0)
	batch, time := c.Int("batch_axis", 1), c.Int("time_axis", 0)
	if len(s) < 2 || batch == time || batch < 0 || batch > 1 || time < 0 || time > 1 {
		return fmt.Errorf("expected rank at least 2 and axes 0 and 1, found batch_axis %d and time_axis %d", batch, time)
	}
	if !c.Shape(1).Equal(ir.Shape{s[batch]}) || c.Type(1) != ir.Int64 {
		return fmt.Errorf("lengths: expected int64[%d]", s[batch])
	}
	return unary(c)
}
