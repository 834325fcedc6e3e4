package score

import (
	"slices"

	"rnas/compiler/program"
	"rnas/internal/carry"
	"rnas/internal/tensor"
	"rnas/runtime"
	"rnas/runtime/ort"
	"rnas/train/loop"
)

// probe is program.Probe of one network in execution.
type probe struct {
	*runtime.Running
	state  *ort.Store
	layers []program.Layer
}

// reading is what one run of a probe gives; outputs that the program does not have are nil.
type reading struct {
	logits                  []float32 // [B,K]
	gradParams, gradImages  []float32 // of the loss
	kernel, words, features []float32
}

// openProbe compiles and loads a probe at parameters, which it copies.
func openProbe(p program.Probe, l *program.Layout, params, stats []float32, o ort.Options) (*probe, error) {
	compiled, layers, err := p.Compile(l)
	if err != nil {
		return nil, err
	}
	st := ort.NewStore()
	err = st.AddAll([]carry.Initial{
		{State: program.Params, Value: tensor.Vector(slices.Clone(params)...)},
		{State: program.Stats, Value: tensor.Vector(slices.Clone(stats)...)},
	})
	if err != nil {
		return nil, err
	}
	running, err := runtime.Launch(compiled, st, loop.Runtime(o, loop.SearchLevel))
	if err != nil {
		st.Close()
		return nil, err
	}
	return &probe{running, st, layers}, nil
}

// loss are the factors of the loss of a run.
type loss struct{ ce, sum float32 }

var (
	crossEntropy = loss{ce: 1}
	sumOfLogits  = loss{sum: 1}
)

// run reads the network on images [B,D,H,W] with labels [B].
func (p *probe) run(images []float32, labels []int64, l loss) (*reading, error) {
	copy(p.Input("images").Float32s(), images)
	copy(p.Input("labels").Int64s(), labels)
	p.Input("ce").Float32s()[0], p.Input("sum").Float32s()[0] = l.ce, l.sum
	if err := p.Step(); err != nil {
		return nil, err
	}
	output := func(name string) []float32 {
		if t := p.Output(name); t != nil {
			return slices.Clone(t.Float32s())
		}
		return nil
	}
	return &reading{
		logits: output("logits"), gradParams: output("gradient.params"), gradImages: output("gradient.images"),
		kernel: output("code_kernel"), words: output("code_words"), features: output("features"),
	}, nil
}

// shrinks are tried one after the other where numbers leave the range of float32.
var shrinks = []float32{1, 1e-15, 1e-30}

// runBare is run for a network without normalisation, whose logits are proportional to the images: where numbers leave the range of
// float32, images and loss are shrunk, by the factor that is returned too. Neither changes the angle between features or gradients, nor
// the cross-entropy's gradient, whose softmax is one-hot by then; the gradient of the sum of logits is factor^2 times the true one.
func (p *probe) runBare(images []float32, labels []int64, l loss) (r *reading, factor float64, err error) {
	for _, f := range shrinks {
		small := make([]float32, len(images))
		for i, v := range images {
			small[i] = v * f
		}
		r, err = p.run(small, labels, loss{l.ce * f, l.sum * f})
		if err != nil || r.finite() {
			return r, float64(f), err
		}
	}
	return nil, 0, errRange
}

// finite reports whether no number of the reading is infinite or NaN.
func (r *reading) finite() bool {
	for _, list := range [][]float32{r.logits, r.gradParams, r.gradImages, r.features} {
		for _, v := range list {
			if v-v != 0 {
				return false
			}
		}
	}
	return true
}

// weigh puts other parameters in place.
func (p *probe) weigh(params []float32) error {
	return p.state.Set(program.Params, tensor.Vector(params...))
}

func (p *probe) close() {
	if p != nil {
		p.Running.Close() // frees memory only
		p.state.Close()
	}
}
