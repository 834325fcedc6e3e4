package op

import (
	"testing"

	"rnas/compiler/ir"
)

func window(kernel, strides, pads, dilations []int64) ir.Attrs {
	a := ir.Attrs{}
	for name, v := range map[string][]int64{"kernel_shape": kernel, "strides": strides, "pads": pads, "dilations": dilations} {
		if v != nil {
			a[name] = v
		}
	}
	return a
}

func with(a ir.Attrs, name string, v any) ir.Attrs {
	a[name] = v
	return a
}

func dims(v ...int64) []int64 { return v }

var windowCases = []inferCase{
	{op: "Conv", in: list(f32(n, 3, 32, 32), f32(16, 3, 3, 3)), attrs: window(dims(3, 3), nil, dims(1, 1, 1, 1), nil), want: "float32[N,16,32,32]"},
	{op: "Conv", in: list(f32(2, 3, 32, 31), f32(16, 3, 3, 3), f32(16)), attrs: window(nil, dims(2, 2), dims(1, 1, 1, 1), nil), want: "float32[2,16,16,16]"},
	{op: "Conv", in: list(f32(2, 4, 9), f32(6, 2, 3)), attrs: with(window(nil, nil, nil, dims(2)), "group", int64(2)), want: "float32[2,6,5]"},
	{op: "Conv", in: list(f32(1, 4, 7, 7), f32(4, 1, 1, 7)), attrs: with(window(nil, nil, dims(0, 3, 0, 3), nil), "group", int64(4)), want: "float32[1,4,7,7]"},
	{op: "Conv", in: list(f32(1, 1, 7, 8), f32(1, 1, 3, 3)), attrs: with(window(nil, dims(2, 2), nil, nil), "auto_pad", "SAME_UPPER"), want: "float32[1,1,4,4]"},
	{op: "Conv", in: list(f32(1, 1, 7, 8), f32(1, 1, 3, 3)), attrs: with(window(nil, dims(2, 2), dims(9, 9, 9, 9), nil), "auto_pad", "VALID"), want: "float32[1,1,3,3]"},
	{op: "Conv", in: list(f32(1, 1, n, 8), f32(1, 1, 3, 3)), want: "float32[1,1,N,6]"},
	{op: "Conv", in: list(f32(2, 3), f32(16, 3)), err: "expected input and weight of equal rank, at least 3"},
	{op: "Conv", in: list(f32(2, 3, 8, 8), f32(16, 3, 3)), err: "expected input and weight of equal rank, at least 3"},
	{op: "Conv", in: list(f32(2, 3, 8, 8), f32(16, 4, 3, 3)), err: "1 groups do not divide 3 input and 16 output channels (weight takes 4 per group)"},
	{op: "Conv", in: list(f32(2, 4, 8, 8), f32(5, 2, 3, 3)), attrs: ir.Attrs{"group": int64(2)}, err: "2 groups do not divide 4 input and 5 output channels (weight takes 2 per group)"},
	{op: "Conv", in: list(f32(2, 4, 8, 8), f32(5, 2, 3, 3)), attrs: ir.Attrs{"group": int64(0)}, err: "0 groups do not divide 4 input and 5 output channels (weight takes 2 per group)"},
	{op: "Conv", in: list(f32(2, 3, 8, 8), f64(16, 3, 3, 3)), err: "inputs 0 and 1: types differ"},
	{op: "Conv", in: list(f32(2, 3, 8, 8), f32(16, 3, 3, 3)), attrs: window(dims(3, 2), nil, nil, nil), err: "kernel_shape [3 2] differs from weight"},
	{op: "Conv", in: list(f32(2, 3, 8, 8), f32(16, 3, 3, 3), f32(3)), err: "bias: expected shape [16], found [3]"},
	{op: "Conv", in: list(f32(2, 3, 8, 2), f32(16, 3, 3, 3)), err: "output shape [2,16,6,-2] has a negative dimension"},
	{op: "Conv", in: list(f32(2, 3, 8, 8), f32(16, 3, 3, 3)), attrs: window(nil, dims(1), nil, nil), err: "kernel [3 3], strides [1], dilations [1 1] and pads [0 0 0 0] do not fit 2 spatial axes"},
	{op: "Conv", in: list(f32(2, 3, 8, 8), f32(16, 3, 3, 3)), attrs: window(nil, dims(0, 1), nil, nil), err: "kernel [3 3], strides [0 1] and dilations [1 1] must be positive"},
	{op: "Conv", in: list(f32(2, 3, 8, 8), f32(16, 3, 3, 3)), attrs: window(nil, nil, dims(0, -1, 0, 0), nil), err: "pads [0 -1 0 0] must not be negative"},
	{op: "Conv", in: list(f32(2, 3, 8, 8), f32(16, 3, 3, 3)), attrs: ir.Attrs{"auto_pad": "SAME"}, err: `attribute auto_pad: "SAME" is not known`},
	{op: "Conv", in: list(f32(2, 3, n, 8), f32(16, 3, 3, 3)), attrs: ir.Attrs{"auto_pad": "SAME_LOWER"}, err: "auto_pad SAME_LOWER needs static spatial sizes"},
	{
		op: "Conv", in: list(f32(2, 3, 8, 8), f32(16, 3, 3, 3)), attrs: window(nil, nil, dims(1<<40, 0, 0, 0), nil),
		err: "output shape [2 16 1099511627782 6] has too many elements",
	},

	{op: "ConvTranspose", in: list(f32(n, 4, 5, 5), f32(4, 3, 3, 3)), attrs: window(nil, dims(2, 2), dims(1, 1, 1, 1), nil), want: "float32[N,3,9,9]"},
	{
		op: "ConvTranspose", in: list(f32(1, 4, 5), f32(4, 3, 3), f32(6)),
		attrs: with(with(window(dims(3), dims(2), nil, dims(2)), "group", int64(2)), "output_padding", dims(1)), want: "float32[1,6,14]",
	},
	{op: "ConvTranspose", in: list(f32(1, 4), f32(4, 3)), err: "expected input and weight of equal rank, at least 3"},
	{op: "ConvTranspose", in: list(f32(1, 4, 5), f32(3, 4, 3)), err: "1 groups do not divide 4 input channels (weight takes 3)"},
	{op: "ConvTranspose", in: list(f32(1, 4, 5), f32(4, 2, 3), f32(4)), err: "bias: expected shape [2], found [4]"},
	{op: "ConvTranspose", in: list(f32(1, 4, 5), f32(4, 2, 3)), attrs: window(dims(2), nil, nil, nil), err: "kernel_shape [2] differs from weight"},
	{op: "ConvTranspose", in: list(f32(1, 4, 5), f32(4, 2, 3)), attrs: ir.Attrs{"auto_pad": "SAME"}, err: `attribute auto_pad: "SAME" is not known`},
	{op: "ConvTranspose", in: list(f32(1, 4, 5), f32(4, 2, 3)), attrs: ir.Attrs{"output_padding": dims(1, 1)}, err: "output_padding [1 1] and output_shape [] do not fit 1 spatial axes"},
	{op: "ConvTranspose", in: list(f32(1, 4, 5), f32(4, 2, 3)), attrs: ir.Attrs{"output_padding": dims(-1)}, err: "output_padding [-1] must not be negative"},
	{op: "ConvTranspose", in: list(f32(1, 4, n), f32(4, 2, 3)), err: "spatial sizes must be static"},
	{op: "ConvTranspose", in: list(f32(1, 4, 1), f32(4, 2, 1)), attrs: window(nil, nil, dims(1, 1), nil), err: "pads [1 1] remove more than the result has"},
	{op: "ConvTranspose", in: list(f32(1, 4, 5), f64(4, 2, 3)), err: "inputs 0 and 1: types differ"},

	{op: "MaxPool", in: list(f32(n, 3, 8, 8)), attrs: window(dims(3, 3), dims(2, 2), dims(1, 1, 1, 1), nil), want: "float32[N,3,4,4] int64[N,3,4,4]"},
	{op: "MaxPool", in: list(f32(1, 3, 8, 8)), attrs: with(window(dims(3, 3), dims(2, 2), nil, nil), "ceil_mode", int64(1)), want: "float32[1,3,4,4]"},
	{op: "MaxPool", in: list(f32(1, 3, 8)), attrs: window(dims(3), nil, nil, dims(2)), want: "float32[1,3,4]"},
	// With ceil_mode a window that starts in the right padding is left out.
	{op: "AveragePool", in: list(f32(1, 1, 5)), attrs: with(window(dims(2), dims(3), dims(1, 1), nil), "ceil_mode", int64(1)), want: "float32[1,1,2]"},
	{op: "AveragePool", in: list(f32(n, 3, 8, 8)), attrs: with(window(dims(3, 3), nil, dims(1, 1, 1, 1), nil), "count_include_pad", int64(1)), want: "float32[N,3,8,8]"},
	{op: "MaxPool", in: list(f32(1, 3, 8, 8)), err: "attribute kernel_shape is missing"},
	{op: "AveragePool", in: list(f32(1, 3)), attrs: window([]int64{}, nil, nil, nil), err: "expected rank at least 3"},
	{op: "MaxPool", in: list(f32(1, 3, 8, 8)), attrs: window(dims(3), nil, nil, nil), err: "kernel [3], strides [1], dilations [1] and pads [0 0] do not fit 2 spatial axes"},
	{op: "MaxPool", in: list(f32(1, 3, 8)), attrs: window(dims(2), nil, dims(2, 0), nil), err: "pads [2 0] must be smaller than kernel [2]"},
	{op: "MaxPool", in: list(f32(1, 3, 2)), attrs: window(dims(3), nil, nil, nil), err: "output shape [1,3,-2] has a negative dimension"},

	{op: "GlobalAveragePool", in: list(f32(n, 3, 8, 8)), want: "float32[N,3,1,1]"},
	{op: "GlobalMaxPool", in: list(f32(2, 3, 8)), want: "float32[2,3,1]"},
	{op: "GlobalMaxPool", in: list(f32(2, 3)), err: "expected rank at least 3"},
}

func TestSamePadding(t *testing.T) {
	for _, c := range []struct {
		auto string
		pads ir.Shape
	}{
		{"SAME_UPPER", ir.Shape{0, 1, 1, 2}},
		{"SAME_LOWER", ir.Shape{1, 2, 0, 1}},
	} {
		node := &ir.Node{Attrs: with(window(nil, dims(2, 1), nil, dims(1, 1)), "auto_pad", c.auto)}
		// 8 rows by stride 2 with a kernel of 3 lack one row; 8 columns by stride 1 with a kernel of 4 lack three.
		win, err := WindowOf(node, dims(3, 4), dims(8, 8))
		if err != nil {
			t.Fatal(err)
		}
		if !ir.Shape(win.Pads).Equal(c.pads) {
			t.Errorf("%s: expected pads %v, found %v", c.auto, c.pads, win.Pads)
		}
	}
}
