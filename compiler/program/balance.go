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

// balanced is ce + lambda*reg for the gradients of the two terms with respect to the same tensors. With a share, those with respect to
// the first one give
//
//	lambda = share/(1-share) * |ce|/|reg|
//
// so that lambda*|reg| is that share of the sum of both norms. With a running mean of decay d the regularizer's gradient with
// respect to the first tensor is m/w, where m <- d*m + (1-d)*reg and w <- d*w + 1-d are states that begin at zero.
func (s *searchStep) balanced(ces, regs []*ir.Value) ([]*ir.Value, []carry.Binding) {
	b := s.B
	ce, reg := ces[0], regs[0]
	var states []carry.Binding
	if d := s.level.Mean; d > 0 && b.Err() == nil {
		m, w := b.Input(RegMean, ir.Float32, reg.Shape...), b.Input(RegWeight, ir.Float32, 1)
		m, w = b.Add(b.Scale(m, d), b.Scale(reg, 1-d)), b.Add(b.Scale(w, d), b.Float(w, 1-d))
		b.Output(next(RegMean), m)
		b.Output(next(RegWeight), w)
		states = append(states, carried(RegMean), carried(RegWeight))
		reg = b.Div(m, w)
	}
	out := &balance{normCE: norm(b, ce), normReg: norm(b, reg)}
	both := b.Add(b.Mul(out.normCE, out.normReg), b.Float(out.normCE, tiny))
	out.cosine = b.Div(dot(b, ce, reg), both)
	lambda := s.lambda
	if share := s.level.Share; share > 0 {
		lambda = b.Div(b.Scale(out.normCE, share/(1-share)), b.Add(out.normReg, b.Float(out.normReg, tiny)))
		out.lambda = lambda
	}
	s.balance = out
	sums := []*ir.Value{b.Add(ce, b.Mul(reg, lambda))}
	for i := 1; i < len(ces); i++ {
		sums = append(sums, b.Add(ces[i], b.Mul(regs[i], lambda)))
	}
	return sums, states
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
