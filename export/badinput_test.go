package export

import (
	"math"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// proto builds a message from (number, value) pairs; values are int, string, []byte or *message.
func proto(pairs ...any) *message {
	m := &message{}
	for i := 0; i < len(pairs); i += 2 {
		num := pairs[i].(protowire.Number)
		switch v := pairs[i+1].(type) {
		case int:
			m.int(num, int64(v))
		case string:
			m.string(num, v)
		case []byte:
			m.bytes(num, v)
		case float32:
			m.fixed32(num, math.Float32bits(v))
		case *message:
			m.sub(num, v)
		}
	}
	return m
}

// modelOf wraps a graph message for an operator set.
func modelOf(opset int, graph *message) []byte {
	return proto(modelIRVersion, 8, modelGraph, graph, modelOpsetImport, proto(opsetDomain, "", opsetVersion, opset)).concat()
}

func inputOf(name string, typ int, dims ...*message) *message {
	shape := &message{}
	for _, d := range dims {
		shape.sub(shapeDim, d)
	}
	return proto(valueName, name, valueType, proto(typeTensor, proto(typeElem, typ, typeShape, shape)))
}

func size(n int) *message { return proto(dimensionSize, n) }

func param(s string) *message { return proto(dimensionName, s) }

func output(s string) *message { return proto(valueName, s) }

func nodeOf(op, out string, in ...string) *message {
	m := proto(nodeOp, op, nodeOutput, out, nodeName, "n")
	for _, name := range in {
		m.string(nodeInput, name)
	}
	return m
}

func with(m *message, attrs ...*message) *message {
	for _, a := range attrs {
		m.sub(nodeAttribute, a)
	}
	return m
}

// nested puts graphs into attributes of nodes of graphs, n deep.
func nested(n int) *message {
	g := proto(graphName, "inner")
	for range n {
		g = proto(graphNode, with(nodeOf("If", "y"), proto(attrName, "then_branch", attrGraph, g, attrType, kindGraph)))
	}
	return g
}

func TestBadModels(t *testing.T) {
	x := inputOf("x", 1, size(2))
	relu := nodeOf("Relu", "y", "x")
	tensorWith := func(pairs ...any) *message {
		return proto(graphInitializer, proto(append([]any{tensorName, "w"}, pairs...)...))
	}
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "no graph: not an ONNX model"},
		{"text", []byte("<!DOCTYPE html>"), "byte 1: "},
		{"cut", modelOf(18, proto(graphInput, x))[:20], "byte 3: unexpected EOF"},
		{"wrong wire type", proto(modelGraph, 3).concat(), "byte 1: field 7 has wire type 0, expected 2"},
		{"two graphs", proto(modelGraph, proto(), modelGraph, proto()).concat(), "a second graph"},
		{"no operator set", proto(modelGraph, proto(graphName, "g")).concat(), "graph g: no version of the standard operator set"},
		{"old operator set", modelOf(5, proto()), "operator set 5: expected 6 to 27"},
		{"new operator set", modelOf(28, proto()), "operator set 28: expected 6 to 27"},
		{"sparse", modelOf(18, proto(graphSparse, proto())), "sparse tensor: expected numbers and indices"},
		{"no shape", modelOf(18, proto(graphInput, proto(valueName, "x", valueType, proto(typeTensor, proto(typeElem, 1))))), `input "x": no shape`},
		{"no type", modelOf(18, proto(graphInput, proto(valueName, "x"))), `input "x": no element type`},
		{"sequence", modelOf(18, proto(graphInput, proto(valueName, "x", valueType, proto(protowire.Number(4), proto())))), `value "x": byte 13: only tensors are supported`},
		{"complex", modelOf(18, proto(graphInput, inputOf("x", 14, size(1)))), "element type 14 is not supported"},
		{"symbolic", modelOf(18, proto(graphInput, inputOf("x", 1, size(1), param("h")))), `input "x": dimension 1 ("h") is symbolic: its size is needed`},
		{"input twice", modelOf(18, proto(graphInput, x, graphInput, x)), `value "x" is defined twice`},
		{"nameless input", modelOf(18, proto(graphInput, inputOf("", 1, size(1)))), "a value without a name"},
		{"undefined input", modelOf(18, proto(graphNode, relu)), `node n (Relu): input "x" is not defined`},
		{"undefined output", modelOf(18, proto(graphOutput, output("y"))), `output "y" is not defined`},
		{"cycle", modelOf(18, proto(graphNode, nodeOf("Relu", "a", "b"), graphNode, nodeOf("Relu", "b", "a"))), "node n (Relu): its inputs depend on its outputs"},
		{"unknown operator", modelOf(18, proto(graphInput, x, graphNode, nodeOf("Magic", "y", "x"))), "node n (Magic): node n: operator Magic is not known"},
		{"arity", modelOf(18, proto(graphInput, x, graphNode, nodeOf("Add", "y", "x"))), "node n (Add): node n: Add(float32[2]): expected 2 to 2 inputs, found 1"},
		{"declared type", modelOf(18, proto(graphInput, x, graphNode, relu, graphOutput, inputOf("y", 7, size(2)))), `output "y" is declared int64 and computed as float32`},
		{"depth", modelOf(18, nested(40)), "graphs are nested more than 32 deep"},
		{"attribute without type", modelOf(18, proto(graphNode, with(relu, proto(attrName, "a")))), "node n (Relu): byte 23: attribute a has no type"},
		{"attribute kind", modelOf(18, proto(graphNode, with(nodeOf("Relu", "y", "x"), proto(attrName, "a", attrType, 9)))), "attribute a: kind tensor list is not supported"},
		{"attribute twice", modelOf(18, proto(graphNode, with(nodeOf("Relu", "y", "x"), proto(attrName, "a", attrInt, 1, attrType, kindInt), proto(attrName, "a", attrInt, 1, attrType, kindInt)))), "attribute a is given twice"},
		{"attribute reference", modelOf(18, proto(graphNode, with(nodeOf("Relu", "y", "x"), proto(attrName, "a", attrRef, "b")))), "attribute a refers to attribute b of a function, outside of one"},
		{"constant", modelOf(18, proto(graphNode, nodeOf("Constant", "c"))), "node n (Constant): expected 0 inputs, 1 output and 1 attribute"},

		{"tensor without type", modelOf(18, tensorWith()), `tensor "w": byte 6: no element type`},
		{"tensor of 1 TB", modelOf(18, tensorWith(tensorType, 1, tensorDims, 1<<38, tensorRaw, "abcd")), "float32[274877906944] needs 1099511627776 bytes, found 4"},
		{"tensor of 1 TB in fields", modelOf(18, tensorWith(tensorType, 7, tensorDims, 1<<38, tensorInt64s, []byte{1, 2})), "int64[274877906944] needs 274877906944 elements, found 2"},
		{"overflow", modelOf(18, tensorWith(tensorType, 1, tensorDims, 1<<33, tensorDims, 1<<33)), "shape [8589934592 8589934592] has too many elements"},
		{"negative", modelOf(18, tensorWith(tensorType, 1, tensorDims, -1)), "shape [-1] has a negative dimension"},
		{"raw strings", modelOf(18, tensorWith(tensorType, 8, tensorRaw, "a")), "string has no raw form"},
		{"external", modelOf(18, tensorWith(tensorType, 1, tensorLocation, 1)), "external data without a location"},
		{"segment", modelOf(18, tensorWith(tensorType, 1, tensorSegment, proto())), "tensors in segments are not supported"},
		{"odd floats", modelOf(18, tensorWith(tensorType, 1, tensorDims, 1, tensorFloats, "abcde")), "5 bytes are no list of 4-byte numbers"},
		{"range", modelOf(18, tensorWith(tensorType, 3, tensorDims, 1, tensorInt32s, 200)), "1 elements are outside the range of int8"},
		{"initializer twice", modelOf(18, proto(graphInitializer, proto(tensorName, "w", tensorType, 1, tensorDims, 0), graphInitializer, proto(tensorName, "w", tensorType, 1, tensorDims, 0))), `value "w" is defined twice`},

		{"old softmax", modelOf(9, proto(graphInput, inputOf("x", 1, size(2), size(3)), graphNode, with(nodeOf("Softmax", "y", "x"), proto(attrName, "axis", attrInt, 5, attrType, kindInt)))), "operator set 9: axis 5 is outside rank 2"},
		{"old norm", modelOf(7, proto(graphInput, x, graphNode, with(nodeOf("BatchNormalization", "y", "x"), proto(attrName, "spatial", attrInt, 0, attrType, kindInt)))), "attribute spatial=0 is not supported"},
		{"old top", modelOf(9, proto(graphInput, x, graphNode, nodeOf("TopK", "y", "x"))), "attribute k is missing"},
		{"old attribute", modelOf(9, proto(graphInput, x, graphNode, with(nodeOf("Squeeze", "y", "x"), proto(attrName, "axes", attrInt, 0, attrType, kindInt)))), "attribute axes: expected []int64, found int64"},
	} {
		_, err := Unmarshal(c.data, ReadOptions{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got error %v, want %s", c.name, err, c.want)
		}
	}
}

