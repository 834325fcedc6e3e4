package op

import (
	"slices"
	"testing"

	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

func factors(v ...float32) *ir.Value { return constant(tensor.Vector(v...)) }

var resizeCases = []inferCase{
	{op: "Resize", in: list(f32(n, 3, 4, 5), nil, factors(1, 1, 2, 0.5)), want: "float32[N,3,8,2]"},
	{op: "Resize", in: list(f32(n, 3, 4, 5), nil, nil, ints(8, 8)), attrs: ir.Attrs{"axes": []int64{3, 2}}, want: "float32[N,3,8,8]"},
	{
		op: "Resize", in: list(f32(1, 3, 4, 6), nil, nil, ints(8, 9)), want: "float32[1,3,6,9]",
		attrs: ir.Attrs{"axes": []int64{2, 3}, "keep_aspect_ratio_policy": "not_larger"},
	},
	{op: "Resize", in: list(val(tensor.Uint8, 1, 2), nil, factors(1, 2)), want: "uint8[1,4]"},
	{op: "Resize", in: list(f32(n, 4), nil, factors(2, 1)), err: "axis 0 is symbolic and cannot be scaled by 2"},
	{op: "Resize", in: list(f32(2, 4), nil, nil, ints(2)), err: "expected either 2 scales or as many sizes, found 0 and 1"},
	{op: "Resize", in: list(f32(2, 4), nil, factors(1, 0)), err: "scale 0 of axis 1 must be positive"},
	{op: "Resize", in: list(f32(2, 4), nil, factors(1, 1e9)), err: "axis 1 cannot be resized from 4 to 2147483648"},
	{op: "Resize", in: list(f32(2, 4), nil, f32(2)), err: "scales must be constant"},
	{
		op: "Resize", in: list(f32(4), nil, factors(2)), attrs: ir.Attrs{"coordinate_transformation_mode": "tf_crop_and_resize"},
		err: "roi: expected 2 numbers, found 0",
	},
	{op: "ConvTranspose", in: list(f32(n, 1, 3, 3), f32(1, 2, 3, 3)), attrs: ir.Attrs{"auto_pad": "SAME_UPPER", "strides": []int64{2, 2}}, want: "float32[N,2,6,6]"},
	{op: "ConvTranspose", in: list(f32(n, 1, 3, 3), f32(1, 2, 3, 3)), attrs: ir.Attrs{"output_shape": []int64{10, 8}, "strides": []int64{3, 2}}, want: "float32[N,2,10,8]"},
	{op: "ConvTranspose", in: list(f32(n, 1, 3, 3), f32(1, 2, 3, 3)), attrs: ir.Attrs{"output_shape": []int64{10}}, err: "output_padding [0 0] and output_shape [10] do not fit 2 spatial axes"},
}

// TestInterpolation compares weights with those of the worked examples of ONNX's text for Resize.
func TestInterpolation(t *testing.T) {
	node := inferCase{
		op: "Resize", in: list(f32(4), nil, factors(0.5)), attrs: ir.Attrs{"mode": "linear", "antialias": int64(1)},
	}.node(1)
	axes, _, err := interpolations(node)
	if err != nil {
		t.Fatal(err)
	}
	// Output 0 stands at 0.5; the triangle of width 4 weighs -1 (the edge), 0, 1 and 2.
	if p := axes[0]; !slices.Equal(p.at[0], []int64{0, 0, 1, 2}) || !slices.Equal(p.weights[0], []float64{0.125, 0.375, 0.375, 0.125}) {
		t.Errorf("output 0 takes %v of %v", p.weights[0], p.at[0])
	}
}
