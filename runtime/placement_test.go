//go:build cgo

package runtime_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"rnas/internal/tensor"
	"rnas/runtime"
	"rnas/runtime/runtimetest"
)

// branching is y = If(c) {Relu(x)} else {MatMul(x, x)}: the smallest model with subgraphs.
func branching() []byte {
	branch := func(op string, in ...string) graph {
		return graph{
			nodes: []node{{op: op, name: "the" + op, in: in, out: []string{"r"}}},
			out:   []value{f32("r", 2, 2)},
		}
	}
	return graph{
		nodes: []node{{
			op: "If", name: "choose", in: []string{"c"}, out: []string{"y"},
			attrs: []attr{{"then_branch", branch("Relu", "x")}, {"else_branch", branch("MatMul", "x", "x")}},
		}},
		in:  []value{{name: "c", dtype: tensor.Bool}, f32("x", 2, 2)},
		out: []value{f32("y", 2, 2)},
	}.model(17)
}

// The CPU provider places everything on itself, which is enough to test the reader of placed graphs.
func TestPlacements(t *testing.T) {
	runtimetest.Open(t)
	file := filepath.Join(t.TempDir(), "placed.ort")
	if err := runtime.Place(branching(), file); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	placed, err := runtime.Placements(data)
	if err != nil {
		t.Fatal(err)
	}
	want := map[runtime.Placement]bool{}
	for _, op := range []string{"Relu", "MatMul"} {
		want[runtime.Placement{Name: "the" + op, Op: op, Provider: "CPUExecutionProvider"}] = true
	}
	want[runtime.Placement{Name: "choose", Op: "If", Provider: "CPUExecutionProvider"}] = true
	for _, p := range placed {
		delete(want, p)
	}
	if len(want) > 0 {
		t.Errorf("expected %v too, found %v", want, placed)
	}
	wantError(t, runtime.CheckPlacement(file, "cuda"), runtime.ErrPlacement, `MatMul "theMatMul"`, "cuda")
}

// A cut or damaged file is an error or some list, never a crash.
func TestPlacementsBroken(t *testing.T) {
	runtimetest.Open(t)
	file := filepath.Join(t.TempDir(), "placed.ort")
	if err := runtime.Place(branching(), file); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := runtime.Placements(data[:len(data)/2]); err == nil {
		t.Error("expected an error for half a file")
	}
	for n := range data {
		_, _ = runtime.Placements(data[:n])
		for _, flip := range []byte{0x01, 0x80, 0xff} {
			broken := bytes.Clone(data)
			broken[n] ^= flip
			_, _ = runtime.Placements(broken)
		}
	}
	_, err = runtime.Placements([]byte("hello, world"))
	wantError(t, err, nil, "flatbuffer")
}

func TestJudge(t *testing.T) {
	cpu, cuda := "CPUExecutionProvider", "CUDAExecutionProvider"
	light := []runtime.Placement{{Name: "a", Op: "Conv", Provider: cuda}, {Name: "b", Op: "Shape", Provider: cpu}}
	if err := runtime.Judge(light, "cuda"); err != nil {
		t.Error(err)
	}
	var many []runtime.Placement
	for range 8 {
		many = append(many, runtime.Placement{Name: "pool", Op: "MaxPool", Provider: cpu})
	}
	wantError(t, runtime.Judge(many, "cuda"), runtime.ErrPlacement, `MaxPool "pool"`, "and 3 more")
}
