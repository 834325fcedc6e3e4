package interp

import (
	"testing"

	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

func TestLinalg(t *testing.T) {
	i64 := func(v ...int64) *tensor.Tensor { return tensor.Vector(v...) }
	both := ir.Attrs{"exclusive": int64(1), "reverse": int64(1)}
	want := func(v ...*tensor.Tensor) []*tensor.Tensor { return v }
	runCases(t, []opCase{
		{op: "CumSum", operands: []any{matrix(2, 3, 1, 2, 3, 4, 5, 6), ints(0)}, want: want(matrix(2, 3, 1, 2, 3, 5, 7, 9))},
		{op: "CumSum", name: "exclusive, reverse", attrs: both, operands: []any{floats(1, 2, 3), ints(-1)}, want: want(floats(5, 3, 0))},
		{op: "CumProd", operands: []any{i64(2, 3, 4), ints(0)}, want: want(i64(2, 6, 24))},
		{op: "CumProd", name: "exclusive, reverse", attrs: both, operands: []any{floats(2, 3, 4), ints(0)}, want: want(floats(12, 4, 1))},
		{op: "Det", operands: []any{matrix(3, 3, 0, 2, 1, 1, 0, 0, 3, 5, 7)}, want: want(tensor.Scalar(-9.0))},
		{op: "Det", name: "singular", operands: []any{matrix(2, 2, 1, 2, 2, 4)}, want: want(tensor.Scalar(0.0))},
		{op: "Trilu", operands: []any{matrix(2, 3, 1, 2, 3, 4, 5, 6)}, want: want(matrix(2, 3, 1, 2, 3, 0, 5, 6))},
		{op: "Trilu", name: "lower", attrs: ir.Attrs{"upper": int64(0)}, operands: []any{matrix(2, 3, 1, 2, 3, 4, 5, 6), ints(1)}, want: want(matrix(2, 3, 1, 2, 0, 4, 5, 6))},
		{op: "EyeLike", attrs: ir.Attrs{"k": int64(1)}, operands: []any{matrix(2, 2, 7, 7, 7, 7)}, want: want(matrix(2, 2, 0, 1, 0, 0))},
		{op: "Einsum", attrs: ir.Attrs{"equation": "ij,jk"}, operands: []any{matrix(2, 2, 1, 2, 3, 4), matrix(2, 1, 5, 6)}, want: want(matrix(2, 1, 17, 39))},
		{op: "Einsum", name: "trace", attrs: ir.Attrs{"equation": "ii"}, operands: []any{matrix(2, 2, 1, 2, 3, 4)}, want: want(tensor.Scalar(5.0))},
		{op: "Einsum", name: "broadcast", attrs: ir.Attrs{"equation": "...,..."}, operands: []any{matrix(2, 1, 1, 2), floats(3, 4)}, want: want(matrix(2, 2, 3, 4, 6, 8))},
	})
}
