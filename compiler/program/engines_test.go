package program_test

import (
	"testing"

	"rnas/compiler/lower"
	"rnas/compiler/program"
	"rnas/genotype"
	"rnas/internal/rng"
	"rnas/internal/tensor"
)

// inputs draws values for every input of a program: images in [0,1], labels, small noise, parameters of a fresh network.
func inputs(t *testing.T, p *program.Program, l *program.Layout, classes int) map[string]*tensor.Tensor {
	t.Helper()
	params, stats := l.Init(7)
	in := map[string]*tensor.Tensor{"params": tensor.Vector(params...), "stats": tensor.Vector(stats...)}
	for i, v := range p.Graph.Inputs {
		if in[v.Name] != nil {
			continue
		}
		x := tensor.Zeros(v.Type, v.Shape...)
		s := rng.New(11, rng.Probe, 0, 0, i)
		switch v.Name {
		case "images", "train_images":
			s.FillUniform(x.Float32s(), 0, 1)
		case "labels", "train_labels":
			for k := range x.Int64s() {
				x.Int64s()[k] = int64(s.IntN(classes))
			}
		case "noise", "start":
			s.FillUniform(x.Float32s(), -8.0/255, 8.0/255)
		case "lr", "lambda", "reg_size", "reg_weight":
			x.Float32s()[0] = 0.5
		case "mix_size":
			x.Float32s()[0] = 0.03
		case "mix_noise":
			s.FillUniform(x.Float32s(), -0.03, 0.03)
		case "reg_probe":
			s.FillNormal(x.Float32s(), 0.4)
		case "alphas":
			s.FillNormal(x.Float32s(), 0.5)
		}
		in[v.Name] = x
	}
	return in
}

