package op

import (
	"fmt"

	"rnas/compiler/ir"
)

func init() {
	register([]Op{
		{Name: "Concat", In: Arity{1, -1}, Out: Arity{1, 1}, Attrs: []Attr{{"axis", kInt, true}}, Infer: concat},
		{
			Name: "Split", In: Arity{1, 2}, Out: Arity{1, -1},
			Attrs: []Attr{{"axis", kInt, false}, {"num_outputs", kInt, false}}, Infer: split,
		},
		{Name: "Slice", In: Arity{3, 5}, Out: Arity{1, 1}, Infer: slice},
		{Name: "Pad", In: Arity{2, 4}, Out: Arity{1, 1}, Attrs: []Attr{{"mode", kString, false}}, Infer: pad},
	})
}

func concat(c *Ctx) error {
	out := c.Shape(0).Clone()
	axis, err := Axis(c.Int("axis", 0), len(out))
	if err != nil {
		return err
	}
	for i := 1; i < len(c.In); i++ {
		if c.In[i] == nil {
			return fmt.Errorf("input %d is missing", i)
		}
		if err := c.SameType(0, i); err != nil {
			return err
		}
		s := c.Shape(i)
		if len(s) != len(out) {
			return fmt.Errorf("ranks of inputs 0 and %d differ", i)
		}
		for d := range s {
			switch {
			case d != axis && s[d] != out[d]:
				return fmt.Errorf("inputs 0 and %d differ outside axis %d", i, axis)
			case d == axis && (s[d] == ir.N || out[d] == ir.N):
				return fmt.Errorf("a symbolic dimension cannot be concatenated")
			}
		}
		out[axis] += s[axis]
	}
	return c.Set(0, c.Type(0), out...)
}

func split(c *Ctx) error {
	s := c.Shape(0)
	axis, err := Axis(c.Int("axis", 0), len(s))
	if err != nil {
		return err
	}
	sizes, err := SplitSizes(c.Node, s[axis])
	if err != nil {
		return err
	}
	for i, size := range sizes {
		out := s.Clone()
		out[axis] = size
		if err := c.Set(i, c.Type(0), out...); err != nil {
			return err
		}
	}
	return nil
}

// SplitSizes lists the output sizes of a Split node along its axis of size d.
func SplitSizes(n *ir.Node, d int64) ([]int64, error) {
	k := int64(len(n.Out))
	if n.Input(1) == nil {
		if num := n.Int("num_outputs", k); num != k {
			return nil, fmt.Errorf("num_outputs is %d for %d outputs", num, k)
		}
		if d == ir.N {
			return nil, fmt.Errorf("a symbolic dimension cannot be split")
		}
		part := (d + k - 1) / k
		sizes := fill(int(k), part)
		sizes[k-1] = d - part*(k-1)
		if sizes[k-1] < 0 {
			return nil, fmt.Errorf("dimension %d cannot be split in %d", d, k)
		}
		return sizes, nil
	}
	sizes, ok := ConstInts(n.In[1])
	if !ok {
		return nil, fmt.Errorf("split sizes must be constant")
	}
	sum := int64(0)
	for _, s := range sizes {
		if s < 0 {
			return nil, fmt.Errorf("split sizes %v must not be negative", sizes)
		}
		sum += s
	}
	if int64(len(sizes)) != k || sum != d {
		return nil, fmt.Errorf("split into %d sizes of sum %d does not fit %d outputs and dimension %d", len(sizes), sum, k, d)
	}
	return sizes, nil
}

// Range is a slice along one dimension: Count elements from Start by Step.
type Range struct{ Start, Step, Count int64 }

