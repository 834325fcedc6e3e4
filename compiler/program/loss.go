package program

import (
	"rnas/compiler/grad"
	"rnas/compiler/ir"
	"rnas/compiler/op"
)

// gradient is d loss / d x for a scalar or [1] loss; it is an error when loss does not depend on x. Values in stop count
// as constants.
func gradient(b op.B, loss, x *ir.Value, stop ...*ir.Value) *ir.Value {
	one := b.Fill(loss, 1, loss.Shape...)
	g := grad.Gradients(b, []*ir.Value{loss}, []*ir.Value{one}, []*ir.Value{x}, stop...)[0]
	if g == nil {
		b.Fail("the loss does not depend on %s", x)
		return &ir.Value{}
	}
	return g
}

// crossEntropy is the loss of each image [N] for logits [N,K] and a target distribution [N,K].
func crossEntropy(b op.B, logits, target *ir.Value) *ir.Value {
	return b.Neg(b.ReduceSum(b.Mul(b.LogSoftmax(logits, -1), target), false, 1))
}

// smooth mixes a one-hot target with the uniform distribution (Szegedy et al. 2016, section 7).
func smooth(b op.B, target *ir.Value, eps float64) *ir.Value {
	if eps == 0 || b.Err() != nil {
		return target
	}
	k := float64(target.Shape[1])
	return b.Add(b.Scale(target, 1-eps), b.Float(target, eps/k))
}

// divergence is KL(softmax(p) || softmax(q)) of each image [N] for two sets of logits [N,K].
func divergence(b op.B, p, q *ir.Value) *ir.Value {
	logP, logQ := b.LogSoftmax(p, -1), b.LogSoftmax(q, -1)
	return b.ReduceSum(b.Mul(b.Exp(logP), b.Sub(logP, logQ)), false, 1)
}

// mean is the average over images, shape [1].
func mean(b op.B, perImage *ir.Value) *ir.Value { return b.ReduceMean(perImage, true, 0) }

// correct counts the images whose largest logit is that of the label, shape [1] float32. Ties go to the smaller class.
func correct(b op.B, logits, labels *ir.Value) *ir.Value {
	return b.ReduceSum(b.Cast(hits(b, logits, labels), ir.Float32), true, 0)
}

// hits tells for each image whether the prediction is right, bool [N].
func hits(b op.B, logits, labels *ir.Value) *ir.Value {
	predicted := b.One("ArgMax", ir.Attrs{"axis": int64(1), "keepdims": int64(0)}, logits)
	return b.Equal(predicted, labels)
}
