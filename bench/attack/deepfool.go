package attack

import (
	"math"
	"slices"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/compiler/program"
	"rnas/internal/tensor"
)

// deepfoolFamilies is DeepFool (Moosavi-Dezfooli et al. 2016, "DeepFool: a simple and accurate method to fool deep neural networks",
// algorithm 2, and section 3.3 for the maximum norm), with the settings of the authors' code. DeepFool looks for the smallest perturbation,
// whatever eps is. Here a perturbation counts if it is within eps.
var deepfoolFamilies = []family{
	fixed("deepfool", "at most 50 steps to the nearest boundary of the linearised classifier among the 10 likeliest classes, overshoot 0.02 (Moosavi-Dezfooli et al. 2016, algorithm 2)",
		Part{"deepfool", []Stage{deepfool}}),
}

const (
	deepfoolSteps     = 50
	deepfoolOvershoot = 0.02
)

// deepfool takes a gradient for each of the 10 likeliest classes of the image. As in the authors' code, the classifier sees the image with
// the overshoot. Unlike there, pixels stay in [0,1], and no constant is added to the size of a step.
var deepfool = method{
	key: "deepfool", norms: []string{"linf", "l2"}, classes: 2, steps: deepfoolSteps + 1, iterations: deepfoolSteps, earlyStop: true,
	passes: func(classes int64) Counts { return Counts{1, rivals(classes)} },
	init:   deepfoolInit, step: deepfoolStep,
}

// rivals is the number of classes besides the label that DeepFool looks at.
func rivals(classes int64) int64 { return min(targets, classes-1) }

// Indices of the state of DeepFool.
const (
	deepfoolAdversarial = iota
	deepfoolFound
	deepfoolSum     // the sum of the steps [B,C,H,W]
	deepfoolClasses // the likeliest other classes of the image, int64 [B,rivals]
)

func deepfoolInit(b op.B, s scene) []*ir.Value {
	none := b.Const("none", tensor.Zeros(ir.Int64, 1, rivals(s.Classes())))
	classes := b.Add(b.Unsqueeze(s.Labels, 1), none)
	return []*ir.Value{b.Identity(s.Images), s.none(b), b.Scale(s.Images, 0), classes}
}

// deepfoolStep looks at the image with the sum of the steps so far, and adds a step. The search ends with a misclassified image.
func deepfoolStep(b op.B, s scene, t *ir.Value, v []*ir.Value) []*ir.Value {
	norm := s.norm()
	x := b.Clip(b.Add(s.Images, b.Scale(v[deepfoolSum], 1+deepfoolOvershoot)), 0, 1)
	logits := s.Logits(b, x)
	if b.Err() != nil {
		return v
	}
	own := b.OneHot(s.Labels, s.Classes(), logits)
	_, likeliest := b.TopK(b.Where(b.Greater(own, b.Float(own, 0.5)), b.Float(own, -math.MaxFloat32), logits), rivals(s.Classes()), 1)
	first := b.Less(b.Reshape(t, -1, 1), b.Float(t, 0.5))
	classes := b.Where(first, likeliest, v[deepfoolClasses])

	wrong := s.wrong(b, logits)
	hit := b.One("And", nil, wrong, b.LessOrEqual(norm.length(b, b.Sub(x, s.Images)), b.Float(x, s.Epsilon)))
	adversarial, found := capture(b, hit, x, v[deepfoolAdversarial], v[deepfoolFound])
	found = b.Where(b.One("And", nil, wrong, b.One("Not", nil, hit)), b.Float(found, failed), found)

	var distance, gradient *ir.Value
	for _, class := range b.Split(classes, 1, slices.Repeat([]int64{1}, int(rivals(s.Classes())))...) {
		difference := program.TargetedMargin(b, logits, s.Labels, b.Squeeze(class, 1))
		g := s.gradient(b, difference, x)
		d := b.Div(b.Abs(column(b, difference)), b.Add(norm.dual(b, g), b.Float(g, tiny)))
		if distance == nil {
			distance, gradient = d, g
			continue
		}
		nearer := b.Less(d, distance)
		distance, gradient = b.Where(nearer, d, distance), b.Where(nearer, g, gradient)
	}
	moved := b.Add(v[deepfoolSum], b.Mul(distance, norm.direction(b, gradient)))
	sum := b.Sub(b.Clip(b.Add(s.Images, moved), 0, 1), s.Images)
	return []*ir.Value{adversarial, found, b.Where(wrong, v[deepfoolSum], sum), classes}
}
