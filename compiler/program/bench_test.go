package program_test

import (
	"fmt"
	"testing"
	"time"

	"rnas/compiler/ir"
	"rnas/compiler/lower"
	"rnas/compiler/program"
	"rnas/genotype"
	"rnas/internal/rng"
	"rnas/internal/tensor"
	"rnas/runtime"
	"rnas/runtime/ort"
	"rnas/runtime/ort/orttest"
)

// bench launches a program on random inputs and times its steps; the time to compile and load is reported beside.
func bench(b *testing.B, st *ort.Store, images int, o ort.Options, compile func() (*program.Program, error)) {
	b.Helper()
	defer st.Close()
	begin := time.Now()
	p, err := compile()
	if err != nil {
		b.Fatal(err)
	}
	r, err := runtime.Launch(p, st, o)
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	load := time.Since(begin)
	for _, in := range p.Graph.Inputs {
		t := r.Input(in.Name)
		if t == nil {
			continue
		}
		s := rng.New(1, rng.Probe, 0, 0, 0)
		switch in.Name {
		case "images":
			s.FillUniform(t.Float32s(), 0, 1)
		case "labels":
			for i := range t.Int64s() {
				t.Int64s()[i] = int64(s.IntN(10))
			}
		default:
			s.FillUniform(t.Float32s(), 0, 8.0/255)
		}
	}
	if err := r.Step(); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := r.Step(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N)/float64(images), "ms/image")
	b.ReportMetric(load.Seconds(), "load-s")
	b.ReportMetric(float64(len(p.Graph.Nodes)), "nodes")
}

func evaluation(b *testing.B, channels, layers int) lower.Evaluation {
	b.Helper()
	z, err := genotype.Lookup("DARTS_V2")
	if err != nil {
		b.Fatal(err)
	}
	return lower.Evaluation{
		Macro:    lower.Macro{Channels: channels, Layers: layers, Classes: 10, Height: 32, Width: 32, Depth: 3},
		Genotype: z.Genotype,
	}
}

// start is the state of a network before its first step.
func start(b *testing.B, n lower.Network) (*program.Layout, *ort.Store) {
	b.Helper()
	l, err := program.NewLayout(n)
	if err != nil {
		b.Fatal(err)
	}
	params, stats := l.Init(1)
	st := ort.NewStore()
	add(b, st, "params", tensor.Vector(params...))
	add(b, st, "stats", tensor.Vector(stats...))
	add(b, st, "momentum", tensor.Zeros(tensor.Float32, l.ParamLen))
	return l, st
}

func add(b *testing.B, st *ort.Store, name string, t *tensor.Tensor) {
	b.Helper()
	if err := st.Add(name, t); err != nil {
		b.Fatal(err)
	}
}

var sgd = program.SGD{Momentum: 0.9, WeightDecay: 3e-4, Clip: 5}

func BenchmarkTrainStep(b *testing.B) {
	orttest.Open(b)
	for _, c := range []struct {
		recipe program.Recipe
		batch  int
		steps  int
	}{{program.Standard, 64, 0}, {program.Fast, 64, 1}, {program.PGD, 64, 7}, {program.TRADES, 64, 7}} {
		b.Run(fmt.Sprintf("DARTS_V2_C16_L8_B%d/%s", c.batch, c.recipe), func(b *testing.B) {
			n := evaluation(b, 16, 8)
			l, st := start(b, n)
			bench(b, st, c.batch, ort.Options{Optimize: ort.LevelExtended}, func() (*program.Program, error) {
				return program.Train{
					Net: n, Batch: c.batch, Recipe: c.recipe, SGD: sgd, Beta: 6,
					Attack: program.Attack{Epsilon: 8.0 / 255, StepSize: 2.0 / 255, Steps: c.steps},
				}.Compile(l)
			})
		})
	}
}

func BenchmarkSearchStep(b *testing.B) {
	orttest.Open(b)
	super := lower.Supernet{
		Macro: lower.Macro{Channels: 16, Layers: 8, Classes: 10, Height: 32, Width: 32, Depth: 3},
		Space: genotype.Space{Nodes: 4, Primitives: genotype.DARTSPrimitives},
	}
	for _, part := range []string{"weights", "alphas", "adversarial"} {
		b.Run("supernet_C16_L8_B8/"+part, func(b *testing.B) {
			l, st := start(b, super)
			for _, name := range []string{"alphas", "adam_m", "adam_v"} {
				add(b, st, name, tensor.Zeros(tensor.Float32, super.AlphaShape()...))
			}
			add(b, st, "adam_t", tensor.Zeros(tensor.Float32, 1))
			s := program.Search{
				Net: super, Batch: 8, SGD: sgd,
				Alpha: program.Level{Reg: program.KL, Perturb: program.NoiseExamples},
				Adam:  program.Adam{LR: 3e-4, Beta1: 0.5, Beta2: 0.999, Epsilon: 1e-8, WeightDecay: 1e-3},
			}
			bench(b, st, 8, ort.Options{Optimize: ort.LevelOff}, func() (*program.Program, error) {
				switch part {
				case "weights":
					return s.Weights(l)
				case "adversarial": // one step of an attack makes the perturbed images
					s.Alpha.Perturb = program.Adversarial
					s.Alpha.Attack = program.Attack{Epsilon: 8.0 / 255, StepSize: 10.0 / 255, Steps: 1}
				}
				return s.Alphas(l)
			})
		})
	}
}

// BenchmarkEval times the evaluation of a network whose weights are a state, as validation during training does.
func BenchmarkEval(b *testing.B) {
	orttest.Open(b)
	const batch = 64
	b.Run("DARTS_V2_C16_L8_B64", func(b *testing.B) {
		n := evaluation(b, 16, 8)
		l, st := start(b, n)
		bench(b, st, batch, ort.Options{Optimize: ort.LevelExtended}, func() (*program.Program, error) {
			return program.Eval(n, l, batch)
		})
	})
}

// BenchmarkDeployed times the forward pass of a deployed model, its input gradient, and a PGD step as a tenth of ten.
func BenchmarkDeployed(b *testing.B) {
	orttest.Open(b)
	for _, c := range []struct{ channels, layers, batch int }{{16, 8, 32}, {36, 20, 16}} {
		name := fmt.Sprintf("DARTS_V2_C%d_L%d_B%d/", c.channels, c.layers, c.batch)
		n := evaluation(b, c.channels, c.layers)
		classifier := func(b *testing.B) program.Classifier {
			l, err := program.NewLayout(n)
			if err != nil {
				b.Fatal(err)
			}
			params, stats := l.Init(1)
			g, err := program.Deploy(n, l, params, stats, ir.N, true)
			if err != nil {
				b.Fatal(err)
			}
			m, err := program.NewClassifier(g)
			if err != nil {
				b.Fatal(err)
			}
			return m
		}
		b.Run(name+"forward", func(b *testing.B) {
			bench(b, ort.NewStore(), c.batch, ort.Options{}, func() (*program.Program, error) {
				return classifier(b).Score(c.batch)
			})
		})
		b.Run(name+"gradient", func(b *testing.B) {
			bench(b, ort.NewStore(), c.batch, ort.Options{}, func() (*program.Program, error) {
				return classifier(b).Gradient(c.batch)
			})
		})
		b.Run(name+"pgd", func(b *testing.B) {
			const steps = 10
			bench(b, ort.NewStore(), c.batch, ort.Options{}, func() (*program.Program, error) {
				return classifier(b).Attack(program.Attack{Epsilon: 8.0 / 255, StepSize: 2.0 / 255, Steps: steps}, c.batch)
			})
			b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N)/steps, "ms/step")
		})
	}
}
