package export

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/tensor"
)

// A compressed file is the file; what is no regular file is not opened.
func TestLoad(t *testing.T) {
	b := op.NewB("g")
	b.Output("y", b.Relu(b.Input("x", ir.Float32, ir.N, 3)))
	g, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	data, err := Marshal(g, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "m.onnx.gz")
	if err := os.WriteFile(path, packed.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	if got, err := Load(path); err != nil || !bytes.Equal(got, data) {
		t.Errorf("found %d bytes, %v", len(got), err)
	}
	if g, err := ReadFile(path, ReadOptions{}); err != nil || len(g.Nodes) != 1 {
		t.Errorf("found %v, %v", g, err)
	}
	if err := os.WriteFile(path, packed.Bytes()[:packed.Len()-6], 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path); err == nil || !strings.Contains(err.Error(), "m.onnx.gz: unexpected EOF") {
		t.Errorf("found %v", err)
	}
	if _, err := Load(dir); err == nil || !strings.Contains(err.Error(), "expected a regular file") {
		t.Errorf("found %v", err)
	}
	s, err := ReadSignature(data)
	if err != nil || len(s.Inputs) != 1 || s.Inputs[0].String() != "x float32[N,3]" || len(s.Outputs) != 1 {
		t.Errorf("found %+v, %v", s, err)
	}
}

// A file is written in an operator set that has the types of its operators.
func TestOldestForTypes(t *testing.T) {
	for _, c := range []struct {
		name  string
		build func(b op.B, x *ir.Value) *ir.Value
		want  int
	}{
		{"float32", func(b op.B, x *ir.Value) *ir.Value { return b.Relu(x) }, 18},
		{"uint16", func(b op.B, x *ir.Value) *ir.Value {
			s, z := b.Float(x, 0.5), b.Const("z", tensor.FromFloat64s(tensor.Uint16, nil, []float64{7}))
			return b.One("DequantizeLinear", nil, b.One("QuantizeLinear", nil, x, s, z), s, z)
		}, 21},
		{"float8", func(b op.B, x *ir.Value) *ir.Value { return b.Cast(b.Cast(x, tensor.Float8E4M3FN), ir.Float32) }, 19},
	} {
		b := op.NewB("g")
		b.Output("y", c.build(b, b.Input("x", ir.Float32, ir.N, 3)))
		g, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		if got := Oldest(g); got != c.want {
			t.Errorf("%s: expected %d, found %d", c.name, c.want, got)
		}
		if _, err := Marshal(g, Options{}); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// The layout of one machine is refused with what to do.
func TestRefusesNCHWc(t *testing.T) {
	node := nodeOf("ReorderInput", "y", "x")
	node.string(nodeDomain, op.NCHWc)
	data := modelOf(18, proto(graphInput, inputOf("x", 1, size(1), size(16), size(4), size(4)), graphNode, node))
	if _, err := Unmarshal(data, ReadOptions{}); err == nil || !strings.Contains(err.Error(), "save the model at the level basic or extended") {
		t.Errorf("found %v", err)
	}
}
