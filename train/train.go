package train

import (
	"context"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"time"

	"rnas/compiler/program"
	"rnas/internal/carry"
	"rnas/internal/dataset"
	"rnas/internal/fault"
	"rnas/internal/rng"
	"rnas/runtime"
	"rnas/runtime/ort"
	"rnas/train/loop"
)

// ErrDiverged says that the loss or a parameter is no longer a finite number. The checkpoint before is kept.
var ErrDiverged = loop.ErrDiverged

// WeightsFile is the name of the result in the folder of a training.
const WeightsFile = "weights.safetensors"

// Options do not change the result.
type Options struct {
	Runtime  ort.Options
	Progress io.Writer // for people; nil for none
	// Interval is the time between checkpoints within an epoch; 0 for two minutes.
	Interval time.Duration
}

// Result is a trained network.
type Result struct {
	Weights
	Path     string  // of the weights
	Loss     float64 // mean of the last epoch; 0 when it was complete already
	Accuracy float64 // on the images learnt from, likewise
	// ValAccuracy is the last clean accuracy on test images; negative when it was not measured.
	ValAccuracy float64
}

// identity is what a checkpoint must agree with: the first line of the log.
type identity struct {
	Config
	Train string `json:"train_digest"`
	Test  string `json:"test_digest"`
}

// sums are added up over an epoch.
type sums struct {
	Loss    float64 `json:"loss"`
	Correct float64 `json:"correct"`
	Steps   int     `json:"steps"`
	// Last accuracy on test images, kept from epoch to epoch.
	ValAccuracy float64 `json:"val_accuracy"`
}

// Epoch is the line of an epoch in the log; epochs count from 1, seconds are those of its steps.
type Epoch struct {
	Epoch       int      `json:"epoch"`
	Seconds     float64  `json:"seconds"`
	Loss        float64  `json:"loss"`
	Accuracy    float64  `json:"accuracy"`
	LR          float64  `json:"lr"`
	ValAccuracy *float64 `json:"val_accuracy,omitempty"`
}

// Run trains a network in a folder, or takes up the training whose checkpoint is there, and writes WeightsFile. The result
// is the same bit for bit however often it was stopped. When ctx is cancelled it writes a checkpoint and returns an error
// that wraps that of ctx.
func Run(ctx context.Context, c Config, data *dataset.Splits, dir string, o Options) (*Result, error) {
	if err := c.Validate(); err != nil {
		return nil, fault.Input(err)
	}
	if err := c.fits(data.Train); err != nil {
		return nil, fault.Input(err)
	}
	t, err := newTrainer(c, data, o)
	if err != nil {
		return nil, err
	}
	defer t.close()
	id := identity{Config: c, Train: data.Train.Digest(), Test: data.Test.Digest()}
	run, err := loop.Open(dir, id, t.state, &t.sums, o.Interval)
	if err != nil {
		return nil, err
	}
	defer run.Close()
	epoch, step := run.Position()
	t.stream = t.feed.Start(epoch*t.feed.Steps + step)
	defer t.stream.Close()
	t.progress = loop.NewProgress(o.Progress, "train", c.Epochs, t.feed.Steps, c.Batch)
	if epoch+step > 0 {
		t.progress.Line("train: from %s, %d epochs and %d steps done", filepath.Join(dir, loop.CheckpointFile), epoch, step)
	}
	if err := run.Do(ctx, loop.Plan{Epochs: c.Epochs, Steps: t.feed.Steps, Step: t.step, End: t.end}); err != nil {
		return nil, err
	}
	params, stats := t.best()
	r := &Result{
		Weights: Weights{Network: c.Network, Classes: data.Train.Classes, Layout: t.layout, Params: params, Stats: stats},
		Path:    filepath.Join(dir, WeightsFile),
		Loss:    t.last.Loss, Accuracy: t.last.Accuracy, ValAccuracy: -1,
	}
	if c.ValidateEvery > 0 {
		r.ValAccuracy = t.sums.ValAccuracy
	}
	if r.Record, err = trainingRecord(id, r.ValAccuracy); err != nil {
		return nil, err
	}
	return r, r.Save(r.Path)
}

// trainer is a training in execution.
type trainer struct {
	config   Config
	layout   *program.Layout
	state    *ort.Store
	program  *runtime.Running
	val      *validator // nil for none
	feed     loop.Feed
	stream   *loop.Stream
	progress *loop.Progress
	sums     sums
	last     Epoch
	// inputs and outputs of the program
	lr, loss, correct, norm []float32
}

func newTrainer(c Config, data *dataset.Splits, o Options) (*trainer, error) {
	t := &trainer{config: c, state: ort.NewStore()}
	err := t.build(data.Train, o)
	if err == nil && c.ValidateEvery > 0 {
		t.val, err = newValidator(c, t.layout, data.Test, o)
	}
	if err != nil {
		t.close()
		return nil, err
	}
	return t, nil
}

// build compiles the program and sets up its states and batches.
func (t *trainer) build(d *dataset.Dataset, o Options) error {
	c := t.config
	var err error
	if t.feed, err = newFeed(c, d); err != nil {
		return err
	}
	if t.layout, err = program.NewLayout(c.Network); err != nil {
		return err
	}
	if err := t.states(); err != nil {
		return err
	}
	p, err := program.Train{
		Net: c.Network, Batch: c.Batch, Recipe: c.Recipe, Attack: c.Attack, Beta: c.Beta, SGD: c.SGD,
		Smoothing: c.Smoothing, AuxWeight: c.AuxWeight, DropPath: c.DropPath > 0, AttackTrain: c.AttackTrain,
	}.Compile(t.layout)
	if err != nil {
		return err
	}
	if t.program, err = runtime.Launch(p, t.state, loop.Runtime(o.Runtime, loop.TrainLevel)); err != nil {
		return err
	}
	t.lr = t.program.Input("lr").Float32s()
	t.loss, t.correct = t.program.Output("loss").Float32s(), t.program.Output("correct").Float32s()
	t.norm = t.program.Output("norm").Float32s()
	return nil
}

