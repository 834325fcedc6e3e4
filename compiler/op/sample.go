package op

import (
	"slices"

	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

func init() {
	register([]Op{
		{
			// Names of modes are those of operator set 20.
			Name: "GridSample", Since: 16, In: Arity{2, 2}, Out: Arity{1, 1}, SinceOf: func(n *ir.Node) int {
				if n.In[0].Rank() != 4 {
					return 20
				}
				return 16
			},
			Attrs:     []Attr{{"align_corners", kInt, false}, {"mode", kString, false}, {"padding_mode", kString, false}},
			Decompose: gridSample,
		},
		{
			Name: "AffineGrid", Since: 20, In: Arity{2, 2}, Out: Arity{1, 1}, Attrs: []Attr{{"align_corners", kInt, false}},
			Decompose: affineGrid,
		},
	})
}

// tap is one element along an axis that contributes to samples: its place, a whole number as float, and its weight, where nil is
// 1. Both are [N,P].
type tap struct{ at, weight *ir.Value }

// sampleAt is the sum of x [N,C,S...] over the product of the taps of its spatial axes, as [N,C,P]. Places must lie inside.
func (b B) sampleAt(x *ir.Value, axes [][]tap) *ir.Value {
	sizes := x.Shape[2:]
	pixels := b.Reshape(x, 0, x.Shape[1], sizes.Numel())
	var total []*ir.Value
	var visit func(axis int, at, weight *ir.Value)
	visit = func(axis int, at, weight *ir.Value) {
		if axis == len(axes) {
			ids := b.Expand(b.Unsqueeze(at, 1), 1, x.Shape[1], 1)
			v := b.One("GatherElements", ir.Attrs{"axis": int64(2)}, pixels, ids)
			if weight != nil {
				v = b.Mul(v, b.Unsqueeze(weight, 1))
			}
			total = append(total, v)
			return
		}
		for _, t := range axes[axis] {
			next, w := b.Cast(t.at, ir.Int64), t.weight
			if at != nil {
				next = b.Add(b.Mul(at, b.Int(sizes[axis])), next)
			}
			if weight != nil && w != nil {
				w = b.Mul(weight, w)
			} else if w == nil {
				w = weight
			}
			visit(axis+1, next, w)
		}
	}
	visit(0, nil, nil)
	return b.Sum(total...)
}

// gridSample follows Jaderberg et al. 2015, section 3.3, with PyTorch's conventions of borders.
func gridSample(b B, n *ir.Node) []*ir.Value {
	x, grid := n.In[0], n.In[1]
	k := x.Rank() - 2
	if k < 1 || grid.Rank() != k+2 || grid.Shape[k+1] != int64(k) || !x.Shape[1:].Static() || !grid.Shape[1:].Static() {
		b.Fail("grid %s does not fit input %s, or sizes are symbolic", grid.Shape, x.Shape)
		return placeholders(1)
	}
	places := ir.Shape(grid.Shape[1 : k+1])
	coordinates := b.Split(b.Reshape(grid, 0, places.Numel(), int64(k)), 2, fill(k, 1)...)
	axes := make([][]tap, k)
	for i, size := range x.Shape[2:] {
		s := &sampler{B: b, size: size, align: n.Int("align_corners", 0) != 0, padding: n.Str("padding_mode", "zeros")}
		if size < 1 || !slices.Contains([]string{"zeros", "border", "reflection"}, s.padding) {
			b.Fail("attribute padding_mode %q or size %d of input is not supported", s.padding, size)
			return placeholders(1)
		}
		axes[i] = s.taps(b.Squeeze(coordinates[k-1-i], 2), n.Str("mode", "linear"))
	}
	if b.Err() != nil {
		return placeholders(1)
	}
	return []*ir.Value{b.Reshape(b.sampleAt(x, axes), append([]int64{0, x.Shape[1]}, places...)...)}
}

// sampler turns normalised coordinates along one axis into taps.
type sampler struct {
	B
	size    int64
	align   bool
	padding string
}

func (s *sampler) taps(g *ir.Value, mode string) []tap {
	half := float64(s.size) / 2
	x := s.Add(s.Scale(g, half), s.Float(g, half-0.5))
	if s.align {
		half = float64(s.size-1) / 2
		x = s.Add(s.Scale(g, half), s.Float(g, half))
	}
	switch mode {
	case "nearest":
		return []tap{s.tap(s.One("Round", nil, x), nil)}
	case "linear":
		x = s.pad(x)
		low := s.One("Floor", nil, x)
		r := s.Sub(x, low)
		return []tap{s.tap(low, s.Sub(s.Float(r, 1), r)), s.tap(s.Add(low, s.Float(low, 1)), r)}
	case "cubic":
		x = s.pad(x)
		low := s.One("Floor", nil, x)
		r := s.Sub(x, low)
		var out []tap
		for k := -1; k <= 2; k++ {
			out = append(out, s.tap(s.Add(low, s.Float(low, float64(k))), s.cubic(s.Abs(s.Sub(r, s.Float(r, float64(k)))), k == 0 || k == 1)))
		}
		return out
	}
	s.Fail("attribute mode: %q is not known", mode)
	return nil
}

// cubic is the kernel of Keys 1981 with parameter -3/4 at distance t, in its inner or outer branch.
func (s *sampler) cubic(t *ir.Value, inner bool) *ir.Value {
	const a = -0.75
	horner := func(v ...float64) *ir.Value {
		sum := s.Float(t, v[0])
		for _, c := range v[1:] {
			sum = s.Add(s.Mul(sum, t), s.Float(t, c))
		}
		return sum
	}
	if inner {
		return horner(a+2, -(a + 3), 0, 1)
	}
	return horner(a, -5*a, 8*a, -4*a)
}

// pad moves coordinates into the borders as the padding mode asks.
func (s *sampler) pad(x *ir.Value) *ir.Value {
	switch s.padding {
	case "border":
		return s.Clip(x, 0, float64(s.size-1))
	case "reflection":
		low, high := -0.5, float64(s.size)-0.5
		if s.align {
			low, high = 0, float64(s.size-1)
		}
		if low == high {
			return s.Scale(x, 0)
		}
		d := s.Abs(s.Sub(x, s.Float(x, low)))
		turns := s.One("Floor", nil, s.Scale(d, 1/(high-low)))
		r := s.Sub(d, s.Scale(turns, high-low))
		odd := s.Sub(turns, s.Scale(s.One("Floor", nil, s.Scale(turns, 0.5)), 2))
		up, down := s.Add(r, s.Float(r, low)), s.Sub(s.Float(r, high), r)
		return s.Where(s.Equal(odd, s.Float(odd, 0)), up, down)
	}
	return x
}

// tap places a whole number inside the borders; where the padding mode says zeros, those outside weigh nothing.
func (s *sampler) tap(at, weight *ir.Value) tap {
	last := float64(s.size - 1)
	if s.padding == "zeros" {
		live := s.One("And", nil, s.GreaterOrEqual(at, s.Float(at, 0)), s.LessOrEqual(at, s.Float(at, last)))
		if weight == nil {
			weight = s.Cast(live, at.Type)
		} else {
			weight = s.Where(live, weight, s.Float(weight, 0))
		}
	} else {
		at = s.pad(at)
	}
	return tap{s.Clip(at, 0, last), weight}
}

// affineGrid multiplies theta [N,k,k+1] with the homogeneous coordinates of the output, in [-1,1].
func affineGrid(b B, n *ir.Node) []*ir.Value {
	theta := n.In[0]
	size, ok := ConstInts(n.In[1])
	k := len(size) - 2
	if !ok || k < 2 || theta.Rank() != 3 || theta.Shape[1] != int64(k) || theta.Shape[2] != int64(k+1) {
		b.Fail("expected theta of shape [N,k,k+1] and a constant size of k+2 numbers, k 2 or 3; found %s", theta.Shape)
		return placeholders(1)
	}
	places := size[2:]
	count, err := tensor.Numel(places)
	if err != nil || count > maxResize {
		b.Fail("size %v is too large", size)
		return placeholders(1)
	}
	base := make([]float64, 0, (k+1)*count)
	for axis := k - 1; axis >= 0; axis-- { // x is the last axis
		inner := 1
		for _, d := range places[axis+1:] {
			inner *= int(d)
		}
		for p := range count {
			i, d := float64(int64(p/inner)%places[axis]), float64(places[axis])
			switch {
			case n.Int("align_corners", 0) == 0:
				base = append(base, (2*i+1)/d-1)
			case d == 1:
				base = append(base, -1)
			default:
				base = append(base, 2*i/(d-1)-1)
			}
		}
	}
	for range count {
		base = append(base, 1)
	}
	matrix := b.Const("places", tensor.FromFloat64s(theta.Type, []int64{int64(k + 1), int64(count)}, base))
	y := b.Transpose(b.MatMul(theta, matrix), 0, 2, 1)
	return []*ir.Value{b.Reshape(y, slices.Concat([]int64{0}, places, []int64{int64(k)})...)}
}
