package export

import (
	"fmt"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/tensor"
)

// Operator set 7 gave broadcasting its numpy form and dropped the mode of training. The rows below convert what
// differs in operator set 6.
var legacy = []upgrade{
	{oldestRead, 7, []string{"Add", "Sub", "Mul", "Div", "Pow", "And", "Or", "Xor", "Equal", "Greater", "Less"}, alignBroadcast},
	{oldestRead, 7, []string{"Gemm"}, inPlace(remove("broadcast"))},
	{oldestRead, 7, []string{"PRelu"}, channelSlope},
	{oldestRead, 7, []string{"Dropout"}, inPlace(remove("is_test"))},
	{oldestRead, 7, []string{"BatchNormalization"}, inPlace(testMode)},
	{oldestRead, 7, []string{"RNN", "GRU", "LSTM"}, inPlace(remove("output_sequence"))},
}

// alignBroadcast gives the second operand trailing dimensions of size 1 where it stood for the dimensions of the first
// from an axis on.
func alignBroadcast(r *reader, n *ir.Node) ([]*ir.Node, error) {
	axis := n.Int("axis", -1)
	_, given := n.Attrs["axis"]
	delete(n.Attrs, "axis")
	delete(n.Attrs, "broadcast")
	if !given || n.Input(0) == nil || n.Input(1) == nil {
		return nil, nil
	}
	first, err := op.Axis(axis, n.In[0].Rank())
	if err != nil {
		return nil, err
	}
	return r.trailing(n, 1, n.In[0].Rank()-first-n.In[1].Rank())
}

// channelSlope aligns a slope for each channel, the second dimension.
func channelSlope(r *reader, n *ir.Node) ([]*ir.Node, error) {
	x, slope := n.Input(0), n.Input(1)
	if x == nil || slope == nil || slope.Rank() != 1 || slope.Shape[0] == 1 {
		return nil, nil
	}
	return r.trailing(n, 1, x.Rank()-2)
}

// trailing puts an Unsqueeze before input i of n that appends dimensions of size 1.
func (r *reader) trailing(n *ir.Node, i, count int) ([]*ir.Node, error) {
	if count <= 0 {
		return nil, nil
	}
	axes := make([]int64, count)
	for k := range axes {
		axes[k] = int64(n.In[i].Rank() + k)
	}
	before := &ir.Node{Name: base(n) + "/Unsqueeze", Op: "Unsqueeze", In: []*ir.Value{n.In[i]}}
	r.addInput(before, "axes", tensor.Vector(axes...))
	before.Out = []*ir.Value{{Name: r.names.fresh(before.Name + ".out"), Def: before}}
	n.In[i] = before.Out[0]
	return []*ir.Node{before, n}, nil
}

// testMode accepts batch normalisation by the statistics of the model only.
func testMode(_ *reader, n *ir.Node) error {
	if n.Int("is_test", 0) == 0 {
		return fmt.Errorf("the mode of training (is_test=0) is not supported")
	}
	delete(n.Attrs, "is_test")
	return nil
}
