package cpu_test

import (
	"testing"

	"rnas/compiler/cpu"
	"rnas/compiler/ir"
	"rnas/compiler/lower"
	"rnas/compiler/op"
	"rnas/compiler/program"
	"rnas/genotype"
)

func TestNCHWcTraining(t *testing.T) {
	macro := lower.Macro{Channels: 8, Layers: 3, Classes: 5, Height: 8, Width: 8, Depth: 3}
	darts, err := genotype.Lookup("DARTS_V2")
	if err != nil {
		t.Fatal(err)
	}
	net := lower.Evaluation{Macro: macro, Genotype: darts.Genotype}
	l, err := program.NewLayout(net)
	if err != nil {
		t.Fatal(err)
	}
	for _, recipe := range []program.Recipe{program.Standard, program.Fast, program.PGD} {
		t.Run(string(recipe), func(t *testing.T) {
			var graphs [2]*ir.Graph
			for i := range graphs {
				p, err := program.Train{
					Net: net, Batch: 2, Recipe: recipe, DropPath: recipe == program.Standard,
					Attack: program.Attack{Epsilon: 0.1, StepSize: 0.05, Steps: 2},
					SGD:    program.SGD{Momentum: 0.9, WeightDecay: 5e-4, Clip: 5},
				}.Compile(l)
				if err != nil {
					t.Fatal(err)
				}
				graphs[i] = p.Graph
			}
			g := cpu.SameGraphs(t, graphs[0], graphs[1])
			if convs, reorders := cpu.Count(g, op.NCHWc, "Conv"), cpu.Count(g, op.NCHWc, "ReorderInput"); 4*reorders > convs {
				t.Errorf("%d reorders for %d convolutions in NCHWc", reorders, convs)
			}
		})
	}
}

func TestNCHWcSearch(t *testing.T) {
	net := lower.Supernet{
		Macro: lower.Macro{Channels: 4, Layers: 3, Classes: 5, Height: 8, Width: 8, Depth: 3},
		Space: genotype.Space{Nodes: 2, Primitives: genotype.DARTSPrimitives},
	}
	l, err := program.NewLayout(net)
	if err != nil {
		t.Fatal(err)
	}
	search := program.Search{
		Net: net, Batch: 2, Alpha: program.Level{Reg: program.KL, Perturb: program.NoiseExamples}, SGD: program.SGD{Momentum: 0.9, WeightDecay: 3e-4, Clip: 5},
		Adam: program.Adam{LR: 3e-4, Beta1: .5, Beta2: .999, Epsilon: 1e-8, WeightDecay: 1e-3},
	}
	for name, compile := range map[string]func() (*program.Program, error){
		"weights": func() (*program.Program, error) { return search.Weights(l) },
		"alphas":  func() (*program.Program, error) { return search.Alphas(l) },
	} {
		t.Run(name, func(t *testing.T) {
			var graphs [2]*ir.Graph
			for i := range graphs {
				p, err := compile()
				if err != nil {
					t.Fatal(err)
				}
				graphs[i] = p.Graph
			}
			cpu.SameGraphs(t, graphs[0], graphs[1])
		})
	}
}
