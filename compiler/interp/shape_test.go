package interp

import (
	"math"
	"testing"

	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

func TestShapes(t *testing.T) {
	x := matrix(2, 3, 1, 2, 3, 4, 5, 6)
	axis := func(a int64) ir.Attrs { return ir.Attrs{"axis": a} }
	out := func(shape []int64, v ...float64) []*tensor.Tensor { return []*tensor.Tensor{tensor.Of(shape, v...)} }
	six := []float64{1, 2, 3, 4, 5, 6}
	runCases(t, []opCase{
		{op: "Reshape", operands: []any{x, ints(-1, 2)}, want: out([]int64{3, 2}, six...)},
		{op: "Reshape", name: "copy", operands: []any{x, ints(0, 1, -1)}, want: out([]int64{2, 1, 3}, six...)},
		{op: "Reshape", name: "zero", attrs: ir.Attrs{"allowzero": int64(1)}, operands: []any{matrix(2, 0), ints(3, 0)}, want: out([]int64{3, 0})},
		{op: "Flatten", operands: []any{tensor.Of([]int64{1, 2, 3}, six...)}, want: out([]int64{1, 6}, six...)},
		{op: "Flatten", name: "axis 0", attrs: axis(0), operands: []any{x}, want: out([]int64{1, 6}, six...)},
		{op: "Flatten", name: "negative", attrs: axis(-1), operands: []any{x}, want: out([]int64{2, 3}, six...)},
		{op: "Transpose", operands: []any{x}, want: out([]int64{3, 2}, 1, 4, 2, 5, 3, 6)},
		{op: "Transpose", name: "perm", attrs: ir.Attrs{"perm": []int64{1, 2, 0}}, operands: []any{tensor.Of([]int64{2, 1, 3}, six...)}, want: out([]int64{1, 3, 2}, 1, 4, 2, 5, 3, 6)},
		{op: "Concat", attrs: axis(-1), operands: []any{x, matrix(2, 1, 8, 9)}, want: out([]int64{2, 4}, 1, 2, 3, 8, 4, 5, 6, 9)},
		{op: "Concat", name: "integers", attrs: axis(0), operands: []any{tensor.Vector[int64](1), tensor.Vector[int64](2, 3)}, want: []*tensor.Tensor{tensor.Vector[int64](1, 2, 3)}},
		{op: "Split", attrs: axis(1), operands: []any{x, ints(1, 0, 2)}, want: []*tensor.Tensor{matrix(2, 1, 1, 4), matrix(2, 0), matrix(2, 2, 2, 3, 5, 6)}},
		{op: "Split", name: "even", attrs: ir.Attrs{"num_outputs": int64(2)}, operands: []any{floats(1, 2, 3)}, want: []*tensor.Tensor{floats(1, 2), floats(3)}},
		{op: "Slice", operands: []any{x, ints(0), ints(math.MaxInt64), ints(1), ints(2)}, want: out([]int64{2, 2}, 1, 3, 4, 6)},
		{op: "Slice", name: "default axes", operands: []any{x, ints(1, -2), ints(2, -1)}, want: out([]int64{1, 1}, 5)},
		{op: "Slice", name: "reversed", operands: []any{x, ints(-1, 5), ints(math.MinInt64, 0), ints(0, 1), ints(-1, -1)}, want: out([]int64{2, 2}, 6, 5, 3, 2)},
		{op: "Slice", name: "nothing", operands: []any{x, ints(2), ints(1), ints(1)}, want: out([]int64{2, 0})},
		{op: "Squeeze", operands: []any{tensor.Of([]int64{1, 2, 1}, 1.0, 2)}, want: out([]int64{2}, 1, 2)},
		{op: "Squeeze", name: "axes", operands: []any{tensor.Of([]int64{1, 2, 1}, 1.0, 2), ints(-1)}, want: out([]int64{1, 2}, 1, 2)},
		{op: "Unsqueeze", operands: []any{floats(1, 2), ints(0, -1)}, want: out([]int64{1, 2, 1}, 1, 2)},
		{op: "Expand", operands: []any{matrix(2, 1, 1, 2), ints(2, 1, 3)}, want: out([]int64{2, 2, 3}, 1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2)},
		{op: "Expand", name: "keeps", operands: []any{x, ints(1)}, want: out([]int64{2, 3}, six...)},
		{op: "Pad", operands: []any{x, ints(0, 1, 1, -1), konst{tensor.Scalar(7.0)}}, want: out([]int64{3, 3}, 7, 1, 2, 7, 4, 5, 7, 7, 7)},
		{op: "Pad", name: "axes", operands: []any{x, ints(1, 0), nil, ints(-1)}, want: out([]int64{2, 4}, 0, 1, 2, 3, 0, 4, 5, 6)},
		{op: "Pad", name: "reflect", attrs: ir.Attrs{"mode": "reflect"}, operands: []any{floats(1, 2, 3), ints(2, 3)}, want: out([]int64{8}, 3, 2, 1, 2, 3, 2, 1, 2)},
		{op: "Pad", name: "edge", attrs: ir.Attrs{"mode": "edge"}, operands: []any{floats(1, 2, 3), ints(2, -1)}, want: out([]int64{4}, 1, 1, 1, 2)},
		{op: "Pad", name: "crop", operands: []any{floats(1, 2, 3), ints(-1, -1)}, want: out([]int64{1}, 2)},
		{op: "Shape", operands: []any{x}, want: []*tensor.Tensor{tensor.Vector[int64](2, 3)}},
		{op: "Shape", name: "part", attrs: ir.Attrs{"start": int64(-1), "end": int64(9)}, operands: []any{x}, want: []*tensor.Tensor{tensor.Vector[int64](3)}},
		{op: "ConstantOfShape", operands: []any{ints(2)}, want: out([]int64{2}, 0, 0)},
		{op: "ConstantOfShape", name: "value", attrs: ir.Attrs{"value": tensor.Vector[int32](7)}, operands: []any{ints(1, 2)}, want: []*tensor.Tensor{tensor.Of[int32]([]int64{1, 2}, 7, 7)}},
	})
}

func TestSliceRange(t *testing.T) {
	for _, c := range []struct{ start, end, step, d, first, count int64 }{
		{0, 5, math.MaxInt64, 5, 0, 1},
		{4, math.MinInt64, math.MinInt64, 5, 4, 1},
		{-9, math.MinInt64, -1, 5, 0, 1}, // the start is clamped to 0 for negative steps
		{9, 0, -2, 5, 4, 2},
		{1, 4, 2, 5, 1, 2},
		{0, 9, 1, 0, 0, 0},
	} {
		first, count, err := sliceRange(c.start, c.end, c.step, c.d)
		if err != nil || first != c.first || count != c.count {
			t.Errorf("%+v: got %d, %d, %v", c, first, count, err)
		}
	}
	if _, _, err := sliceRange(0, 1, 0, 1); err == nil {
		t.Error("step 0 accepted")
	}
}

func TestSelect(t *testing.T) {
	x := matrix(2, 3, 1, 2, 3, 4, 5, 6)
	axis := func(a int64) ir.Attrs { return ir.Attrs{"axis": a} }
	index := func(rows, columns int64, v ...int64) *tensor.Tensor { return tensor.Of([]int64{rows, columns}, v...) }
	out := func(shape []int64, v ...float64) []*tensor.Tensor { return []*tensor.Tensor{tensor.Of(shape, v...)} }
	scattered := func(reduction string, updates, want []float64) opCase {
		return opCase{
			op: "ScatterElements", name: reduction, attrs: ir.Attrs{"reduction": reduction},
			operands: []any{floats(1, 2, 3), tensor.Vector[int64](1, -2, 2), floats(updates...)}, want: []*tensor.Tensor{floats(want...)},
		}
	}
	offOn := konst{floats(-1, 7)}
	runCases(t, []opCase{
		{op: "Gather", attrs: axis(1), operands: []any{x, index(1, 2, 2, -3)}, want: out([]int64{2, 1, 2}, 3, 1, 6, 4)},
		{op: "Gather", name: "scalar", operands: []any{x, konst{tensor.Scalar(int64(-1))}}, want: out([]int64{3}, 4, 5, 6)},
		{op: "GatherElements", attrs: axis(1), operands: []any{x, index(1, 4, 2, 0, -1, 1)}, want: out([]int64{1, 4}, 3, 1, 3, 2)},
		{op: "GatherElements", name: "axis 0", operands: []any{x, index(1, 2, 1, 0)}, want: out([]int64{1, 2}, 4, 2)},
		{op: "ScatterElements", attrs: axis(1), operands: []any{x, index(2, 1, 2, 0), matrix(2, 1, 8, 9)}, want: out([]int64{2, 3}, 1, 2, 8, 9, 5, 6)},
		scattered("none", []float64{5, 6, 7}, []float64{1, 6, 7}),
		scattered("add", []float64{5, 6, 7}, []float64{1, 13, 10}),
		scattered("mul", []float64{5, 6, 7}, []float64{1, 60, 21}),
		scattered("max", []float64{5, nan, 1}, []float64{1, nan, 3}),
		scattered("min", []float64{0, 6, 7}, []float64{1, 0, 3}),
		{op: "OneHot", operands: []any{tensor.Vector[int64](0, -1, 3, -4), ints(3), offOn}, want: out([]int64{4, 3}, 7, -1, -1, -1, -1, 7, -1, -1, -1, -1, -1, -1)},
		{op: "OneHot", name: "axis 0", attrs: axis(0), operands: []any{tensor.Vector[int64](1, 0), ints(2), offOn}, want: out([]int64{2, 2}, -1, 7, 7, -1)},
	})
}
