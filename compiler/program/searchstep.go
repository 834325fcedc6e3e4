package program

import (
	"rnas/compiler/ir"
	"rnas/compiler/lower"
	"rnas/compiler/op"
	"rnas/internal/carry"
)

// searchStep is a step of a search under construction. Images and logits of every source are computed once.
type searchStep struct {
	*network
	search Search
	level  Level

	images, labels *ir.Value // [B,D,H,W], int64 [B]
	target         *ir.Value // one-hot [B,K]
	noise          *ir.Value // [draws*B,D,H,W], nil where no source needs it
	lambda         *ir.Value // [1], nil where the step has no regularizer or finds lambda itself
	size, probe    *ir.Value // what a regularizer asks for, see regularizer

	imagesOf map[Source]*ir.Value
	logitsOf map[Source]*ir.Value
	stop     []*ir.Value // images that count as constants

	ce, reg    *ir.Value    // [1]
	batchStats []lower.Stat // of the images of the cross-entropy
	balance    *balance     // nil for one gradient of the whole objective
}

// newStep declares the inputs of a step:
//
//	images [B,D,H,W], labels int64 [B]
//	noise         [draws*B,D,H,W], with half as many draws if they are antithetic; where a source needs it
//	lambda        [1], with a regularizer, or its mean, whose share is not fixed
//	reg_size      [1], reg_probe [B,K]: with regularizers that ask for them
//	mix_noise     of the shape of Alphas, mix_size [1]: with MixNoise
func (s Search) newStep(b op.B, l *Layout, level Level) *searchStep {
	m := s.Net.Skeleton()
	batch := int64(s.Batch)
	st := &searchStep{
		search: s, level: level, imagesOf: map[Source]*ir.Value{}, logitsOf: map[Source]*ir.Value{},
		images: b.Input("images", ir.Float32, batch, int64(m.Depth), int64(m.Height), int64(m.Width)),
		labels: b.Input("labels", ir.Int64, batch),
	}
	if rows := level.NoiseRows(); rows > 0 {
		shape := st.images.Shape.Clone()
		shape[0] *= int64(rows)
		st.noise = b.Input("noise", ir.Float32, shape...)
		if level.Antithetic {
			st.noise = b.Concat(0, st.noise, b.Neg(st.noise))
		}
	}
	if level.weighted() && level.Share == 0 {
		st.lambda = b.Input("lambda", ir.Float32, 1)
	}
	if level.regularized() {
		row, _ := level.Reg.row()
		if row.sized {
			st.size = b.Input("reg_size", ir.Float32, 1)
		}
		if row.probed {
			st.probe = b.Input("reg_probe", ir.Float32, batch, int64(m.Classes))
		}
	}
	st.network = open(b, s.Net, l)
	st.alphas = b.Input(Alphas, ir.Float32, s.Net.AlphaShape()...)
	st.target = b.OneHot(st.labels, int64(m.Classes), st.images)
	level.Mix.declare(st)
	return st
}

// source gives the images of a source, [draws*B,D,H,W] for noise examples and [B,D,H,W] for others.
func (s *searchStep) sourceImages(src Source) *ir.Value {
	if src == "" {
		src = Clean
	}
	if s.imagesOf[src] == nil {
		x := src.images(s)
		s.imagesOf[src] = x
		if src != Clean {
			s.stop = append(s.stop, x)
		}
	}
	return s.imagesOf[src]
}

// sourceLogits gives the logits of the images of a source, with batch statistics of these images alone.
func (s *searchStep) sourceLogits(src Source) *ir.Value {
	if src == "" {
		src = Clean
	}
	if s.logitsOf[src] == nil {
		x := s.sourceImages(src)
		s.B.In(string(src), func() {
			logits, _, stats := s.forward(s.B, x, mode{train: true})
			s.logitsOf[src] = logits
			if src == s.level.Input || src == Clean && s.level.Input == "" {
				s.batchStats = stats
			}
		})
	}
	return s.logitsOf[src]
}

// repeated is v, with a row for each image, once for every draw of a source.
func (s *searchStep) repeated(v *ir.Value, src Source) *ir.Value {
	if n := s.level.rows(src); n > 1 {
		parts := make([]*ir.Value, n)
		for i := range parts {
			parts[i] = v
		}
		return s.Concat(0, parts...)
	}
	return v
}

// loss builds cross-entropy and regularizer.
func (s *searchStep) loss() {
	b := s.B
	s.ce = mean(b, crossEntropy(b, s.sourceLogits(s.level.Input), s.repeated(s.target, s.level.Input)))
	if s.level.regularized() {
		row, _ := s.level.Reg.row()
		b.In("regularizer", func() { s.reg = mean(b, row.term(s)) })
	}
}

// gradients are those of the step's objective with respect to tensors, of which the first decides on a balance, and the further states
// that the step carries.
func (s *searchStep) gradients(of ...*ir.Value) ([]*ir.Value, []carry.Binding) {
	s.loss()
	switch {
	case s.level.Held:
		return s.held(gradients(s.B, s.ce, of, s.stop...))
	case !s.level.regularized():
		return gradients(s.B, s.ce, of, s.stop...), nil
	case !s.level.balanced():
		return gradients(s.B, s.Add(s.ce, s.Mul(s.reg, s.lambda)), of, s.stop...), nil
	}
	return s.balanced(gradients(s.B, s.ce, of, s.stop...), gradients(s.B, s.reg, of, s.stop...))
}

// outputs declares loss and correct, with a regularizer reg, and of a balance lambda, norm_ce, norm_reg and cosine, all [1].
func (s *searchStep) outputs() {
	b := s.B
	b.Output("loss", s.ce)
	hit := correct(b, s.sourceLogits(s.level.Input), s.repeated(s.labels, s.level.Input))
	b.Output("correct", b.Scale(hit, 1/float64(s.level.rows(s.level.Input))))
	if s.reg != nil {
		b.Output("reg", s.reg)
	}
	if s.balance != nil {
		s.balance.outputs(b)
	}
}
