package program_test

import (
	"math"
	"slices"
	"testing"

	"rnas/compiler/interp"
	"rnas/compiler/lower"
	"rnas/compiler/program"
	"rnas/genotype"
	"rnas/internal/rng"
	"rnas/internal/tensor"
)

// scene is a tiny supernet with values for all that a step reads.
type scene struct {
	*oracle
	search                        program.Search
	at                            point
	x, train                      batch
	noise, probe, mixNoise, moved []float64 // noise has the rows of the most draws of a case; moved is a momentum
	lambda, size, mixSize, lr     float64
}

// newScene draws a scene with normal and reduction cells of one node.
func newScene(t *testing.T) *scene {
	t.Helper()
	net := lower.Supernet{
		Macro: lower.Macro{Channels: 2, Layers: 3, Classes: 3, Height: 8, Width: 8, Depth: 3},
		Space: genotype.Space{Nodes: 1, Primitives: []genotype.Primitive{genotype.None, genotype.AvgPool3x3, genotype.SkipConnect, genotype.DilConv3x3}},
	}
	return newSceneOf(t, net)
}

func newSceneOf(t *testing.T, net lower.Supernet) *scene {
	t.Helper()
	const images = 2
	l, err := program.NewLayout(net)
	if err != nil {
		t.Fatal(err)
	}
	params, stats := l.Init(7)
	address := 0
	draw := func(n int, low, high float32) []float64 {
		s, v := rng.New(5, rng.Probe, 0, 0, address), make([]float32, n)
		address++
		s.FillUniform(v, low, high)
		return wide(v)
	}
	pixels := net.Depth * net.Height * net.Width
	s := &scene{
		oracle: &oracle{t: t, net: net, layout: l, graphs: map[string]*interp.Program{}},
		// Without momentum, decay and clipping the velocity after one step is the gradient, as is Adam's first moment with beta1 of 0.
		search: program.Search{Net: net, Batch: images, Adam: program.Adam{LR: 1e-3, Beta2: 0.999, Epsilon: 1e-8}},
		at:     point{params: wide(params), stats: wide(stats)},
		x:      batch{draw(images*pixels, 0, 1), []int64{0, 2}},
		train:  batch{draw(images*pixels, 0, 1), []int64{1, 2}},
		noise:  draw(4*images*pixels, -0.05, 0.05), probe: draw(images*net.Classes, -1, 1), moved: draw(int(l.ParamLen), -0.1, 0.1),
		lambda: 0.7, size: 0.5, mixSize: 0.1, lr: 0.05,
	}
	n := tensor.Zeros(tensor.Float32, net.AlphaShape()...).Len()
	s.at.alphas, s.mixNoise = draw(n, -1, 1), draw(n, -0.1, 0.1)
	for i, v := range draw(int(l.StatLen), -0.2, 0.2) {
		s.at.stats[i] += v
	}
	return s
}

func wide(v []float32) []float64 {
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = float64(x)
	}
	return out
}

// step runs a program of the scene in the interpreter. Inputs in more take the place of those of the scene.
func (s *scene) step(compile func(*program.Layout) (*program.Program, error), more map[string][]float64) map[string][]float64 {
	s.t.Helper()
	p, err := compile(s.layout)
	if err != nil {
		s.t.Fatal(err)
	}
	values := map[string][]float64{
		"images": s.x.images, "train_images": s.train.images, "params": s.at.params, "stats": s.at.stats, "alphas": s.at.alphas,
		"noise": s.noise, "reg_probe": s.probe, "mix_noise": s.mixNoise, "lambda": {s.lambda}, "reg_size": {s.size}, "mix_size": {s.mixSize}, "lr": {s.lr},
	}
	in := map[string]*tensor.Tensor{}
	for _, v := range p.Graph.Inputs {
		n := int(v.Shape.Numel())
		switch from := more[v.Name]; {
		case v.Name == "labels":
			in[v.Name] = tensor.Vector(s.x.labels...)
		case v.Name == "train_labels":
			in[v.Name] = tensor.Vector(s.train.labels...)
		case from != nil:
			in[v.Name] = tensor.FromFloat64s(tensor.Float64, v.Shape, from)
		case values[v.Name] != nil:
			in[v.Name] = tensor.FromFloat64s(tensor.Float64, v.Shape, values[v.Name][:n])
		default: // moments
			in[v.Name] = tensor.Zeros(tensor.Float64, v.Shape...)
		}
	}
	out := map[string][]float64{}
	for name, v := range runInterpreter(s.t, p, in) {
		out[name] = v.Float64s()
	}
	return out
}

