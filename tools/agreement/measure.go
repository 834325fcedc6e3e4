package main

import (
	"fmt"
	"slices"

	"rnas/compiler/program"
	"rnas/internal/carry"
	"rnas/internal/dataset"
	"rnas/internal/rng"
	"rnas/runtime"
	"rnas/runtime/ort"
	"rnas/search"
	"rnas/train/loop"
)

const eps = 8. / 255

// arm is a way to take the gradient of the regularizer.
type arm struct {
	name  string
	level program.Level
	noise program.Noise // the zero value for none
}

// arms are in the order of the table; FGSM is also the reference.
var arms = func() []arm {
	fgsm := program.Level{Reg: program.KL, Perturb: program.Adversarial, Attack: program.Attack{Epsilon: eps, StepSize: eps, Steps: 1}}
	noisy := func(draws int, antithetic bool) program.Level {
		return program.Level{Reg: program.KL, Perturb: program.NoiseExamples, Draws: draws, Antithetic: antithetic}
	}
	uniform, sign := program.Noise{Kind: program.Uniform, Size: eps}, program.Noise{Kind: program.Sign, Size: eps}
	return []arm{
		{"FGSM", fgsm, program.Noise{}},
		{"1 draw", noisy(1, false), uniform},
		{"1 draw of +-8/255", noisy(1, false), sign},
		{"2 draws", noisy(2, false), uniform},
		{"2 draws, a pair", noisy(2, true), uniform},
		{"4 draws", noisy(4, false), uniform},
		{"4 draws, pairs", noisy(4, true), uniform},
		{"8 draws", noisy(8, false), uniform},
		{"8 draws, pairs", noisy(8, true), uniform},
	}
}()

// Places of arms that serve the table beside their own rows.
const (
	reference = 0
	oneDraw   = 1
)

// decays are those of running means.
var decays = []float64{0.9, 0.99}

// gradient is one by the architecture.
type gradient []float64

// probeDecay is the decay of the running mean from which a probe reads the gradient of the regularizer alone: after one step
// from zero the mean is 1-decay times that.
const probeDecay = 0.5

// probe compiles the alpha step of an arm as a program that changes no state: with beta1 of 0, Adam's first moment is the gradient.
func (s settings) probe(a arm, l *program.Layout) (*program.Program, error) {
	level := a.level
	level.Mean = probeDecay
	p, err := program.Search{Net: s.super, Batch: s.batch, Alpha: level, Adam: program.Adam{Beta2: 0.999, Epsilon: 1e-8}}.Alphas(l)
	if err != nil {
		return nil, err
	}
	p.State = nil
	for _, name := range []string{program.Params, program.Stats, program.Alphas} {
		p.State = append(p.State, carry.Binding{State: name, In: name})
	}
	return p, nil
}

// trial is a search of one seed with its probes.
type trial struct {
	settings
	search.Config
	probes                []*runtime.Running
	train, val, reference *dataset.Dataset
}

// measure searches with one seed and adds a row to the table at every stop.
func (s settings) measure(d *dataset.Dataset, seed uint64, t *table) error {
	c := search.Default("darts", s.super.Macro)
	c.Super, c.Batch, c.Seed = s.super, s.batch, seed
	layout, err := program.NewLayout(s.super)
	if err != nil {
		return err
	}
	st := ort.NewStore()
	defer st.Close()
	if err := st.AddAll(layout.InitialSearch(s.super, seed)); err != nil {
		return err
	}
	spec := program.Search{Net: s.super, Batch: s.batch, SGD: c.SGD, Adam: c.Adam}
	compile := []func() (*program.Program, error){
		func() (*program.Program, error) { return spec.Weights(layout) },
		func() (*program.Program, error) { return spec.Alphas(layout) },
	}
	for _, a := range arms {
		compile = append(compile, func() (*program.Program, error) { return s.probe(a, layout) })
	}
	running, err := runtime.LaunchAll(st, loop.Runtime(ort.Options{Threads: 1}, loop.SearchLevel), compile...)
	if err != nil {
		return err
	}
	defer func() {
		for _, r := range running {
			r.Close() // frees memory only
		}
	}()
	tr := &trial{settings: s, Config: c, probes: running[2:]}
	var rest *dataset.Dataset
	if tr.train, rest, err = d.Split(0.5, seed); err != nil {
		return err
	}
	if tr.val, tr.reference, err = rest.Split(0.5, seed); err != nil {
		return err
	}
	return tr.run(running[0], running[1], t)
}

