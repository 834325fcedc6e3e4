package interp

import (
	"slices"
	"testing"

	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

func TestTilesAndTuples(t *testing.T) {
	i64 := func(v ...int64) *tensor.Tensor { return tensor.Vector(v...) }
	want := func(v ...*tensor.Tensor) []*tensor.Tensor { return v }
	ids := func(rows, cols int64, v ...int64) konst { return konst{tensor.Of([]int64{rows, cols}, v...)} }
	image := func(c, h, w int64, v ...float64) *tensor.Tensor { return tensor.Of([]int64{1, c, h, w}, v...) }
	mode := func(name, v string) ir.Attrs { return ir.Attrs{name: v} }
	runCases(t, []opCase{
		{op: "Tile", operands: []any{matrix(1, 2, 1, 2), ints(2, 2)}, want: want(matrix(2, 4, 1, 2, 1, 2, 1, 2, 1, 2))},
		{op: "DepthToSpace", attrs: ir.Attrs{"blocksize": int64(2)}, operands: []any{image(8, 1, 1, 0, 1, 2, 3, 4, 5, 6, 7)}, want: want(image(2, 2, 2, 0, 2, 4, 6, 1, 3, 5, 7))},
		{op: "DepthToSpace", name: "CRD", attrs: ir.Attrs{"blocksize": int64(2), "mode": "CRD"}, operands: []any{image(8, 1, 1, 0, 1, 2, 3, 4, 5, 6, 7)}, want: want(image(2, 2, 2, 0, 1, 2, 3, 4, 5, 6, 7))},
		{op: "SpaceToDepth", attrs: ir.Attrs{"blocksize": int64(2)}, operands: []any{image(2, 2, 2, 0, 2, 4, 6, 1, 3, 5, 7)}, want: want(image(8, 1, 1, 0, 1, 2, 3, 4, 5, 6, 7))},
		{op: "ReverseSequence", operands: []any{matrix(3, 2, 1, 2, 3, 4, 5, 6), ints(2, 3)}, want: want(matrix(3, 2, 3, 6, 1, 4, 5, 2))},
		{op: "Size", operands: []any{matrix(2, 2, 1, 2, 3, 4)}, want: want(tensor.Scalar[int64](4))},
		{op: "Range", operands: []any{konst{tensor.Scalar(3.0)}, konst{tensor.Scalar(0.0)}, konst{tensor.Scalar(-1.25)}}, want: want(floats(3, 1.75, 0.5))},
		{op: "NonZero", operands: []any{konst{matrix(2, 2, 1, 0, nan, 4)}}, want: want(tensor.Of([]int64{2, 3}, int64(0), 1, 1, 0, 0, 1))},
		{op: "Compress", operands: []any{matrix(2, 2, 1, 2, 3, 4), konst{tensor.Vector(false, true, true)}}, want: want(floats(2, 3))},
		{op: "Compress", name: "axis", attrs: ir.Attrs{"axis": int64(1)}, operands: []any{matrix(2, 2, 1, 2, 3, 4), konst{tensor.Vector(false, true)}}, want: want(matrix(2, 1, 2, 4))},
		{op: "Unique", operands: []any{konst{floats(3, 1, 3, 2)}}, want: want(floats(1, 2, 3), i64(1, 3, 0), i64(2, 0, 2, 1), i64(1, 1, 2))},
		{op: "Unique", name: "unsorted", attrs: ir.Attrs{"sorted": int64(0)}, operands: []any{konst{floats(3, 1, 3, 2)}}, want: want(floats(3, 1, 2), i64(0, 1, 3), i64(0, 1, 0, 2), i64(2, 1, 1))},
		{op: "Unique", name: "rows", attrs: ir.Attrs{"axis": int64(0)}, operands: []any{konst{matrix(3, 2, 1, 2, 0, 5, 1, 2)}}, want: want(matrix(2, 2, 0, 5, 1, 2), i64(1, 0), i64(1, 0, 1), i64(1, 2))},
		{op: "GatherND", operands: []any{matrix(2, 2, 1, 2, 3, 4), ids(2, 2, 1, 0, -1, -1)}, want: want(floats(3, 4))},
		{op: "GatherND", name: "batch", attrs: ir.Attrs{"batch_dims": int64(1)}, operands: []any{matrix(2, 2, 1, 2, 3, 4), ids(2, 1, 1, 0)}, want: want(floats(2, 3))},
		{op: "ScatterND", attrs: mode("reduction", "add"), operands: []any{floats(1, 2, 3), ids(3, 1, 0, 2, 0), floats(10, 20, 30)}, want: want(floats(41, 2, 23))},
		{op: "ScatterND", name: "max", attrs: mode("reduction", "max"), operands: []any{i64(1, 2, 3), ids(2, 1, 0, 2), i64(9, 2)}, want: want(i64(9, 2, 3))},
		{
			op: "TensorScatter", attrs: mode("mode", "circular"),
			operands: []any{tensor.Of([]int64{2, 3, 1}, 1.0, 2, 3, 4, 5, 6), tensor.Of([]int64{2, 2, 1}, 7.0, 8, 9, 10), ints(0, 2)},
			want:     want(tensor.Of([]int64{2, 3, 1}, 7.0, 8, 3, 10, 5, 9)),
		},
		{op: "Pad", name: "wrap", attrs: mode("mode", "wrap"), operands: []any{floats(1, 2, 3), ints(4, 2)}, want: want(floats(3, 1, 2, 3, 1, 2, 3, 1, 2))},
		{op: "OneHot", name: "floats", operands: []any{floats(1, -1), konst{tensor.Scalar(2.0)}, konst{floats(0, 1)}}, want: want(matrix(2, 2, 0, 1, 0, 1))},
	})
}

// TestIndexErrors: places outside the data are errors.
func TestIndexErrors(t *testing.T) {
	for _, c := range []opCase{
		{op: "GatherND", operands: []any{floats(1, 2), konst{tensor.Of([]int64{1, 1}, int64(2))}}},
		{op: "ScatterND", operands: []any{floats(1, 2), konst{tensor.Of([]int64{1, 1}, int64(-3))}, floats(1)}},
		{op: "TensorScatter", operands: []any{tensor.Of([]int64{1, 2, 1}, 1.0, 2), tensor.Of([]int64{1, 2, 1}, 1.0, 2), ints(1)}},
		{op: "ReverseSequence", operands: []any{matrix(2, 1, 1, 2), ints(3)}},
	} {
		g, data, err := single(c.op, c.attrs, 1, c.operands...)
		if err != nil {
			t.Fatal(err)
		}
		if out, err := RunOrdered(g, data...); err == nil {
			t.Errorf("%s: expected an error, found %v", c.op, slices.Collect(slices.Values(out)))
		}
	}
}
