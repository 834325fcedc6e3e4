package inspect

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rnas/bench/adapt"
	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/export"
	"rnas/internal/tensor"
)

// classifier is a model of one linear layer behind what between makes of the flattened image.
func classifier(t *testing.T, between func(b op.B, x *ir.Value) *ir.Value) *ir.Graph {
	t.Helper()
	b := op.NewB("linear")
	x := b.Input("input", ir.Float32, ir.N, 1, 2, 2)
	y := between(b, b.Flatten(x))
	w := b.Const("w", tensor.Of([]int64{4, 3}, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, float32(12)))
	b.Output("logits", b.MatMul(y, w))
	g, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestReadModel(t *testing.T) {
	g := classifier(t, func(b op.B, x *ir.Value) *ir.Value { return b.Relu(x) })
	g.Meta = map[string]string{"class_names": `["a","b","c"]`}
	path := filepath.Join(t.TempDir(), "m.onnx")
	if err := export.WriteFile(path, g, export.Options{Opset: 15, ProducerVersion: "7"}); err != nil {
		t.Fatal(err)
	}
	m, _, err := ReadModel(path, adapt.Flags{})
	if err != nil {
		t.Fatal(err)
	}
	if m.Constants != 12 || m.MACs != 12 || len(m.Operators) != 3 || m.Inputs[0].String() != "input float32[N,1,2,2]" {
		t.Errorf("found %+v", m)
	}
	if h := m.Header; h.Producer != "rnas" || h.ProducerVersion != "7" || len(h.Opsets) != 1 || h.Opsets[0].Version != 15 || h.IRVersion != 8 {
		t.Errorf("header %+v", h)
	}
	if strings.Join(m.Classes(), "") != "abc" || !m.Attack.Possible || m.Attack.Findings != nil {
		t.Errorf("classes %v, attack %+v", m.Classes(), m.Attack)
	}
}

func TestDistance(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, c := range []struct{ a, b, difference, largest float64 }{
		{1, 1.5, 0.5, 1.5},
		{-3, -3, 0, 3},
		{nan, nan, 0, 0},
		{inf, inf, 0, 0},
		{nan, 1, math.MaxFloat64, 0},
		{inf, -inf, math.MaxFloat64, 0},
		{1, inf, math.MaxFloat64, 0},
	} {
		d, l := distance(tensor.Vector(c.a), tensor.Vector(c.b))
		if d != c.difference || l != c.largest {
			t.Errorf("%v and %v: found %v, %v", c.a, c.b, d, l)
		}
	}
}

// A limit is relative to the largest magnitude of its output; the worst output decides.
func TestCompare(t *testing.T) {
	g := &ir.Graph{Outputs: []*ir.Value{{Name: "a"}, {Name: "b"}}}
	pair := func(a, b float64) []*tensor.Tensor { return []*tensor.Tensor{tensor.Vector(a), tensor.Vector(b)} }
	if c := compare("x", g, pair(1000, 1), pair(1000.5, 1), 1e-3); !c.OK || c.Limit != 1e-3*1000.5 {
		t.Errorf("found %+v", c)
	}
	if c := compare("x", g, pair(1000, 1), pair(1000.5, 1.1), 1e-3); c.OK || !strings.HasPrefix(c.Detail, "output b ") {
		t.Errorf("found %+v", c)
	}
	if c := compare("x", g, pair(1, 1), []*tensor.Tensor{tensor.Vector(1.), tensor.Vector(1., 2.)}, 1); c.OK || !strings.Contains(c.Detail, "shapes") {
		t.Errorf("found %+v", c)
	}
	if c := compare("x", g, pair(1, 1), pair(1, 1)[:1], 1); c.OK {
		t.Errorf("found %+v", c)
	}
}

func TestReadFolder(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put("other/notes.txt", "nothing")
	if _, err := ReadFolder(dir); err == nil || !strings.Contains(err.Error(), "expected the folder of a run") {
		t.Errorf("found %v", err)
	}
	put("train/log.jsonl", "{\"epochs\":2}\n{\"epoch\":1}\n{\"epoch\":2}\n")
	f, err := ReadFolder(dir)
	if err != nil || len(f.Folders) != 1 {
		t.Fatalf("found %+v, %v", f, err)
	}
	if in := f.Folders[0]; in.Epochs != 2 || string(in.Config) != `{"epochs":2}` || string(in.Last) != `{"epoch":2}` {
		t.Errorf("found %+v", in)
	}
	put("train/log.jsonl", "{\"epochs\":2}\n{\"epoch\":1}\n{\"epo")
	if f, err = ReadFolder(dir); err != nil || f.Folders[0].Epochs != 1 {
		t.Errorf("half a line at the end: found %+v, %v", f, err)
	}
	put("train/log.jsonl", "{\"epochs\":2}\n{\"epo\n{}\n")
	if _, err := ReadFolder(dir); err == nil || !strings.Contains(err.Error(), "log.jsonl: line 2: expected a JSON object") {
		t.Errorf("found %v", err)
	}
	put("train/log.jsonl", "")
	put("result.json", `{"models":[{"path":"m.onnx","points":4,"clean":{"accuracy":0.5},"attacks":[{"name":"fgsm","robust_accuracy":0.25},{"name":"pgd20","robust_accuracy":0.25}],"worst_case":{"robust_accuracy":0}}]}`)
	if f, err = ReadFolder(dir); err != nil || len(f.Measured) != 1 || f.Measured[0].String() != "m.onnx on 4 images: clean 0.5000, fgsm 0.2500, pgd20 0.2500, worst case 0.0000" {
		t.Errorf("found %+v, %v", f, err)
	}
	put("result.json", "[]")
	if _, err := ReadFolder(dir); err == nil || !strings.Contains(err.Error(), "result.json: ") {
		t.Errorf("found %v", err)
	}
	put("result.json", "{}")
	put("genotype.json", "{}")
	if _, err := ReadFolder(dir); err == nil || !strings.Contains(err.Error(), "genotype.json") {
		t.Errorf("found %v", err)
	}
}