// states sets up what the training changes.
func (t *trainer) states() error {
	list := t.layout.Initial(t.config.Seed)
	if t.config.Average > 0 {
		for _, s := range t.layout.Initial(t.config.Seed) {
			for _, a := range averaged {
				if s.State == a.name {
					list = append(list, carry.Initial{State: a.average, Value: s.Value})
				}
			}
		}
	}
	return t.state.AddAll(list)
}

// newFeed makes the batches of a training, with starts of the attack and factors of dropped paths.
func newFeed(c Config, d *dataset.Dataset) (loop.Feed, error) {
	f := loop.Feed{Loader: dataset.Loader{Data: d, Batch: c.Batch, Shuffle: true, DropLast: true, Augment: c.Augment, Seed: c.Seed}}
	f.Steps = f.Loader.Steps()
	if c.Recipe.Attacks() {
		f.Extras = append(f.Extras, loop.PerImage(c.Start, "start", c.Batch, d.Elems(), 1, c.Seed, rng.Start, 0))
	}
	if c.DropPath > 0 {
		edges, err := program.DropPathEdges(c.Network)
		if err != nil {
			return f, err
		}
		f.Extras = append(f.Extras, dropPath(c, int(edges)))
	}
	return f, nil
}

// dropPath are the factors [edges, batch] of stochastic depth by edge and image, as in DARTS: 0 with the probability
// DropPath*epoch/Epochs, else the inverse of what is left of 1.
func dropPath(c Config, edges int) loop.Extra {
	return loop.Extra{Input: "drop_path", Len: edges * c.Batch, Fill: func(dst []float32, epoch int, index []int) {
		p := float32(c.DropPath * float64(epoch) / float64(c.Epochs))
		for i, sample := range index {
			s := rng.New(c.Seed, rng.DropPath, epoch, 0, sample)
			for e := range edges {
				factor := 1 / (1 - p)
				if s.Float32() < p {
					factor = 0
				}
				dst[e*c.Batch+i] = factor
			}
		}
	}}
}

func (t *trainer) close() {
	if t.val != nil {
		t.val.close()
	}
	if t.program != nil {
		t.program.Close() // frees memory only
	}
	t.state.Close()
}

// step is one update of the weights.
func (t *trainer) step(epoch, step int) error {
	c := t.config
	t.stream.Next(t.program)
	t.lr[0] = float32(c.Schedule.At(epoch, step, c.Epochs, t.feed.Steps))
	if err := t.program.Step(); err != nil {
		return err
	}
	loss := float64(t.loss[0])
	if sum := loss + float64(t.norm[0]); math.IsNaN(sum) || math.IsInf(sum, 0) {
		return fmt.Errorf("%w: epoch %d, step %d: loss %v, gradient norm %v", ErrDiverged, epoch+1, step+1, loss, t.norm[0])
	}
	if c.Average > 0 {
		t.average(epoch*t.feed.Steps + step)
	}
	t.sums.Loss += loss
	t.sums.Correct += float64(t.correct[0])
	t.sums.Steps++
	n := float64(t.sums.Steps)
	t.progress.Step(epoch, step, t.sums.Loss/n, t.sums.Correct/n/float64(c.Batch))
	return nil
}

// averageOf begins the name of the state that is the average of another one.
const averageOf = "average."

// averaged are the states that have an average, and the names of these.
var averaged = []struct{ name, average string }{{program.Params, averageOf + program.Params}, {program.Stats, averageOf + program.Stats}}

// average moves the averages after step number done from 0.
func (t *trainer) average(done int) {
	decay := min(t.config.Average, float64(1+done)/float64(10+done))
	toward := float32(1 - decay)
	for _, pair := range averaged {
		avg, now := t.state.Get(pair.average).Float32s(), t.state.Get(pair.name).Float32s()
		for i, v := range now {
			avg[i] += float32(toward * (v - avg[i]))
		}
	}
}

// best are the parameters and statistics to be used: the averages if there are any.
func (t *trainer) best() (params, stats []float32) {
	prefix := ""
	if t.config.Average > 0 {
		prefix = averageOf
	}
	return t.state.Get(prefix + program.Params).Float32s(), t.state.Get(prefix + program.Stats).Float32s()
}

// end closes an epoch.
func (t *trainer) end(ctx context.Context, epoch int, seconds float64) (any, error) {
	c, n := t.config, float64(t.sums.Steps)
	r := Epoch{
		Epoch: epoch + 1, Seconds: seconds, Loss: t.sums.Loss / n, Accuracy: t.sums.Correct / n / float64(c.Batch),
		LR: c.Schedule.At(epoch, t.feed.Steps-1, c.Epochs, t.feed.Steps),
	}
	line := fmt.Sprintf("train epoch %d/%d  %.1fs  loss %.4f  accuracy %.4f", r.Epoch, c.Epochs, seconds, r.Loss, r.Accuracy)
	val := t.sums.ValAccuracy
	if c.ValidateEvery > 0 && (r.Epoch%c.ValidateEvery == 0 || r.Epoch == c.Epochs) {
		params, stats := t.best()
		accuracy, err := t.val.accuracy(ctx, params, stats)
		if err != nil {
			return nil, err
		}
		val, r.ValAccuracy = accuracy, &accuracy
		line += fmt.Sprintf("  validation %.4f", accuracy)
	}
	t.progress.Line("%s", line)
	t.sums, t.last = sums{ValAccuracy: val}, r
	return r, nil
}
