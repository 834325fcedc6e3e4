package interp

import (
	"testing"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/tensor"
)

// TestScan sums rows from the last to the first and lists the sums in the order of the rows.
func TestScan(t *testing.T) {
	body := op.NewB("body")
	sum := body.Add(body.Input("state", ir.Float64, 2), body.Input("entry", ir.Float64, 2))
	body.Output("next", sum)
	body.Output("out", sum)
	back := []int64{1}
	out := apply(t, "Scan", ir.Attrs{
		"body": body.Graph(), "num_scan_inputs": int64(1), "scan_input_directions": back, "scan_output_directions": back,
	}, 2, floats(100, 200), matrix(3, 2, 1, 2, 3, 4, 5, 6))
	for i, want := range []*tensor.Tensor{floats(109, 212), matrix(3, 2, 109, 212, 108, 210, 105, 206)} {
		expect(t, "output", out[i], want, 0, 0)
	}
}
