package attack

import (
	"rnas/compiler/grad"
	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/compiler/program"
)

// scene is an attack graph under construction: the classifier, the values of the inputs and the settings. Methods take the builder that
// they add to, because the body of a loop has a builder of its own.
type scene struct {
	program.Classifier
	Images, Labels *ir.Value   // [B,C,H,W], int64 [B]
	Start          *ir.Value   // [B,C,H,W], the perturbation to start from
	Targets        *ir.Value   // int64 [B], the class to be reached, when the method is targeted
	Proposal       []*ir.Value // [B,...] each, set within a step of a method that proposes
	Project        projection  // projection into the ball around Images
	Within         *ir.Value   // bool [B,1,1,1], whether the step belongs to the try; set within a step of a method that masks, nil for yes
	Settings
}

// norm is the geometry of the norm in the settings.
func (s scene) norm() geometry { return norms[s.Norm] }

// begin is the image that the attack starts from: Images plus Start, clipped to [0,1], [B,C,H,W].
func (s scene) begin(b op.B) *ir.Value { return b.Clip(b.Add(s.Images, s.Start), 0, 1) }

// loss is the loss of each image [B] at logits [B,K].
type loss func(b op.B, logits *ir.Value) *ir.Value

// criterion is the loss of the program.Criterion of that name at the true labels.
func (s scene) criterion(name string) loss {
	c, ok := program.CriterionNamed(name)
	if !ok {
		panic("attack: no criterion " + name)
	}
	return func(b op.B, logits *ir.Value) *ir.Value { return c.Of(b, logits, s.Labels) }
}

// ascend runs the classifier at x [B,C,H,W]: logits [B,K], the loss [B] and its gradient [B,C,H,W], which is zero where values
// pass but no gradient, as behind a rounding.
func (s scene) ascend(b op.B, x *ir.Value, of loss) (logits, value, gradient *ir.Value) {
	logits = s.Logits(b, x)
	value = of(b, logits)
	return logits, value, s.gradient(b, value, x)
}

// gradient is the gradient [B,C,H,W] of value [B] at x, and zero where none reaches the image.
func (s scene) gradient(b op.B, value, x *ir.Value) *ir.Value {
	if connected, _ := grad.Path(s.Graph, s.Outputs[0], s.Inputs[0]); !connected && b.Err() == nil {
		return b.Scale(x, 0)
	}
	return program.InputGradient(b, value, x)
}

// expect is ascend with the mean of the gradients of n passes (expectation over transformation, Athalye et al. 2018, section 4.2). The
// passes differ where the model draws random numbers. Logits and loss are those of the last pass, as in the code of AutoAttack.
func (s scene) expect(b op.B, x *ir.Value, of loss, n int) (logits, value, gradient *ir.Value) {
	if n <= 1 || b.Err() != nil {
		return s.ascend(b, x, of)
	}
	// The first two values only have the shapes of logits and loss.
	begin := []*ir.Value{b.OneHot(s.Labels, s.Classes(), x), b.Cast(s.Labels, ir.Float32), b.Scale(x, 0)}
	out := b.Loop("eot", int64(n), begin,
		func(b op.B, _ *ir.Value, v []*ir.Value) []*ir.Value {
			logits, value, g := s.ascend(b, b.Identity(x), of)
			return []*ir.Value{logits, value, b.Add(v[2], g)}
		})
	return out[0], out[1], b.Scale(out[2], 1/float64(n))
}

// wrong tells for each image whether the prediction differs from the label: bool [B,1,1,1].
func (s scene) wrong(b op.B, logits *ir.Value) *ir.Value {
	if b.Err() != nil {
		return logits
	}
	predicted := b.One("ArgMax", ir.Attrs{"axis": int64(1), "keepdims": int64(0)}, logits)
	return b.Reshape(b.One("Not", nil, b.Equal(predicted, s.Labels)), -1, 1, 1, 1)
}

// within is hit [B,1,1,1] in steps that belong to the try, and false in others.
func (s scene) within(b op.B, hit *ir.Value) *ir.Value {
	if s.Within == nil {
		return hit
	}
	return b.One("And", nil, hit, s.Within)
}

// capture keeps in adversarial [B,C,H,W] the first x for which hit [B,1,1,1] holds, and in found [B,1,1,1] a 1 from then on.
func capture(b op.B, hit, x, adversarial, found *ir.Value) (image, now *ir.Value) {
	first := b.One("And", nil, hit, b.Less(found, b.Float(found, 0.5)))
	return b.Where(first, x, adversarial), b.Max(found, b.Cast(hit, ir.Float32))
}

// column gives a value of each image [B] the shape [B,1,1,1].
func column(b op.B, v *ir.Value) *ir.Value { return b.Reshape(v, -1, 1, 1, 1) }

// none is a zero for each image: [B,1,1,1].
func (s scene) none(b op.B) *ir.Value {
	if b.Err() != nil {
		return s.Images
	}
	if s.Images.Shape[0] == ir.N {
		return column(b, b.Scale(b.Cast(s.Labels, ir.Float32), 0))
	}
	return b.Fill(s.Images, 0, s.Images.Shape[0], 1, 1, 1)
}

// perImage is the sum over each image: [B,1,1,1].
func perImage(b op.B, x *ir.Value) *ir.Value { return b.ReduceSum(x, true, 1, 2, 3) }