func TestUnknownFieldsAreSkipped(t *testing.T) {
	data := modelOf(18, proto(graphInput, inputOf("x", 1, size(2)), graphNode, nodeOf("Relu", "y", "x"), graphOutput, output("y"),
		protowire.Number(900), "future", protowire.Number(901), 7))
	data = protowire.AppendTag(data, 902, protowire.StartGroupType)
	data = protowire.AppendTag(data, 3, protowire.VarintType)
	data = protowire.AppendVarint(data, 5)
	data = protowire.AppendTag(data, 902, protowire.EndGroupType)
	data = protowire.AppendTag(data, 903, protowire.Fixed64Type)
	data = protowire.AppendFixed64(data, 1)
	if g := unmarshal(t, data, ReadOptions{}); len(g.Nodes) != 1 {
		t.Errorf("got %s", g)
	}
}

func FuzzUnmarshal(f *testing.F) {
	for _, s := range samples {
		f.Add(marshal(f, s.make(f), Options{}))
	}
	f.Add(marshal(f, reductions(f), Options{Opset: 13}))
	f.Add(modelOf(18, nested(5)))
	f.Add(modelOf(9, proto(graphInput, inputOf("x", 1, size(2), size(3), size(4)), graphNode, nodeOf("Softmax", "y", "x"), graphOutput, output("y"))))
	f.Fuzz(func(t *testing.T, data []byte) {
		g, err := Unmarshal(data, ReadOptions{Infer: inferAny})
		if err != nil {
			return
		}
		again, err := Marshal(g, Options{})
		if err != nil {
			return // operators of unknown domains, outputs listed twice
		}
		if _, err := Unmarshal(again, ReadOptions{Infer: inferAny}); err != nil {
			t.Errorf("what was read and written cannot be read again: %v", err)
		}
	})
}