// stream begins batches of a part of the images for an arm, nil for none.
func (t *trial) stream(part *dataset.Dataset, a *arm, first int) *loop.Stream {
	f := loop.Feed{Loader: dataset.Loader{Data: part, Batch: t.Batch, Shuffle: true, DropLast: true, Augment: t.Augment, Seed: t.Seed}}
	f.Steps = f.Loader.Steps()
	if a != nil {
		rows := a.level.NoiseRows()
		f.Extras = append(f.Extras, loop.PerImage(a.noise, "noise", t.Batch, part.Elems(), rows, t.Seed, rng.Noise, 1))
	}
	return f.Start(first)
}

// run searches and measures.
func (t *trial) run(weights, alphas *runtime.Running, out *table) error {
	train, val := t.stream(t.train, nil, 0), t.stream(t.val, nil, 0)
	defer train.Close()
	defer val.Close()
	moving := t.stream(t.val, &arms[oneDraw], 0)
	defer moving.Close()
	means := make([]mean, len(decays))
	for stop := range t.stops {
		for step := range t.steps {
			train.Next(weights)
			val.Next(alphas)
			weights.Input("lr").Float32s()[0] = float32(t.Schedule.At(0, step, t.Epochs, t.steps))
			g, _, err := take(t.probes[oneDraw], moving)
			if err != nil {
				return err
			}
			for i, d := range decays {
				means[i].add(g, d)
			}
			for _, r := range []*runtime.Running{alphas, weights} {
				if err := r.Step(); err != nil {
					return err
				}
			}
		}
		if err := t.stop(stop, means, out); err != nil {
			return err
		}
	}
	return nil
}

// stop measures all arms at the weights and the architecture of the moment.
func (t *trial) stop(stop int, means []mean, out *table) error {
	target, _, err := t.many(reference, t.reference, stop*t.settings.reference, t.settings.reference)
	if err != nil {
		return err
	}
	goal := average(target)
	// Images of the alpha steps so far stand before those that are measured on.
	first := t.stops*t.steps + stop*t.measured
	for i, a := range arms {
		gs, ces, err := t.many(i, t.val, first, t.measured)
		if err != nil {
			return err
		}
		out.add(a.name, a.level.Passes(), gs, goal)
		if i != reference && i != oneDraw {
			continue
		}
		for _, k := range []int{2, 4, 8} {
			if k <= len(gs) {
				out.add(fmt.Sprintf("%s, mean of %d batches", a.name, k), k*a.level.Passes(), groups(gs, k), goal)
			}
		}
		if i != oneDraw {
			continue
		}
		for k, d := range decays {
			out.add(fmt.Sprintf("%s, running mean of decay %v", a.name, d), a.level.Passes(), []gradient{means[k].value()}, goal)
		}
		out.add("cross-entropy", 1, ces, goal)
	}
	return nil
}

// many takes the gradients of an arm on so many batches.
func (t *trial) many(i int, part *dataset.Dataset, first, count int) (regs, ces []gradient, err error) {
	s := t.stream(part, &arms[i], first)
	defer s.Close()
	for range count {
		reg, ce, err := take(t.probes[i], s)
		if err != nil {
			return nil, nil, err
		}
		regs, ces = append(regs, reg), append(ces, ce)
	}
	return regs, ces, nil
}

// take runs a probe on the next batch: gradients of regularizer and cross-entropy.
func take(r *runtime.Running, s *loop.Stream) (reg, ce gradient, err error) {
	s.Next(r)
	if err := r.Step(); err != nil {
		return nil, nil, err
	}
	return wide(r.Output(program.RegMean+".next").Float32s(), 1/(1-probeDecay)), wide(r.Output(program.AdamM+".next").Float32s(), 1), nil
}

func wide(v []float32, factor float64) gradient {
	out := make(gradient, len(v))
	for i, x := range v {
		out[i] = factor * float64(x)
	}
	return out
}

// groups are the means of k gradients in turn.
func groups(gs []gradient, k int) (out []gradient) {
	for part := range slices.Chunk(gs, k) {
		if len(part) == k {
			out = append(out, average(part))
		}
	}
	return out
}
