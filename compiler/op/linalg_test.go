package op

import "rnas/compiler/ir"

func equation(e string) ir.Attrs { return ir.Attrs{"equation": e} }

var linalgCases = []inferCase{
	{op: "CumSum", in: list(f32(n, 3), int0(-1)), attrs: ir.Attrs{"reverse": int64(1)}, want: "float32[N,3]"},
	{op: "CumSum", in: list(f32(2, 3), int0(2)), err: "axis 2 is outside rank 2"},
	{op: "CumSum", in: list(i64(2, 3), i64()), want: "int64[2,3]"},
	{op: "CumProd", in: list(i64(2, 3), ints(1)), want: "int64[2,3]"},
	{op: "CumProd", in: list(i64(2, 3), i64()), err: "axis must be constant"},
	{op: "CumSum", in: list(f32(2, 3), i64(2)), err: "input 1: expected one int32 or int64, found int64[2]"},
	{op: "Det", in: list(f32(n, 3, 3)), want: "float32[N]"},
	{op: "Det", in: list(f64(2, 2)), want: "float64[]"},
	{op: "Det", in: list(f32(2, 3)), err: "expected square matrices"},
	{op: "Det", in: list(i64(2, 2)), err: "expected a floating-point type, found int64"},
	{op: "Trilu", in: list(f32(n, 2, 3)), want: "float32[N,2,3]"},
	{op: "Trilu", in: list(i64(2, 3), i64()), attrs: ir.Attrs{"upper": int64(0)}, want: "int64[2,3]"},
	{op: "Trilu", in: list(f32(3)), err: "expected rank at least 2"},
	{op: "Trilu", in: list(f32(3, 3), f32()), err: "input 1: expected one int32 or int64, found float32[]"},
	{op: "EyeLike", in: list(f32(2, 3)), want: "float32[2,3]"},
	{op: "EyeLike", in: list(f32(2, 3)), attrs: ir.Attrs{"dtype": int64(ir.Int64)}, want: "int64[2,3]"},
	{op: "EyeLike", in: list(f32(2)), err: "expected rank 2"},
	{op: "EyeLike", in: list(f32(2, 2)), attrs: ir.Attrs{"dtype": int64(99)}, err: "attribute dtype: type 99 is not known"},

	{op: "Einsum", in: list(f32(n, 2, 3), f32(3, 4)), attrs: equation("bij,jk->bik"), want: "float32[N,2,4]"},
	{op: "Einsum", in: list(f32(n, 2, 3), f32(4, 3)), attrs: equation("...j, kj -> ...k"), want: "float32[N,2,4]"},
	{op: "Einsum", in: list(f32(5, 1, 2, 3), f32(4, 3, 2)), attrs: equation("...ij,...jk"), want: "float32[5,4,2,2]"},
	{op: "Einsum", in: list(f32(2, 3), f32(3, 4)), attrs: equation("ca,ab"), want: "float32[4,2]"},
	{op: "Einsum", in: list(f32(3, 3)), attrs: equation("ii"), want: "float32[]"},
	{op: "Einsum", in: list(f32(2, 3)), attrs: equation("ij,jk->ik"), err: `equation "ij,jk->ik" has 2 terms for 1 inputs`},
	{op: "Einsum", in: list(f32(2, 3)), attrs: equation("ijk->ik"), err: `equation "ijk->ik": input 0 has rank 2`},
	{op: "Einsum", in: list(f32(2)), attrs: equation("ij...->i"), err: `equation "ij...->i": input 0 has rank 1`},
	{op: "Einsum", in: list(f32(2, 3), f32(4)), attrs: equation("ij,j->i"), err: `equation "ij,j->i": label j is 3 and 4`},
	{op: "Einsum", in: list(f32(2, 3)), attrs: equation("ij->ii"), err: `equation "ij->ii": output: label i is repeated or in no input`},
	{op: "Einsum", in: list(f32(2, 3)), attrs: equation("ij->k"), err: `equation "ij->k": output: label k is repeated or in no input`},
	{op: "Einsum", in: list(f32(2)), attrs: equation("1->1"), err: `equation "1->1": input 0: unexpected '1'`},
	{op: "Einsum", in: list(f32(2), f64(2)), attrs: equation("i,i"), err: "inputs 0 and 1: types differ"},
}
