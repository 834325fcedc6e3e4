package export

import (
	"strings"
	"testing"
)

// TestLegacyForms reads nodes in the forms of operator set 6.
func TestLegacyForms(t *testing.T) {
	x := inputOf("x", 1, size(2), size(3), size(4), size(5))
	attr := func(name string, v int) *message { return proto(attrName, name, attrInt, v, attrType, kindInt) }
	vector := func(name string, n int) *message { return inputOf(name, 1, size(n)) }
	for _, c := range []struct {
		name   string
		graph  *message
		output string
		want   string // part of the text of the graph, or the error
	}{
		{"second operand from axis 1 on", proto(
			graphInput, x, graphInput, inputOf("b", 1, size(3), size(4)),
			graphNode, with(nodeOf("Add", "y", "x", "b"), attr("broadcast", 1), attr("axis", 1)), graphOutput, output("y"),
		), "y float32[2,3,4,5]", "Unsqueeze"},
		{"second operand at the end", proto(
			graphInput, x, graphInput, inputOf("b", 1, size(4), size(5)),
			graphNode, with(nodeOf("Mul", "y", "x", "b"), attr("broadcast", 1)), graphOutput, output("y"),
		), "y float32[2,3,4,5]", "Mul"},
		{"slope for each channel", proto(
			graphInput, x, graphInput, vector("s", 3), graphNode, nodeOf("PRelu", "y", "x", "s"), graphOutput, output("y"),
		), "y float32[2,3,4,5]", "Unsqueeze"},
		{"one slope", proto(
			graphInput, x, graphInput, vector("s", 1), graphNode, nodeOf("PRelu", "y", "x", "s"), graphOutput, output("y"),
		), "y float32[2,3,4,5]", "PRelu"},
		{"statistics of the model", proto(
			graphInput, x, graphInput, vector("a", 3), graphInput, vector("b", 3), graphInput, vector("m", 3), graphInput, vector("v", 3),
			graphNode, with(nodeOf("BatchNormalization", "y", "x", "a", "b", "m", "v"), attr("is_test", 1)), graphOutput, output("y"),
		), "y float32[2,3,4,5]", "BatchNormalization"},
		{"statistics of the batch", proto(
			graphInput, x, graphInput, vector("a", 3), graphInput, vector("b", 3), graphInput, vector("m", 3), graphInput, vector("v", 3),
			graphNode, nodeOf("BatchNormalization", "y", "x", "a", "b", "m", "v"), graphOutput, output("y"),
		), "", "operator set 6: the mode of training (is_test=0) is not supported"},
		{"axis outside", proto(
			graphInput, x, graphInput, vector("b", 3),
			graphNode, with(nodeOf("Add", "y", "x", "b"), attr("broadcast", 1), attr("axis", 7)), graphOutput, output("y"),
		), "", "operator set 6: axis 7 is outside rank 4"},
	} {
		g, err := Unmarshal(modelOf(6, c.graph), ReadOptions{})
		switch {
		case c.output == "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		case c.output == "":
		case err != nil:
			t.Errorf("%s: %v", c.name, err)
		case g.Outputs[0].String() != c.output || !strings.Contains(g.String(), c.want):
			t.Errorf("%s: got %s in\n%s", c.name, g.Outputs[0], g)
		}
	}
}
