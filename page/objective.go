package page

import (
	"fmt"

	"rnas/compiler/program"
	"rnas/search"
)

// gradientSettings adds what a search over a supernet is told.
func gradientSettings(r *rows, c search.Config) {
	r.add("supernet", "%s", supernetText(c.Super))
	steps := "all"
	if c.Steps > 0 {
		steps = fmt.Sprintf("at most %d", c.Steps)
	}
	r.add("length", "%s of %s batches of %s", counted(c.Epochs, "epoch"), steps, counted(c.Batch, "image"))
	r.add("division", "%g %% of the images for the weights, the others for the architecture", 100*c.Split)
	alpha, weight, err := c.Objectives()
	if err != nil { // the method was looked up
		panic(err)
	}
	warmup := when(c.RegWarmup > 0 && alpha.Reg != "", "; without R in the first %s", counted(c.RegWarmup, "epoch"))
	r.add("alpha steps", "%s%s", objectiveText(alpha), warmup)
	r.add("weight steps", "%s", objectiveText(weight))
	levels := []program.Level{alpha, weight}
	for _, l := range levels {
		if l.Reg != "" {
			r.add("R", "%s", l.Reg.About())
			r.add("lambda", "%s", balanceText(c.Balance))
			break
		}
	}
	for _, l := range levels {
		if l.NoiseRows() > 0 {
			r.add("noise", "%s", sentence(noiseText(c.Noise), counted(max(c.Draws, 1), "draw")+" an image", when(c.Antithetic, "in pairs of a perturbation and its negative")))
			break
		}
	}
	for _, l := range levels {
		if l.Input == program.Adversarial || l.Reg != "" && l.Perturb == program.Adversarial {
			r.add("attack", "%s", attackText(c.Attack))
			break
		}
	}
	r.add("weights", "SGD: learning rate %s; %s", scheduleText(c.Schedule), sgdText(c.SGD))
	r.add("architecture", "Adam: %s", sentence(fmt.Sprintf("learning rate %g", c.Adam.LR), fmt.Sprintf("betas %g and %g", c.Adam.Beta1, c.Adam.Beta2),
		fmt.Sprintf("weight decay %g", c.Adam.WeightDecay), when(c.AlphaWarmup > 0, "no step in the first %s", counted(c.AlphaWarmup, "epoch"))))
	if s := c.Stop; s.Skips > 0 || s.Curvature > 0 {
		r.add("early stop", "%s", sentence(when(s.Skips > 0, "at %s", counted(s.Skips, "skip connection")), when(s.Curvature > 0, "when the curvature has grown by a factor of %.4g", s.Curvature)))
	}
	r.add("augmentation", "%s", augmentText(c.Augment))
}

// sourceTexts name the images of a source.
var sourceTexts = map[program.Source]string{"": "clean images", program.Clean: "clean images", program.NoiseExamples: "noise examples", program.Adversarial: "adversarial images"}

// objectiveText tells what a step lowers.
func objectiveText(l program.Level) string {
	text := "cross-entropy of " + sourceTexts[l.Input]
	if l.Reg != "" {
		text += " + lambda·R"
		if l.Reg.Compares() {
			text += " with f' of " + sourceTexts[l.Perturb]
		}
	}
	mix := ""
	if l.Mix.On() {
		mix = sentence("random noise on the architecture weights", when(l.Mix.Steps > 0, "%s of an attack from there", counted(l.Mix.Steps, "step")))
	}
	return sentence(text, when(l.Reg != "" && l.Mean > 0, "its gradient a running mean of decay %g", l.Mean), when(l.Unrolled, "at the weights after a further step (second order)"), mix)
}

// balanceText tells how lambda is chosen.
func balanceText(b search.Balance) string {
	switch b.Kind {
	case search.Share:
		return fmt.Sprintf("chosen in every step so that R has a share of %g in the sum of both gradients' norms", b.Value)
	case search.Ratio:
		return fmt.Sprintf("adjusted so that lambda·R over the cross-entropy comes to %g", b.Value)
	}
	return fmt.Sprintf("%g", b.Value)
}
