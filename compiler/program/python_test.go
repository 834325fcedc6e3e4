package program_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"rnas/compiler/ir"
	"rnas/compiler/pass"
	"rnas/compiler/program"
	"rnas/export"
	"rnas/internal/npy"
	"rnas/internal/pythontest"
	"rnas/internal/tensor"
)

// Deployed models of several operator sets pass onnx.checker and give the same logits in Python's ONNX Runtime as here.
func TestDeployedModelInPython(t *testing.T) {
	dir := t.TempDir()
	for _, f := range fixtures {
		l := load(t, f)
		args := []string{filepath.Join(dir, f.file+".npz")}
		for _, opset := range []int{13, 17, 18, 20} {
			g, err := program.Deploy(l.net, l.layout, l.params, l.stats, ir.N, opset != 17)
			if err != nil {
				t.Fatal(err)
			}
			if err := pass.Run(g, pass.Inference()); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, fmt.Sprintf("%s.%d.onnx", f.file, opset))
			if err := export.WriteFile(path, g, export.Options{Opset: opset}); err != nil {
				t.Fatal(err)
			}
			args = append(args, path)
		}
		g, err := export.ReadFile(args[1], export.ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		c, err := program.NewClassifier(g)
		if err != nil {
			t.Fatal(err)
		}
		p, err := c.Score(4)
		if err != nil {
			t.Fatal(err)
		}
		ours := runRuntime(t, p, map[string]*tensor.Tensor{"images": l.want["x"], "labels": l.want["y"]})
		if err := npy.WriteNPZ(args[0], []npy.Array{{Name: "images", Tensor: l.want["x"]}, {Name: "logits", Tensor: ours["logits"]}}); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s", pythontest.Run(t, "testdata/logits.py", args...))
	}
}

// Compiling twice gives equal files.
func TestCompilationIsDeterministic(t *testing.T) {
	l := load(t, fixtures[0])
	var first []byte
	for range 2 {
		p, err := program.Train{
			Net: l.net, Batch: 2, Recipe: program.TRADES, AuxWeight: 0.4, DropPath: true, Beta: 6,
			Attack: program.Attack{Epsilon: 8.0 / 255, StepSize: 2.0 / 255, Steps: 3},
		}.Compile(l.layout)
		if err != nil {
			t.Fatal(err)
		}
		if err := pass.Run(p.Graph, pass.Training()); err != nil {
			t.Fatal(err)
		}
		data, err := export.Marshal(p.Graph, export.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = data
		} else if string(first) != string(data) {
			t.Error("two compilations differ")
		}
	}
}
