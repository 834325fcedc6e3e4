//go:build unix

package program_test

import (
	"syscall"
	"testing"

	"rnas/compiler/lower"
	"rnas/compiler/program"
	"rnas/internal/carry"
	"rnas/internal/rng"
	"rnas/internal/tensor"
	"rnas/runtime"
	"rnas/runtime/ort"
	"rnas/runtime/ort/orttest"
)

// searchCost is an alpha step whose cost is compared.
type searchCost struct {
	name  string
	level program.Level
}

func searchCosts() []searchCost {
	noisy := func(l program.Level) program.Level {
		l.Reg, l.Perturb = program.KL, program.NoiseExamples
		return l
	}
	adversarial := func(steps int) program.Level {
		a := program.Attack{Epsilon: 8. / 255, StepSize: 2. / 255, Steps: steps}
		return program.Level{Reg: program.KL, Perturb: program.Adversarial, Attack: a}
	}
	return []searchCost{
		{"darts", program.Level{}},
		{"rnas", noisy(program.Level{})},
		{"rnas-share", noisy(program.Level{Share: 0.3})},
		{"rnas-mean", noisy(program.Level{Share: 0.3, Mean: 0.9})},
		{"rnas-held", program.Level{Share: 0.3, Held: true}}, // between the steps of rnas-mean
		{"rnas-pair", noisy(program.Level{Draws: 2, Antithetic: true})},
		{"rnas-4-draws", noisy(program.Level{Draws: 4})},
		{"fgsm", adversarial(1)},
		{"pgd-7", adversarial(7)},
		{"darts2", program.Level{Unrolled: true}},
	}
}

// BenchmarkSearchCost gives the processor time of one iteration of a search, an alpha and a weight step, relative to darts. The
// methods take turns, so that other load on the machine meets all alike; with one thread, no time goes by in waiting loops.
func BenchmarkSearchCost(b *testing.B) {
	orttest.Open(b)
	const batch = 16
	super := lower.Supernet{
		Macro: lower.Macro{Channels: 4, Layers: 5, Classes: 10, Height: 16, Width: 16, Depth: 3},
		Space: namedSpace(b, "darts"),
	}
	l, err := program.NewLayout(super)
	if err != nil {
		b.Fatal(err)
	}
	st := ort.NewStore()
	defer st.Close()
	mean := []carry.Initial{
		{State: program.RegMean, Value: tensor.Zeros(tensor.Float32, super.AlphaShape()...)},
		{State: program.RegWeight, Value: tensor.Zeros(tensor.Float32, 1)},
	}
	if err := st.AddAll(append(l.InitialSearch(super, 1), mean...)); err != nil {
		b.Fatal(err)
	}
	s := program.Search{Net: super, Batch: batch, SGD: sgd, Adam: program.Adam{LR: 3e-4, Beta1: 0.5, Beta2: 0.999, Epsilon: 1e-8, WeightDecay: 1e-3}}
	costs := searchCosts()
	compile := []func() (*program.Program, error){func() (*program.Program, error) { return s.Weights(l) }}
	for _, c := range costs {
		s := s
		s.Alpha = c.level
		compile = append(compile, func() (*program.Program, error) { return s.Alphas(l) })
	}
	running, err := runtime.LaunchAll(st, ort.Options{Optimize: ort.LevelOff, NoMemoryPattern: true, Threads: 1}, compile...)
	if err != nil {
		b.Fatal(err)
	}
	for i, r := range running {
		defer r.Close()
		fillSearch(r, i)
		if err := r.Step(); err != nil { // the first step finds its memory
			b.Fatal(err)
		}
	}
	spent := make([]float64, len(running))
	for b.Loop() {
		for i, r := range running {
			begin := processorSeconds(b)
			if err := r.Step(); err != nil {
				b.Fatal(err)
			}
			spent[i] += processorSeconds(b) - begin
		}
	}
	weights, darts := spent[0], spent[0]+spent[1]
	b.ReportMetric(1000*darts/float64(b.N), "darts-ms/op")
	for i, c := range costs[1:] {
		b.ReportMetric((weights+spent[i+2])/darts, c.name+"/darts")
	}
}

// fillSearch draws the inputs of a step.
func fillSearch(r *runtime.Running, address int) {
	s := rng.New(1, rng.Probe, 0, 0, address)
	for _, name := range []string{"images", "train_images"} {
		if t := r.Input(name); t != nil {
			s.FillUniform(t.Float32s(), 0, 1)
		}
	}
	for _, name := range []string{"labels", "train_labels"} {
		if t := r.Input(name); t != nil {
			for i := range t.Int64s() {
				t.Int64s()[i] = int64(s.IntN(10))
			}
		}
	}
	if t := r.Input("noise"); t != nil {
		s.FillUniform(t.Float32s(), -8./255, 8./255)
	}
	for _, name := range []string{"lr", "lambda"} {
		if t := r.Input(name); t != nil {
			t.Float32s()[0] = 0.025
		}
	}
}

// processorSeconds is the time that all threads of the process have spent on processors.
func processorSeconds(b *testing.B) float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}
