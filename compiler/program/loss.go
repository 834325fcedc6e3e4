package program

import (
	"slices"

	"rnas/compiler/grad"
	"rnas/compiler/ir"
	"rnas/compiler/op"
)

// InputGradient is d sum(loss) / d x for a loss of each image [B]; it is an error when loss does not depend on x. An entry that is not a number
// is 0, so that the other entries of the image can be followed, and an infinite one is the largest, 1e15, whose square is a float32.
func InputGradient(b op.B, loss, x *ir.Value) *ir.Value {
	g := RawInputGradient(b, loss, x)
	if b.Err() != nil {
		return g
	}
	const largest = 1e15
	return b.Clip(b.Where(b.One("IsNaN", nil, g), b.Float(g, 0), g), -largest, largest)
}

// RawInputGradient is InputGradient as it is computed, with what is not a number.
func RawInputGradient(b op.B, loss, x *ir.Value) *ir.Value {
	return gradient(b, b.ReduceSum(loss, true, 0), x)
}

// CriterionNamed finds a criterion; ok is false when there is none of that name.
func CriterionNamed(name string) (c Criterion, ok bool) {
	for _, c := range Criteria() {
		if c.Name == name {
			return c, true
		}
	}
	return Criterion{}, false
}

// gradient is d loss / d x for a scalar or [1] loss; it is an error when loss does not depend on x. Values in stop count
// as constants.
func gradient(b op.B, loss, x *ir.Value, stop ...*ir.Value) *ir.Value {
	return gradients(b, loss, []*ir.Value{x}, stop...)[0]
}

// gradients is gradient with respect to several tensors.
func gradients(b op.B, loss *ir.Value, xs []*ir.Value, stop ...*ir.Value) []*ir.Value {
	one := b.Fill(loss, 1, loss.Shape...)
	all := grad.Gradients(b, []*ir.Value{loss}, []*ir.Value{one}, xs, stop...)
	for i, g := range all {
		if g == nil {
			b.Fail("the loss does not depend on %s", xs[i])
			all[i] = &ir.Value{}
		}
	}
	return all
}

// Criterion is a loss of each image that an attack raises, by logits [N,K] and labels int64 [N].
type Criterion struct {
	Name    string
	About   string
	Classes int64 // K is at least this
	Of      func(b op.B, logits, labels *ir.Value) *ir.Value
}

// Criteria lists the losses in the order of the documentation. DLR is the difference of logits ratio of Croce & Hein 2020
// (section 4), which neither a shift nor a scale of the logits changes.
func Criteria() []Criterion {
	return []Criterion{
		{"ce", "cross-entropy", 1, func(b op.B, logits, labels *ir.Value) *ir.Value {
			return crossEntropy(b, logits, b.OneHot(labels, logits.Shape[1], logits))
		}},
		{"dlr", "difference of logits ratio", 3, func(b op.B, logits, labels *ir.Value) *ir.Value {
			own, other, best := ranked(b, logits, labels, 3)
			return ratio(b, b.Sub(other, own), b.Sub(best[0], best[2]))
		}},
		{"margin", "largest other logit minus that of the label", 2, func(b op.B, logits, labels *ir.Value) *ir.Value {
			own, other, _ := ranked(b, logits, labels, 2)
			return b.Squeeze(b.Sub(other, own), 1)
		}},
	}
}

// TargetedDLR is the targeted difference of logits ratio [N] for logits [N,K], K at least 4, labels and targets int64 [N]
// (Croce & Hein 2020, section 4).
func TargetedDLR(b op.B, logits, labels, targets *ir.Value) *ir.Value {
	own, _, best := ranked(b, logits, labels, 4)
	middle := b.Scale(b.Add(best[2], best[3]), 0.5)
	return ratio(b, b.Sub(pick(b, logits, targets), own), b.Sub(best[0], middle))
}

// TargetedMargin is the logit of the target minus that of the label [N] for logits [N,K], labels and targets int64 [N].
func TargetedMargin(b op.B, logits, labels, targets *ir.Value) *ir.Value {
	return b.Squeeze(b.Sub(pick(b, logits, targets), pick(b, logits, labels)), 1)
}

// ratio divides [N,1] by a difference of logits [N,1] that may be zero, as AutoAttack does, and drops the last dimension.
func ratio(b op.B, x, difference *ir.Value) *ir.Value {
	return b.Squeeze(b.Div(x, b.Add(difference, b.Float(difference, 1e-12))), 1)
}

// ranked is the logit of the label, the largest of the others and the k largest of all in falling order, each [N,1].
func ranked(b op.B, logits, labels *ir.Value, k int) (own, other *ir.Value, best []*ir.Value) {
	sizes := slices.Repeat([]int64{1}, k)
	values, indices := b.TopK(logits, int64(k), 1)
	best = b.Split(values, 1, sizes...)
	hit := b.Equal(b.Split(indices, 1, sizes...)[0], b.Unsqueeze(labels, 1))
	return pick(b, logits, labels), b.Where(hit, best[1], best[0]), best
}

// pick is the logit of one class of each image [N,1].
func pick(b op.B, logits, classes *ir.Value) *ir.Value {
	return b.One("GatherElements", ir.Attrs{"axis": int64(1)}, logits, b.Unsqueeze(classes, 1))
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
