package op

import (
	"slices"

	"rnas/compiler/ir"
)

func init() {
	register([]Op{{
		Name: "Scan", In: Arity{1, -1}, Out: Arity{1, -1}, Decompose: unroll,
		Attrs: []Attr{
			{"body", kGraph, true},
			{"num_scan_inputs", kInt, true},
			{"scan_input_axes", kInts, false},
			{"scan_input_directions", kInts, false},
			{"scan_output_axes", kInts, false},
			{"scan_output_directions", kInts, false},
		},
	}})
}

// maxUnrolled bounds the nodes of an unrolled Scan.
const maxUnrolled = 1 << 16

// unroll repeats the body of a Scan for every entry of the scanned inputs, whose number must be static. The inputs of the body are
// the states and one entry of each scanned input, its outputs the states and one entry of each scanned output.
func unroll(b B, n *ir.Node) []*ir.Value {
	nothing := placeholders(len(n.Out))
	fail := func(format string, args ...any) []*ir.Value {
		b.Fail(format, args...)
		return nothing
	}
	body := n.Attrs["body"].(*ir.Graph)
	scanned := int(n.Int("num_scan_inputs", 0))
	states := len(n.In) - scanned
	outputs := len(n.Out) - states
	inAxes, inBack := n.Ints("scan_input_axes", fill(max(scanned, 0), 0)), n.Ints("scan_input_directions", fill(max(scanned, 0), 0))
	outAxes, outBack := n.Ints("scan_output_axes", fill(max(outputs, 0), 0)), n.Ints("scan_output_directions", fill(max(outputs, 0), 0))
	switch {
	case scanned < 1 || states < 0 || outputs < 0 || len(body.Inputs) != len(n.In) || len(body.Outputs) != len(n.Out):
		return fail("body: %d inputs and %d outputs do not fit %d scanned inputs, %d inputs and %d outputs of the node",
			len(body.Inputs), len(body.Outputs), scanned, len(n.In), len(n.Out))
	case len(inAxes) != scanned || len(inBack) != scanned || len(outAxes) != outputs || len(outBack) != outputs:
		return fail("one axis and direction is needed for each of %d scanned inputs and %d scanned outputs", scanned, outputs)
	case slices.Contains(n.In, nil):
		return fail("an input is missing")
	}
	axes, steps := make([]int64, scanned), int64(0)
	for i, x := range n.In[states:] {
		axis, err := Axis(inAxes[i], x.Rank())
		if err != nil {
			return fail("scanned input %d: %w", i, err)
		}
		if axes[i] = int64(axis); i == 0 {
			steps = x.Shape[axis]
		}
		if x.Shape[axis] != steps || steps < 1 || steps > maxUnrolled/int64(max(len(body.Nodes), 1)) {
			return fail("scanned input %d: %d entries, expected as many as the others, at least 1 and at most %d nodes in all", i, x.Shape[axis], maxUnrolled)
		}
	}
	carried := slices.Clone(n.In[:states])
	parts := make([][]*ir.Value, outputs)
	for step := range steps {
		args := slices.Clone(carried)
		for i, x := range n.In[states:] {
			at := step
			if inBack[i] != 0 {
				at = steps - 1 - step
			}
			entry := b.Slice(x, []int64{at}, []int64{at + 1}, axes[i:i+1], []int64{1})
			args = append(args, b.Squeeze(entry, axes[i]))
		}
		out := Inline(b, body, args)
		if b.Err() != nil {
			return nothing
		}
		for i, v := range out[:states] {
			if v.Type != carried[i].Type || !v.Shape.Equal(carried[i].Shape) {
				return fail("state %d becomes %s%s from %s%s", i, v.Type, v.Shape, carried[i].Type, carried[i].Shape)
			}
		}
		carried = out[:states]
		for i, v := range out[states:] {
			parts[i] = append(parts[i], b.Unsqueeze(v, outAxes[i]))
		}
	}
	results := slices.Clone(carried)
	for i := range parts {
		if outBack[i] != 0 {
			slices.Reverse(parts[i])
		}
		results = append(results, b.Concat(outAxes[i], parts[i]...))
	}
	return results
}
