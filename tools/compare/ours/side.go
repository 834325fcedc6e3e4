package main

import (
	"errors"
	"fmt"

	"rnas/compiler/ir"
	"rnas/compiler/lower"
	"rnas/compiler/pass"
	"rnas/compiler/program"
	"rnas/export"
	"rnas/internal/tensor"
	"rnas/runtime"
	"rnas/runtime/ort"
	"rnas/train/loop"
)

// side is a loaded case.
type side struct {
	*benchCase
	state      *ort.Store
	parts      []part
	parameters int64
	nodes      int
	// outputs whose values after the first step both sides must agree on
	check []output
}

// part is a program of a case; a step is one after the other. per is the number of steps of an attack in one Run.
type part struct {
	*runtime.Running
	name string
	per  float64
}

type output struct {
	part int
	name string
}

func (c *benchCase) load() (*side, error) {
	s := &side{benchCase: c, state: ort.NewStore()}
	var err error
	switch c.Kind {
	case "forward", "pgd":
		err = s.deployed()
	case "train":
		err = s.train()
	case "search":
		err = s.search()
	default:
		err = fmt.Errorf("kind %q: expected forward, pgd, train or search", c.Kind)
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// deployed loads the forward pass or an attack of the model with constant weights.
func (s *side) deployed() error {
	compile, per := program.Classifier.Score, 1.0
	s.check = []output{{0, "logits"}}
	if s.Kind == "pgd" {
		compile = func(c program.Classifier, rows int) (*program.Program, error) { return c.Attack(s.attack(), rows) }
		s.check, per = []output{{0, "adversarial"}}, float64(s.Steps)
	}
	var p *program.Program
	r, err := runtime.LaunchRows(s.Batch, s.Size*s.Size, s.state, s.options(ort.LevelAll), func(rows int) (*program.Program, error) {
		c, err := s.classifier(rows)
		if err != nil {
			return nil, err
		}
		p, err = compile(c, rows)
		return p, err
	})
	if err != nil {
		return err
	}
	s.parts = []part{{r, "step", per}}
	return s.inputs(r, p)
}

// classifier is the case's network for a batch of so many images.
func (s *side) classifier(batch int) (program.Classifier, error) {
	g, err := s.model(batch)
	if err != nil {
		return program.Classifier{}, err
	}
	if err := pass.Run(g, runtime.ForwardPasses("")); err != nil {
		return program.Classifier{}, err
	}
	return program.NewClassifier(g)
}

// model is the graph of the case's network, or of model.onnx for one of another maker.
func (s *side) model(batch int) (*ir.Graph, error) {
	if s.Channels == 0 {
		return export.ReadFile(s.file("model.onnx"), export.ReadOptions{Batch: int64(batch)})
	}
	n, l, params, stats, err := s.weights()
	if err != nil {
		return nil, err
	}
	s.parameters = l.ParamLen
	return program.Deploy(n, l, params, stats, ir.N, true)
}

func (s *side) attack() program.Attack {
	return program.Attack{Epsilon: epsilon, StepSize: stepSize, Steps: s.Steps}
}

func (s *side) train() error {
	n, l, err := s.states()
	if err != nil {
		return err
	}
	p, err := program.Train{Net: n, Batch: s.Batch, Recipe: program.Recipe(s.Recipe), SGD: sgd, Attack: s.attack()}.Compile(l)
	if err != nil {
		return err
	}
	s.check = []output{{0, "loss"}, {0, "norm"}}
	return s.launch("step", p, 1, loop.TrainLevel)
}

func (s *side) search() error {
	_, l, err := s.states()
	if err != nil {
		return err
	}
	super := s.supernet()
	for _, state := range l.InitialSearch(super, 0)[len(l.Initial(0)):] {
		clear(state.Value.Float32s()) // uniform architecture weights, as the other side has them
		if err := s.state.Add(state.State, state.Value); err != nil {
			return err
		}
	}
	search := program.Search{Net: super, Batch: s.Batch, Alpha: program.Level{Reg: program.KL, Perturb: program.NoiseExamples}, SGD: sgd, Adam: adam}
	s.check = []output{{0, "loss"}, {0, "reg"}, {1, "loss"}}
	var alphas, weights *program.Program
	running, err := runtime.LaunchAll(s.state, s.options(loop.SearchLevel),
		func() (p *program.Program, err error) { alphas, err = search.Alphas(l); return alphas, err },
		func() (p *program.Program, err error) { weights, err = search.Weights(l); return weights, err })
	if err != nil {
		return err
	}
	s.parts = []part{{running[0], "alphas", 1}, {running[1], "weights", 1}}
	return errors.Join(s.inputs(running[0], alphas), s.inputs(running[1], weights))
}

// states adds what a training carries.
func (s *side) states() (lower.Network, *program.Layout, error) {
	n, l, params, stats, err := s.weights()
	if err != nil {
		return nil, nil, err
	}
	s.parameters = l.ParamLen
	for _, v := range []struct {
		name   string
		values []float32
	}{{program.Params, params}, {program.Stats, stats}, {program.Momentum, make([]float32, len(params))}} {
		if err := s.state.Add(v.name, tensor.Vector(v.values...)); err != nil {
			return nil, nil, err
		}
	}
	return n, l, nil
}

// launch loads a program and fills its inputs.
func (s *side) launch(name string, p *program.Program, per float64, level ort.Level) error {
	r, err := runtime.Launch(p, s.state, s.options(level))
	if err != nil {
		return err
	}
	s.parts = append(s.parts, part{r, name, per})
	return s.inputs(r, p)
}

func (s *side) options(level ort.Level) ort.Options {
	return loop.Runtime(ort.Options{Threads: s.Threads, Profile: s.Profile}, level)
}

// inputs fills the inputs of a program from the files of the case, and counts its nodes.
func (s *side) inputs(r *runtime.Running, p *program.Program) error {
	s.nodes += len(p.Graph.Nodes)
	for _, in := range p.Graph.Inputs {
		t := r.Input(in.Name)
		switch {
		case t == nil: // a state
		case in.Name == "lr":
			t.Float32s()[0] = rate
		case in.Name == "lambda":
			t.Float32s()[0] = lambda
		default:
			if err := s.fill(in.Name+".bin", t); err != nil {
				return err
			}
		}
	}
	return nil
}

// first makes one step and returns what it computed.
func (s *side) first() ([]float32, error) {
	for _, p := range s.parts {
		if err := p.Step(); err != nil {
			return nil, err
		}
	}
	var values []float32
	for _, o := range s.check {
		values = append(values, s.parts[o.part].Output(o.name).Float32s()...)
	}
	return values, nil
}

func (s *side) close() {
	for _, p := range s.parts {
		p.Close()
	}
	s.state.Close()
}
