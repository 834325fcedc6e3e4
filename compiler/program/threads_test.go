package program_test

import (
	"testing"

	"rnas/compiler/program"
	"rnas/internal/rng"
	"rnas/internal/tensor"
	"rnas/runtime"
	"rnas/runtime/ort"
	"rnas/runtime/ort/orttest"
)

// A training step gives the same bits for one thread as for several.
func TestThreadsDoNotMatter(t *testing.T) {
	orttest.Open(t)
	for _, f := range fixtures[:1] {
		l := load(t, f)
		var first []byte
		for _, threads := range []int{1, 2} {
			const batch = 6
			p, err := program.Train{
				Net: l.net, Batch: batch, Recipe: program.PGD, AuxWeight: 0.4, SGD: program.SGD{Momentum: 0.9, WeightDecay: 1e-4, Clip: 5},
				Attack: program.Attack{Epsilon: 8.0 / 255, StepSize: 2.0 / 255, Steps: 2},
			}.Compile(l.layout)
			if err != nil {
				t.Fatal(err)
			}
			st := ort.NewStore()
			for name, v := range map[string]*tensor.Tensor{
				"params": tensor.Vector(l.params...).Clone(), "stats": tensor.Vector(l.stats...).Clone(),
				"momentum": tensor.Zeros(tensor.Float32, l.layout.ParamLen),
			} {
				if err := st.Add(name, v); err != nil {
					t.Fatal(err)
				}
			}
			r, err := runtime.Launch(p, st, ort.Options{Threads: threads})
			if err != nil {
				t.Fatal(err)
			}
			s := rng.New(3, rng.Probe, 0, 0, 0)
			s.FillUniform(r.Input("images").Float32s(), 0, 1)
			s.FillUniform(r.Input("start").Float32s(), -8.0/255, 8.0/255)
			for i := range batch {
				r.Input("labels").Int64s()[i] = int64(s.IntN(f.classes))
			}
			r.Input("lr").Float32s()[0] = 0.1
			for range 2 {
				if err := r.Step(); err != nil {
					t.Fatal(err)
				}
			}
			got := append([]byte{}, tensor.Bytes(st.Get("params"))...)
			if first == nil {
				first = got
			} else if string(got) != string(first) {
				t.Errorf("%s: %d threads give other parameters than one", f.file, threads)
			}
			r.Close()
			st.Close()
		}
	}
}
