package program

import (
	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/carry"
)

// balance is how the gradients of cross-entropy and regularizer were put together, all [1].
type balance struct {
	lambda          *ir.Value // nil where it is an input
	normCE, normReg *ir.Value // Euclidean norms
	cosine          *ir.Value // between the two gradients
}

// tiny keeps quotients of norms finite.
const tiny = 1e-30

// balanced is ce + lambda*reg for the gradients of the two terms with respect to the same tensors. With a running mean of decay d the
// regularizer's gradient with respect to the first tensor is m/w, where m <- d*m + (1-d)*reg and w <- d*w + 1-d are states that
// begin at zero.
func (s *searchStep) balanced(ces, regs []*ir.Value) ([]*ir.Value, []carry.Binding) {
	b := s.B
	d := s.level.Mean
	if d == 0 || b.Err() != nil {
		return s.weigh(ces, regs), nil
	}
	m, w := s.mean(regs[0])
	m, w = b.Add(b.Scale(m, d), b.Scale(regs[0], 1-d)), b.Add(b.Scale(w, d), b.Float(w, 1-d))
	b.Output(next(RegMean), m)
	b.Output(next(RegWeight), w)
	regs = append([]*ir.Value{b.Div(m, w)}, regs[1:]...)
	return s.weigh(ces, regs), []carry.Binding{carried(RegMean), carried(RegWeight)}
}

// held is ce + lambda*m/w for a running mean that stays what it is; without an earlier step it is ce.
func (s *searchStep) held(ces []*ir.Value) ([]*ir.Value, []carry.Binding) {
	b := s.B
	if b.Err() != nil {
		return ces, nil
	}
	m, w := s.mean(ces[0])
	reg := b.Div(m, b.Add(w, b.Float(w, tiny)))
	return s.weigh(ces[:1], []*ir.Value{reg}), []carry.Binding{read(RegMean), read(RegWeight)}
}

// mean declares the states of a running mean of a gradient.
func (s *searchStep) mean(of *ir.Value) (m, w *ir.Value) {
	return s.Input(RegMean, ir.Float32, of.Shape...), s.Input(RegWeight, ir.Float32, 1)
}

// weigh is ces + lambda*regs. With a share, the gradients with respect to the first tensor give
//
//	lambda = share/(1-share) * |ce|/|reg|
//
// so that lambda*|reg| is that share of the sum of both norms.
func (s *searchStep) weigh(ces, regs []*ir.Value) (sums []*ir.Value) {
	b := s.B
	ce, reg := ces[0], regs[0]
	out := &balance{normCE: norm(b, ce), normReg: norm(b, reg)}
	both := b.Add(b.Mul(out.normCE, out.normReg), b.Float(out.normCE, tiny))
	out.cosine = b.Div(dot(b, ce, reg), both)
	lambda := s.lambda
	if share := s.level.Share; share > 0 {
		lambda = b.Div(b.Scale(out.normCE, share/(1-share)), b.Add(out.normReg, b.Float(out.normReg, tiny)))
		out.lambda = lambda
	}
	s.balance = out
	for i := range ces {
		sums = append(sums, b.Add(ces[i], b.Mul(regs[i], lambda)))
	}
	return sums
}

// dot is the sum of products of two tensors of one shape, [1].
func dot(b op.B, x, y *ir.Value) *ir.Value {
	return b.ReduceSum(b.Reshape(b.Mul(x, y), -1), true, 0)
}

// norm is the Euclidean norm of a tensor, [1].
func norm(b op.B, x *ir.Value) *ir.Value { return b.Sqrt(dot(b, x, x)) }

func (r *balance) outputs(b op.B) {
	if r.lambda != nil {
		b.Output("lambda", r.lambda)
	}
	b.Output("norm_ce", r.normCE)
	b.Output("norm_reg", r.normReg)
	b.Output("cosine", r.cosine)
}
