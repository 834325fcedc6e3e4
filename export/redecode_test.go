package export

import (
	"fmt"
	"strings"
	"testing"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/tensor"
)

func TestRedecode(t *testing.T) {
	for _, c := range []struct {
		name  string
		g     *ir.Graph
		opset int
		want  Summary
	}{
		{"classifier", classifier(t), 18, Summary{Graphs: 1, Values: 2, Initializers: 4, Nodes: 4, Attributes: 4}},
		{"classifier", classifier(t), 13, Summary{Graphs: 1, Values: 2, Initializers: 3, Nodes: 4, Attributes: 5}},
		{"reductions", reductions(t), 17, Summary{Graphs: 1, Values: 12, Initializers: 4, Nodes: 9, Attributes: 5}},
		{"loop", loop(t), 18, Summary{Graphs: 2, Values: 9, Initializers: 4, Nodes: 7, Attributes: 1}},
		{"attributes", attributes(t), 18, Summary{Graphs: 2, Values: 3, Initializers: 6, Nodes: 2, Attributes: 13}},
	} {
		data := marshal(t, c.g, Options{Opset: c.opset, ValueInfo: true})
		got, err := Redecode(data, c.g)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		c.want.Unverified = got.Unverified
		if fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s: got %+v, want %+v", c.name, got, c.want)
		}
	}
}

// TestRedecodeSeesDifferences compares a file with graphs that differ from it in one respect each.
func TestRedecodeSeesDifferences(t *testing.T) {
	data := marshal(t, loop(t), Options{})
	for name, change := range map[string]func(g *ir.Graph){
		"operator":         func(g *ir.Graph) { g.Nodes[0].Op = "Div" },
		"attribute":        func(g *ir.Graph) { set(g.Nodes[0], "axis", int64(1)) },
		"nested operator":  func(g *ir.Graph) { g.Nodes[1].Graphs()[0].Nodes[0].Op = "Sub" },
		"input name":       func(g *ir.Graph) { g.Inputs[0].Name = "z" },
		"input type":       func(g *ir.Graph) { g.Inputs[0].Type = ir.Float64 },
		"input shape":      func(g *ir.Graph) { g.Inputs[0].Shape = ir.Shape{2, 4} },
		"output order":     func(g *ir.Graph) { g.Outputs[0], g.Outputs[1] = g.Outputs[1], g.Outputs[0] },
		"operand order":    func(g *ir.Graph) { in := g.Nodes[0].In; in[0], in[1] = in[1], in[0] },
		"nested operand":   func(g *ir.Graph) { in := g.Nodes[1].Graphs()[0].Nodes[2].In; in[1] = in[0] },
		"value name":       func(g *ir.Graph) { g.Nodes[0].Out[0].Name = "other" },
		"constant":         func(g *ir.Graph) { g.Nodes[0].In[1].Const = tensor.Vector[float32](0, 1, 3) },
		"nested constant":  func(g *ir.Graph) { g.Nodes[1].Graphs()[0].Nodes[1].In[1].Const = tensor.Zeros(ir.Float32, 2, 3) },
		"fewer nodes":      func(g *ir.Graph) { g.Nodes = g.Nodes[:1] },
		"fewer inputs":     func(g *ir.Graph) { g.Inputs = nil },
		"constant's shape": func(g *ir.Graph) { g.Nodes[0].In[1].Const = ramp(ir.Float32, 3, 1) },
	} {
		g := loop(t)
		if _, err := Redecode(data, g); err != nil {
			t.Fatal(err)
		}
		change(g)
		if _, err := Redecode(data, g); err == nil {
			t.Errorf("%s: not noticed", name)
		}
	}
	if _, err := Redecode([]byte("no model"), loop(t)); err == nil {
		t.Error("text was taken for a model")
	}
}

func TestRedecodeLoneAttributes(t *testing.T) {
	b := ir.NewBuilder("g", 18, op.Infer)
	x := b.Input("x", ir.Float16, 2)
	y := b.Node("Cast", ir.Attrs{"to": int64(1)}, 1, x)[0]
	b.Output("y", b.Node("Mul", nil, 1, y, y)[0])
	g := build(t, b)
	s, err := Redecode(marshal(t, g, Options{}), g)
	if err != nil {
		t.Fatal(err)
	}
	if s.Values != 1 || s.Nodes != 2 || !strings.Contains(strings.Join(s.Unverified, "\n"), "type and shape of x: float16") {
		t.Errorf("got %+v", s)
	}
}
