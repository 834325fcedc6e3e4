package attack

import (
	"context"
	"fmt"
	"slices"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/compiler/program"
	"rnas/runtime"
)

// scene is an attack graph under construction: the classifier, the values of the inputs and the settings. Loop bodies have
// builders of their own, so methods take the builder that they add to.
type scene struct {
	program.Classifier
	Images, Labels, Start *ir.Value // [B,C,H,W], int64 [B], [B,C,H,W]
	Settings
}

// norm is the geometry of the settings.
func (s scene) norm() geometry { return norms[s.Norm] }

// loss of each image [B] by logits [B,K].
type loss func(b op.B, logits *ir.Value) *ir.Value

// criterion is the loss of a program.Criterion at the true labels.
func (s scene) criterion(name string) loss {
	c, ok := program.CriterionNamed(name)
	if !ok {
		panic("attack: no criterion " + name)
	}
	return func(b op.B, logits *ir.Value) *ir.Value { return c.Of(b, logits, s.Labels) }
}

// ascend runs the classifier at x [B,C,H,W]: logits [B,K], the loss [B] and its gradient [B,C,H,W].
func (s scene) ascend(b op.B, x *ir.Value, of loss) (logits, value, gradient *ir.Value) {
	logits = s.Logits(b, x)
	value = of(b, logits)
	return logits, value, program.InputGradient(b, value, x)
}

// wrong tells for each image whether the prediction differs from the label: bool [B,1,1,1].
func (s scene) wrong(b op.B, logits *ir.Value) *ir.Value {
	if b.Err() != nil {
		return logits
	}
	predicted := b.One("ArgMax", ir.Attrs{"axis": int64(1), "keepdims": int64(0)}, logits)
	return b.Reshape(b.One("Not", nil, b.Equal(predicted, s.Labels)), -1, 1, 1, 1)
}

// ranked is the class of each image that has the given rank by the logits of the image, 0 for the largest: int64 [B].
func (s scene) ranked(b op.B, rank int64) *ir.Value {
	_, order := b.TopK(s.Logits(b, s.Images), rank+1, 1)
	return b.Reshape(b.Slice(order, []int64{rank}, []int64{rank + 1}, []int64{1}, []int64{1}), -1)
}

// perImage sums over each image: [B,1,1,1].
func perImage(b op.B, x *ir.Value) *ir.Value { return b.ReduceSum(x, true, 1, 2, 3) }

// graphStage is a stage that is one graph; its passes depend on nothing but the number of points.
type graphStage struct {
	key     string                                                   // names the stage and its parameters
	build   func(b op.B, s scene) *ir.Value                          // the adversarial images
	start   func(dst []float32, elems int, points []int, s Settings) // fills the input "start"; nil for zeros
	passes  Counts                                                   // of one image
	norms   []string                                                 // that it is defined for
	classes int64                                                    // the smallest number of classes
	rank    int64                                                    // of the target by the logits of the image; 0 for none
}

// Key implements Stage.
func (g graphStage) Key() string { return g.key }

// Supports implements Stage.
func (g graphStage) Supports(s Settings, classes int64) error {
	if len(g.norms) > 0 && !slices.Contains(g.norms, s.Norm) {
		return fmt.Errorf("%s has no form in norm %s: expected %v", g.key, s.Norm, g.norms)
	}
	if g.rank >= classes {
		return fmt.Errorf("%s: %w %d of %d", g.key, ErrNoTarget, g.rank, classes)
	}
	if classes < g.classes {
		return fmt.Errorf("%s needs at least %d classes, found %d", g.key, g.classes, classes)
	}
	return nil
}

// Program implements Single.
func (g graphStage) Program(c program.Classifier, batch int, set Settings) (*program.Program, error) {
	if err := g.Supports(set, c.Classes()); err != nil {
		return nil, err
	}
	b := op.NewB("attack")
	s := scene{Classifier: c, Settings: set}
	s.Images, s.Labels = c.Open(b, batch)
	s.Start = b.Input("start", ir.Float32, s.Images.Shape...)
	b.Output("adversarial", g.build(b, s))
	return program.Finish(b)
}

// Compile implements Stage.
func (g graphStage) Compile(t Target) (Runner, error) {
	p, err := g.Program(t.Classifier, t.Batch, t.Settings)
	if err != nil {
		return nil, err
	}
	l, err := launch(p, t.Runtime)
	if err != nil {
		return nil, err
	}
	return &graphRunner{l, g, t.Settings}, nil
}

type graphRunner struct {
	*launched
	stage graphStage
	set   Settings
}

// Run implements Runner.
func (r *graphRunner) Run(_ context.Context, b Batch) (Counts, error) {
	copy(r.Input("images").Float32s(), b.Images)
	copy(r.Input("labels").Int64s(), b.Labels)
	if r.stage.start != nil {
		from := r.Input("start").Float32s()
		elems := len(b.Images) / len(b.Labels)
		r.stage.start(from, elems, b.Points, r.set)
		clear(from[len(b.Points)*elems:])
	}
	if err := r.Step(); err != nil {
		return Counts{}, err
	}
	copy(b.Adversarial, r.Output("adversarial").Float32s())
	n := int64(len(b.Points))
	return Counts{r.stage.passes.Forwards * n, r.stage.passes.Backwards * n}, nil
}

// launched is a program without state in execution.
type launched struct {
	*runtime.Running
	state *runtime.State
}

func launch(p *program.Program, o runtime.Options) (*launched, error) {
	state := runtime.NewState()
	running, err := runtime.Launch(p, state, o)
	if err != nil {
		state.Close()
		return nil, err
	}
	return &launched{running, state}, nil
}

// Close implements Runner.
func (l *launched) Close() error {
	err := l.Running.Close()
	if cerr := l.state.Close(); err == nil {
		err = cerr
	}
	return err
}
