package grad

import (
	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

func numbers(v ...float64) arg { return arg{fixed: tensor.Vector(v...)} }

func resized(mode, coordinates string, more ir.Attrs) ir.Attrs {
	a := ir.Attrs{"mode": mode, "coordinate_transformation_mode": coordinates}
	for _, name := range more.Names() {
		a[name] = more[name]
	}
	return a
}

var resizeRows = []row{
	{op: "Resize", in: args(x(2, 2, 2, 3), none(), numbers(1, 1, 2, 2))},
	{op: "Resize", in: args(x(1, 2, 4, 5), none(), none(), ints(1, 2, 3, 7)), attrs: resized("nearest", "asymmetric", ir.Attrs{"nearest_mode": "floor"})},
	{op: "Resize", in: args(x(1, 2, 3, 4), none(), numbers(1, 1, 2, 1.5)), attrs: resized("linear", "half_pixel", nil)},
	{op: "Resize", in: args(x(1, 2, 3, 4), none(), none(), ints(1, 2, 5, 3)), attrs: resized("linear", "align_corners", nil)},
	{op: "Resize", in: args(x(1, 1, 6, 5), none(), none(), ints(3, 2)), attrs: resized("linear", "pytorch_half_pixel", ir.Attrs{"antialias": int64(1), "axes": dims(2, 3)})},
	{op: "Resize", in: args(x(1, 2, 4, 4), none(), numbers(1, 1, 1.5, 0.8)), attrs: resized("cubic", "half_pixel", nil)},
	{op: "Resize", in: args(x(1, 1, 6, 6), none(), numbers(1, 1, 0.5, 0.6)), attrs: resized("cubic", "asymmetric", ir.Attrs{"exclude_outside": int64(1), "antialias": int64(1)})},
	{op: "Resize", in: args(x(1, 2, 4, 4), numbers(0, 0, 0.4, -0.2, 1, 1, 0.6, 1.1), none(), ints(1, 2, 3, 3)), attrs: resized("linear", "tf_crop_and_resize", ir.Attrs{"extrapolation_value": float32(3)})},
	{op: "Resize", in: args(x(1, 2, 3), none(), none(), ints(7, 6)), attrs: resized("linear", "half_pixel_symmetric", ir.Attrs{"axes": dims(-2, -1), "keep_aspect_ratio_policy": "not_larger"})},
	{op: "Resize", in: args(x(2, 3, 2), none(), numbers(2, 1, 1)), attrs: resized("linear", "half_pixel", nil)},
	{op: "Resize", in: args(x(3), none(), numbers(2)), attrs: resized("linear", "half_pixel", nil)},
}
