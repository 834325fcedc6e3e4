package export

import (
	"strings"
	"testing"

	"rnas/compiler/ir"
)

// callOf is a node of a function of domain "f".
func callOf(op, out string, in ...string) *message {
	m := nodeOf(op, out, in...)
	m.string(nodeDomain, "f")
	return m
}

func functionOf(name string, parts ...any) *message {
	return proto(append([]any{functionName, name, functionDomain, "f"}, parts...)...)
}

// withFunctions appends functions to a model.
func withFunctions(model []byte, functions ...*message) []byte {
	for _, f := range functions {
		model = append(model, proto(modelFunctions, f).concat()...)
	}
	return model
}

// leaky is a function with an optional second input and an attribute with a default.
func leaky() *message {
	return functionOf("Leaky", functionInput, "a", functionInput, "unused", functionOutput, "b",
		functionDefault, proto(attrName, "slope", attrFloat, float32(0.5), attrType, kindFloat),
		functionOpset, proto(opsetDomain, "", opsetVersion, 18),
		functionNode, with(nodeOf("LeakyRelu", "t", "a"), proto(attrName, "alpha", attrRef, "slope", attrType, kindFloat)),
		functionNode, nodeOf("Neg", "b", "t"))
}

func TestFunctions(t *testing.T) {
	twice := functionOf("Twice", functionInput, "a", functionOutput, "b", functionOutput, "c",
		functionNode, with(callOf("Leaky", "t", "a"), proto(attrName, "slope", attrRef, "given", attrType, kindFloat)),
		functionNode, callOf("Leaky", "b", "t"), functionNode, nodeOf("Identity", "c", "a"))
	call := callOf("Twice", "y", "x")
	call.string(nodeOutput, "z")
	data := withFunctions(modelOf(18, proto(graphInput, inputOf("x", 1, size(2)),
		graphNode, with(call, proto(attrName, "given", attrFloat, float32(0.25), attrType, kindFloat)),
		graphOutput, output("y"), graphOutput, output("z"))), leaky(), twice)
	g := unmarshal(t, data, ReadOptions{})
	var alphas []float32
	var ops []string
	g.Walk(func(n *ir.Node) {
		ops = append(ops, n.Op)
		if n.Op == "LeakyRelu" {
			alphas = append(alphas, n.Float("alpha", 0))
		}
	})
	if got := strings.Join(ops, " "); got != "LeakyRelu Neg LeakyRelu Neg Identity Identity Identity" {
		t.Errorf("operators %s", got)
	}
	if len(alphas) != 2 || alphas[0] != 0.25 || alphas[1] != 0.5 {
		t.Errorf("slopes %v", alphas)
	}
	if g.Nodes[0].Name != "n/n/n" || g.Outputs[0].Name != "y" || g.Outputs[1].Name != "z" {
		t.Errorf("names differ: %s", g)
	}
}

func TestBadFunctions(t *testing.T) {
	model := func(functions ...*message) []byte {
		return withFunctions(modelOf(18, proto(graphInput, inputOf("x", 1, size(2)), graphNode, callOf("F", "y", "x"), graphOutput, output("y"))), functions...)
	}
	simple := func(parts ...any) *message {
		return functionOf("F", append([]any{functionInput, "a", functionOutput, "b"}, parts...)...)
	}
	var chain []*message
	for i := range 40 {
		name, next := "F", "F"
		if i > 0 {
			name = strings.Repeat("F", i+1)
		}
		next = strings.Repeat("F", i+2)
		chain = append(chain, functionOf(name, functionInput, "a", functionOutput, "b",
			functionNode, callOf(next, "t", "a"), functionNode, callOf(next, "b", "t")))
	}
	wide := append([]*message{}, chain[:30]...)
	wide = append(wide, functionOf(strings.Repeat("F", 31), functionInput, "a", functionOutput, "b", functionNode, nodeOf("Relu", "b", "a")))
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"twice", model(simple(), simple()), "function F is defined twice"},
		{"output", model(simple()), `function F: output "b" is not defined`},
		{"inputs", model(functionOf("F", functionOutput, "b")), "expected at most 0 inputs and 1 outputs, found 1 and 1"},
		{"recursion", model(simple(functionNode, callOf("F", "b", "a"))), "functions call each other more than 32 deep"},
		{"operator set", model(simple(functionOpset, proto(opsetVersion, 99))), "function F: operator set 99: expected"},
		{"graph", model(simple(functionNode, with(callOf("F", "b", "a"), proto(attrName, "g", attrGraph, proto(), attrType, kindGraph)))), "graphs as attributes of functions are not supported"},
		{"expansion", model(wide...), "needs more memory than 4 times its size and 64 MiB"},
		{"node", model(simple(functionNode, nodeOf("Relu", "b", "c"))), `node n (F): function F: node n (Relu): input "c" is not defined`},
	} {
		_, err := Unmarshal(c.data, ReadOptions{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got error %v, want %s", c.name, err, c.want)
		}
	}
}