// TestDamage reads models with each byte in turn changed, and cut after each byte: none may cause a panic.
func TestDamage(t *testing.T) {
	old := modelOf(9, proto(
		graphInput, inputOf("x", 1, size(2), size(3), size(4)),
		graphNode, nodeOf("Softmax", "y", "x"),
		graphNode, with(nodeOf("Slice", "z", "y"),
			proto(attrName, "starts", attrInts, 1, attrType, kindInts),
			proto(attrName, "ends", attrInts, 2, attrType, kindInts)),
		graphNode, with(nodeOf("Clip", "c", "z"), proto(attrName, "min", attrType, kindFloat)),
		graphOutput, output("c")))
	models := [][]byte{old, marshal(t, classifier(t), Options{}), marshal(t, loop(t), Options{}), marshal(t, reductions(t), Options{Opset: 13})}
	read, refused := 0, 0
	try := func(data []byte) {
		if _, err := Unmarshal(data, ReadOptions{Infer: inferAny}); err != nil {
			refused++
		} else {
			read++
		}
	}
	for _, data := range models {
		try(data)
		for i := range data {
			try(data[:i])
			for _, change := range []byte{1, 2, 4, 8, 0x80, 0xff} {
				data[i] ^= change
				try(data)
				data[i] ^= change
			}
		}
	}
	if read < len(models) || refused < 1000 {
		t.Errorf("%d models were read and %d refused", read, refused)
	}
}
