package runtime_test

import (
	"bytes"
	"os"
	"testing"

	"rnas/compiler/lower"
	"rnas/compiler/program"
	"rnas/genotype"
	"rnas/internal/rng"
	"rnas/internal/tensor"
	"rnas/runtime"
	"rnas/runtime/ort"
	"rnas/runtime/ort/orttest"
)

func TestBlockSize(t *testing.T) {
	if size := blockSize(t); size != 8 && size != 16 {
		t.Errorf("expected 8 or 16, found %d", size)
	}
}

// blockSize is that of this machine; without NCHWc the test is skipped, and fails in CI.
func blockSize(t *testing.T) int64 {
	t.Helper()
	orttest.Open(t)
	size, err := runtime.BlockSize()
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skipf("no NCHWc on this machine: %v", err)
	}
	return size
}

// Two training steps of a network whose channels fill whole blocks give the same bits for every number of threads.
func TestThreadCountDoesNotMatterInBlocks(t *testing.T) {
	orttest.Open(t)
	darts, err := genotype.Lookup("DARTS_V2")
	if err != nil {
		t.Fatal(err)
	}
	net := lower.Evaluation{Genotype: darts.Genotype, Macro: lower.Macro{
		Channels: 16, Layers: 3, Classes: 10, Height: 16, Width: 16, Depth: 3,
	}}
	layout, err := program.NewLayout(net)
	if err != nil {
		t.Fatal(err)
	}
	var first []byte
	for _, threads := range []int{1, 2, 3} {
		got := trainTwice(t, net, layout, threads)
		if first == nil {
			first = got
		}
		if !bytes.Equal(first, got) {
			t.Errorf("%d threads: parameters differ from those of one thread", threads)
		}
	}
}

// trainTwice is the content of the parameters after two steps.
func trainTwice(t *testing.T, net lower.Network, layout *program.Layout, threads int) []byte {
	t.Helper()
	const batch = 6
	p, err := program.Train{
		Net: net, Batch: batch, Recipe: program.Fast, SGD: program.SGD{Momentum: 0.9, WeightDecay: 1e-4, Clip: 5},
		Attack: program.Attack{Epsilon: 8.0 / 255, StepSize: 10.0 / 255, Steps: 1},
	}.Compile(layout)
	if err != nil {
		t.Fatal(err)
	}
	params, stats := layout.Init(1)
	st := ort.NewStore()
	defer st.Close()
	for name, v := range map[string][]float32{"params": params, "stats": stats, "momentum": make([]float32, len(params))} {
		if err := st.Add(name, tensor.Vector(v...)); err != nil {
			t.Fatal(err)
		}
	}
	r, err := runtime.Launch(p, st, ort.Options{Threads: threads})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	s := rng.New(3, rng.Probe, 0, 0, 0)
	s.FillUniform(r.Input("images").Float32s(), 0, 1)
	s.FillUniform(r.Input("start").Float32s(), -8.0/255, 8.0/255)
	for i := range batch {
		r.Input("labels").Int64s()[i] = int64(i)
	}
	r.Input("lr").Float32s()[0] = 0.1
	for range 2 {
		if err := r.Step(); err != nil {
			t.Fatal(err)
		}
	}
	return bytes.Clone(tensor.Bytes(st.Get("params")))
}
