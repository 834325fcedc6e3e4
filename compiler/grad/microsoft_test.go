package grad

import (
	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/tensor"
)

// own is the name of an operator of ONNX Runtime's own.
func own(name string) string { return op.Microsoft + "." + name }

// packed are rows of numbers of 4 bits: 2 rows, 2 blocks of 16.
func packed() arg {
	bytes := make([]uint8, 2*2*8)
	for i := range bytes {
		bytes[i] = uint8(37 * i)
	}
	return arg{fixed: tensor.Of([]int64{2, 2, 8}, bytes...)}
}

var microsoftRows = []row{
	{op: own("Gelu"), in: args(x(2, 3))},
	{op: own("BiasGelu"), in: args(x(2, 3), x(3))},
	{op: own("FastGelu"), in: args(x(2, 3), x(3))},
	{op: own("FastGelu"), in: args(x(2, 3))},
	{op: own("QuickGelu"), in: args(x(2, 3)), attrs: ir.Attrs{"alpha": float32(1.5)}},
	{op: own("SkipLayerNormalization"), in: args(x(2, 3, 4), x(2, 3, 4), x(4), x(4), x(4)), outs: 4, loss: []int{0, 3}},
	{op: own("SkipSimplifiedLayerNormalization"), in: args(x(2, 3, 4), x(2, 3, 4), x(4), x(4))},
	{op: "SimplifiedLayerNormalization", in: args(x(2, 3, 4), x(4)), attrs: ir.Attrs{"epsilon": float32(1e-3)}},
	{op: own("FusedMatMul"), in: args(x(2, 4, 3), x(2, 5, 4)), attrs: ir.Attrs{"alpha": float32(0.5), "transA": int64(1), "transB": int64(1)}},
	{op: own("FusedMatMul"), in: args(x(3, 2, 4), x(5, 2, 4)), attrs: ir.Attrs{"transBatchA": int64(1), "transBatchB": int64(1), "transB": int64(1)}},
	{op: own("TransposeMatMul"), in: args(x(4, 3), x(4, 5)), attrs: ir.Attrs{"transA": int64(1)}},
	{op: own("FusedGemm"), in: args(x(3, 4), x(5, 4), x(5)), attrs: ir.Attrs{"transB": int64(1), "activation": "LeakyRelu", "activation_alpha": float32(0.1)}},
	{op: own("FusedConv"), in: args(x(2, 3, 5, 5), x(4, 3, 3, 3), x(4), x(2, 4, 3, 3)), attrs: ir.Attrs{"activation": "Tanh"}},
	{op: own("FusedConv"), in: args(x(2, 3, 5, 5), x(4, 3, 3, 3), x(4)), attrs: ir.Attrs{"activation": "Sigmoid", "strides": []int64{2, 2}}},
	{op: own("MatMulNBits"), in: args(x(3, 32), packed(), arg{fixed: tensor.Vector(0.5, 0.25, 1, 2.0)}), attrs: ir.Attrs{"K": int64(32), "N": int64(2), "block_size": int64(16)}},
}
