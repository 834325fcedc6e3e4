package export

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/pythontest"
	"rnas/internal/tensor"
)

func TestReferenceChecker(t *testing.T) {
	dir := t.TempDir()
	var paths []string
	write := func(name string, g *ir.Graph, o Options) {
		path := filepath.Join(dir, name+".onnx")
		if err := WriteFile(path, g, o); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	for _, s := range samples {
		write(s.name, s.make(t), Options{Doc: "text"})
	}
	for opset := oldestWrite; opset <= newestOpset; opset++ {
		for _, g := range []*ir.Graph{classifier(t), reductions(t), loop(t)} {
			write(fmt.Sprintf("%s.%d", g.Name, opset), g, Options{Opset: opset, ProducerVersion: "1", ModelVersion: 3, ValueInfo: true})
		}
	}
	out := pythontest.Run(t, "testdata/check.py", paths...)
	if !strings.HasPrefix(out, "classifier (float[N,3,8,8] image) => (float[N,10] logits)") {
		t.Errorf("the reference implementation sees\n%s", out)
	}
}

func TestReferenceModels(t *testing.T) {
	dir := t.TempDir()
	pythontest.Run(t, "testdata/make.py", dir)
	open := func(name string) *ir.Graph {
		t.Helper()
		g, err := ReadFile(filepath.Join(dir, name+".onnx"), ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if err := op.Verify(g); err != nil {
			t.Fatal(err)
		}
		return g
	}
	for _, name := range []string{"opset9", "opset21", "loop"} {
		path := filepath.Join("testdata", "reference."+name+".txt")
		got := open(name).String()
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
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
		}
	}
	for name, c := range constants(open("types")) {
		name = strings.TrimSuffix(name, "_out")
		want := []float64{-2, 0, 1, 3}
		if name[0] == 'u' || name[0] == 'b' {
			want = []float64{1, 0, 1, 1}
		}
		if c.DType().String() != name || !tensor.Equal(c, tensor.FromFloat64s(c.DType(), []int64{4}, want)) {
			t.Errorf("%s: got %s %v", name, c.DType(), c.Data)
		}
	}
}

// TestConversionsCompute runs models before and after conversion between operator sets.
func TestConversionsCompute(t *testing.T) {
	dir := t.TempDir()
	pythontest.Run(t, "testdata/make.py", dir)
	var paths []string
	for _, name := range []string{"opset9", "opset21", "loop"} {
		before, after := filepath.Join(dir, name+".onnx"), filepath.Join(dir, name+".18.onnx")
		g, err := ReadFile(before, ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if err := WriteFile(after, g, Options{}); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, before, after)
	}
	first := ""
	for opset := oldestWrite; opset <= newestOpset; opset++ {
		path := filepath.Join(dir, fmt.Sprintf("reductions.%d.onnx", opset))
		if err := WriteFile(path, reductions(t), Options{Opset: opset}); err != nil {
			t.Fatal(err)
		}
		if first == "" {
			first = path
			continue
		}
		paths = append(paths, first, path)
	}
	if out := pythontest.Run(t, "testdata/equal.py", paths...); strings.Count(out, "11 outputs") != newestOpset-oldestWrite {
		t.Errorf("compared:\n%s", out)
	}
}
