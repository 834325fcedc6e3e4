package op

import (
	"fmt"

	"rnas/compiler/ir"
)

var windowAttrs = []Attr{
	{"kernel_shape", kInts, false},
	{"strides", kInts, false},
	{"pads", kInts, false},
	{"dilations", kInts, false},
	{"auto_pad", kString, false},
}

func init() {
	register([]Op{
		{
			Name: "Conv", In: Arity{2, 3}, Out: Arity{1, 1},
			Attrs: append([]Attr{{"group", kInt, false}}, windowAttrs...), Infer: conv,
		},
		{
			Name: "ConvTranspose", In: Arity{2, 3}, Out: Arity{1, 1},
			Attrs: append([]Attr{{"group", kInt, false}, {"output_padding", kInts, false}, {"output_shape", kInts, false}}, windowAttrs...),
			Infer: convTranspose,
		},
		{
			Name: "MaxPool", In: Arity{1, 1}, Out: Arity{1, 2},
			Attrs: append([]Attr{{"ceil_mode", kInt, false}, {"storage_order", kInt, false}}, windowAttrs...), Infer: pool,
		},
		{
			Name: "AveragePool", SinceOf: averageSince, In: Arity{1, 1}, Out: Arity{1, 1},
			Attrs: append([]Attr{{"ceil_mode", kInt, false}, {"count_include_pad", kInt, false}}, windowAttrs...), Infer: pool,
		},
		{Name: "GlobalAveragePool", In: Arity{1, 1}, Out: Arity{1, 1}, Infer: globalPool},
		{Name: "GlobalMaxPool", In: Arity{1, 1}, Out: Arity{1, 1}, Infer: globalPool},
	})
}

// averageSince is the operator set of AveragePool: a dilated window came with 19.
func averageSince(n *ir.Node) int {
	for _, d := range n.Ints("dilations", nil) {
		if d != 1 {
			return 19
		}
	}
	return 0
}

// Window is the geometry of a convolution or pooling node with all defaults filled in. Pads lists those at the begins of all
// spatial axes, then those at the ends.
type Window struct {
	Kernel, Strides, Dilations, Pads []int64
}

// WindowOf reads the geometry of n for a kernel and the spatial sizes of its input. auto_pad is resolved.
func WindowOf(n *ir.Node, kernel, spatial []int64) (Window, error) {
	k := len(kernel)
	w := Window{
		Kernel:    kernel,
		Strides:   n.Ints("strides", fill(k, 1)),
		Dilations: n.Ints("dilations", fill(k, 1)),
		Pads:      n.Ints("pads", fill(2*k, 0)),
	}
	if len(spatial) != k || len(w.Strides) != k || len(w.Dilations) != k || len(w.Pads) != 2*k {
		return w, fmt.Errorf("kernel %v, strides %v, dilations %v and pads %v do not fit %d spatial axes",
			kernel, w.Strides, w.Dilations, w.Pads, len(spatial))
	}
	for i := range kernel {
		if kernel[i] < 1 || w.Strides[i] < 1 || w.Dilations[i] < 1 {
			return w, fmt.Errorf("kernel %v, strides %v and dilations %v must be positive", kernel, w.Strides, w.Dilations)
		}
		if w.Pads[i] < 0 || w.Pads[k+i] < 0 {
			return w, fmt.Errorf("pads %v must not be negative", w.Pads)
		}
	}
	switch auto := n.Str("auto_pad", "NOTSET"); auto {
	case "NOTSET", "":
	case "VALID":
		w.Pads = fill(2*k, 0)
	case "SAME_UPPER", "SAME_LOWER":
		w.Pads = make([]int64, 2*k)
		for i, d := range spatial {
			if d == ir.N {
				return w, fmt.Errorf("auto_pad %s needs static spatial sizes", auto)
			}
			out := (d + w.Strides[i] - 1) / w.Strides[i]
			total := max((out-1)*w.Strides[i]+w.extent(i)-d, 0)
			begin := total / 2
			if auto == "SAME_LOWER" {
				begin = total - begin
			}
			w.Pads[i], w.Pads[k+i] = begin, total-begin
		}
	default:
		return w, fmt.Errorf("attribute auto_pad: %q is not known", auto)
	}
	return w, nil
}

// extent is the reach of the dilated kernel along axis i.
func (w Window) extent(i int) int64 { return (w.Kernel[i]-1)*w.Dilations[i] + 1 }

