package program_test

import (
	"slices"
	"testing"

	"rnas/compiler/lower"
	"rnas/compiler/program"
	"rnas/internal/tensor"
)

// secondOrder is a scene of the second order: the loss L on images of validation at
//
//	w'(a) = w - lr*(momentum*v + dT(w,a)/dw + decay*w)
//
// with the loss T on training images.
func secondOrder(t *testing.T) *scene {
	s := newScene(t)
	s.search.Alpha = program.Level{Unrolled: true}
	s.search.SGD = program.SGD{Momentum: 0.75, WeightDecay: 0.125}
	return s
}

// ahead is the scene's point at w'(a).
func (s *scene) ahead() point {
	at := s.at
	at.params = slices.Clone(s.at.params)
	for i, g := range s.gradient(s.at, s.train, true, ceByParams) {
		at.params[i] -= s.lr * (s.search.SGD.Momentum*s.moved[i] + g + s.search.SGD.WeightDecay*s.at.params[i])
	}
	return at
}

// byAlphas is the gradient of a mean cross-entropy by the architecture.
func (s *scene) byAlphas(ce func() float64) []float64 {
	return s.slopes(s.at.alphas, nil, func() []float64 { return []float64{ce()} })[0]
}

// The alpha step of the second order has the gradient of equations 7 and 8 of Liu et al. 2019, with the finite difference over weights
// of length 0.01.
func TestUnrolledFormula(t *testing.T) {
	s := secondOrder(t)
	at := s.ahead()
	v := s.gradient(at, s.x, true, ceByParams)
	r := 0.01 / length(v)
	side := func(sign float64) []float64 {
		moved := s.at
		moved.params = sum(s.at.params, v, sign*r)
		return s.byAlphas(func() float64 { return s.ce(moved, s.train) })
	}
	implicit := sum(side(1), side(-1), -1)
	want := sum(s.byAlphas(func() float64 { return s.ce(at, s.x) }), implicit, -s.lr/(2*r))
	out := s.step(s.search.Alphas, map[string][]float64{program.Momentum: s.moved})
	s.near("gradient by the architecture", out["adam_m.next"], want, tolerance)
}

// That gradient is the derivative of L(w'(a), a), for which w' is taken anew for each a. In a network of few units a move of the
// weights by 0.01 crosses kinks of Relu, and the finite difference is as far off as the gradient is long. The weights of all
// but the linear layer are therefore multiplied by 16, which normalisations undo, so that the move is small beside them; the
// learning rate is large to give w' a part in the gradient.
func TestUnrolledDerivative(t *testing.T) {
	s := secondOrder(t)
	for _, slot := range s.layout.Params {
		if slot.Kind != lower.LinearWeight && slot.Kind != lower.LinearBias {
			for i := range tensor.Zeros(tensor.Float32, slot.Shape...).Len() {
				s.at.params[int(slot.Offset)+i] *= 16
			}
		}
	}
	s.lr = 4
	out := s.step(s.search.Alphas, map[string][]float64{program.Momentum: s.moved})
	want := s.byAlphas(func() float64 { return s.ce(s.ahead(), s.x) })
	at := s.ahead()
	direct := s.byAlphas(func() float64 { return s.ce(at, s.x) })
	if part := length(sum(direct, want, -1)) / length(want); part < 0.1 {
		t.Errorf("the change of w' is %.2g of the gradient: too little to show anything", part)
	}
	s.near("gradient by the architecture", out["adam_m.next"], want, 1e-3)
}
