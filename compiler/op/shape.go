package op

import (
	"fmt"
	"slices"

	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

func init() {
	register([]Op{
		{Name: "Reshape", In: Arity{2, 2}, Out: Arity{1, 1}, Attrs: []Attr{{"allowzero", kInt, false}}, Infer: reshape},
		{Name: "Flatten", In: Arity{1, 1}, Out: Arity{1, 1}, Attrs: []Attr{{"axis", kInt, false}}, Infer: flatten},
		{Name: "Transpose", In: Arity{1, 1}, Out: Arity{1, 1}, Attrs: []Attr{{"perm", kInts, false}}, Infer: transpose},
		{Name: "Concat", In: Arity{1, -1}, Out: Arity{1, 1}, Attrs: []Attr{{"axis", kInt, true}}, Infer: concat},
		{
			Name: "Split", In: Arity{1, 2}, Out: Arity{1, -1},
			Attrs: []Attr{{"axis", kInt, false}, {"num_outputs", kInt, false}}, Infer: split,
		},
		{Name: "Slice", In: Arity{3, 5}, Out: Arity{1, 1}, Infer: slice},
		{Name: "Squeeze", In: Arity{1, 2}, Out: Arity{1, 1}, Infer: squeeze},
		{Name: "Unsqueeze", In: Arity{2, 2}, Out: Arity{1, 1}, Infer: unsqueeze},
		{Name: "Expand", In: Arity{2, 2}, Out: Arity{1, 1}, Infer: expand},
		{Name: "Pad", In: Arity{2, 4}, Out: Arity{1, 1}, Attrs: []Attr{{"mode", kString, false}}, Infer: pad},
		{Name: "Shape", In: Arity{1, 1}, Out: Arity{1, 1}, Attrs: []Attr{{"start", kInt, false}, {"end", kInt, false}}, Infer: shapeOf},
		{Name: "ConstantOfShape", In: Arity{1, 1}, Out: Arity{1, 1}, Attrs: []Attr{{"value", kTensor, false}}, Infer: constantOfShape},
		{Name: "Gather", In: Arity{2, 2}, Out: Arity{1, 1}, Attrs: []Attr{{"axis", kInt, false}}, Infer: gather},
		{Name: "GatherElements", In: Arity{2, 2}, Out: Arity{1, 1}, Attrs: []Attr{{"axis", kInt, false}}, Infer: gatherElements},
		{
			Name: "ScatterElements", In: Arity{3, 3}, Out: Arity{1, 1},
			Attrs: []Attr{{"axis", kInt, false}, {"reduction", kString, false}}, Infer: scatterElements,
		},
		{Name: "OneHot", In: Arity{3, 3}, Out: Arity{1, 1}, Attrs: []Attr{{"axis", kInt, false}}, Infer: oneHot},
	})
}

func reshape(c *Ctx) error {
	want, ok := c.ConstInts(1)
	if !ok {
		return fmt.Errorf("shape must be constant")
	}
	in := c.Shape(0)
	out := make(ir.Shape, len(want))
	hole := -1
	for i, d := range want {
		switch {
		case d == 0 && c.Int("allowzero", 0) == 0:
			if i >= len(in) {
				return fmt.Errorf("shape %v copies dimension %d of rank %d", want, i, len(in))
			}
			out[i] = in[i]
		case d == -1:
			if hole >= 0 {
				return fmt.Errorf("shape %v has two unknown dimensions", want)
			}
			hole = i
			out[i] = 1
		case d < -1:
			return fmt.Errorf("shape %v has a negative dimension", want)
		default:
			out[i] = d
		}
	}
	have, need := in.Numel(), out.Numel()
	if have == ir.N || need == ir.N {
		return reshapeSymbolic(c, in, out, hole, want)
	}
	if hole >= 0 {
		if need == 0 || have%need != 0 {
			return fmt.Errorf("shape %v does not fit %d elements", want, have)
		}
		out[hole] = have / need
		need *= out[hole]
	}
	if have != need {
		return fmt.Errorf("shape %v does not fit %d elements", want, have)
	}
	return c.Set(0, c.Type(0), out...)
}

// reshapeSymbolic handles a batch that is not known: the symbolic dimension must be the leading one and stay alone.
func reshapeSymbolic(c *Ctx, in, out ir.Shape, hole int, want []int64) error {
	rest := func(s ir.Shape) (n int64, symbols int) {
		n = 1
		for i, d := range s {
			switch {
			case d == ir.N:
				symbols++
			case i != hole || &s[0] != &out[0]:
				n *= d
			}
		}
		return n, symbols
	}
	have, inSymbols := rest(in)
	need, outSymbols := rest(out)
	switch {
	case inSymbols != 1 || outSymbols > 1:
	case hole >= 0 && outSymbols == 1 && need > 0 && have%need == 0:
		out[hole] = have / need
		return c.Set(0, c.Type(0), out...)
	case hole >= 0 && outSymbols == 0 && have == need:
		out[hole] = ir.N
		return c.Set(0, c.Type(0), out...)
	case hole < 0 && outSymbols == 1 && have == need:
		return c.Set(0, c.Type(0), out...)
	}
	return fmt.Errorf("shape %v does not keep the symbolic batch", want)
}

func flatten(c *Ctx) error {
	s := c.Shape(0)
	axis := c.Int("axis", 1)
	if axis < 0 {
		axis += int64(len(s))
	}
	if axis < 0 || axis > int64(len(s)) {
		return fmt.Errorf("axis %d is outside rank %d", c.Int("axis", 1), len(s))
	}
	a, ok1 := merge(s[:axis])
	b, ok2 := merge(s[axis:])
	if !ok1 || !ok2 {
		return fmt.Errorf("a symbolic dimension cannot be merged")
	}
	return c.Set(0, c.Type(0), a, b)
}

// merge is the product of the dimensions; a symbolic one may only stand beside ones.
func merge(s ir.Shape) (d int64, ok bool) {
	d = 1
	for _, e := range s {
		if d != 1 && e != 1 && (d == ir.N || e == ir.N) {
			return 0, false
		}
		d *= e
	}
	return d, true
}

// Perm is the permutation of a Transpose node; reversed order by default.
func Perm(n *ir.Node) ([]int64, error) {
	rank := n.In[0].Rank()
	def := make([]int64, rank)
	for i := range def {
		def[i] = int64(rank - 1 - i)
	}
	perm := n.Ints("perm", def)
	sorted := slices.Sorted(slices.Values(perm))
	for i, p := range sorted {
		if int64(i) != p || len(perm) != rank {
			return nil, fmt.Errorf("perm %v is not a permutation of rank %d", perm, rank)
		}
	}
	if len(perm) != rank {
		return nil, fmt.Errorf("perm %v is not a permutation of rank %d", perm, rank)
	}
	return perm, nil
}

func transpose(c *Ctx) error {
	perm, err := Perm(c.Node)
	if err != nil {
		return err
	}
	out := make(ir.Shape, len(perm))
	for i, p := range perm {
		out[i] = c.Shape(0)[p]
	}
	return c.Set(0, c.Type(0), out...)
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

// SliceRanges gives the range of each dimension that a Slice node with constant bounds takes.
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

func squeeze(c *Ctx) error {
	s := c.Shape(0)
	mask := make([]bool, len(s))
	if axes, ok := c.ConstInts(1); ok {
		var err error
		if mask, err = Axes(axes, len(s)); err != nil {
			return err
		}
		for i := range mask {
			if mask[i] && s[i] != 1 {
				return fmt.Errorf("dimension %d is %d, not 1", i, s[i])
			}
		}
	} else if c.Input(1) != nil {
		return fmt.Errorf("axes must be constant")
	} else {
		for i := range mask {
			mask[i] = s[i] == 1
		}
	}
	return c.Set(0, c.Type(0), collapse(s, mask, false)...)
}

func unsqueeze(c *Ctx) error {
	axes, ok := c.ConstInts(1)
	if !ok {
		return fmt.Errorf("axes must be constant")
	}
	s := c.Shape(0)
	mask, err := Axes(axes, len(s)+len(axes))
	if err != nil {
		return err
	}
	out := ir.Shape{}
	for i := range mask {
		if mask[i] {
			out = append(out, 1)
			continue
		}
		out = append(out, s[0])
		s = s[1:]
	}
	return c.Set(0, c.Type(0), out...)
}

func expand(c *Ctx) error {
	to, ok := c.ConstInts(1)
	if def := c.In[1].Def; !ok && def != nil && def.Op == "Shape" && len(def.Attrs) == 0 {
		to, ok = def.In[0].Shape, true
	}
	if !ok {
		return fmt.Errorf("shape must be constant or the output of Shape")
	}
	if c.In[1].IsConst() && len(to) > 0 && slices.Min(to) < 0 {
		return fmt.Errorf("shape %v has a negative dimension", to)
	}
	out, err := Broadcast(c.Shape(0), to)
	if err != nil {
		return err
	}
	return c.Set(0, c.Type(0), out...)
}

func pad(c *Ctx) error {
	switch mode := c.Str("mode", "constant"); mode {
	case "constant", "reflect", "edge", "wrap":
	default:
		return fmt.Errorf("attribute mode: %q is not known", mode)
	}
	if err := c.SameType(0, 2); err != nil {
		return err
	}
	s := c.Shape(0).Clone()
	pads, ok := c.ConstInts(1)
	if !ok {
		return fmt.Errorf("pads must be constant")
	}
	axes, given := c.ConstInts(3)
	if !given {
		if c.Input(3) != nil {
			return fmt.Errorf("axes must be constant")
		}
		for i := range s {
			axes = append(axes, int64(i))
		}
	}
	if len(pads) != 2*len(axes) {
		return fmt.Errorf("%d pads for %d axes", len(pads), len(axes))
	}
	if _, err := Axes(axes, len(s)); err != nil {
		return err
	}
	for i, axis := range axes {
		a, err := Axis(axis, len(s))
		if err != nil {
			return err
		}
		total := pads[i] + pads[len(axes)+i]
		if total == 0 {
			continue
		}
		if s[a] == ir.N {
			return fmt.Errorf("a symbolic dimension cannot be padded")
		}
		if s[a] += total; s[a] < 0 {
			return fmt.Errorf("pads %v remove more than dimension %d has", pads, a)
		}
	}
	return c.Set(0, c.Type(0), s...)
}

func shapeOf(c *Ctx) error {
	rank := int64(len(c.Shape(0)))
	clamp := func(v int64) int64 {
		if v < 0 {
			v += rank
		}
		return min(max(v, 0), rank)
	}
	return c.Set(0, ir.Int64, max(clamp(c.Int("end", rank))-clamp(c.Int("start", 0)), 0))
}

func constantOfShape(c *Ctx) error {
	shape, ok := c.ConstInts(0)
	if !ok {
		return fmt.Errorf("shape must be constant")
	}
	t := ir.Float32
	if v, ok := c.Attrs["value"].(*tensor.Tensor); ok {
		t = v.DType()
		if v.Len() != 1 {
			return fmt.Errorf("value: expected one element, found %v", v.Shape)
		}
	}
	for _, d := range shape {
		if d < 0 {
			return fmt.Errorf("shape %v has a negative dimension", shape)
		}
	}
	return c.Set(0, t, shape...)
}

// indices checks the type of input 1.
func (c *Ctx) indices() error {
	if t := c.Type(1); t != ir.Int64 && t != ir.Int32 {
		return fmt.Errorf("indices: expected int32 or int64, found %s", t)
	}
	return nil
}

func gather(c *Ctx) error {
	s := c.Shape(0)
	axis, err := Axis(c.Int("axis", 0), len(s))
	if err != nil {
		return err
	}
	if err := c.indices(); err != nil {
		return err
	}
	out := s[:axis].Clone()
	out = append(out, c.Shape(1)...)
	out = append(out, s[axis+1:]...)
	return c.Set(0, c.Type(0), out...)
}

func gatherElements(c *Ctx) error {
	if _, err := Axis(c.Int("axis", 0), len(c.Shape(0))); err != nil {
		return err
	}
	if len(c.Shape(0)) != len(c.Shape(1)) {
		return fmt.Errorf("ranks of data and indices differ")
	}
	if err := c.indices(); err != nil {
		return err
	}
	return c.Set(0, c.Type(0), c.Shape(1)...)
}

func scatterElements(c *Ctx) error {
	if _, err := Axis(c.Int("axis", 0), len(c.Shape(0))); err != nil {
		return err
	}
	if !c.Shape(1).Equal(c.Shape(2)) || len(c.Shape(0)) != len(c.Shape(1)) {
		return fmt.Errorf("data, indices and updates do not fit")
	}
	if err := c.SameType(0, 2); err != nil {
		return err
	}
	if err := c.indices(); err != nil {
		return err
	}
	return c.Set(0, c.Type(0), c.Shape(0)...)
}

func oneHot(c *Ctx) error {
	depth, ok := c.ConstInts(1)
	if !ok || len(depth) != 1 || depth[0] < 0 {
		return fmt.Errorf("depth must be one constant number")
	}
	if !c.Shape(2).Equal(ir.Shape{2}) {
		return fmt.Errorf("values: expected shape [2], found %s", c.Shape(2))
	}
	s := c.Shape(0)
	axis, err := Axis(c.Int("axis", -1), len(s)+1)
	if err != nil {
		return err
	}
	out := s[:axis].Clone()
	out = append(out, depth[0])
	out = append(out, s[axis:]...)
	return c.Set(0, c.Type(2), out...)
}
