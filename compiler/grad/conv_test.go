package grad

import "rnas/compiler/ir"

// window is the geometry of a convolution or pooling; nil parts are left to the defaults.
func window(kernel, strides, pads, dilations []int64, group int64) ir.Attrs {
	a := ir.Attrs{}
	for name, v := range map[string][]int64{"kernel_shape": kernel, "strides": strides, "pads": pads, "dilations": dilations} {
		if v != nil {
			a[name] = v
		}
	}
	if group != 1 {
		a["group"] = group
	}
	return a
}

func with(a ir.Attrs, name string, v any) ir.Attrs {
	a[name] = v
	return a
}

func dims(v ...int64) []int64 { return v }

// convRows covers dense, grouped and depthwise weights, with and without a channel multiplier, over strides 1 to 3,
// dilations, even and flat kernels, inputs that the stride does not divide, asymmetric pads, and pads wider than the
// reach of the kernel (where the adjoint of stride 1 would need negative pads).
func convRows() []row {
	rows := []row{
		{op: "Conv", in: args(x(2, 2, 4, 4), x(3, 2, 3, 3), x(3)), attrs: window(dims(3, 3), nil, dims(1, 1, 1, 1), nil, 1)},
		{op: "Conv", in: args(x(2, 2, 5, 4), x(3, 2, 3, 3))},
		{op: "Conv", in: args(x(2, 2, 5, 4), x(3, 2, 3, 3), none())},
		{op: "Conv", in: args(x(2, 2, 5, 4), x(2, 2, 2, 2)), attrs: window(nil, nil, dims(0, 1, 1, 0), nil, 1)},
		{op: "Conv", in: args(x(1, 2, 4, 4), x(2, 2, 1, 3)), attrs: window(nil, nil, dims(2, 0, 1, 3), nil, 1)},
		{op: "Conv", in: args(x(1, 2, 3, 4), x(2, 2, 2, 2)), attrs: window(nil, nil, dims(0, 1, 2, 2), nil, 1)},
		{op: "Conv", in: args(x(1, 2, 3, 3), x(2, 2, 2, 2)), attrs: window(nil, dims(2, 1), dims(3, 2, 2, 3), nil, 1)},
		{op: "Conv", in: args(x(2, 2, 4, 4), x(3, 2, 1, 1))},
		{op: "Conv", in: args(x(2, 2, 4, 5), x(3, 2, 1, 1), x(3)), attrs: window(nil, dims(2, 2), nil, nil, 1)},
		{op: "Conv", in: args(x(2, 2, 5, 5), x(3, 2, 1, 1)), attrs: window(nil, dims(2, 3), nil, nil, 1)},
		{op: "Conv", in: args(x(2, 2, 3, 3), x(3, 2, 1, 1)), attrs: window(nil, nil, dims(1, 1, 0, 1), nil, 1)},
		{op: "Conv", in: args(x(1, 2, 3, 8), x(2, 2, 1, 7)), attrs: window(nil, nil, dims(0, 3, 0, 3), nil, 1)},
		{op: "Conv", in: args(x(1, 2, 8, 3), x(2, 2, 7, 1)), attrs: window(nil, nil, dims(3, 0, 3, 0), nil, 1)},
		{op: "Conv", in: args(x(1, 2, 3, 9), x(2, 2, 1, 7)), attrs: window(nil, dims(1, 2), dims(0, 3, 0, 3), nil, 1)},
		{op: "Conv", in: args(x(2, 2, 7), x(2, 2, 3), x(2)), attrs: window(nil, dims(3), dims(2, 1), dims(2), 1)},
		{op: "Conv", in: args(x(1, 2, 3, 3, 3), x(2, 2, 2, 2, 2)), attrs: window(nil, dims(2, 1, 1), dims(1, 0, 0, 1, 0, 1), nil, 1)},
		{op: "Conv", in: args(x(1, 1, 5, 6), x(2, 1, 3, 3)), attrs: with(window(nil, dims(2, 2), nil, nil, 1), "auto_pad", "SAME_UPPER")},
		{op: "Conv", in: args(x(1, 1, 5, 6), x(2, 1, 2, 4)), attrs: with(window(nil, nil, nil, nil, 1), "auto_pad", "SAME_LOWER")},

		{op: "ConvTranspose", in: args(x(2, 2, 3, 3), x(2, 3, 3, 3), x(3))},
		{op: "ConvTranspose", in: args(x(2, 2, 3, 3), x(2, 3, 3, 3)), attrs: window(nil, dims(2, 2), dims(1, 1, 1, 1), nil, 1)},
		{op: "ConvTranspose", in: args(x(2, 2, 3, 3), x(2, 3, 3, 3)), attrs: with(window(dims(3, 3), dims(2, 3), dims(1, 0, 1, 1), nil, 1), "output_padding", dims(1, 2))},
		{op: "ConvTranspose", in: args(x(2, 4, 3, 2), x(4, 2, 2, 3), x(4)), attrs: with(window(nil, dims(2, 2), nil, nil, 2), "output_padding", dims(1, 0))},
		{op: "ConvTranspose", in: args(x(2, 3, 3, 3), x(3, 1, 3, 3)), attrs: window(nil, dims(2, 2), dims(1, 1, 1, 1), nil, 3)},
		{op: "ConvTranspose", in: args(x(2, 2, 3, 3), x(2, 2, 1, 1)), attrs: with(window(nil, dims(2, 2), nil, nil, 1), "output_padding", dims(1, 1))},
		{op: "ConvTranspose", in: args(x(1, 2, 3, 3), x(2, 1, 2, 2)), attrs: window(nil, nil, dims(0, 1, 0, 1), dims(2, 2), 1)},
		{op: "ConvTranspose", in: args(x(1, 2, 3, 3), x(2, 2, 3, 3), x(2)), attrs: ir.Attrs{"strides": dims(2, 2), "auto_pad": "SAME_UPPER"}},
		{op: "ConvTranspose", in: args(x(1, 2, 3, 3), x(2, 2, 3, 2)), attrs: ir.Attrs{"strides": dims(3, 2), "auto_pad": "SAME_LOWER"}},
		{op: "ConvTranspose", in: args(x(1, 2, 3, 3), x(2, 1, 3, 3), x(2)), attrs: ir.Attrs{"strides": dims(3, 2), "output_shape": dims(10, 6), "group": int64(2)}},
		// PyTorch allows an output padding below the dilation, even where it is not below the stride.
		{op: "ConvTranspose", in: args(x(1, 2, 3), x(2, 2, 2)), attrs: with(window(nil, nil, nil, dims(3), 1), "output_padding", dims(2))},
		{op: "ConvTranspose", in: args(x(1, 2, 3), x(2, 1, 2)), attrs: with(window(nil, dims(2), nil, dims(3), 1), "output_padding", dims(2))},
	}
	weights := []struct {
		in, group int64
		weight    []int64
	}{
		{3, 1, dims(2, 3)},
		{4, 2, dims(6, 2)},
		{3, 3, dims(3, 1)},
		{2, 2, dims(4, 1)},
	}
	for _, w := range weights {
		for stride := int64(1); stride <= 3; stride++ {
			for dilation := int64(1); dilation <= 2; dilation++ {
				rows = append(rows, row{
					op: "Conv", in: args(x(2, w.in, 6, 5), x(append(w.weight, 3, 2)...)),
					attrs: window(nil, dims(stride, stride), dims(1, 0, 2, 1), dims(dilation, dilation), w.group),
				})
			}
		}
	}
	return rows
}
