package search

import (
	"context"
	"encoding/json"
	"io"
	"path/filepath"

	"rnas/compiler/program"
	"rnas/internal/atomicfile"
	"rnas/internal/dataset"
	"rnas/internal/fault"
	"rnas/internal/rng"
	"rnas/runtime"
	"rnas/runtime/ort"
	"rnas/train/loop"
)

// identity is what a checkpoint must agree with: the first line of the log.
type identity struct {
	Config
	Train string `json:"train_digest"`
}

// bilevel is the search over a supernet (Liu et al. 2019, algorithm 1, first order): each step updates the architecture
// parameters on a batch of the validation part, then the weights on a batch of the training part.
func bilevel(ctx context.Context, m Method, c Config, train *dataset.Dataset, dir string, o Options) (*Result, error) {
	s, err := newSearcher(m, c, train, o)
	if err != nil {
		return nil, err
	}
	defer s.close()
	run, err := loop.Open(dir, identity{c, train.Digest()}, s.state, &s.sums, o.Interval)
	if err != nil {
		return nil, err
	}
	defer run.Close()
	epoch, step := run.Position()
	if s.record, err = loop.OpenLines(filepath.Join(dir, AlphasFile), epoch); err != nil {
		return nil, err
	}
	defer s.record.Close()
	done := epoch*s.train.Steps + step
	s.trainStream = s.train.Start(done)
	defer s.trainStream.Close()
	s.valStream = s.val.Start(max(done-c.AlphaWarmup*s.train.Steps, 0))
	defer s.valStream.Close()
	s.progress = loop.NewProgress(o.Progress, "search "+m.Name, c.Epochs, s.train.Steps, c.Batch)
	if done > 0 {
		s.progress.Line("search: from %s, %d epochs and %d steps done", filepath.Join(dir, loop.CheckpointFile), epoch, step)
	}
	if err := run.Do(ctx, loop.Plan{Epochs: c.Epochs, Steps: s.train.Steps, Step: s.step, End: s.end}); err != nil {
		return nil, err
	}
	r := &Result{Alphas: s.alphas(), Seconds: s.sums.Seconds, Passes: s.passes()}
	if r.Genotype, err = Derive(r.Alphas, c.Super); err != nil {
		return nil, err
	}
	return r, r.write(dir)
}

// write stores the genotype in the folder.
func (r *Result) write(dir string) error {
	r.Path = filepath.Join(dir, GenotypeFile)
	data, err := json.MarshalIndent(r.Genotype, "", "  ")
	if err != nil {
		return err
	}
	return atomicfile.Write(r.Path, func(w io.Writer) error {
		_, err := w.Write(append(data, '\n'))
		return err
	})
}

// searcher is a search in execution.
type searcher struct {
	method                 Method
	config                 Config
	state                  *ort.Store
	weight, alpha          level
	train, val             loop.Feed
	trainStream, valStream *loop.Stream
	progress               *loop.Progress
	record                 *loop.Lines
	sums                   sums
}

// level is the program of one of the two levels.
type level struct {
	*runtime.Running
	regularized        bool
	loss, correct, reg []float32 // outputs
	lambda             []float32 // input
}

func newSearcher(m Method, c Config, d *dataset.Dataset, o Options) (*searcher, error) {
	s := &searcher{method: m, config: c, state: ort.NewStore(), sums: sums{Lambda: c.Lambda}}
	err := s.feeds(d)
	if err == nil {
		err = s.programs(o)
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// feeds divides the images and sets up the batches of both levels.
func (s *searcher) feeds(d *dataset.Dataset) error {
	c := s.config
	if err := loop.Fits(c.Super.Macro, d); err != nil {
		return fault.Input(err)
	}
	train, val, err := d.Split(c.Split, c.Seed)
	if err != nil {
		return fault.Inputf("split: %w", err)
	}
	if short := min(train.Len(), val.Len()); short < c.Batch {
		return fault.Inputf("batch: expected at most %d, the images of the smaller part of %s, found %d", short, d.Name, c.Batch)
	}
	// The seed of the second loader is drawn, so that the two orders are independent.
	seeds := rng.New(c.Seed, rng.Split, 0, 1, 0)
	feed := func(part *dataset.Dataset, seed uint64, step int, regularized bool) loop.Feed {
		f := loop.Feed{Loader: dataset.Loader{Data: part, Batch: c.Batch, Shuffle: true, DropLast: true, Augment: c.Augment, Seed: seed}}
		f.Steps = f.Loader.Steps()
		if regularized {
			f.Extras = append(f.Extras, loop.PerImage(c.Noise, "noise", c.Batch, d.Elems(), c.Seed, rng.Noise, step))
		}
		return f
	}
	s.weight.regularized = s.method.twin != noTwin && c.RegOn != OnAlpha
	s.alpha.regularized = s.method.twin != noTwin && c.RegOn != OnWeights
	s.train = feed(train, c.Seed, 0, s.weight.regularized)
	s.val = feed(val, seeds.Uint64(), 1, s.alpha.regularized)
	if c.Steps > 0 {
		s.train.Steps = min(s.train.Steps, c.Steps)
	}
	return nil
}

// programs compiles both levels over one state.
func (s *searcher) programs(o Options) error {
	c := s.config
	layout, err := program.NewLayout(c.Super)
	if err != nil {
		return err
	}
	if err := s.state.AddAll(layout.InitialSearch(c.Super, c.Seed)); err != nil {
		return err
	}
	spec := program.Search{Net: c.Super, Batch: c.Batch, Reg: c.Reg, SGD: c.SGD, Adam: c.Adam}
	if s.method.twin == attackTwin {
		spec.Attack = c.Attack
	}
	running, err := runtime.LaunchAll(s.state, loop.Runtime(o.Runtime, loop.SearchLevel),
		func() (*program.Program, error) { return spec.Weights(layout, s.weight.regularized) },
		func() (*program.Program, error) { return spec.Alphas(layout, s.alpha.regularized) })
	if err != nil {
		return err
	}
	for i, l := range []*level{&s.weight, &s.alpha} {
		l.Running = running[i]
		l.loss, l.correct = l.Output("loss").Float32s(), l.Output("correct").Float32s()
		if l.regularized {
			l.reg, l.lambda = l.Output("reg").Float32s(), l.Input("lambda").Float32s()
		}
	}
	return nil
}

// alphas are the current architecture parameters.
func (s *searcher) alphas() []float32 { return s.state.Get(program.Alphas).Float32s() }

func (s *searcher) close() {
	for _, l := range []level{s.weight, s.alpha} {
		if l.Running != nil {
			l.Close() // frees memory only
		}
	}
	s.state.Close()
}

// passes counts forward and backward passes of the whole search: one for the clean images of a step, one for their twins,
// one for every step of an attack on them.
func (s *searcher) passes() int64 {
	of := func(l level) int {
		switch {
		case !l.regularized:
			return 1
		case s.method.twin == attackTwin:
			return 2 + s.config.Attack.Steps
		}
		return 2
	}
	c := s.config
	epochs := c.Epochs*of(s.weight) + max(c.Epochs-c.AlphaWarmup, 0)*of(s.alpha)
	return int64(epochs) * int64(s.train.Steps)
}
