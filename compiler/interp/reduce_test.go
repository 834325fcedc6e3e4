package interp

import (
	"math"
	"testing"

	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

func TestReduce(t *testing.T) {
	x := tensor.Of([]int64{2, 2, 2}, 1.0, -2, 3, 4, -5, 6, 7, 0)
	keep, drop := ir.Attrs{"keepdims": int64(1)}, ir.Attrs{"keepdims": int64(0)}
	noop := ir.Attrs{"noop_with_empty_axes": int64(1)}
	cube := func(v ...float64) []*tensor.Tensor { return []*tensor.Tensor{tensor.Of([]int64{2, 2, 2}, v...)} }
	square := func(v ...float64) []*tensor.Tensor { return []*tensor.Tensor{matrix(2, 2, v...)} }
	runCases(t, []opCase{
		{op: "ReduceSum", attrs: drop, operands: []any{x, ints(0)}, want: square(-4, 4, 10, 4)},
		{op: "ReduceSum", name: "middle", attrs: keep, operands: []any{x, ints(1)}, want: []*tensor.Tensor{tensor.Of([]int64{2, 1, 2}, 4.0, 2, 2, 6)}},
		{op: "ReduceSum", name: "outer and inner", attrs: drop, operands: []any{x, ints(-1, 0)}, want: []*tensor.Tensor{floats(0, 14)}},
		{op: "ReduceSum", name: "all", attrs: drop, operands: []any{x}, want: []*tensor.Tensor{tensor.Scalar(14.0)}},
		{op: "ReduceSum", name: "noop", attrs: noop, operands: []any{x}, want: cube(1, -2, 3, 4, -5, 6, 7, 0)},
		{op: "ReduceSum", name: "noop with axes", attrs: noop, operands: []any{floats(1, 2), ints(0)}, want: []*tensor.Tensor{floats(3)}},
		{op: "ReduceSum", name: "empty", attrs: drop, operands: []any{matrix(2, 0), ints(1)}, want: []*tensor.Tensor{floats(0, 0)}},
		{op: "ReduceMean", attrs: drop, operands: []any{x, ints(2)}, want: square(-0.5, 3.5, 0.5, 3.5)},
		{op: "ReduceMean", name: "empty", attrs: drop, operands: []any{floats(), ints(0)}, want: []*tensor.Tensor{tensor.Scalar(nan)}},
		{op: "ReduceMax", attrs: drop, operands: []any{x, ints(1)}, want: square(3, 4, 7, 6)},
		{op: "ReduceMax", name: "nan", operands: []any{floats(1, nan, inf)}, want: []*tensor.Tensor{floats(nan)}},
		{op: "ReduceMax", name: "empty", operands: []any{floats()}, want: []*tensor.Tensor{floats(-inf)}},
		{op: "ReduceMin", attrs: drop, operands: []any{x, ints(1)}, want: square(1, -2, -5, 0)},
		{op: "ReduceMin", name: "nan", operands: []any{floats(1, nan, -inf)}, want: []*tensor.Tensor{floats(nan)}},
		{op: "ReduceProd", attrs: drop, operands: []any{x, ints(2)}, want: square(-2, 12, -30, 0)},
		{op: "ReduceProd", name: "empty", operands: []any{floats()}, want: []*tensor.Tensor{floats(1)}},
		{op: "ReduceL1", attrs: drop, operands: []any{x, ints(2)}, want: square(3, 7, 11, 7)},
		{op: "ReduceL2", attrs: drop, operands: []any{x, ints(2)}, want: square(math.Sqrt(5), 5, math.Sqrt(61), 7)},
		{op: "ReduceSumSquare", attrs: drop, operands: []any{x, ints(2)}, want: square(5, 25, 61, 49)},
		{op: "ReduceLogSum", operands: []any{floats(2, 3, 5)}, want: []*tensor.Tensor{floats(math.Log(10))}},
		{op: "ReduceLogSumExp", operands: []any{floats(1000, 1000)}, want: []*tensor.Tensor{floats(1000 + math.Ln2)}},
		{op: "ReduceLogSumExp", name: "nothing", operands: []any{floats(-inf, -inf)}, want: []*tensor.Tensor{floats(-inf)}},
		{op: "ReduceLogSumExp", name: "infinite", operands: []any{floats(inf, 1)}, want: []*tensor.Tensor{floats(inf)}},
		{op: "Softmax", operands: []any{matrix(2, 2, 0, math.Log(3), 1000, 1000)}, want: square(0.25, 0.75, 0.5, 0.5)},
		{op: "Softmax", name: "first axis", attrs: ir.Attrs{"axis": int64(0)}, operands: []any{matrix(2, 2, 0, 5, math.Log(3), 5)}, want: square(0.25, 0.5, 0.75, 0.5)},
		{op: "Softmax", name: "infinite", operands: []any{floats(-inf, 0, nan)}, want: []*tensor.Tensor{floats(nan, nan, nan)}},
		{op: "LogSoftmax", operands: []any{floats(-2000, math.Log(3), 0, -inf)}, want: []*tensor.Tensor{floats(-2000-math.Log(4), math.Log(0.75), math.Log(0.25), -inf)}},
	})
}

func TestRank(t *testing.T) {
	x := matrix(2, 3, 3, 1, 3, 2, 2, 5)
	index := func(shape []int64, v ...int64) *tensor.Tensor { return tensor.Of(shape, v...) }
	col, vec := []int64{2, 1}, []int64{2}
	runCases(t, []opCase{
		{op: "ArgMax", attrs: ir.Attrs{"axis": int64(1)}, operands: []any{x}, want: []*tensor.Tensor{index(col, 0, 2)}},
		{op: "ArgMax", name: "last", attrs: ir.Attrs{"axis": int64(-1), "select_last_index": int64(1), "keepdims": int64(0)}, operands: []any{x}, want: []*tensor.Tensor{index(vec, 2, 2)}},
		{op: "ArgMax", name: "nan", attrs: ir.Attrs{"keepdims": int64(0)}, operands: []any{floats(5, nan, 9)}, want: []*tensor.Tensor{index(nil, 1)}},
		{op: "ArgMax", name: "axis 0", attrs: ir.Attrs{"keepdims": int64(0)}, operands: []any{x}, want: []*tensor.Tensor{tensor.Vector[int64](0, 1, 1)}},
		{op: "ArgMin", attrs: ir.Attrs{"axis": int64(1)}, operands: []any{x}, want: []*tensor.Tensor{index(col, 1, 0)}},
		{op: "ArgMin", name: "last", attrs: ir.Attrs{"axis": int64(1), "select_last_index": int64(1)}, operands: []any{x}, want: []*tensor.Tensor{index(col, 1, 1)}},
		{op: "ArgMin", name: "integers", operands: []any{tensor.Vector[int64](4, 2, 2)}, want: []*tensor.Tensor{tensor.Vector[int64](1)}},
		{op: "TopK", operands: []any{x, ints(2)}, want: []*tensor.Tensor{matrix(2, 2, 3, 3, 5, 2), index([]int64{2, 2}, 0, 2, 2, 0)}},
		{op: "TopK", name: "smallest", attrs: ir.Attrs{"largest": int64(0)}, operands: []any{x, ints(2)}, want: []*tensor.Tensor{matrix(2, 2, 1, 3, 2, 2), index([]int64{2, 2}, 1, 0, 0, 1)}},
		{op: "TopK", name: "axis 0", attrs: ir.Attrs{"axis": int64(0)}, operands: []any{x, ints(1)}, want: []*tensor.Tensor{matrix(1, 3, 3, 2, 5), index([]int64{1, 3}, 0, 1, 1)}},
		{op: "TopK", name: "nan", operands: []any{floats(1, nan, inf), ints(2)}, want: []*tensor.Tensor{floats(nan, inf), index(vec, 1, 2)}},
		{op: "TopK", name: "none", operands: []any{floats(1), ints(0)}, want: []*tensor.Tensor{floats(), index([]int64{0})}},
		{op: "TopK", name: "integers", operands: []any{tensor.Vector[int64](4, 9, 4), ints(3)}, want: []*tensor.Tensor{tensor.Vector[int64](9, 4, 4), tensor.Vector[int64](1, 0, 2)}},
	})
}
