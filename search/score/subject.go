package score

import (
	"context"

	"rnas/compiler/lower"
	"rnas/compiler/program"
	"rnas/genotype"
	"rnas/internal/dataset"
	"rnas/internal/rng"
	"rnas/runtime/ort"
)

// setting is what all genotypes of a ranking share.
type setting struct {
	Config
	data    *dataset.Splits
	images  []float32 // [B,D,H,W], the first images of the stratified order of the seed
	labels  []int64   // [B]
	noise   []float32 // of the images, drawn by their place in the batch
	runtime ort.Options
}

func newSetting(c Config, data *dataset.Splits, o ort.Options) *setting {
	d := data.Train.Limit(c.Batch, c.Seed)
	s := &setting{
		Config: c, data: data, runtime: o,
		images: make([]float32, c.Batch*d.Elems()), labels: make([]int64, c.Batch), noise: make([]float32, c.Batch*d.Elems()),
	}
	index := make([]int, c.Batch)
	for i := range index {
		index[i] = i
		stream := rng.New(c.Seed, rng.Probe, 0, 0, i)
		c.noise().Fill(&stream, s.noise[i*d.Elems():(i+1)*d.Elems()])
	}
	d.Fill(s.images, s.labels, index, dataset.Augment{}, 0, 0)
	return s
}

// subject is a genotype that is scored: its network at initial weights, and what scores have in common, taken when the first one asks
// for it.
type subject struct {
	*setting
	ctx           context.Context
	net           lower.Evaluation
	layout        *program.Layout
	params, stats []float32

	normal, bare    *probe
	clean, jacobian *reading
}

func newSubject(ctx context.Context, s *setting, g genotype.Genotype) (*subject, error) {
	sub := &subject{setting: s, ctx: ctx, net: s.network(g, s.data.Train)}
	var err error
	if sub.layout, err = program.NewLayout(sub.net); err != nil {
		return nil, err
	}
	sub.params, sub.stats = sub.layout.Init(s.Seed)
	return sub, nil
}

func (s *subject) close() {
	s.normal.close()
	s.bare.close()
}

// normalised is the probe with normalisation by the batch, at the initial weights.
func (s *subject) normalised() (*probe, error) {
	var err error
	if s.normal == nil {
		s.normal, err = openProbe(program.Probe{Net: s.net, Batch: s.Batch, Codes: s.coded()}, s.layout, s.params, s.stats, s.runtime)
	}
	return s.normal, err
}

// unnormalised is the probe without normalisation, with features, at the absolute values of the initial weights.
func (s *subject) unnormalised() (*probe, error) {
	var err error
	if s.bare == nil {
		s.bare, err = openProbe(program.Probe{Net: s.net, Batch: s.Batch, Bare: true, Features: true}, s.layout, s.absolute(), s.stats, s.runtime)
	}
	return s.bare, err
}

// absolute are the absolute values of the initial weights.
func (s *subject) absolute() []float32 {
	params := make([]float32, len(s.params))
	for i, w := range s.params {
		params[i] = max(w, -w)
	}
	return params
}

// read is a reading of the normalised network, taken once into at.
func (s *subject) read(at **reading, l loss) (*reading, error) {
	if *at != nil {
		return *at, nil
	}
	p, err := s.normalised()
	if err == nil {
		*at, err = p.run(s.images, s.labels, l)
	}
	return *at, err
}

// atLoss is the reading of the cross-entropy on the clean images, atSum that of the sum of logits.
func (s *subject) atLoss() (*reading, error) { return s.read(&s.clean, crossEntropy) }
func (s *subject) atSum() (*reading, error)  { return s.read(&s.jacobian, sumOfLogits) }
