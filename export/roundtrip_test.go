package export

import (
	"bytes"
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/tensor"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func marshal(t testing.TB, g *ir.Graph, o Options) []byte {
	t.Helper()
	data, err := Marshal(g, o)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func unmarshal(t testing.TB, data []byte, o ReadOptions) *ir.Graph {
	t.Helper()
	if o.Infer == nil {
		o.Infer = inferAny
	}
	g, err := Unmarshal(data, o)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// constants maps the constants of g and its nested graphs by name.
func constants(g *ir.Graph) map[string]*tensor.Tensor {
	out := map[string]*tensor.Tensor{}
	add := func(g *ir.Graph) {
		for _, v := range g.Constants() {
			out[v.Name] = v.Const
		}
	}
	add(g)
	g.Walk(func(n *ir.Node) {
		for _, sub := range n.Graphs() {
			add(sub)
		}
	})
	return out
}

func sameGraph(t *testing.T, got, want *ir.Graph) {
	t.Helper()
	if got, want := got.String(), want.String(); got != want {
		t.Errorf("text differs\ngot:\n%s\nwant:\n%s", got, want)
	}
	for name, c := range constants(want) {
		if found := constants(got)[name]; found == nil || !tensor.Equal(found, c) {
			t.Errorf("constant %s differs", name)
		}
	}
	if fmt.Sprint(got.Meta) != fmt.Sprint(want.Meta) && len(want.Meta) > 0 {
		t.Errorf("metadata: got %v, want %v", got.Meta, want.Meta)
	}
}

func TestRoundTrip(t *testing.T) {
	for _, s := range samples {
		t.Run(s.name, func(t *testing.T) {
			want := s.make(t)
			o := Options{Producer: "test", ProducerVersion: "1", ModelVersion: 7, Doc: "text", ValueInfo: true}
			first := marshal(t, want, o)
			if !bytes.Equal(first, marshal(t, s.make(t), o)) {
				t.Error("two calls give different bytes")
			}
			got := unmarshal(t, first, ReadOptions{})
			if s.name == "loop" { // the shared constant has another name in the body
				text := got.String()
				if strings.Count(text, "const both float32[3]") != 1 || strings.Count(text, "const both.1 float32[3]") != 1 {
					t.Errorf("shared constant:\n%s", text)
				}
				want = unmarshal(t, marshal(t, got, o), ReadOptions{})
			}
			sameGraph(t, got, want)
		})
	}
}

func TestOpsetConversionRoundTrip(t *testing.T) {
	want := reductions(t)
	for opset := oldestWrite; opset <= newestOpset; opset++ {
		got := unmarshal(t, marshal(t, want, Options{Opset: opset}), ReadOptions{})
		if err := op.Verify(got); err != nil {
			t.Fatal(err)
		}
		for i, v := range want.Outputs {
			if o := got.Outputs[i]; o.String() != v.String() {
				t.Errorf("operator set %d: output is %s, want %s", opset, o, v)
			}
		}
		if opset < 18 {
			continue
		}
		sameGraph(t, got, want)
	}
}

// reductions uses operators whose form changed between operator sets 13 and 18.
func reductions(t testing.TB) *ir.Graph {
	b := ir.NewBuilder("reductions", 18, op.Infer)
	x := b.Input("x", ir.Float32, 2, 7, 5)
	one := func(name string, attrs ir.Attrs, in ...*ir.Value) *ir.Value { return b.Node(name, attrs, 1, in...)[0] }
	axes := b.Const("axes", tensor.Vector[int64](-1))
	b.Output("mean", one("ReduceMean", ir.Attrs{"keepdims": int64(0)}, x, axes))
	b.Output("max", one("ReduceMax", nil, x, axes))
	b.Output("sum", one("ReduceSum", nil, x, axes))
	b.Output("all", one("ReduceL2", nil, x))
	b.Output("none", one("ReduceMin", ir.Attrs{"noop_with_empty_axes": int64(1)}, x))
	for i, v := range b.Node("Split", ir.Attrs{"axis": int64(1), "num_outputs": int64(3)}, 3, x) {
		b.Output(fmt.Sprintf("part%d", i), v)
	}
	b.Output("pad", one("Pad", nil, x, b.Const("pads", tensor.Vector[int64](1, 2)), nil, axes))
	b.Output("softmax", one("Softmax", ir.Attrs{"axis": int64(1)}, x))
	b.Output("unsqueeze", one("Unsqueeze", nil, x, b.Const("new", tensor.Vector[int64](0, 4))))
	return build(t, b)
}

func TestConversionKeepsTheOriginal(t *testing.T) {
	g := reductions(t)
	before := g.String()
	marshal(t, g, Options{Opset: 13})
	if g.String() != before {
		t.Error("writing changed the graph")
	}
}

func TestGolden(t *testing.T) {
	for _, s := range samples {
		path := filepath.Join("testdata", s.name+".sha256")
		data := marshal(t, s.make(t), Options{ProducerVersion: "golden"})
		got := fmt.Sprintf("%x %d\n", sha256.Sum256(data), len(data))
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s: got %s, want %s", s.name, got, want)
		}
	}
}

func TestFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "model.onnx")
	want := classifier(t)
	if err := WriteFile(path, want, Options{}); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(data, marshal(t, want, Options{})) {
		t.Error("file and Marshal differ")
	}
	got, err := ReadFile(path, ReadOptions{Batch: 4})
	if err != nil {
		t.Fatal(err)
	}
	if s := got.Outputs[0].String(); s != "logits float32[4,10]" {
		t.Errorf("output is %s", s)
	}
	if _, err := ReadFile(filepath.Join(t.TempDir(), "none.onnx"), ReadOptions{}); err == nil {
		t.Error("a missing file was read")
	}
}

