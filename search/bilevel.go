package search

import (
	"context"
	"encoding/json"
	"io"
	"path/filepath"

	"rnas/compiler/program"
	"rnas/internal/atomicfile"
	"rnas/internal/carry"
	"rnas/internal/dataset"
	"rnas/internal/fault"
	"rnas/internal/rng"
	"rnas/internal/tensor"
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
	bounds, err := newLimiter(c, o.Runtime)
	if err != nil {
		return nil, err
	}
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
	if err := run.Do(ctx, loop.Plan{Epochs: c.Epochs, Steps: s.train.Steps, Step: s.step, End: s.end, Done: s.stopped}); err != nil {
		return nil, err
	}
	r := &Result{Alphas: s.alphas(), Seconds: s.sums.Seconds, Passes: s.sums.Passes, Warning: s.sums.Warning}
	if err := json.Unmarshal(s.sums.Genotype, &r.Genotype); err != nil {
		return nil, err
	}
	if r.Warning != "" {
		s.progress.Line("search: %s", r.Warning)
	}
	var changed int
	if r.Genotype, changed, err = bounds.meet(ctx, r.Genotype, r.Alphas, c.Super); err != nil {
		return nil, err
	}
	if changed > 0 {
		s.progress.Line("search: the derived cell was above a bound: %d of its operations were changed for cheaper ones", changed)
	}
	return r, r.write(dir)
}

// stopped reports whether the search ended before its last epoch.
func (s *searcher) stopped() bool { return s.sums.Stopped != "" }

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
	plain                  level // the alpha step of the epochs without a regularizer, if there are any
	held                   level // the alpha step that holds the running mean, if RegEvery asks for it
	curvature              *curvature
	train, val             loop.Feed
	trainStream, valStream *loop.Stream
	progress               *loop.Progress
	record                 *loop.Lines
	sums                   sums
}

// level is the program of one of the two levels.
type level struct {
	objective program.Level
	*runtime.Running
	loss, correct, reg      []float32 // outputs
	lambda, size, mixSize   []float32 // inputs, nil where there are none
	found                   []float32 // the output lambda of a share
	normCE, normReg, cosine []float32
}

func newSearcher(m Method, c Config, d *dataset.Dataset, o Options) (*searcher, error) {
	s := &searcher{method: m, config: c, state: ort.NewStore(), sums: sums{Lambda: c.Balance.first()}}
	s.alpha.objective, s.weight.objective = c.levels(m)
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
	feed := func(part *dataset.Dataset, seed uint64, step int, l program.Level) loop.Feed {
		f := loop.Feed{Loader: dataset.Loader{Data: part, Batch: c.Batch, Shuffle: true, DropLast: true, Augment: c.Augment, Seed: seed}}
		f.Steps = f.Loader.Steps()
		if rows := l.NoiseRows(); rows > 0 {
			f.Extras = append(f.Extras, loop.PerImage(c.Noise, "noise", c.Batch, d.Elems(), rows, c.Seed, rng.Noise, step))
		}
		if l.Reg != "" && l.Reg.Probed() {
			f.Extras = append(f.Extras, loop.Directions("reg_probe", c.Batch, c.Super.Classes, c.Seed, step))
		}
		return f
	}
	s.train = feed(train, c.Seed, 0, s.weight.objective)
	s.val = feed(val, seeds.Uint64(), 1, s.alpha.objective)
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
	spec := program.Search{Net: c.Super, Batch: c.Batch, Alpha: s.alpha.objective, Weight: s.weight.objective, SGD: c.SGD, Adam: c.Adam}
	if s.alpha.objective.Mean > 0 {
		mean := []carry.Initial{
			{State: program.RegMean, Value: tensor.Zeros(tensor.Float32, c.Super.AlphaShape()...)},
			{State: program.RegWeight, Value: tensor.Zeros(tensor.Float32, 1)},
		}
		if err := s.state.AddAll(mean); err != nil {
			return err
		}
	}
	levels := []*level{&s.weight, &s.alpha}
	compile := []func() (*program.Program, error){
		func() (*program.Program, error) { return spec.Weights(layout) },
		func() (*program.Program, error) { return spec.Alphas(layout) },
	}
	further := func(l *level, share float64, held bool) {
		l.objective = s.alpha.objective
		l.objective.Reg, l.objective.Mean, l.objective.Share, l.objective.Held = "", 0, share, held
		other := spec
		other.Alpha = l.objective
		levels, compile = append(levels, l), append(compile, func() (*program.Program, error) { return other.Alphas(layout) })
	}
	if c.RegWarmup > 0 && s.alpha.objective.Reg != "" {
		further(&s.plain, 0, false)
	}
	if c.RegEvery > 1 {
		further(&s.held, s.alpha.objective.Share, true)
	}
	if c.Stop.Curvature > 0 {
		if s.curvature, err = newCurvature(s.state, c.Super); err != nil {
			return err
		}
		compile = append(compile, func() (*program.Program, error) { return spec.AlphaGradient(layout, probeAlphas) })
	}
	running, err := runtime.LaunchAll(s.state, loop.Runtime(o.Runtime, loop.SearchLevel), compile...)
	if err != nil {
		return err
	}
	for i, l := range levels {
		l.bind(running[i])
	}
	if s.curvature != nil {
		s.curvature.Running = running[len(running)-1]
	}
	return nil
}

// bind looks up what a level hands to and takes from its program.
func (l *level) bind(r *runtime.Running) {
	l.Running = r
	in := func(name string) []float32 {
		if t := r.Input(name); t != nil {
			return t.Float32s()
		}
		return nil
	}
	out := func(name string) []float32 {
		if t := r.Output(name); t != nil {
			return t.Float32s()
		}
		return nil
	}
	l.loss, l.correct, l.reg = out("loss"), out("correct"), out("reg")
	l.lambda, l.size, l.mixSize = in("lambda"), in("reg_size"), in("mix_size")
	l.found, l.normCE, l.normReg, l.cosine = out("lambda"), out("norm_ce"), out("norm_reg"), out("cosine")
}

// alphas are the current architecture parameters.
func (s *searcher) alphas() []float32 { return s.state.Get(program.Alphas).Float32s() }

func (s *searcher) close() {
	for _, l := range []level{s.weight, s.alpha, s.plain, s.held} {
		if l.Running != nil {
			l.Close() // frees memory only
		}
	}
	if s.curvature != nil && s.curvature.Running != nil {
		s.curvature.Close()
	}
	s.state.Close()
}