// The programs that no fixture covers give the same results on ONNX Runtime as in the float64 interpreter.
func TestEnginesAgree(t *testing.T) {
	macro := lower.Macro{Channels: 4, Layers: 3, Classes: 5, Height: 16, Width: 16, Depth: 3, Mean: []float32{0.5, 0.4, 0.3}, Std: []float32{0.2, 0.3, 0.4}}
	super := lower.Supernet{Macro: macro, Space: genotype.Space{Nodes: 2, Primitives: genotype.DARTSPrimitives}}
	// Every primitive stands in the steps over super; the other objectives need few nodes.
	small := super
	small.Space = genotype.Space{Nodes: 1, Primitives: []genotype.Primitive{genotype.None, genotype.AvgPool3x3, genotype.SkipConnect, genotype.SepConv3x3}}
	z, err := genotype.Lookup("PDARTS")
	if err != nil {
		t.Fatal(err)
	}
	net := lower.Evaluation{Macro: macro, Genotype: z.Genotype, Aux: true}
	const batch = 3
	// Two steps of at most half of the smallest nonzero step keep sign flips of tiny gradients rare; the tolerance of
	// adversarial programs allows for them.
	attack := program.Attack{Epsilon: 8.0 / 255, StepSize: 2.0 / 255, Steps: 2}
	adam := program.Adam{LR: 3e-4, Beta1: 0.5, Beta2: 0.999, Epsilon: 1e-8, WeightDecay: 1e-3}
	sgd := program.SGD{Momentum: 0.9, WeightDecay: 3e-4, Clip: 5}
	search := program.Search{Batch: batch, SGD: sgd, Adam: adam}
	noisy := func(r program.Regularizer) program.Level {
		return program.Level{Reg: r, Perturb: program.NoiseExamples}
	}
	weights := func(net lower.Supernet, level program.Level) func(l *program.Layout) (*program.Program, error) {
		v := search
		v.Net, v.Weight = net, level
		return v.Weights
	}
	alphas := func(net lower.Supernet, level program.Level) func(l *program.Layout) (*program.Program, error) {
		v := search
		v.Net, v.Alpha = net, level
		return v.Alphas
	}
	shared := program.Level{Reg: program.KL, Perturb: program.NoiseExamples, Draws: 4, Antithetic: true, Share: 0.3, Mean: 0.9}
	train := program.Train{Net: net, Batch: batch, SGD: sgd, AuxWeight: 0.4, Smoothing: 0.1, Attack: attack, Beta: 6}
	with := func(r program.Recipe, attackTrain bool) program.Train {
		v := train
		v.Recipe, v.AttackTrain = r, attackTrain
		if r == program.Fast {
			v.Attack = program.Attack{Epsilon: 8.0 / 255, StepSize: 10.0 / 255, Steps: 1}
		}
		return v
	}
	cases := []engineCase{
		{"weights", super, weights(super, program.Level{}), 2e-5},
		{"weights regularized", small, weights(small, noisy(program.CE)), 2e-5},
		{"weights on noise examples", small, weights(small, program.Level{Input: program.NoiseExamples}), 2e-5},
		{"weights under random architecture noise", small, weights(small, program.Level{Mix: program.MixNoise{Random: true}}), 2e-5},
		{"weights under an attack on the architecture", small, weights(small, program.Level{Mix: program.MixNoise{Random: true, Steps: 2}}), 2e-3},
		{"alphas plain", super, alphas(super, program.Level{}), 2e-5},
		{"alphas kl", small, alphas(small, noisy(program.KL)), 2e-5},
		{"alphas reverse-kl", small, alphas(small, noisy(program.ReverseKL)), 2e-5},
		{"alphas sym-kl", small, alphas(small, noisy(program.SymKL)), 2e-5},
		{"alphas mse", small, alphas(small, noisy(program.MSE)), 2e-5},
		{"alphas by share", super, alphas(super, shared), 2e-5},
		{"alphas unrolled", small, alphas(small, program.Level{Unrolled: true}), 2e-4},
		{"alphas curvature", small, alphas(small, program.Level{Reg: program.Curvature}), 2e-4},
		{"alphas jacobian", small, alphas(small, program.Level{Reg: program.Jacobian}), 2e-5},
		{"alphas adversarial", small, alphas(small, program.Level{Reg: program.KL, Perturb: program.Adversarial, Attack: attack}), 2e-3},
		{"eval supernet", super, func(l *program.Layout) (*program.Program, error) { return program.Eval(super, l, batch) }, 2e-5},
		{"eval", net, func(l *program.Layout) (*program.Program, error) { return program.Eval(net, l, batch) }, 2e-5},
		{"fast", net, with(program.Fast, false).Compile, 2e-3},
		{"fast with batch statistics", net, with(program.Fast, true).Compile, 2e-3},
		{"pgd", net, with(program.PGD, false).Compile, 2e-3},
		{"trades", net, with(program.TRADES, false).Compile, 2e-3},
	}
	for _, c := range cases {
		t.Run(c.name, c.check)
	}
}

// engineCase is a program and the largest difference that is allowed, relative to the larger of an output's largest entry and 1.
type engineCase struct {
	name    string
	net     lower.Network
	compile func(l *program.Layout) (*program.Program, error)
	tol     float64
}

func (c engineCase) check(t *testing.T) {
	l, err := program.NewLayout(c.net)
	if err != nil {
		t.Fatal(err)
	}
	p, err := c.compile(l)
	if err != nil {
		t.Fatal(err)
	}
	in := inputs(t, p, l, c.net.Skeleton().Classes)
	want := runInterpreter(t, p, in)
	run := runRuntime
	if _, ok := c.net.(lower.Supernet); ok {
		run = runSearch
	}
	got := run(t, p, in)
	for _, v := range p.Graph.Outputs {
		d, scale := maxDiff(t, got[v.Name], want[v.Name])
		if d > c.tol*max(scale, 1) {
			t.Errorf("%s differs by %.2g (largest entry %.2g)", v.Name, d, scale)
		}
	}
}
