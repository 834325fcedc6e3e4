package grad

import (
	"maps"
	"slices"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/tensor"
)

func init() {
	register(map[string]Rule{
		"MaxPool":           maxPool,
		"AveragePool":       averagePool,
		"GlobalAveragePool": globalAveragePool,
		"GlobalMaxPool":     globalMaxPool,
	})
}

// maxPool sends the gradient of a window to the place that the forward pass chose, through the Indices output.
func maxPool(c *Ctx) []*ir.Value {
	x, dy := c.In(0), c.Dy[0]
	if dy == nil {
		return nil
	}
	// ScatterElements adds the parts of overlapping windows on the flattened input.
	zero := c.ExpandLike(c.Float(dy, 0), x)
	var ids *ir.Value
	if c.N.Int("storage_order", 0) == 0 {
		ids = indices(c)
	} else { // once more with the order of storage
		attrs := maps.Clone(c.N.Attrs)
		delete(attrs, "storage_order")
		ids = c.Node("MaxPool", attrs, 2, x)[1]
	}
	attrs := ir.Attrs{"axis": int64(0), "reduction": "add"}
	if x.Shape.Static() {
		return []*ir.Value{c.ReshapeLike(c.One("ScatterElements", attrs, c.Reshape(zero, -1), c.Reshape(ids, -1), c.Reshape(dy, -1)), x)}
	}
	// A symbolic batch stays a dimension of its own, and indices are counted from the start of their image.
	size := ir.Shape(x.Shape[1:]).Numel()
	if size == ir.N {
		c.Fail("node %s: the gradient of MaxPool needs static spatial sizes, found %s", c.N.Name, x.Shape)
		return nil
	}
	image := c.Int(size)
	ids = c.Sub(ids, c.Mul(c.Div(ids, image), image))
	attrs["axis"] = int64(1)
	return []*ir.Value{c.ReshapeLike(c.One("ScatterElements", attrs, c.Flatten(zero), c.Flatten(ids), c.Flatten(dy)), x)}
}

// indices is the Indices output of a MaxPool or TopK node, which gets one if it has none.
func indices(c *Ctx) *ir.Value {
	if v := c.Out(1); v != nil {
		return v
	}
	v := &ir.Value{Name: c.Take(c.N.Name + ".indices"), Type: ir.Int64, Shape: c.Out(0).Shape.Clone(), Def: c.N}
	c.N.Out = []*ir.Value{c.Out(0), v}
	return v
}

func averagePool(c *Ctx) []*ir.Value {
	x, dy := c.In(0), c.Dy[0]
	spatial := x.Shape[2:]
	win, err := op.WindowOf(c.N, c.N.Ints("kernel_shape", nil), spatial)
	if err != nil || !spatial.Static() {
		c.Fail("node %s: the gradient of AveragePool needs static spatial sizes, found %s", c.N.Name, x.Shape)
		return nil
	}
	k := len(win.Kernel)
	area := int64(1)
	stride1 := all(win.Strides, 1) && all(win.Dilations, 1)
	for i := range k {
		area *= win.Kernel[i]
		stride1 = stride1 && win.Pads[i] == win.Pads[k+i] && 2*win.Pads[i] == win.Kernel[i]-1
	}
	scaled := c.Mul(dy, c.Const("reciprocal_count", reciprocalCounts(c.N, win, spatial, dy, area, stride1)))
	if stride1 {
		// The adjoint of a symmetric box filter at stride 1 is the same box filter, zeros outside counted in.
		return []*ir.Value{c.One("AveragePool", ir.Attrs{
			"kernel_shape": win.Kernel, "strides": win.Strides, "pads": win.Pads, "count_include_pad": int64(1),
		}, scaled)}
	}
	g := geometry{Window: win, group: x.Shape[1], wide: spatial}
	g.Pads = slices.Clone(win.Pads)
	for i := range k {
		// With ceil_mode the last window may reach over the padding.
		reach := (dy.Shape[2+i]-1)*win.Strides[i] + (win.Kernel[i]-1)*win.Dilations[i] + 1
		g.Pads[k+i] = max(g.Pads[k+i], reach-spatial[i]-win.Pads[i])
	}
	ones := c.Fill(dy, 1, append([]int64{x.Shape[1], 1}, win.Kernel...)...)
	return []*ir.Value{g.wideGrad(c, scaled, ones)}
}

// reciprocalCounts holds 1 over the number of elements that the window of each output position averages: [1,1,out...]. It is
// multiplied by the area where the adjoint divides by the area again.
func reciprocalCounts(n *ir.Node, win op.Window, spatial []int64, dy *ir.Value, area int64, timesArea bool) *tensor.Tensor {
	k := len(win.Kernel)
	includePad := n.Int("count_include_pad", 0) != 0
	perAxis := make([][]float64, k)
	for i := range k {
		counts := make([]float64, dy.Shape[2+i])
		for o := range counts {
			start := int64(o)*win.Strides[i] - win.Pads[i]
			for t := range win.Kernel[i] {
				p := start + t*win.Dilations[i]
				if p >= 0 && p < spatial[i] || includePad && p < spatial[i]+win.Pads[k+i] {
					counts[o]++
				}
			}
		}
		perAxis[i] = counts
	}
	values := []float64{1}
	if timesArea {
		values[0] = float64(area)
	}
	shape := []int64{1, 1}
	for i := range k {
		shape = append(shape, int64(len(perAxis[i])))
		next := make([]float64, 0, len(values)*len(perAxis[i]))
		for _, v := range values {
			for _, count := range perAxis[i] {
				next = append(next, v/count)
			}
		}
		values = next
	}
	return tensor.FromFloat64s(dy.Type, shape, values)
}

func globalAveragePool(c *Ctx) []*ir.Value {
	x := c.In(0)
	area := ir.Shape(x.Shape[2:]).Numel()
	if area == ir.N {
		c.Fail("node %s: the gradient of GlobalAveragePool needs static spatial sizes, found %s", c.N.Name, x.Shape)
		return nil
	}
	return []*ir.Value{c.ExpandLike(c.Scale(c.Dy[0], 1/float64(area)), x)}
}

// globalMaxPool shares the gradient equally among the places that attain the maximum.
func globalMaxPool(c *Ctx) []*ir.Value {
	x, y := c.In(0), c.Out(0)
	hits := c.Cast(c.Equal(x, y), c.Dy[0].Type)
	var axes []int64
	for i := 2; i < x.Rank(); i++ {
		axes = append(axes, int64(i))
	}
	return []*ir.Value{c.Mul(hits, c.Div(c.Dy[0], c.ReduceSum(hits, true, axes...)))}
}
