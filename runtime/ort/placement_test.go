//go:build cgo

package ort_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"rnas/internal/tensor"
	"rnas/runtime/ort"
	"rnas/runtime/ort/orttest"
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
	orttest.Open(t)
	file := filepath.Join(t.TempDir(), "placed.ort")
	if err := ort.Place(branching(), file); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	placed, err := ort.Placements(data)
	if err != nil {
		t.Fatal(err)
	}
	want := map[ort.Placement]bool{}
	for _, op := range []string{"Relu", "MatMul"} {
		want[ort.Placement{Name: "the" + op, Op: op, Provider: "CPUExecutionProvider"}] = true
	}
	want[ort.Placement{Name: "choose", Op: "If", Provider: "CPUExecutionProvider"}] = true
	for _, p := range placed {
		delete(want, p)
	}
	if len(want) > 0 {
		t.Errorf("expected %v too, found %v", want, placed)
	}
	wantError(t, ort.CheckPlacement(file, "cuda"), ort.ErrPlacement, `MatMul "theMatMul"`, "cuda")
}

// A cut or damaged file is an error or some list, never a crash.
func TestPlacementsBroken(t *testing.T) {
	orttest.Open(t)
	file := filepath.Join(t.TempDir(), "placed.ort")
	if err := ort.Place(branching(), file); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ort.Placements(data[:len(data)/2]); err == nil {
		t.Error("expected an error for half a file")
	}
	for n := range data {
		_, _ = ort.Placements(data[:n])
		for _, flip := range []byte{0x01, 0x80, 0xff} {
			broken := bytes.Clone(data)
			broken[n] ^= flip
			_, _ = ort.Placements(broken)
		}
	}
	_, err = ort.Placements([]byte("hello, world"))
	wantError(t, err, nil, "flatbuffer")
}

func TestJudge(t *testing.T) {
	cpu, cuda := "CPUExecutionProvider", "CUDAExecutionProvider"
	light := []ort.Placement{{Name: "a", Op: "Conv", Provider: cuda}, {Name: "b", Op: "Shape", Provider: cpu}}
	if err := ort.Judge(light, "cuda"); err != nil {
		t.Error(err)
	}
	var many []ort.Placement
	for range 8 {
		many = append(many, ort.Placement{Name: "pool", Op: "MaxPool", Provider: cpu})
	}
	wantError(t, ort.Judge(many, "cuda"), ort.ErrPlacement, `MaxPool "pool"`, "and 3 more")
}
