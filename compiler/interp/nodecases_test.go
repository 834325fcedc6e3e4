package interp_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/owulveryck/onnx-go/backend/testbackend"
	_ "github.com/owulveryck/onnx-go/backend/testbackend/onnx" // registers the cases
	"google.golang.org/protobuf/encoding/protowire"
	gorgonia "gorgonia.org/tensor"

	"rnas/compiler/interp"
	"rnas/compiler/op"
	"rnas/export"
	"rnas/internal/tensor"
)

// expectedFailures are cases that cannot pass, with the part of the error that says why.
var expectedFailures = map[string]string{
	"TestSize":        "got int64[], want float32[1]", // the extraction lost type and rank
	"TestSizeExample": "got int64[], want float32[1]",
}

// renamed are operators of old operator sets that the reader expresses by others.
var renamed = []string{"Scatter", "Constant"}

// TestNodeCases runs the node cases of ONNX (operator sets 7 to 11, as extracted by onnx-go) through reader, shape
// inference and interpreter.
func TestNodeCases(t *testing.T) {
	cases := testbackend.GetAllRegisteredTests()
	all := make([]*testbackend.TestCase, len(cases))
	for i, c := range cases {
		all[i] = c()
	}
	slices.SortFunc(all, func(a, b *testbackend.TestCase) int { return strings.Compare(a.Title, b.Title) })
	passed, expected, frozen := 0, 0, 0
	outside := map[string]bool{}
	outsideCases := 0
	for _, c := range all {
		if op.Lookup("", c.OpType) == nil && !slices.Contains(renamed, c.OpType) {
			outside[c.OpType] = true
			outsideCases++
			continue
		}
		usedConstants, err := runNodeCase(c)
		if usedConstants {
			frozen++
		}
		reason, listed := expectedFailures[c.Title]
		switch {
		case listed && err == nil:
			t.Errorf("%s passes, but is listed as a failure (%s)", c.Title, reason)
		case listed && !strings.Contains(err.Error(), reason):
			t.Errorf("%s: got %v, want %q", c.Title, err, reason)
		case listed:
			expected++
		case err != nil:
			t.Errorf("%s: %v", c.Title, err)
		default:
			passed++
		}
	}
	t.Logf("%d cases: %d passed (%d with shape operands made constant), %d fail as expected, %d of %d operators outside the table",
		len(all), passed, frozen, expected, outsideCases, len(outside))
	if passed == 0 {
		t.Error("no case ran")
	}
}

// runNodeCase reads, runs and compares one case. The compiler wants shapes, axes and the like as constants, while the
// cases pass them as inputs: where the reader asks for constants, inputs of integers and single numbers become
// initializers of integers.
func runNodeCase(c *testbackend.TestCase) (frozen bool, err error) {
	declared := modelInputs(c.ModelB)
	if len(declared) != len(c.Input) {
		return false, fmt.Errorf("%d tensors for %d inputs", len(c.Input), len(declared))
	}
	inputs := map[string]*tensor.Tensor{}
	for i, x := range c.Input {
		data, err := fromGorgonia(x)
		if err != nil {
			return false, fmt.Errorf("input %s: %w", declared[i].name, err)
		}
		// onnx-go's cases lost integer types and rank 0 here and there.
		inputs[declared[i].name] = tensor.FromFloat64s(declared[i].dtype, declared[i].shape, data.Float64s())
	}
	g, err := export.Unmarshal(c.ModelB, export.ReadOptions{})
	if err != nil && strings.Contains(err.Error(), "constant") {
		frozen = true
		model := c.ModelB
		for _, d := range declared {
			switch {
			case c.OpType == "Resize" && len(d.shape) == 1: // scales
				model = withInitializer(model, d.name, inputs[d.name])
				delete(inputs, d.name)
			case d.dtype == tensor.Int64 || inputs[d.name].Len() == 1:
				model = withInitializer(model, d.name, tensor.FromFloat64s(tensor.Int64, d.shape, inputs[d.name].Float64s()))
				delete(inputs, d.name)
			}
		}
		g, err = export.Unmarshal(model, export.ReadOptions{})
	}
	if err != nil {
		return frozen, err
	}
	for name := range inputs {
		if g.Input(name) == nil {
			delete(inputs, name)
		}
	}
	out, err := interp.Run(g, inputs)
	if err != nil {
		return frozen, err
	}
	for i, v := range g.Outputs {
		if i >= len(c.ExpectedOutput) {
			return frozen, fmt.Errorf("no expectation for output %s", v.Name)
		}
		want, err := fromGorgonia(c.ExpectedOutput[i])
		if err != nil {
			return frozen, fmt.Errorf("output %s: %w", v.Name, err)
		}
		if err := near(out[v.Name], want); err != nil {
			return frozen, fmt.Errorf("output %s: %w", v.Name, err)
		}
	}
	return frozen, nil
}

// near compares shapes and elements within the tolerances of the ONNX test suite.
func near(got, want *tensor.Tensor) error {
	if !slices.Equal(got.Shape, want.Shape) || got.DType().IsFloat() != want.DType().IsFloat() {
		return fmt.Errorf("got %s%v, want %s%v", got.DType(), got.Shape, want.DType(), want.Shape)
	}
	for i := range got.Len() {
		g, w := got.Float64At(i), want.Float64At(i)
		if !(g == w || math.IsNaN(g) && math.IsNaN(w) || math.Abs(g-w) <= 1e-7+1e-3*math.Abs(w)) {
			return fmt.Errorf("element %d is %v, want %v", i, g, w)
		}
	}
	return nil
}