func TestConstantBranch(t *testing.T) {
	branch := func(op string) *message {
		return proto(graphName, op, graphNode, nodeOf(op, "r", "x"), graphOutput, output("r"))
	}
	choose := with(nodeOf("If", "y", "c"), proto(attrName, "then_branch", attrGraph, branch("Relu"), attrType, kindGraph),
		proto(attrName, "else_branch", attrGraph, branch("NotAnOperator"), attrType, kindGraph))
	data := modelOf(18, proto(graphInput, inputOf("x", 1, param("batch"), size(3)),
		graphNode, nodeOf("Shape", "s", "x"),
		graphNode, nodeOf("Gather", "d", "s", "one"),
		graphNode, nodeOf("Equal", "c", "d", "three"),
		graphNode, choose,
		graphInitializer, proto(tensorName, "one", tensorType, 7, tensorInt64s, []byte{1}),
		graphInitializer, proto(tensorName, "three", tensorType, 7, tensorInt64s, []byte{3}),
		graphOutput, output("y")))
	g, err := Unmarshal(data, ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(g.Nodes) != 2 || g.Nodes[0].Op != "Relu" || g.Outputs[0].String() != "y float32[N,3]" {
		t.Errorf("got %s", g)
	}
}

// computedReshape gives x [N,3,4] the shape [Shape(x)[0], last].
func computedReshape(last byte) []byte {
	return modelOf(18, proto(graphInput, inputOf("x", 1, param("batch"), size(3), size(4)),
		graphNode, nodeOf("Shape", "s", "x"),
		graphNode, nodeOf("Gather", "d", "s", "zero"),
		graphNode, with(nodeOf("Concat", "to", "d", "rest"), proto(attrName, "axis", attrInt, 0, attrType, kindInt)),
		graphNode, nodeOf("Reshape", "y", "x", "to"),
		graphInitializer, proto(tensorName, "zero", tensorType, 7, tensorDims, 1, tensorInt64s, []byte{0}),
		graphInitializer, proto(tensorName, "rest", tensorType, 7, tensorDims, 1, tensorRaw, []byte{last, 0, 0, 0, 0, 0, 0, 0}),
		graphOutput, output("y")))
}

func TestComputedShapes(t *testing.T) {
	for _, c := range []struct {
		data []byte
		o    ReadOptions
		want string
	}{
		{computedReshape(12), ReadOptions{}, "y float32[N,12]"},
		{computedReshape(12), ReadOptions{Batch: 5}, "y float32[5,12]"},
		{computedReshape(7), ReadOptions{Batch: 5}, "shape [5 7] does not fit 60 elements"},
	} {
		g, err := Unmarshal(c.data, c.o)
		got := ""
		if err != nil {
			got = err.Error()
		} else {
			got = g.Outputs[0].String()
		}
		if !strings.HasSuffix(got, c.want) {
			t.Errorf("%v: got %s, want %s", c.o, got, c.want)
		}
	}
}

func FuzzFunctions(f *testing.F) {
	f.Add(withFunctions(modelOf(18, proto(graphInput, inputOf("x", 1, size(2)), graphNode, callOf("Leaky", "y", "x"), graphOutput, output("y"))), leaky()))
	f.Add(computedReshape(12))
	f.Fuzz(func(t *testing.T, data []byte) {
		g, err := Unmarshal(data, ReadOptions{})
		if err != nil {
			return
		}
		if again, err := Marshal(g, Options{}); err == nil {
			if _, err := Unmarshal(again, ReadOptions{}); err != nil {
				t.Errorf("what was read and written cannot be read again: %v", err)
			}
		}
	})
}