func TestMarshalErrors(t *testing.T) {
	node := func(domain, name string, attrs ir.Attrs) *ir.Graph {
		b := ir.NewBuilder("g", 18, func(n *ir.Node) error {
			for _, v := range n.Out {
				v.Type, v.Shape = n.In[0].Type, n.In[0].Shape
			}
			return nil
		})
		x := b.Input("x", ir.Float32, 2)
		b.Output("y", b.DomainNode(domain, name, attrs, 1, x)[0])
		return build(t, b)
	}
	twice := node("", "Relu", nil)
	twice.Outputs = append(twice.Outputs, twice.Outputs[0])
	old := node("", "Relu", nil)
	old.Opset = 12
	other := node("", "Relu", nil)
	other.Opset = 17
	broken := node("", "Relu", nil)
	broken.Inputs = nil
	for _, c := range []struct {
		name string
		g    *ir.Graph
		o    Options
		want string
	}{
		{"domain", node("org.example", "Relu", nil), Options{}, `node Relu (Relu): unknown operator domain "org.example"`},
		{"attribute", node("", "Relu", ir.Attrs{"a": 3}), Options{}, "node Relu (Relu): attribute a: int is no attribute type"},
		{"new operator", node("", "HardSwish", nil), Options{Opset: 13}, "node HardSwish (HardSwish): operator set 13: the operator exists since 14"},
		{"training", node("", "BatchNormalization", ir.Attrs{"training_mode": int64(1)}), Options{Opset: 13}, "attribute training_mode=1 cannot be expressed"},
		{"reduction", node("", "ScatterElements", ir.Attrs{"reduction": "max"}), Options{Opset: 17}, "attribute reduction=max cannot be expressed"},
		{"opset", node("", "Relu", nil), Options{Opset: 12}, "operator set 12: expected 13 to 27"},
		{"graph opset", old, Options{}, "operator set 12: expected 13 to 27"},
		{"conversion", other, Options{Opset: 18}, "operator set 17 cannot become 18: only 18 is converted"},
		{"outputs", twice, Options{}, `output "y" is listed twice`},
		{"structure", broken, Options{}, "value x float32[2] is used before it is defined"},
	} {
		_, err := Marshal(c.g, c.o)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got error %v, want %s", c.name, err, c.want)
		}
	}
}

func TestTooLarge(t *testing.T) {
	b := ir.NewBuilder("large", 18, op.Infer)
	x := b.Input("x", tensor.Uint8, 1)
	b.Output("y", b.Node("Concat", ir.Attrs{"axis": int64(0)}, 1, x, b.Const("c", tensor.Zeros(tensor.Uint8, 1<<31)))[0])
	_, err := Marshal(build(t, b), Options{})
	if err == nil || !strings.Contains(err.Error(), "protobuf holds less than 2 GiB") {
		t.Errorf("got error %v", err)
	}
}
