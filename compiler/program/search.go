package program

import (
	"rnas/compiler/ir"
	"rnas/compiler/lower"
	"rnas/compiler/op"
)

// Search describes the two steps of a bilevel search over a supernet (Liu et al. 2019, algorithm 1, first order), each
// with the robustness term or without.
type Search struct {
	Net   lower.Supernet
	Batch int
	Reg   Regularizer
	// Attack, if it has steps, makes the perturbed twin by a sign-gradient attack from the given noise, on the weights and
	// architecture of the moment; otherwise the twin is the image plus the noise, clipped to [0,1].
	Attack Attack
	SGD    SGD  // of the weights
	Adam   Adam // of the architecture parameters
}

// inputs are what both steps read.
type searchInputs struct {
	*network
	images, labels, target *ir.Value
	noise, lambda          *ir.Value // nil without the term
}

// open declares images [B,D,H,W], labels int64 [B], the states params, stats and alphas [2,E,P], and for a regularized
// step noise [B,D,H,W] and lambda [1].
func (s Search) open(b op.B, l *Layout, regularized bool) searchInputs {
	m := s.Net.Skeleton()
	in := searchInputs{
		images: b.Input("images", ir.Float32, int64(s.Batch), int64(m.Depth), int64(m.Height), int64(m.Width)),
		labels: b.Input("labels", ir.Int64, int64(s.Batch)),
	}
	if regularized {
		in.noise = b.Input("noise", ir.Float32, in.images.Shape...)
		in.lambda = b.Input("lambda", ir.Float32, 1)
	}
	in.network = open(b, s.Net, l)
	in.alphas = b.Input(Alphas, ir.Float32, s.Net.AlphaShape()...)
	in.target = b.OneHot(in.labels, int64(m.Classes), in.images)
	return in
}

// losses are the terms of a step, shape [1] each; total is what it lowers.
type losses struct {
	total, ce, reg *ir.Value
	logits         *ir.Value
	stats          []lower.Stat // of the clean images
	twin           *ir.Value    // perturbed images, nil without the term
}

// loss is CE(f(x)) + lambda*R(f(x), f(x')).
func (s Search) loss(in searchInputs) losses {
	b := in.B
	var out losses
	b.In("clean", func() {
		out.logits, _, out.stats = in.forward(b, in.images, mode{train: true})
		out.ce = mean(b, crossEntropy(b, out.logits, in.target))
	})
	out.total = out.ce
	if in.noise == nil {
		return out
	}
	out.twin = b.Clip(b.Add(in.images, in.noise), 0, 1)
	if s.Attack.Steps > 0 {
		out.twin = s.Attack.Run(b, in.images, in.noise, func(b op.B, x *ir.Value) *ir.Value {
			logits, _, _ := in.forward(b, x, mode{train: true})
			return b.ReduceSum(crossEntropy(b, logits, in.target), true, 0)
		})
	}
	b.In("noisy", func() {
		noisy, _, _ := in.forward(b, out.twin, mode{train: true})
		out.reg = s.Reg.term(b, out.logits, noisy, in.target)
		out.total = b.Add(out.ce, b.Mul(out.reg, in.lambda))
	})
	return out
}

func (l losses) stop() []*ir.Value {
	if l.twin == nil {
		return nil
	}
	return []*ir.Value{l.twin}
}

// outputs declares loss, correct and, with the term, reg, all [1].
func (l losses) outputs(in searchInputs) {
	in.Output("loss", l.ce)
	in.Output("correct", correct(in.B, l.logits, in.labels))
	if l.reg != nil {
		in.Output("reg", l.reg)
	}
}

// Weights is the weight step: one SGD update of the supernet. Besides the inputs of both steps it takes lr [1] and the
// state momentum.
func (s Search) Weights(l *Layout, regularized bool) (*Program, error) {
	b := op.NewB("search_weights")
	in := s.open(b, l, regularized)
	lr := b.Input("lr", ir.Float32, 1)
	momentum := b.Input(Momentum, ir.Float32, l.ParamLen)
	out := s.loss(in)
	g := gradient(b, out.total, in.params.vector, out.stop()...)
	params, velocity, _ := s.SGD.step(b, in.params.vector, momentum, g, lr)
	b.Output(next(Params), params)
	b.Output(next(Stats), in.updateStats(in.stats.vector, out.stats))
	b.Output(next(Momentum), velocity)
	out.outputs(in)
	return build(b, carried(Params), carried(Stats), carried(Momentum), read(Alphas))
}

// Alphas is the architecture step: one Adam update of the architecture parameters. Besides the inputs of both steps it
// carries the moments adam_m and adam_v of the shape of alphas, and the count adam_t [1].
func (s Search) Alphas(l *Layout, regularized bool) (*Program, error) {
	b := op.NewB("search_alphas")
	in := s.open(b, l, regularized)
	st := adamState{
		w: in.alphas,
		m: b.Input(AdamM, ir.Float32, s.Net.AlphaShape()...),
		v: b.Input(AdamV, ir.Float32, s.Net.AlphaShape()...),
		t: b.Input(AdamT, ir.Float32, 1),
	}
	out := s.loss(in)
	st = s.Adam.step(b, st, gradient(b, out.total, in.alphas, out.stop()...))
	b.Output(next(Alphas), st.w)
	b.Output(next(AdamM), st.m)
	b.Output(next(AdamV), st.v)
	b.Output(next(AdamT), st.t)
	out.outputs(in)
	return build(b, read(Params), read(Stats), carried(Alphas), carried(AdamM), carried(AdamV), carried(AdamT))
}
