package op

import (
	"fmt"
	"strings"
	"testing"

	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

// inferCase is one node: its output types and shapes, or the error after "node n: Op(inputs): ".
type inferCase struct {
	op    string
	in    []*ir.Value
	attrs ir.Attrs
	want  string // "float32[2,3]", several outputs separated by a space
	outs  int    // number of outputs, by default as many as want says and at least one
	err   string
}

const n = ir.N

func val(t ir.DType, shape ...int64) *ir.Value {
	return &ir.Value{Name: "v", Type: t, Shape: append(ir.Shape{}, shape...)}
}

func f32(shape ...int64) *ir.Value { return val(ir.Float32, shape...) }
func f64(shape ...int64) *ir.Value { return val(ir.Float64, shape...) }
func i64(shape ...int64) *ir.Value { return val(ir.Int64, shape...) }
func boo(shape ...int64) *ir.Value { return val(ir.Bool, shape...) }

// ints is a constant int64 vector, int0 a constant int64 scalar.
func ints(v ...int64) *ir.Value { return constant(tensor.Vector(append([]int64{}, v...)...)) }
func int0(v int64) *ir.Value    { return constant(tensor.Scalar(v)) }

func constant(t *tensor.Tensor) *ir.Value {
	return &ir.Value{Name: "c", Type: t.DType(), Shape: append(ir.Shape{}, t.Shape...), Const: t}
}

func list(v ...*ir.Value) []*ir.Value { return v }

func (c inferCase) node(outputs int) *ir.Node {
	node := &ir.Node{Name: "n", Op: c.op, In: c.in, Attrs: c.attrs}
	for i := range outputs {
		node.Out = append(node.Out, &ir.Value{Name: fmt.Sprint("y", i), Def: node})
	}
	return node
}

func (c inferCase) outputs() int { return max(len(strings.Fields(c.want)), c.outs, 1) }

func (c inferCase) run(t *testing.T) {
	t.Helper()
	node := c.node(c.outputs())
	err := Infer(node)
	if c.err != "" {
		if err == nil {
			t.Errorf("%s: expected error %q, found none", describe(node), c.err)
			return
		}
		if got, ok := strings.CutPrefix(err.Error(), describe(node)+": "); !ok || got != c.err {
			t.Errorf("%s: expected error %q, found %q", describe(node), c.err, err)
		}
		return
	}
	if err != nil {
		t.Error(err)
		return
	}
	got := make([]string, len(node.Out))
	for i, v := range node.Out {
		got[i] = v.Type.String() + v.Shape.String()
	}
	if s := strings.Join(got, " "); s != c.want {
		t.Errorf("%s %v: expected %s, found %s", describe(node), c.attrs, c.want, s)
	}
}

// describe is the head of every error: "node n: Op(float32[2], -)".
func describe(node *ir.Node) string {
	in := make([]string, len(node.In))
	for i, v := range node.In {
		in[i] = "-"
		if v != nil {
			in[i] = v.Type.String() + v.Shape.String()
		}
	}
	return fmt.Sprintf("node %s: %s(%s)", node.Name, node.Op, strings.Join(in, ", "))
}

var families = map[string][]inferCase{
	"elementwise": elementwiseCases,
	"activation":  activationCases(),
	"linalg":      linalgCases,
	"tile":        tileCases,
	"loss":        lossCases,
	"random":      randomCases,
	"tuples":      tupleCases,
	"dynamic":     dynamicCases(),
	"linear":      linearCases,
	"window":      windowCases,
	"normalize":   normalizeCases,
	"resize":      resizeCases,
	"sequence":    sequenceCases,
	"patch":       patchCases,
	"reduce":      reduceCases,
	"shape":       shapeCases,
	"index":       indexCases,
	"quantize":    quantizeCases,
}

func TestInfer(t *testing.T) {
	for family, cases := range families {
		t.Run(family, func(t *testing.T) {
			for _, c := range cases {
				c.run(t)
			}
		})
	}
}

// TestInferCoversTable: every operator has at least one case that infers. Operators with graphs have tests of their own.
func TestInferCoversTable(t *testing.T) {
	seen := map[string]bool{"Loop": true, "If": true, "Scan": true}
	for _, cases := range families {
		for _, c := range cases {
			seen[c.op] = seen[c.op] || c.err == ""
		}
	}
	for _, name := range Names("") {
		if !seen[name] {
			t.Errorf("operator %s has no case", name)
		}
	}
}

func TestInferChecksTheRow(t *testing.T) {
	for _, c := range []inferCase{
		{op: "Relu", in: list(), err: "expected 1 to 1 inputs, found 0"},
		{op: "Relu", in: list(f32(2), f32(2)), err: "expected 1 to 1 inputs, found 2"},
		{op: "Concat", in: list(), err: "expected at least 1 inputs, found 0"},
		{op: "Add", in: list(f32(2), nil), err: "input 1 is missing"},
		{op: "Add", in: list(f32(2), &ir.Value{Name: "p"}), err: "input 1 (p) has no type"},
		{op: "Relu", in: list(f32(2)), attrs: ir.Attrs{"slope": float32(1)}, err: "attribute slope is not known"},
		{op: "Softmax", in: list(f32(2)), attrs: ir.Attrs{"axis": 1}, err: "attribute axis: expected int64, found int"},
		{op: "Concat", in: list(f32(2)), err: "attribute axis is missing"},
	} {
		c.run(t)
	}
	one := inferCase{op: "Relu", in: list(f32(2))}
	if err := Infer(one.node(2)); err == nil || err.Error() != "node n: Relu(float32[2]): expected 1 to 1 outputs, found 2" {
		t.Errorf("two outputs: %v", err)
	}
	unknown := &ir.Node{Name: "n", Op: "Mystery", Domain: "com.example"}
	if err := Infer(unknown); err == nil || err.Error() != "node n: operator com.example.Mystery is not known" {
		t.Errorf("unknown operator: %v", err)
	}
	skipped := inferCase{op: "MaxPool", in: list(f32(1, 1, 4, 4)), attrs: ir.Attrs{"kernel_shape": []int64{2, 2}}}.node(2)
	skipped.Out[1] = nil
	if err := Infer(skipped); err != nil {
		t.Errorf("unwanted output: %v", err)
	}
}

func TestNamesAreSortedAndKnown(t *testing.T) {
	names := Names("")
	for i, name := range names {
		if i > 0 && names[i-1] >= name {
			t.Errorf("%s follows %s", name, names[i-1])
		}
		if row := Lookup("", name); row == nil || row.Name != name {
			t.Errorf("operator %s cannot be looked up", name)
		}
	}
	if Lookup("com.example", "Relu") != nil {
		t.Error("Relu found in a foreign domain")
	}
}
