package op

import (
	"math"

	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

func init() {
	rows := []Op{
		{
			Name: "Col2Im", Since: 18, In: Arity{3, 3}, Out: Arity{1, 1},
			Attrs: []Attr{{"dilations", kInts, false}, {"pads", kInts, false}, {"strides", kInts, false}}, Decompose: col2Im,
		},
		{Name: "CenterCropPad", Since: 18, In: Arity{2, 2}, Out: Arity{1, 1}, Attrs: []Attr{{"axes", kInts, false}}, Decompose: centerCropPad},
		{
			Name: "LpPool", In: Arity{1, 1}, Out: Arity{1, 1}, SinceOf: func(n *ir.Node) int {
				if n.Int("ceil_mode", 0) != 0 || averageSince(n) > 0 {
					return 18
				}
				return 0
			},
			Attrs: append([]Attr{{"ceil_mode", kInt, false}, {"p", kInt, false}}, windowAttrs...), Infer: pool, Decompose: lpPool,
		},
		{Name: "GlobalLpPool", In: Arity{1, 1}, Out: Arity{1, 1}, Attrs: []Attr{{"p", kInt, false}}, Infer: globalPool, Decompose: globalLpPool},
		{
			Name: "MaxUnpool", In: Arity{2, 3}, Out: Arity{1, 1},
			Attrs: []Attr{{"kernel_shape", kInts, true}, {"pads", kInts, false}, {"strides", kInts, false}}, Decompose: maxUnpool,
		},
	}
	for _, w := range []struct {
		name         string
		coefficients []float64
	}{
		{"HannWindow", []float64{0.5, -0.5}},
		{"HammingWindow", []float64{25. / 46, -21. / 46}},
		{"BlackmanWindow", []float64{0.42, -0.5, 0.08}},
	} {
		rows = append(rows, Op{
			Name: w.name, Since: 17, In: Arity{1, 1}, Out: Arity{1, 1},
			Attrs: []Attr{{"output_datatype", kInt, false}, {"periodic", kInt, false}}, Decompose: cosineWindow(w.coefficients),
		})
	}
	register(rows)
}

// col2Im adds up overlapping patches: a transposed convolution whose kernel for entry j of the patch is 1 at j.
func col2Im(b B, n *ir.Node) []*ir.Value {
	x := n.In[0]
	image, ok1 := ConstInts(n.In[1])
	block, ok2 := ConstInts(n.In[2])
	k := len(block)
	if !ok1 || !ok2 || x.Rank() != 3 || len(image) != k || k < 1 {
		b.Fail("expected rank 3 and constant image and block shapes of one length")
		return placeholders(1)
	}
	win, err := WindowOf(n, block, image)
	area, err2 := tensor.Numel(block)
	if err != nil || err2 != nil || area == 0 || x.Shape[1]%int64(area) != 0 || int64(area)*x.Shape[1] > maxResize {
		b.Fail("blocks %v do not fit %s", block, x.Shape)
		return placeholders(1)
	}
	channels := x.Shape[1] / int64(area)
	dims, extra := []int64{0, x.Shape[1]}, make([]int64, k)
	for i := range k {
		o := win.Out(i, image[i], false)
		if o < 1 {
			b.Fail("blocks %v do not fit the image %v", block, image)
			return placeholders(1)
		}
		dims = append(dims, o)
		extra[i] = image[i] + win.Pads[i] + win.Pads[k+i] - win.extent(i) - (o-1)*win.Strides[i]
	}
	unit := make([]float64, x.Shape[1]*int64(area))
	for j := range unit {
		if j%area == j/area%area {
			unit[j] = 1
		}
	}
	weight := b.Const("patches", tensor.FromFloat64s(x.Type, append([]int64{x.Shape[1], 1}, block...), unit))
	return []*ir.Value{b.One("ConvTranspose", ir.Attrs{
		"kernel_shape": block, "strides": win.Strides, "dilations": win.Dilations, "pads": win.Pads,
		"output_padding": extra, "group": channels,
	}, b.Reshape(x, dims...), weight)}
}

func centerCropPad(b B, n *ir.Node) []*ir.Value {
	x := n.In[0]
	want, ok := ConstInts(n.In[1])
	axes := n.Ints("axes", nil)
	if axes == nil {
		for i := range x.Shape {
			axes = append(axes, int64(i))
		}
	}
	if _, err := Axes(axes, x.Rank()); err != nil || !ok || len(want) != len(axes) {
		b.Fail("expected a constant shape of one number for each of %d axes", len(axes))
		return placeholders(1)
	}
	rank := x.Rank()
	var starts, ends, cut, steps []int64
	pads := make([]int64, 2*rank)
	for i, a := range axes {
		axis, _ := Axis(a, rank)
		d, t := x.Shape[axis], want[i]
		switch {
		case d == t:
		case d == ir.N || t < 0:
			b.Fail("axis %d of size %d cannot become %d", axis, d, t)
			return placeholders(1)
		case d > t:
			start := (d - t) / 2
			starts, ends, cut, steps = append(starts, start), append(ends, start+t), append(cut, int64(axis)), append(steps, 1)
		default:
			pads[axis] = (t - d) / 2
			pads[rank+axis] = t - d - pads[axis]
		}
	}
	if cut != nil {
		x = b.Slice(x, starts, ends, cut, steps)
	}
	return []*ir.Value{b.Pad(x, pads...)}
}

// lpPool sums powers over windows by a convolution with ones.
func lpPool(b B, n *ir.Node) []*ir.Value {
	x, p := n.In[0], float64(n.Int("p", 2))
	kernel := n.Ints("kernel_shape", nil)
	win, err := WindowOf(n, kernel, x.Shape[2:])
	if err != nil || p < 1 || !x.Shape[1:].Static() {
		b.Fail("the window does not fit %s, or p is %v", x.Shape, p)
		return placeholders(1)
	}
	k := len(kernel)
	pads := append([]int64{}, win.Pads...)
	for i, d := range x.Shape[2:] {
		// With ceil_mode the last window may reach over the padding.
		out := win.Out(i, d, n.Int("ceil_mode", 0) != 0)
		pads[k+i] = max((out-1)*win.Strides[i]+win.extent(i)-d-win.Pads[i], 0)
	}
	sum := b.One("Conv", ir.Attrs{
		"kernel_shape": kernel, "strides": win.Strides, "dilations": win.Dilations, "pads": pads, "group": x.Shape[1],
	}, b.power(x, p), b.Fill(x, 1, append([]int64{x.Shape[1], 1}, kernel...)...))
	return []*ir.Value{b.rootOf(sum, p)}
}

func globalLpPool(b B, n *ir.Node) []*ir.Value {
	x, p := n.In[0], float64(n.Int("p", 2))
	if p < 1 {
		b.Fail("attribute p: expected a positive number, found %v", p)
		return placeholders(1)
	}
	return []*ir.Value{b.rootOf(b.ReduceSum(b.power(x, p), true, spatialAxes(b, x)...), p)}
}

// power is |x| to the power p.
func (b B) power(x *ir.Value, p float64) *ir.Value {
	switch p {
	case 1:
		return b.Abs(x)
	case 2:
		return b.Mul(x, x)
	}
	return b.Pow(b.Abs(x), b.Float(x, p))
}

func (b B) rootOf(x *ir.Value, p float64) *ir.Value {
	if p == 1 {
		return x
	}
	return b.root(x, 1/p)
}

// maxUnpool scatters to the places that MaxPool took. A larger output shape is filled up with zeros.
func maxUnpool(b B, n *ir.Node) []*ir.Value {
	x := n.In[0]
	kernel := n.Ints("kernel_shape", nil)
	k := len(kernel)
	strides, pads := n.Ints("strides", fill(k, 1)), n.Ints("pads", fill(2*k, 0))
	if !x.Shape.Static() || x.Rank() != k+2 || len(strides) != k || len(pads) != 2*k || !n.In[1].Shape.Equal(x.Shape) {
		b.Fail("expected static shapes, as many indices as elements, and a window of %d axes", x.Rank()-2)
		return placeholders(1)
	}
	out := x.Shape[:2].Clone()
	for i, d := range x.Shape[2:] {
		out = append(out, (d-1)*strides[i]+kernel[i]-pads[i]-pads[k+i])
	}
	count, err := tensor.Numel(out)
	if err != nil {
		b.Fail("output %w", err)
		return placeholders(1)
	}
	zero := b.Expand(b.Float(x, 0), int64(count))
	y := b.One("ScatterElements", ir.Attrs{"axis": int64(0)}, zero, b.Reshape(n.In[1], -1), b.Reshape(x, -1))
	y = b.Reshape(y, out...)
	if n.Input(2) == nil {
		return []*ir.Value{y}
	}
	want, ok := ConstInts(n.In[2])
	more := make([]int64, 2*len(out))
	for i, d := range out {
		if !ok || len(want) != len(out) || want[i] < d {
			b.Fail("output_shape must be constant and at least %s, found %v", out, want)
			return placeholders(1)
		}
		more[len(out)+i] = want[i] - d
	}
	return []*ir.Value{b.Pad(y, more...)}
}

// cosineWindow sums cosines of multiples of one period.
func cosineWindow(coefficients []float64) Decomposition {
	return func(b B, n *ir.Node) []*ir.Value {
		size, ok := ConstInts(n.In[0])
		if !ok || len(size) != 1 || size[0] < 0 || size[0] > maxResize {
			b.Fail("size must be one constant number up to %d", maxResize)
			return placeholders(1)
		}
		period := float64(size[0])
		if n.Int("periodic", 1) == 0 {
			period = max(period-1, 1)
		}
		values := make([]float64, size[0])
		for i := range values {
			for j, c := range coefficients {
				values[i] += c * math.Cos(2*math.Pi*float64(i*j)/period)
			}
		}
		t := ir.DType(n.Int("output_datatype", int64(ir.Float32)))
		if !t.IsFloat() {
			b.Fail("attribute output_datatype: expected a floating-point type, found %s", t)
			return placeholders(1)
		}
		return []*ir.Value{b.Const("window", tensor.FromFloat64s(t, size, values))}
	}
}