// SliceRanges returns the range of each dimension that a Slice node with constant bounds takes.
func SliceRanges(n *ir.Node) ([]Range, error) {
	s := n.In[0].Shape
	out := make([]Range, len(s))
	for i, d := range s {
		out[i] = Range{0, 1, d}
	}
	starts, ok1 := ConstInts(n.Input(1))
	ends, ok2 := ConstInts(n.Input(2))
	if !ok1 || !ok2 || len(starts) != len(ends) {
		return nil, fmt.Errorf("starts and ends must be constants of one length")
	}
	axes, ok := ConstInts(n.Input(3))
	if !ok {
		if n.Input(3) != nil {
			return nil, fmt.Errorf("axes must be constant")
		}
		for i := range starts {
			axes = append(axes, int64(i))
		}
	}
	steps, ok := ConstInts(n.Input(4))
	if !ok {
		if n.Input(4) != nil {
			return nil, fmt.Errorf("steps must be constant")
		}
		steps = fill(len(starts), 1)
	}
	if len(axes) != len(starts) || len(steps) != len(starts) {
		return nil, fmt.Errorf("%d starts, %d axes and %d steps do not match", len(starts), len(axes), len(steps))
	}
	if _, err := Axes(axes, len(s)); err != nil {
		return nil, err
	}
	for i := range starts {
		a, err := Axis(axes[i], len(s))
		if err != nil {
			return nil, err
		}
		if s[a] == ir.N {
			return nil, fmt.Errorf("a symbolic dimension cannot be sliced")
		}
		if out[a], err = rangeOf(starts[i], ends[i], steps[i], s[a]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func rangeOf(start, end, step, d int64) (Range, error) {
	if step == 0 {
		return Range{}, fmt.Errorf("step is 0")
	}
	if start < 0 {
		start += d
	}
	if end < 0 {
		end += d
	}
	r := Range{Step: step}
	if step > 0 {
		r.Start, end = min(max(start, 0), d), min(max(end, 0), d)
		if r.Start < end {
			r.Count = (end-r.Start-1)/step + 1
		}
		return r, nil
	}
	r.Start, end = min(max(start, 0), d-1), min(max(end, -1), d-1)
	if r.Start > end {
		r.Count = (end-r.Start+1)/step + 1
	}
	return r, nil
}

func slice(c *Ctx) error {
	ranges, err := SliceRanges(c.Node)
	if err != nil {
		return err
	}
	out := make(ir.Shape, len(ranges))
	for i, r := range ranges {
		out[i] = r.Count
	}
	return c.Set(0, c.Type(0), out...)
}

func pad(c *Ctx) error {
	mode := c.Str("mode", "constant")
	switch mode {
	case "constant", "reflect", "edge", "wrap":
	default:
		return fmt.Errorf("attribute mode: %q is not known", mode)
	}
	if err := c.SameType(0, 2); err != nil {
		return err
	}
	begin, end, err := Pads(c.Node)
	if err != nil {
		return err
	}
	s := c.Shape(0).Clone()
	for a := range s {
		if left := s[a] - max(-begin[a], 0) - max(-end[a], 0); mode != "constant" && s[a] != ir.N && left <= 0 && (begin[a] > 0 || end[a] > 0) {
			return fmt.Errorf("dimension %d has no element to repeat", a)
		}
		total := begin[a] + end[a]
		if total == 0 {
			continue
		}
		if s[a] == ir.N {
			return fmt.Errorf("a symbolic dimension cannot be padded")
		}
		if s[a] += total; s[a] < 0 {
			return fmt.Errorf("pads %v remove more than dimension %d has", []int64{begin[a], end[a]}, a)
		}
	}
	return c.Set(0, c.Type(0), s...)
}

// Pads returns the padding of a Pad node before and after each dimension. Negative numbers crop.
func Pads(n *ir.Node) (begin, end []int64, err error) {
	rank := n.In[0].Rank()
	begin, end = make([]int64, rank), make([]int64, rank)
	pads, ok := ConstInts(n.Input(1))
	if !ok {
		return nil, nil, fmt.Errorf("pads must be constant")
	}
	axes, given := ConstInts(n.Input(3))
	if !given {
		if n.Input(3) != nil {
			return nil, nil, fmt.Errorf("axes must be constant")
		}
		for i := range rank {
			axes = append(axes, int64(i))
		}
	}
	if len(pads) != 2*len(axes) {
		return nil, nil, fmt.Errorf("%d pads for %d axes", len(pads), len(axes))
	}
	if _, err := Axes(axes, rank); err != nil {
		return nil, nil, err
	}
	for i, axis := range axes {
		a, err := Axis(axis, rank)
		if err != nil {
			return nil, nil, err
		}
		begin[a], end[a] = pads[i], pads[len(axes)+i]
	}
	return begin, end, nil
}

// PadSources lists, for each place of a padded dimension of size d, the element that stands there in the modes reflect, edge and
// wrap. Cropping comes before padding.
func PadSources(mode string, d, begin, end int64) []int64 {
	low, high := max(-begin, 0), d-max(-end, 0)
	n := high - low
	out := make([]int64, d+begin+end)
	for k := range out {
		at := int64(k) - begin - low
		switch {
		case mode == "edge":
			at = min(max(at, 0), n-1)
		case mode == "wrap":
			at = (at%n + n) % n
		case n == 1:
			at = 0
		default:
			period := 2 * (n - 1)
			at = (at%period + period) % period
			at = min(at, period-at)
		}
		out[k] = low + at
	}
	return out
}
