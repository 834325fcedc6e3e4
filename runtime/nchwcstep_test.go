package runtime_test

import (
	"math"
	"slices"
	"testing"

	"rnas/compiler/lower"
	"rnas/compiler/pass"
	"rnas/compiler/program"
	"rnas/export"
	"rnas/genotype"
	"rnas/internal/rng"
	"rnas/internal/tensor"
	"rnas/runtime"
	"rnas/runtime/ort"
	"rnas/runtime/ort/orttest"
)

// TestNCHWcStep compares one training step in NCHWc with the same step in NCHW: the update of every
// parameter, for cells of all primitives and widths below and above a block.
func TestNCHWcStep(t *testing.T) {
	orttest.Open(t)
	for _, name := range []string{"DARTS_V1", "NASNet", "AmoebaNet"} {
		for _, recipe := range []program.Recipe{program.Standard, program.Fast} {
			t.Run(name+"/"+string(recipe), func(t *testing.T) {
				z, err := genotype.Lookup(name)
				if err != nil {
					t.Fatal(err)
				}
				net := lower.Evaluation{Genotype: z.Genotype, Macro: lower.Macro{
					Channels: 8, Layers: 5, Classes: 10, Height: 16, Width: 16, Depth: 3,
				}}
				l, err := program.NewLayout(net)
				if err != nil {
					t.Fatal(err)
				}
				before, _ := l.Init(1)
				nchwc, plain := oneStep(t, net, l, recipe, true), oneStep(t, net, l, recipe, false)
				for _, s := range l.Params {
					difference, size := 0.0, 1e-20
					for i := s.Offset; i < s.Offset+tensorLen(s.Shape); i++ {
						difference += math.Pow(float64(nchwc[i]-plain[i]), 2)
						size += math.Pow(float64(plain[i]-before[i]), 2)
					}
					if r := math.Sqrt(difference / size); r > 1e-2 {
						t.Errorf("%s: updates differ by %g of their norm", s.Name, r)
					}
				}
			})
		}
	}
}

func tensorLen(shape []int64) int64 {
	n := int64(1)
	for _, d := range shape {
		n *= d
	}
	return n
}

// oneStep is the parameters after a step without momentum. The attack does not move, so that no sign of a gradient decides.
func oneStep(t *testing.T, net lower.Network, l *program.Layout, recipe program.Recipe, nchwc bool) []float32 {
	t.Helper()
	const batch = 8
	p, err := program.Train{
		Net: net, Batch: batch, Recipe: recipe, SGD: program.SGD{Clip: 5},
		Attack: program.Attack{Epsilon: 8.0 / 255, StepSize: 0, Steps: 1},
	}.Compile(l)
	if err != nil {
		t.Fatal(err)
	}
	params, stats := l.Init(1)
	st := ort.NewStore()
	defer st.Close()
	for name, v := range map[string][]float32{"params": params, "stats": stats, "momentum": make([]float32, len(params))} {
		if err := st.Add(name, tensor.Vector(v...)); err != nil {
			t.Fatal(err)
		}
	}
	step := launchPlain
	if nchwc {
		step = launchNCHWc
	}
	r, stop := step(t, p, st)
	defer stop()
	s := rng.New(3, rng.Probe, 0, 0, 0)
	s.FillUniform(r.Input("images").Float32s(), 0, 1)
	if from := r.Input("start"); from != nil {
		s.FillUniform(from.Float32s(), -8.0/255, 8.0/255)
	}
	for i := range batch {
		r.Input("labels").Int64s()[i] = int64(i)
	}
	r.Input("lr").Float32s()[0] = 0.1
	if err := r.Step(); err != nil {
		t.Fatal(err)
	}
	return slices.Clone(st.Get("params").Float32s())
}

func launchNCHWc(t *testing.T, p *program.Program, st *ort.Store) (*ort.Stepper, func()) {
	t.Helper()
	r, err := runtime.Launch(p, st, ort.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	return r.Stepper, func() { r.Close() }
}

func launchPlain(t *testing.T, p *program.Program, st *ort.Store) (*ort.Stepper, func()) {
	t.Helper()
	if err := pass.Run(p.Graph, pass.Training()); err != nil {
		t.Fatal(err)
	}
	model, err := export.Marshal(p.Graph, export.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := ort.NewSession(model, ort.Options{Threads: 1, Optimize: ort.LevelOff})
	if err != nil {
		t.Fatal(err)
	}
	r, err := ort.NewStepper(s, st, p.State)
	if err != nil {
		t.Fatal(err)
	}
	return r, func() { r.Close(); s.Close() }
}
