package op

import "rnas/compiler/ir"

var sequenceCases = []inferCase{
	{op: "RNN", in: list(f32(5, n, 3), f32(1, 4, 3), f32(1, 4, 4)), want: "float32[5,1,N,4] float32[1,N,4]"},
	{op: "GRU", in: list(f32(n, 5, 3), f32(2, 12, 3), f32(2, 12, 4)), attrs: ir.Attrs{"direction": "bidirectional", "layout": int64(1)}, want: "float32[N,5,2,4] float32[N,2,4]"},
	{op: "LSTM", in: list(f32(5, 2, 3), f32(1, 16, 3), f32(1, 16, 4), f32(1, 32)), want: "float32[5,1,2,4] float32[1,2,4] float32[1,2,4]"},
	{op: "LSTM", in: list(f32(5, 2, 3), f32(1, 12, 3), f32(1, 16, 4)), err: "input 1: expected shape [1,16,3], found [1,12,3]"},
	{op: "RNN", in: list(f32(n, 2, 3), f32(1, 4, 3), f32(1, 4, 4)), err: "sequences of 1 to 4096 steps are unrolled, found -1"},
	{op: "Attention", in: list(f32(n, 5, 8), f32(n, 6, 4), f32(n, 6, 6)), attrs: ir.Attrs{"q_num_heads": int64(4), "kv_num_heads": int64(2)}, want: "float32[N,5,12]"},
	{op: "Attention", in: list(f32(n, 4, 5, 2), f32(n, 4, 6, 2), f32(n, 4, 6, 3)), want: "float32[N,4,5,3] float32[N,4,6,2] float32[N,4,6,3] float32[N,4,5,6]"},
	{op: "Attention", in: list(f32(n, 3, 5, 2), f32(n, 2, 6, 2), f32(n, 2, 6, 2)), err: "2 heads of keys do not divide 3 of queries"},
	{op: "RotaryEmbedding", in: list(f32(n, 2, 3, 4), f32(9, 2), f32(9, 2), i64(n, 3)), want: "float32[N,2,3,4]"},
	{op: "RotaryEmbedding", in: list(f32(n, 3, 4), f32(n, 3, 2), f32(n, 3, 2)), err: "0 heads do not divide [N,3,4]"},
}

var patchCases = []inferCase{
	{op: "GridSample", in: list(f32(n, 3, 4, 5), f32(n, 6, 7, 2)), want: "float32[N,3,6,7]"},
	{op: "GridSample", in: list(f32(1, 3, 4, 5), f32(1, 6, 7, 3)), err: "grid [1,6,7,3] does not fit input [1,3,4,5], or sizes are symbolic"},
	{op: "AffineGrid", in: list(f32(n, 2, 3), ints(1, 3, 4, 5)), want: "float32[N,4,5,2]"},
	{op: "AffineGrid", in: list(f32(n, 2, 3), i64(4)), err: "expected theta of shape [N,k,k+1] and a constant size of k+2 numbers, k 2 or 3; found [N,2,3]"},
	{op: "Col2Im", in: list(f32(n, 8, 4), ints(3, 3), ints(2, 2)), want: "float32[N,2,3,3]"},
	{op: "Col2Im", in: list(f32(n, 7, 4), ints(3, 3), ints(2, 2)), err: "blocks [2 2] do not fit [N,7,4]"},
	{op: "CenterCropPad", in: list(f32(n, 5, 3), ints(2, 6)), attrs: ir.Attrs{"axes": dims(1, 2)}, want: "float32[N,2,6]"},
	{op: "CenterCropPad", in: list(f32(n, 5), ints(2, 6)), err: "axis 0 of size -1 cannot become 2"},
	{op: "LpPool", in: list(f32(n, 3, 8)), attrs: window(dims(2), dims(2), nil, nil), want: "float32[N,3,4]"},
	{op: "GlobalLpPool", in: list(f32(n, 3, 8, 8)), want: "float32[N,3,1,1]"},
	{op: "MaxUnpool", in: list(f32(1, 1, 2, 2), i64(1, 1, 2, 2)), attrs: window(dims(2, 2), dims(2, 2), nil, nil), want: "float32[1,1,4,4]"},
	{op: "MaxUnpool", in: list(f32(1, 1, 2), i64(1, 1, 2), ints(1, 1, 3)), attrs: window(dims(2), dims(2), nil, nil), err: "output_shape must be constant and at least [1,1,4], found [1 1 3]"},
	{op: "HannWindow", in: list(int0(8)), want: "float32[8]"},
	{op: "HammingWindow", in: list(int0(8)), attrs: ir.Attrs{"output_datatype": int64(ir.Float64)}, want: "float64[8]"},
	{op: "BlackmanWindow", in: list(int0(0)), want: "float32[0]"},
	{op: "BlackmanWindow", in: list(i64()), err: "size must be one constant number up to 16777216"},
}
