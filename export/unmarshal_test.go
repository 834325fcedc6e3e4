package export

import (
	"errors"
	"strings"
	"testing"

	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

func TestReadOptions(t *testing.T) {
	data := modelOf(18, proto(
		graphInput, inputOf("x", 1, param("batch"), param("h"), size(3)),
		graphInput, inputOf("z", 1, param("batch"), size(1), proto()),
		graphNode, nodeOf("Relu", "y", "x"), graphOutput, output("y")))
	fixed := modelOf(18, proto(graphInput, inputOf("x", 1, size(5)), graphNode, nodeOf("Relu", "y", "x"), graphOutput, output("y")))
	dims := map[string]int64{"h": 4}
	for _, c := range []struct {
		data []byte
		o    ReadOptions
		want string // type and shape of the output, or the error
	}{
		{data, ReadOptions{Dims: dims}, `onnx: graph : input "z": dimension 2 ("") is symbolic: its size is needed`},
		{data, ReadOptions{Dims: map[string]int64{"h": -4}}, `onnx: graph : dimension "h": size -4 is negative`},
		{data, ReadOptions{Batch: -4}, `onnx: graph : batch size -4 is negative`},
		{fixed, ReadOptions{Batch: 7}, "y float32[5]"},
		{modelOf(18, proto(graphInput, inputOf("x", 1, param("n"), param("h")), graphNode, nodeOf("Relu", "y", "x"), graphOutput, output("y"))), ReadOptions{Batch: 7, Dims: dims}, "y float32[7,4]"},
		{modelOf(18, proto(graphInput, inputOf("x", 1, param("n"), param("h")), graphNode, nodeOf("Relu", "y", "x"), graphOutput, output("y"))), ReadOptions{Dims: dims}, "y float32[N,4]"},
		{modelOf(18, proto(graphInput, inputOf("x", 1, param("n"), param("n")), graphNode, nodeOf("Relu", "y", "x"), graphOutput, output("y"))), ReadOptions{Batch: 2}, "y float32[2,2]"},
	} {
		g, err := Unmarshal(c.data, c.o)
		got := ""
		if err != nil {
			got = err.Error()
		} else {
			got = g.Outputs[0].String()
		}
		if got != c.want {
			t.Errorf("%v: got %s, want %s", c.o, got, c.want)
		}
	}
}

func TestNamesStayUnique(t *testing.T) {
	branch := func(op string) *message {
		return proto(graphName, op, graphNode, nodeOf(op, "y", "x"), graphOutput, output("y"))
	}
	both := with(nodeOf("Both", "y", "x"),
		proto(attrName, "a", attrGraph, branch("Relu"), attrType, kindGraph),
		proto(attrName, "b", attrGraph, branch("Tanh"), attrType, kindGraph))
	both.string(nodeDomain, "com.microsoft")
	data := modelOf(18, proto(graphInput, inputOf("x", 1, size(2)), graphNode, both, graphOutput, output("y")))
	g := unmarshal(t, data, ReadOptions{})
	var nodes, values []string
	g.Walk(func(n *ir.Node) {
		nodes = append(nodes, n.Name)
		values = append(values, n.Out[0].Name)
	})
	if got := strings.Join(nodes, " "); got != "n n.1 n.2" {
		t.Errorf("nodes: %s", got)
	}
	if got := strings.Join(values, " "); got != "y y.1 y.2" {
		t.Errorf("values: %s", got)
	}
}

func TestFixedInput(t *testing.T) {
	data, err := Marshal(classifier(t), Options{})
	if err != nil {
		t.Fatal(err)
	}
	read := func(x *tensor.Tensor) error {
		g, err := Unmarshal(data, ReadOptions{Fixed: map[string]*tensor.Tensor{"image": x}})
		if err == nil && len(g.Inputs) != 0 {
			t.Errorf("the input is still one: %v", g.Inputs)
		}
		return err
	}
	if err := read(tensor.Zeros(tensor.Float32, 2, 3, 8, 8)); err != nil {
		t.Error(err)
	}
	const want = `input "image": the value is float32[2,3,8,9], which the declaration does not allow`
	if err := read(tensor.Zeros(tensor.Float32, 2, 3, 8, 9)); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v", err)
	}
}

// A shape that divides the batch size needs to know it.
func TestBatchIsNeeded(t *testing.T) {
	data := modelOf(18, proto(graphInput, inputOf("x", 1, param("batch"), size(4)),
		graphNode, nodeOf("Reshape", "y", "x", "to"),
		graphInitializer, proto(tensorName, "to", tensorType, 7, tensorDims, 2, tensorInt64s, []byte{2, 2}),
		graphOutput, output("y")))
	_, err := Unmarshal(data, ReadOptions{})
	if !errors.Is(err, ErrSymbolic) || !strings.Contains(err.Error(), "node n (Reshape)") {
		t.Errorf("got error %v", err)
	}
	if _, err := Unmarshal(data, ReadOptions{Batch: 3}); err == nil || errors.Is(err, ErrSymbolic) {
		t.Errorf("batch 3: got error %v", err)
	}
	if _, err := Unmarshal(data, ReadOptions{Batch: 1}); err != nil {
		t.Error(err)
	}
}
