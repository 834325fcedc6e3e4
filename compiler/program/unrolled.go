package program

import (
	"rnas/compiler/ir"
	"rnas/internal/carry"
)

// unrolledScale is the length of the finite difference over the weights, from Liu et al. 2019, section 2.3: 0.01/|v|.
const unrolledScale = 0.01

// unrolled is the gradient of the objective of step with respect to the architecture parameters at w', the weights after a step
// of SGD on training images, with w' depending on them (Liu et al. 2019, equations 7 and 8):
//
//	dL(w', a)/da - lr * (dT(w+, a)/da - dT(w-, a)/da) / (2 r),  w+- = w +- r*v,  v = dL(w', a)/dw',  r = 0.01/|v|
//
// with T the cross-entropy on the training images, which is also what w' lowers. It declares train_images, train_labels, lr and Momentum.
func (s Search) unrolled(step *searchStep) (*ir.Value, []carry.Binding) {
	b := step.B
	images := b.Input("train_images", ir.Float32, step.images.Shape...)
	labels := b.Input("train_labels", ir.Int64, step.labels.Shape...)
	lr := b.Input("lr", ir.Float32, 1)
	momentum := b.Input(Momentum, ir.Float32, step.layout.ParamLen)
	target := b.OneHot(labels, step.target.Shape[1], images)
	train := func(at *network) *ir.Value {
		logits, _, _ := at.forward(b, images, mode{train: true})
		return mean(b, crossEntropy(b, logits, target))
	}
	w := step.network
	w0 := w.params.vector

	var moved *ir.Value
	b.In("unrolled", func() {
		g := gradient(b, train(w), w0)
		if s.SGD.WeightDecay != 0 {
			g = b.Add(g, b.Scale(w0, s.SGD.WeightDecay))
		}
		ahead := b.Add(b.Scale(momentum, s.SGD.Momentum), g)
		moved = b.Sub(w0, b.Mul(ahead, lr))
	})
	step.stop = append(step.stop, moved) // the gradient of w' ends at w', that of the architecture does not pass through it
	step.network = w.at(b.Identity(moved))
	at := step.network.params.vector
	gs, states := step.gradients(step.alphas, at)
	direct, v := gs[0], gs[1]
	step.network = w

	r := b.Div(b.Float(lr, unrolledScale), b.Add(norm(b, v), b.Float(lr, tiny)))
	difference := func(name string, sign float64) (g *ir.Value) {
		b.In(name, func() {
			moved := b.Add(w0, b.Mul(v, b.Scale(r, sign)))
			g = gradient(b, train(w.at(moved)), step.alphas, moved)
		})
		return g
	}
	plus, minus := difference("plus", 1), difference("minus", -1)
	implicit := b.Div(b.Sub(plus, minus), b.Scale(r, 2))
	return b.Sub(direct, b.Mul(implicit, lr)), states
}
