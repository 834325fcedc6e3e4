package grad

import (
	"fmt"
	"testing"

	"rnas/compiler/ir"
	"rnas/compiler/op"
)

func equation(e string) ir.Attrs { return ir.Attrs{"equation": e} }

func linalgRows() []row {
	var rows []row
	for _, name := range []string{"CumSum", "CumProd"} {
		for _, exclusive := range []int64{0, 1} {
			for _, reverse := range []int64{0, 1} {
				attrs := ir.Attrs{"exclusive": exclusive, "reverse": reverse}
				rows = append(rows, row{op: name, in: args(x(2, 5), scalarIndex(1)), attrs: attrs},
					row{op: name, in: args(x(4, 2), ints(-2)), attrs: attrs})
			}
		}
	}
	return append(rows,
		row{op: "Det", in: args(x(1, 1))},
		row{op: "Det", in: args(x(2, 2))},
		row{op: "Det", in: args(x(2, 3, 3))},
		row{op: "Det", in: args(x(4, 4))},
		row{op: "Det", in: args(between(0, 0, 3, 3))},
		row{op: "Trilu", in: args(x(3, 4))},
		row{op: "Trilu", in: args(x(2, 4, 3), scalarIndex(-1)), attrs: ir.Attrs{"upper": int64(0)}},
		row{op: "Trilu", in: args(x(3, 3), scalarIndex(1))},
		row{op: "Einsum", in: args(x(2, 3), x(3, 4)), attrs: equation("ij,jk->ik")},
		row{op: "Einsum", in: args(x(2, 3), x(3, 4)), attrs: equation("ij, jk")},
		row{op: "Einsum", in: args(x(2, 3)), attrs: equation("ij->ji")},
		row{op: "Einsum", in: args(x(2, 3)), attrs: equation("ij->i")},
		row{op: "Einsum", in: args(x(2, 3)), attrs: equation("ij->")},
		row{op: "Einsum", in: args(x()), attrs: equation("->")},
		row{op: "Einsum", in: args(x(3), x(3)), attrs: equation("i,i")},
		row{op: "Einsum", in: args(x(3), x(2)), attrs: equation("i,j->ij")},
		row{op: "Einsum", in: args(x(3, 3)), attrs: equation("ii->i")},
		row{op: "Einsum", in: args(x(3, 3)), attrs: equation("ii")},
		row{op: "Einsum", in: args(x(2, 3, 3)), attrs: equation("...ii->...i")},
		row{op: "Einsum", in: args(x(2, 2, 2), x(2)), attrs: equation("iii,i->i")},
		row{op: "Einsum", in: args(x(2, 2, 3), x(2, 3, 2)), attrs: equation("bij,bjk->bik")},
		row{op: "Einsum", in: args(x(2, 1, 2, 3), x(3, 3, 2)), attrs: equation("...ij,...jk->...ik")},
		row{op: "Einsum", in: args(x(2, 3), x(4, 2)), attrs: equation("i...,ji->...j")},
		row{op: "Einsum", in: args(x(2, 3), x(3, 2), x(2, 2)), attrs: equation("ab,bc,cd->ad")},
		row{op: "Einsum", in: args(x(1, 3), x(2, 3)), attrs: equation("ij,ij->ij")},
		row{op: "Einsum", in: args(x(2, 3), number(2)), attrs: equation("ij,->j")},
	)
}

// TestZerosInProducts: the gradients of products are those of polynomials where factors are zero, to second order.
func TestZerosInProducts(t *testing.T) {
	for _, name := range []string{"ReduceProd", "CumProd"} {
		for zeros := range int64(4) {
			f := func(b op.B, in []*ir.Value) []*ir.Value {
				return []*ir.Value{b.One(name, nil, b.Concat(0, in[1], in[0], in[2]), b.Ints(0))}
			}
			in := args(between(0, 0, zeros), x(2), x(1))
			title := fmt.Sprintf("%s of %d zeros", name, zeros)
			checkEvery(t, title, in, f)
			in, f = derivative(t, in, f)
			checkEvery(t, title+" again", in, f)
		}
	}
}