// near compares within a tolerance relative to the largest entry of want.
func (s *scene) near(what string, got, want []float64, tol float64) {
	s.t.Helper()
	if len(got) != len(want) {
		s.t.Fatalf("%s: found %d numbers, want %d", what, len(got), len(want))
	}
	diff, scale := 0.0, 0.0
	for i := range want {
		diff, scale = max(diff, math.Abs(got[i]-want[i])), max(scale, math.Abs(want[i]))
	}
	if !(diff <= tol*scale) {
		s.t.Errorf("%s differs by %.2g (largest entry %.2g)", what, diff, scale)
	}
}

// terms are cross-entropy and regularizer, 0 without one, at a point.
type terms func(at point) []float64

// truth is a level whose terms are computed by hand. Perturbed images are made by terms at the scene's point and stay what they are.
type truth struct {
	name  string
	level program.Level
	terms func(s *scene) terms
}

// Loss, regularizer and the gradients of CE + lambda*R by the architecture and by the weights are the central differences of the terms
// in plain Go, for every regularizer and source of images.
func TestSearchGradients(t *testing.T) {
	for _, c := range truths() {
		t.Run(c.name, func(t *testing.T) { c.check(newScene(t)) })
	}
}

// tolerance of a gradient, relative to its largest entry; central differences are good to about 1e-7 of it.
const tolerance = 1e-5

func (c truth) check(s *scene) {
	s.t.Helper()
	f := c.terms(s)
	objective := func() []float64 { v := f(s.at); return []float64{v[0] + s.lambda*v[1]} }
	values := f(s.at)
	check := func(out map[string][]float64) {
		s.t.Helper()
		s.near("cross-entropy", out["loss"], values[:1], 1e-9)
		if c.level.Reg != "" {
			s.near("regularizer", out["reg"], values[1:], 1e-9)
		}
	}
	s.search.Alpha, s.search.Weight = c.level, c.level
	if !c.level.Mix.On() {
		out := s.step(s.search.Alphas, nil)
		check(out)
		s.near("gradient by the architecture", out["adam_m.next"], s.slopes(s.at.alphas, nil, objective)[0], tolerance)
	}
	out := s.step(s.search.Weights, nil)
	check(out)
	entries := s.middles()
	s.near("gradient by the weights", pick(out["momentum.next"], entries), s.slopes(s.at.params, entries, objective)[0], tolerance)
}

// slopes are the gradients by entries of x of what f returns; nil for all entries.
func (s *scene) slopes(x []float64, entries []int, f func() []float64) [][]float64 {
	if entries == nil {
		for i := range x {
			entries = append(entries, i)
		}
	}
	var out [][]float64
	for _, i := range entries {
		for k, d := range slope(x, i, f) {
			if k == len(out) {
				out = append(out, nil)
			}
			out[k] = append(out[k], d)
		}
	}
	return out
}

// middles is one entry of every parameter.
func (s *scene) middles() (entries []int) {
	for _, slot := range s.layout.Params {
		entries = append(entries, int(slot.Offset)+tensor.Zeros(tensor.Float32, slot.Shape...).Len()/2)
	}
	return entries
}

func pick(x []float64, entries []int) []float64 {
	out := make([]float64, len(entries))
	for k, i := range entries {
		out[k] = x[i]
	}
	return out
}

// The gradients by images and by architecture weights, from which the oracle makes perturbed images, perturbed architectures and
// curvatures, are central differences too.
func TestOracleGradients(t *testing.T) {
	s := newScene(t)
	for _, train := range []bool{true, false} {
		logits := func() []float64 {
			l, _ := s.run(s.at, s.x.images, make([]float64, len(s.probe)), train, noGradient)
			return l
		}
		ce := func() []float64 { return []float64{meanCE(logits(), s.x.labels)} }
		var some []int
		for i := 0; i < len(s.x.images); i += 7 {
			some = append(some, i)
		}
		s.near("gradient by images", pick(s.gradient(s.at, s.x, train, ceByImage), some), s.slopes(s.x.images, some, ce)[0], tolerance)
		_, g := s.run(s.at, s.x.images, s.probe, train, logitsByImage)
		s.near("projected Jacobian", pick(g, some), s.slopes(s.x.images, some, func() []float64 {
			sum := 0.0
			for i, v := range logits() {
				sum += v * s.probe[i]
			}
			return []float64{sum}
		})[0], tolerance)
		free := s.mixed(s.at)
		s.at.mix = func([]float64) []float64 { return free }
		s.near("gradient by architecture weights", s.gradient(s.at, s.x, train, ceByMix), s.slopes(free, nil, ce)[0], tolerance)
		s.at.mix = nil
	}
	if slices.Max(s.mixed(s.at)) > 0.95 {
		t.Error("an edge of the scene is decided: its gradients are too small to show anything")
	}
}
