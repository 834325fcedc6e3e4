package grad

import (
	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

func small(shape ...int64) arg { return between(-1, 1, shape...) }

var attentionRows = []row{
	{op: "Attention", in: args(small(1, 2, 3, 4), small(1, 2, 4, 4), small(1, 2, 4, 3))},
	{op: "Attention", in: args(small(1, 3, 4), small(1, 3, 2), small(1, 3, 2)), attrs: ir.Attrs{"q_num_heads": int64(2), "kv_num_heads": int64(1), "is_causal": int64(1)}},
	{
		op: "Attention", in: args(small(2, 2, 2, 2), small(2, 1, 2, 2), small(2, 1, 2, 2), small(2, 3), small(2, 1, 1, 2), small(2, 1, 1, 2)),
		attrs: ir.Attrs{"softcap": float32(2), "scale": float32(0.7), "qk_matmul_output_mode": int64(3)}, outs: 4,
	},
	{
		op: "Attention", in: args(small(1, 1, 2, 2), small(1, 1, 3, 2), small(1, 1, 3, 2), arg{fixed: tensor.Of(dims(2, 3), true, false, true, true, true, false)}),
	},
	{
		op: "Attention", in: args(small(2, 1, 2, 2), small(2, 1, 3, 2), small(2, 1, 3, 2), none(), none(), none(), ints(2, 3)),
	},
	{op: "RotaryEmbedding", in: args(x(1, 2, 3, 4), x(1, 3, 2), x(1, 3, 2))},
	{op: "RotaryEmbedding", in: args(x(2, 2, 8), x(5, 1), x(5, 1), indices2(2, 2, 0, 3, 3, 4)), attrs: ir.Attrs{"num_heads": int64(2), "interleaved": int64(1), "rotary_embedding_dim": int64(2)}},
}

var recurrentRows = []row{
	{op: "RNN", in: args(small(3, 2, 2), small(1, 2, 2), small(1, 2, 2)), outs: 2},
	{
		op: "RNN", in: args(small(3, 2, 2), small(2, 2, 2), small(2, 2, 2), small(2, 4), ints(3, 1), small(2, 2, 2)), outs: 2,
		attrs: ir.Attrs{
			"direction": "bidirectional", "activations": []string{"Affine", "ScaledTanh"},
			"activation_alpha": []float32{0.5, 2}, "activation_beta": []float32{0.25, 0.75},
		},
	},
	{op: "RNN", in: args(small(2, 3, 2), small(1, 2, 2), small(1, 2, 2), none(), none(), small(2, 1, 2)), outs: 2, attrs: ir.Attrs{"layout": int64(1), "direction": "reverse", "clip": float32(4)}},
	{op: "GRU", in: args(small(2, 2, 2), small(1, 6, 2), small(1, 6, 2), small(1, 12)), outs: 2},
	{op: "GRU", in: args(small(2, 1, 2), small(1, 6, 2), small(1, 6, 2), small(1, 12), none(), small(1, 1, 2)), attrs: ir.Attrs{"linear_before_reset": int64(1)}},
	{op: "LSTM", in: args(small(3, 2, 2), small(1, 8, 2), small(1, 8, 2)), outs: 3},
	{
		op: "LSTM", in: args(small(2, 2, 2), small(2, 8, 2), small(2, 8, 2), small(2, 16), ints(1, 2), small(2, 2, 2), small(2, 2, 2), small(2, 6)), outs: 3,
		attrs: ir.Attrs{"direction": "bidirectional"},
	},
	{op: "LSTM", in: args(small(2, 1, 2), small(1, 8, 2), small(1, 8, 2)), attrs: ir.Attrs{"input_forget": int64(1)}},
}
