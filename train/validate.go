package train

import (
	"context"

	"rnas/compiler/program"
	"rnas/internal/carry"
	"rnas/internal/dataset"
	"rnas/internal/tensor"
	"rnas/runtime"
	"rnas/runtime/ort"
	"rnas/train/loop"
)

// validator measures clean accuracy on a fixed part of the test images.
type validator struct {
	loader  dataset.Loader
	state   *ort.Store
	program *runtime.Running
}

func newValidator(c Config, l *program.Layout, test *dataset.Dataset, o Options) (*validator, error) {
	v := &validator{
		loader: dataset.Loader{Data: test.Limit(c.ValidateImages, c.Seed), Batch: c.Batch},
		state:  ort.NewStore(),
	}
	if err := v.build(c, l, o); err != nil {
		v.close()
		return nil, err
	}
	return v, nil
}

func (v *validator) build(c Config, l *program.Layout, o Options) error {
	zeros := []carry.Initial{{State: program.Params, Value: tensor.Zeros(tensor.Float32, l.ParamLen)}, {State: program.Stats, Value: tensor.Zeros(tensor.Float32, l.StatLen)}}
	if err := v.state.AddAll(zeros); err != nil {
		return err
	}
	p, err := program.Eval(c.Network, l, c.Batch)
	if err != nil {
		return err
	}
	v.program, err = runtime.Launch(p, v.state, loop.Runtime(o.Runtime, loop.TrainLevel))
	return err
}

// accuracy is the fraction of the images that are classified rightly.
func (v *validator) accuracy(ctx context.Context, params, stats []float32) (float64, error) {
	if err := v.state.Set(program.Params, tensor.Vector(params...)); err != nil {
		return 0, err
	}
	if err := v.state.Set(program.Stats, tensor.Vector(stats...)); err != nil {
		return 0, err
	}
	images, labels := v.program.Input("images").Float32s(), v.program.Input("labels").Int64s()
	hit := v.program.Output("hit").Float32s()
	right := 0.0
	for b := range v.loader.Epoch(ctx, 0, 0) {
		copy(images, b.Images[:cap(b.Images)]) // a short last batch is padded
		copy(labels, b.Labels[:cap(b.Labels)])
		if err := v.program.Step(); err != nil {
			return 0, err
		}
		for _, h := range hit[:len(b.Labels)] {
			right += float64(h)
		}
	}
	return right / float64(v.loader.Data.Len()), ctx.Err()
}

func (v *validator) close() {
	if v.program != nil {
		v.program.Close() // frees memory only
	}
	v.state.Close()
}