// Out is the output size along spatial axis i for an input of size d.
func (w Window) Out(i int, d int64, ceil bool) int64 {
	if d == ir.N {
		return ir.N
	}
	k := len(w.Kernel)
	room := d + w.Pads[i] + w.Pads[k+i] - w.extent(i)
	if room < 0 {
		return -2
	}
	out := room/w.Strides[i] + 1
	if ceil && room%w.Strides[i] != 0 {
		out++
		// A window must start inside the input or its left padding.
		if (out-1)*w.Strides[i] >= d+w.Pads[i] {
			out--
		}
	}
	return out
}

func fill(n int, v int64) []int64 {
	out := make([]int64, n)
	for i := range out {
		out[i] = v
	}
	return out
}

func conv(c *Ctx) error {
	x, w := c.Shape(0), c.Shape(1)
	if len(x) < 3 || len(w) != len(x) {
		return fmt.Errorf("expected input and weight of equal rank, at least 3")
	}
	if err := c.SameType(0, 1, 2); err != nil {
		return err
	}
	group := c.Int("group", 1)
	if group < 1 || x[1] != w[1]*group || w[0]%group != 0 {
		return fmt.Errorf("%d groups do not divide %d input and %d output channels (weight takes %d per group)", group, x[1], w[0], w[1])
	}
	kernel := c.Ints("kernel_shape", w[2:])
	if !ir.Shape(kernel).Equal(w[2:]) {
		return fmt.Errorf("kernel_shape %v differs from weight", kernel)
	}
	if b := c.Input(2); b != nil && !b.Shape.Equal(ir.Shape{w[0]}) {
		return fmt.Errorf("bias: expected shape [%d], found %s", w[0], b.Shape)
	}
	win, err := WindowOf(c.Node, kernel, x[2:])
	if err != nil {
		return err
	}
	out := ir.Shape{x[0], w[0]}
	for i, d := range x[2:] {
		out = append(out, win.Out(i, d, false))
	}
	return c.Set(0, c.Type(0), out...)
}

func convTranspose(c *Ctx) error {
	x, w := c.Shape(0), c.Shape(1)
	if len(x) < 3 || len(w) != len(x) {
		return fmt.Errorf("expected input and weight of equal rank, at least 3")
	}
	if err := c.SameType(0, 1, 2); err != nil {
		return err
	}
	group := c.Int("group", 1)
	if group < 1 || x[1] != w[0] || x[1]%group != 0 {
		return fmt.Errorf("%d groups do not divide %d input channels (weight takes %d)", group, x[1], w[0])
	}
	kernel := c.Ints("kernel_shape", w[2:])
	if !ir.Shape(kernel).Equal(w[2:]) {
		return fmt.Errorf("kernel_shape %v differs from weight", kernel)
	}
	if b := c.Input(2); b != nil && !b.Shape.Equal(ir.Shape{w[1] * group}) {
		return fmt.Errorf("bias: expected shape [%d], found %s", w[1]*group, b.Shape)
	}
	for _, d := range x[2:] {
		if d == ir.N {
			return fmt.Errorf("spatial sizes must be static")
		}
	}
	_, sizes, err := TransposedWindow(c.Node, kernel, x[2:])
	if err != nil {
		return err
	}
	return c.Set(0, c.Type(0), append(ir.Shape{x[0], w[1] * group}, sizes...)...)
}

func pool(c *Ctx) error {
	x := c.Shape(0)
	kernel := c.Ints("kernel_shape", nil)
	if kernel == nil {
		return fmt.Errorf("attribute kernel_shape is missing")
	}
	if len(x) < 3 {
		return fmt.Errorf("expected rank at least 3")
	}
	win, err := WindowOf(c.Node, kernel, x[2:])
	if err != nil {
		return err
	}
	for i := range kernel {
		if win.Pads[i] >= win.extent(i) || win.Pads[len(kernel)+i] >= win.extent(i) {
			return fmt.Errorf("pads %v must be smaller than kernel %v", win.Pads, kernel)
		}
	}
	out := ir.Shape{x[0], x[1]}
	for i, d := range x[2:] {
		out = append(out, win.Out(i, d, c.Int("ceil_mode", 0) != 0))
	}
	if err := c.Set(1, ir.Int64, out...); err != nil {
		return err
	}
	return c.Set(0, c.Type(0), out...)
}

func globalPool(c *Ctx) error {
	x := c.Shape(0)
	if len(x) < 3 {
		return fmt.Errorf("expected rank at least 3")
	}
	out := x.Clone()
	for i := 2; i < len(out); i++ {
		out[i] = 1
	}
	return c.Set(0, c.Type(0), out...)
}
