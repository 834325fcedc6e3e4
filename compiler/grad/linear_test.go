package grad

import "rnas/compiler/ir"

func gemmAttrs(tA, tB int64, alpha, beta float32) ir.Attrs {
	return ir.Attrs{"transA": tA, "transB": tB, "alpha": alpha, "beta": beta}
}

func training(eps float32) ir.Attrs {
	return ir.Attrs{"training_mode": int64(1), "momentum": float32(0), "epsilon": eps}
}

var linearRows = []row{
	{op: "MatMul", in: args(x(2, 3), x(3, 4))},
	{op: "MatMul", in: args(x(3), x(3))},
	{op: "MatMul", in: args(x(3), x(3, 4))},
	{op: "MatMul", in: args(x(2, 3), x(3))},
	{op: "MatMul", in: args(x(3), x(2, 3, 2))},
	{op: "MatMul", in: args(x(2, 2, 3), x(3))},
	{op: "MatMul", in: args(x(2, 2, 3), x(2, 3, 2))},
	{op: "MatMul", in: args(x(2, 2, 3), x(3, 2))},
	{op: "MatMul", in: args(x(2, 3), x(2, 3, 2))},
	{op: "MatMul", in: args(x(2, 1, 2, 3), x(3, 3, 2))},
	{op: "MatMul", in: args(x(1, 2, 3), x(2, 3, 2))},

	{op: "Gemm", in: args(x(2, 3), x(3, 4))},
	{op: "Gemm", in: args(x(2, 3), x(3, 4), x(4)), attrs: gemmAttrs(0, 0, 1, 1)},
	{op: "Gemm", in: args(x(2, 3), x(4, 3), x(2, 4)), attrs: gemmAttrs(0, 1, 0.5, 2)},
	{op: "Gemm", in: args(x(3, 2), x(3, 4), x(2, 1)), attrs: gemmAttrs(1, 0, 0.5, 1)},
	{op: "Gemm", in: args(x(3, 2), x(4, 3), x()), attrs: gemmAttrs(1, 1, 1, 0.5)},
	{op: "Gemm", in: args(x(3, 2), x(4, 3), x(1, 4)), attrs: gemmAttrs(1, 1, 0.25, 1)},
	{op: "Gemm", in: args(x(3, 2), x(4, 3), x(1)), attrs: gemmAttrs(1, 1, 0.25, 0)},
	{op: "Gemm", in: args(x(2, 3), x(3, 4), none())},

	{op: "BatchNormalization", in: args(x(2, 3, 2, 2), x(3), x(3), x(3), pos(3))},
	{op: "BatchNormalization", in: args(x(4, 3), x(3), x(3), x(3), pos(3)), attrs: ir.Attrs{"epsilon": float32(0.125)}},
	{op: "BatchNormalization", in: args(x(2, 2, 3), x(2), x(2), x(2), pos(2))},
	{op: "BatchNormalization", in: args(x(3, 2, 2, 2), x(2), x(2), x(2), x(2)), attrs: training(1e-5), outs: 3, loss: []int{0}},
	{op: "BatchNormalization", in: args(x(3, 2, 2, 2), x(2), x(2), x(2), x(2)), attrs: training(0.125), outs: 3},
	{op: "BatchNormalization", in: args(x(5, 2), x(2), x(2), x(2), x(2)), attrs: training(0.125), outs: 3, loss: []int{1, 2}},
	{op: "BatchNormalization", in: args(x(3, 2, 2), x(2), x(2), x(2), x(2)), attrs: ir.Attrs{"training_mode": int64(1), "momentum": float32(0.75)}, outs: 3},
	{op: "BatchNormalization", in: args(x(3, 2), x(2), x(2), x(2), x(2)), attrs: ir.Attrs{"training_mode": int64(1)}},
	{op: "BatchNormalization", in: args(x(2, 2, 3), x(2), x(2), x(2), x(2)), attrs: training(0.125), outs: 3, loss: []int{0, 2}},
	{op: "BatchNormalization", in: args(x(2, 2, 3), x(2), x(2), x(2), x(2)), attrs: training(0.125), outs: 3, loss: []int{1}},
}