func fromGorgonia(x gorgonia.Tensor) (*tensor.Tensor, error) {
	shape := make([]int64, len(x.Shape()))
	for i, d := range x.Shape() {
		shape[i] = int64(d)
	}
	switch d := x.Data().(type) {
	case []float32:
		return tensor.New(shape, d)
	case []float64:
		return tensor.New(shape, d)
	case []int64:
		return tensor.New(shape, d)
	case []int32:
		return tensor.New(shape, d)
	case []bool:
		return tensor.New(shape, d)
	case []uint8:
		return tensor.New(shape, d)
	case float32:
		return tensor.New(shape, []float32{d})
	case int64:
		return tensor.New(shape, []int64{d})
	default:
		return nil, fmt.Errorf("unexpected storage %T", d)
	}
}

// Field numbers of the ONNX messages.
const (
	modelGraph       protowire.Number = 7
	graphInitializer protowire.Number = 5
	graphInput       protowire.Number = 11
	valueName        protowire.Number = 1
	valueType        protowire.Number = 2
	typeTensor       protowire.Number = 1
	tensorElement    protowire.Number = 1
	tensorShape      protowire.Number = 2
	shapeDim         protowire.Number = 1
	dimValue         protowire.Number = 1
	tensorDims       protowire.Number = 1
	tensorType       protowire.Number = 2
	tensorFloat      protowire.Number = 4
	tensorInt64      protowire.Number = 7
	tensorName       protowire.Number = 8
)

// fields calls f for every field of a message with its number or content.
func fields(message []byte, f func(number protowire.Number, value uint64, content []byte)) {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		size := protowire.ConsumeFieldValue(number, kind, message[max(n, 0):])
		if n < 0 || size < 0 {
			panic("broken message in a node case")
		}
		switch kind {
		case protowire.BytesType:
			content, _ := protowire.ConsumeBytes(message[n:])
			f(number, 0, content)
		case protowire.VarintType:
			value, _ := protowire.ConsumeVarint(message[n:])
			f(number, value, nil)
		}
		message = message[n+size:]
	}
}

// follow calls f for the content found along a path of field numbers.
func follow(message []byte, f func(value uint64, content []byte), path ...protowire.Number) {
	fields(message, func(number protowire.Number, value uint64, content []byte) {
		switch {
		case number != path[0]:
		case len(path) == 1:
			f(value, content)
		default:
			follow(content, f, path[1:]...)
		}
	})
}

type declaration struct {
	name  string
	dtype tensor.DType
	shape []int64
}

// modelInputs lists the inputs that a model declares.
func modelInputs(model []byte) []declaration {
	var out []declaration
	follow(model, func(_ uint64, input []byte) {
		d := declaration{}
		follow(input, func(_ uint64, name []byte) { d.name = string(name) }, valueName)
		follow(input, func(v uint64, _ []byte) { d.dtype = tensor.DType(v) }, valueType, typeTensor, tensorElement)
		follow(input, func(v uint64, _ []byte) { d.shape = append(d.shape, int64(v)) },
			valueType, typeTensor, tensorShape, shapeDim, dimValue)
		out = append(out, d)
	}, modelGraph, graphInput)
	return out
}

// withInitializer gives the graph of a model an initializer of 64-bit integers or 32-bit floats.
func withInitializer(model []byte, name string, x *tensor.Tensor) []byte {
	var t []byte
	for _, d := range x.Shape {
		t = protowire.AppendVarint(protowire.AppendTag(t, tensorDims, protowire.VarintType), uint64(d))
	}
	t = protowire.AppendVarint(protowire.AppendTag(t, tensorType, protowire.VarintType), uint64(x.DType()))
	if x.DType() == tensor.Float32 {
		for _, v := range x.Data.([]float32) {
			t = protowire.AppendFixed32(protowire.AppendTag(t, tensorFloat, protowire.Fixed32Type), math.Float32bits(v))
		}
	} else {
		for _, v := range x.Int64s() {
			t = protowire.AppendVarint(protowire.AppendTag(t, tensorInt64, protowire.VarintType), uint64(v))
		}
	}
	t = protowire.AppendBytes(protowire.AppendTag(t, tensorName, protowire.BytesType), []byte(name))
	var out []byte
	for rest := model; len(rest) > 0; {
		number, kind, n := protowire.ConsumeTag(rest)
		size := protowire.ConsumeFieldValue(number, kind, rest[n:])
		if number == modelGraph {
			graph, _ := protowire.ConsumeBytes(rest[n:])
			graph = protowire.AppendTag(slices.Clone(graph), graphInitializer, protowire.BytesType)
			graph = protowire.AppendBytes(graph, t)
			out = protowire.AppendBytes(protowire.AppendTag(out, modelGraph, protowire.BytesType), graph)
		} else {
			out = append(out, rest[:n+size]...)
		}
		rest = rest[n+size:]
	}
	return out
}
