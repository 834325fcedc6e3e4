package program

import (
	"rnas/compiler/ir"
	"rnas/compiler/op"
)

// SGD are the settings of stochastic gradient descent with momentum. The learning rate is an input of the program.
type SGD struct {
	Momentum    float64 `json:"momentum"`
	WeightDecay float64 `json:"weight_decay"`
	// Clip limits the Euclidean norm of the whole gradient; 0 for no limit.
	Clip float64 `json:"clip"`
}

// step is one update as PyTorch does it: g += decay*w; v = momentum*v + g; w -= lr*v. It also returns the norm of the
// gradient before clipping, shape [1].
func (o SGD) step(b op.B, w, v, g, lr *ir.Value) (w2, v2, norm *ir.Value) {
	norm = b.Sqrt(b.ReduceSum(b.Mul(g, g), true, 0))
	if o.Clip > 0 {
		ratio := b.Div(b.Float(norm, o.Clip), b.Add(norm, b.Float(norm, 1e-6)))
		g = b.Mul(g, b.Min(ratio, b.Float(norm, 1)))
	}
	if o.WeightDecay != 0 {
		g = b.Add(g, b.Scale(w, o.WeightDecay))
	}
	v2 = b.Add(b.Scale(v, o.Momentum), g)
	return b.Sub(w, b.Mul(v2, lr)), v2, norm
}

// Adam are the settings of Adam (Kingma & Ba 2015, algorithm 1) with weight decay added to the gradient.
type Adam struct {
	LR          float64 `json:"lr"`
	Beta1       float64 `json:"beta1"`
	Beta2       float64 `json:"beta2"`
	Epsilon     float64 `json:"epsilon"`
	WeightDecay float64 `json:"weight_decay"`
}

// adamState is the vector form: w and its moments m and v, all of one shape, and the step count t [1] float32.
type adamState struct{ w, m, v, t *ir.Value }

func (o Adam) step(b op.B, s adamState, g *ir.Value) adamState {
	if o.WeightDecay != 0 {
		g = b.Add(g, b.Scale(s.w, o.WeightDecay))
	}
	t := b.Add(s.t, b.Float(s.t, 1))
	m := b.Add(b.Scale(s.m, o.Beta1), b.Scale(g, 1-o.Beta1))
	v := b.Add(b.Scale(s.v, o.Beta2), b.Scale(b.Mul(g, g), 1-o.Beta2))
	correction := func(beta float64) *ir.Value {
		return b.Sub(b.Float(t, 1), b.Pow(b.Float(t, beta), t))
	}
	root := b.Add(b.Sqrt(b.Div(v, correction(o.Beta2))), b.Float(v, o.Epsilon))
	step := b.Scale(b.Div(b.Div(m, correction(o.Beta1)), root), o.LR)
	return adamState{w: b.Sub(s.w, step), m: m, v: v, t: t}
}
