package grad

import (
	"testing"

	"rnas/compiler/ir"
	"rnas/compiler/op"
)

// TestScan: a recurrence in both directions, to second order.
func TestScan(t *testing.T) {
	for _, back := range []int64{0, 1} {
		f := func(b op.B, in []*ir.Value) []*ir.Value {
			around := b.Neg(in[2])
			body := op.B{Builder: b.Nested("body")}
			state, entry := body.Input("state", ir.Float64, 2), body.Input("entry", ir.Float64, 2)
			next := body.Tanh(body.Add(body.Mul(state, entry), around)) // a value of the graph around the body
			body.Output("next", next)
			body.Output("out", body.Mul(next, next))
			return b.Node("Scan", ir.Attrs{
				"body": body.Graph(), "num_scan_inputs": int64(1), "scan_input_directions": []int64{back},
				"scan_output_axes": []int64{1}, "scan_output_directions": []int64{1 - back},
			}, 2, in[:2]...)
		}
		in := args(x(2), x(4, 2), x(2))
		checkEvery(t, "scan", in, f)
		in, f = derivative(t, in, f)
		checkDirections(t, "scan, again", in, f)
	}
}
