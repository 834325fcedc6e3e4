package score

import (
	"math"
	"slices"

	"rnas/compiler/lower"
	"rnas/compiler/pass"
	"rnas/compiler/program"
	"rnas/internal/dataset"
	"rnas/internal/rng"
	"rnas/runtime"
	"rnas/runtime/ort"
	"rnas/train"
	"rnas/train/loop"
)

// Short training. Its length is a number of steps that follows from multiply-adds and not from a clock, so that the score does not
// depend on the machine.
const (
	shortBatch = 64
	// multiplyAdds is the number that one CPU second of training is taken for: measured were 1.8e10 for a network of the DARTS space (16
	// channels, 8 cells) and 2.7e10 for one of NAS-Bench-201 (16 channels, 3 cells), both with other work on the machine.
	multiplyAdds = 1.5e10
	// passes is the price of a training step of the fast recipe in forward passes: forward and backward (twice a forward pass), for the
	// attack and for the update.
	passes = 6
	// Held-out images and the attack on them.
	shortImages   = 1000
	shortPGDSteps = 4
	shortPGDStep  = 3. / 255
)

// shortSteps is the number of training steps that so many CPU seconds stand for.
func shortSteps(seconds float64, macs int64) int {
	return max(1, int(math.Round(seconds*multiplyAdds/(shortBatch*passes*float64(macs)))))
}

// short is the accuracy on test images under PGD (8/255, 4 steps of 3/255 from the images) after training by the fast recipe (Wong et
// al. 2020) with its usual settings and a one-cycle rate over all steps; 0 when the training diverges. Training and measurement use
// the images of the setting, the training part as a whole and the first 1,000 of the test part.
func short(s *subject, seconds float64) (float64, error) {
	macs, err := lower.MACs(s.net)
	if err != nil {
		return 0, err
	}
	params, stats, err := s.trained(shortSteps(seconds, macs))
	if err != nil {
		return 0, err
	}
	if sum := dot(params, params); math.IsNaN(sum) || math.IsInf(sum, 0) {
		return 0, nil
	}
	return s.robust(params, stats)
}

// trained are parameters and statistics after so many steps.
func (s *subject) trained(steps int) (params, stats []float32, err error) {
	c := train.Default(s.net, program.Fast)
	data := s.data.Train
	c.Batch = min(shortBatch, data.Len())
	if c.Augment.Crop = data.Shape[1] / 8; c.Augment.Crop > 4 {
		c.Augment.Crop = 4
	}
	p, err := program.Train{Net: s.net, Batch: c.Batch, Recipe: c.Recipe, Attack: c.Attack, SGD: c.SGD}.Compile(s.layout)
	if err != nil {
		return nil, nil, err
	}
	st := ort.NewStore()
	defer st.Close() // frees memory only
	if err := st.AddAll(s.layout.Initial(s.Seed)); err != nil {
		return nil, nil, err
	}
	running, err := runtime.Launch(p, st, loop.Runtime(s.runtime, loop.TrainLevel))
	if err != nil {
		return nil, nil, err
	}
	defer running.Close() // frees memory only
	feed := loop.Feed{Loader: dataset.Loader{Data: data, Batch: c.Batch, Shuffle: true, DropLast: true, Augment: c.Augment, Seed: s.Seed}}
	feed.Steps = feed.Loader.Steps()
	feed.Extras = []loop.Extra{loop.PerImage(c.Start, "start", c.Batch, data.Elems(), 1, s.Seed, rng.Start, 0)}
	stream := feed.Start(0)
	defer stream.Close()
	for step := range steps {
		if err := s.ctx.Err(); err != nil {
			return nil, nil, err
		}
		stream.Next(running)
		running.Input("lr").Float32s()[0] = float32(c.Schedule.At(0, step, 1, steps))
		if err := running.Step(); err != nil {
			return nil, nil, err
		}
	}
	return slices.Clone(st.Get(program.Params).Float32s()), slices.Clone(st.Get(program.Stats).Float32s()), nil
}

// robust is the share of held-out images that are classified rightly after the attack.
func (s *subject) robust(params, stats []float32) (float64, error) {
	test := s.data.Test.Limit(shortImages, s.Seed)
	loader := dataset.Loader{Data: test, Batch: min(shortBatch, test.Len())}
	g, err := program.Deploy(s.net, s.layout, params, stats, int64(loader.Batch), true)
	if err == nil {
		err = pass.Run(g, runtime.ForwardPasses(s.runtime.Provider))
	}
	if err != nil {
		return 0, err
	}
	st := ort.NewStore()
	defer st.Close() // frees memory only
	classifier := program.Classifier{Graph: g}
	pgd := program.Attack{Epsilon: 8. / 255, StepSize: shortPGDStep, Steps: shortPGDSteps}
	running, err := runtime.LaunchAll(st, s.runtime,
		func() (*program.Program, error) { return classifier.Attack(pgd, loader.Batch) },
		func() (*program.Program, error) { return classifier.Score(loader.Batch) })
	if err != nil {
		return 0, err
	}
	attack, score := running[0], running[1]
	defer attack.Close() // frees memory only
	defer score.Close()
	right := 0.0
	for b := range loader.Epoch(s.ctx, 0, 0) {
		copy(attack.Input("images").Float32s(), b.Images[:cap(b.Images)]) // a short last batch is padded
		for _, r := range running {
			copy(r.Input("labels").Int64s(), b.Labels[:cap(b.Labels)])
		}
		if err := attack.Step(); err != nil {
			return 0, err
		}
		copy(score.Input("images").Float32s(), attack.Output("adversarial").Float32s())
		if err := score.Step(); err != nil {
			return 0, err
		}
		for _, hit := range score.Output("hit").Float32s()[:len(b.Labels)] {
			right += float64(hit)
		}
	}
	return right / float64(test.Len()), s.ctx.Err()
}
