package op

import (
	"testing"

	"rnas/compiler/ir"
)

// running is the body of a running sum: the state grows by the entry and is given out as well.
func running(shape ...int64) *ir.Graph {
	b := NewB("body")
	sum := b.Add(b.Input("state", ir.Float32, shape...), b.Input("entry", ir.Float32, shape...))
	b.Output("next", sum)
	b.Output("out", sum)
	return b.Graph()
}

func TestScan(t *testing.T) {
	attrs := func(more ...any) ir.Attrs {
		a := ir.Attrs{"body": running(n, 3), "num_scan_inputs": int64(1), "scan_input_axes": []int64{1}, "scan_output_axes": []int64{-1}}
		for i := 0; i < len(more); i += 2 {
			a[more[i].(string)] = more[i+1]
		}
		return a
	}
	for _, c := range []inferCase{
		{op: "Scan", in: list(f32(n, 3), f32(n, 5, 3)), attrs: attrs(), want: "float32[N,3] float32[N,3,5]"},
		{
			op: "Scan", in: list(f32(n, 3), f32(5, n, 3)), attrs: attrs("scan_input_axes", []int64{0}, "scan_output_axes", []int64{0}),
			want: "float32[N,3] float32[5,N,3]",
		},
		{
			op: "Scan", in: list(f32(n, 3), f32(n, 5, 3)), attrs: attrs("num_scan_inputs", int64(3)), outs: 2,
			err: "body: 2 inputs and 2 outputs do not fit 3 scanned inputs, 2 inputs and 2 outputs of the node",
		},
		{
			op: "Scan", in: list(f32(n, 3), f32(n, 5, 3)), attrs: attrs("scan_input_axes", []int64{3}), outs: 2,
			err: "scanned input 0: axis 3 is outside rank 3",
		},
		{
			op: "Scan", in: list(f32(n, 3), f32(n, 1<<30, 3)), attrs: attrs(), outs: 2,
			err: "scanned input 0: 1073741824 entries, expected as many as the others, at least 1 and at most 65536 nodes in all",
		},
		{
			op: "Scan", in: list(f32(n, 3), f32(n, 5, 3)), attrs: attrs("scan_input_directions", []int64{}), outs: 2,
			err: "one axis and direction is needed for each of 1 scanned inputs and 1 scanned outputs",
		},
		{op: "Scan", in: list(f32(3), f32(n, 5, 3)), attrs: attrs(), outs: 2, err: "state 0 becomes float32[N,3] from float32[3]"},
	} {
		c.run(t)
	}
}
