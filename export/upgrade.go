package export

import (
	"fmt"
	"slices"

	"rnas/compiler/ir"
)

// upgrade converts the node of an operator from the form that files from one operator set to below another use to the
// form of operator set 18. The types and shapes of its inputs are known, those of its outputs not yet. A function
// returns the nodes that replace n, or nil when it changed n itself. Rows are applied in order.
type upgrade struct {
	from, below int
	ops         []string
	apply       func(r *reader, n *ir.Node) ([]*ir.Node, error)
}

const newer = newestOpset + 1

// The forms are those of https://github.com/onnx/onnx/blob/main/docs/Changelog.md.
var upgrades = []upgrade{
	{oldestRead, 9, []string{"BatchNormalization"}, inPlace(dropDefault("spatial", int64(1)))},
	{oldestRead, 14, []string{"BatchNormalization"}, inPlace(inferenceOnly)},
	{oldestRead, 10, []string{"Slice"}, inPlace(intsToInputs("starts", "ends", "axes"))},
	{oldestRead, 10, []string{"TopK"}, inPlace(intToInput("k"))},
	{oldestRead, 9, []string{"Upsample"}, inPlace(scalesToInput)},
	{oldestRead, 11, []string{"Upsample", "Resize"}, inPlace(rename("Resize"), firstResize)},
	{oldestRead, 11, []string{"Clip"}, inPlace(floatsToInputs("min", "max"))},
	{oldestRead, 11, []string{"Pad"}, inPlace(intsToInputs("pads"), floatsToInputs("value"))},
	{oldestRead, 9, []string{"Scan"}, inPlace(refuse("the form of Scan with a batch and sequence lengths is not supported"))},
	{9, 11, []string{"Scatter"}, inPlace(rename("ScatterElements"))},
	{oldestRead, 12, []string{"Dropout"}, inPlace(floatsToInputs("ratio"))},
	{oldestRead, 13, []string{"Squeeze", "Unsqueeze", "ReduceSum"}, inPlace(intsToInputs("axes"))},
	{oldestRead, 13, []string{"Split"}, inPlace(intsToInputs("split"))},
	{oldestRead, 13, []string{"Softmax", "LogSoftmax", "Hardmax"}, flattenedSoftmax},
	{oldestRead, 18, []string{
		"ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceSumSquare",
		"ReduceLogSum", "ReduceLogSumExp",
	}, inPlace(intsToInputs("axes"))},
	{oldestRead, 18, []string{"Split"}, inPlace(countOutputs)},
	{19, newer, []string{"Cast", "CastLike"}, inPlace(castAttributes)},
	{18, 21, []string{"GroupNormalization"}, groupsToChannels},
	{16, 20, []string{"GridSample"}, inPlace(renameMode("bilinear", "linear"), renameMode("bicubic", "cubic"))},
}

var conversions = slices.Concat(legacy, upgrades)

// upgrade applies the rows for n and returns the resulting nodes.
func (r *reader) upgrade(n *ir.Node) ([]*ir.Node, error) {
	if n.Domain != "" {
		return []*ir.Node{n}, nil
	}
	for _, u := range conversions {
		if r.opset < u.from || r.opset >= u.below || !slices.Contains(u.ops, n.Op) {
			continue
		}
		nodes, err := u.apply(r, n)
		if err != nil {
			return nil, fmt.Errorf("operator set %d: %w", r.opset, err)
		}
		if nodes != nil {
			return nodes, nil
		}
	}
	return []*ir.Node{n}, nil
}
