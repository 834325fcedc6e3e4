package report

// Warning is a flag of a model with its explanation.
type Warning struct {
	Flag    Flag
	Where   []string // names of the attacks and curves that raised the flag
	Meaning string   // what the flag says about the model or the attack
	Next    string   // what to run next
}

// explanations has one row for each kind of flag.
var explanations = []struct {
	kind          FlagKind
	meaning, next string
}{
	{
		FlagSoftmax, "The model's outputs are probabilities. The softmax inside the loss is then the second one: its gradient is small and vanishes where the model is sure, so attacks on the cross-entropy look weaker than they are.",
		"Export the model without its last softmax. apgd-dlr, apgd-t and pgd20-margin have no second softmax, but where the first one rounds to 0 and 1 their gradient is zero too.",
	},
	{
		FlagNaN, "Some logits are not numbers. Such a prediction counts as wrong, whatever it is worth.",
		"Run rnas verify on the model, and in float32 if it computes in float16.",
	},
	{
		FlagRandom, "Two runs on the same image give different logits. A gradient of one draw is a poor guide to the next, and a point that survives may have been lucky.",
		"Turn the noise off, or run autoattack-rand, which follows the mean of 20 gradients; compare with square, which needs no gradient.",
	},
	{
		FlagStraightThrough, "Values are rounded on the way to the logits. The true gradient is zero, so attacks pass straight through the rounding, which is an approximation.",
		"Attack the model before quantisation and score its adversarial images on this one with --transfer; compare with square, which needs no gradient.",
	},
	{
		FlagCutGradient, "An operator lets values pass but no gradient, so gradient attacks see only a part of the model.",
		"Compare with square, which needs no gradient; attack the model without these operators and score its adversarial images on this one with --transfer.",
	},
	{
		FlagZeroGradient, "At some images the loss does not change with any pixel, as when float32 rounds a saturated softmax. Gradient attacks stay where they start there.",
		"Run apgd-dlr, apgd-t or pgd20-margin, whose losses do not saturate, and square, which needs no gradient.",
	},
	{
		FlagNoGradient, "The gradient has to pass operators for which this program has no rule, so attacks by gradients cannot be made. What square finds is an upper bound of the robustness, and a loose one.",
		"Run rnas inspect for the operators; export the model with others; attack a model alike and score its adversarial images on this one with --transfer.",
	},
	{
		FlagBlockedGradient, "Every way from the logits back to the image passes an operator that lets values pass but no gradient, such as a rounding. Attacks by gradients stay where they start, so their figures say nothing.",
		"Run square, which needs no gradient; attack the model without these operators and score its adversarial images on this one with --transfer.",
	},
	{
		FlagMates, "The logits of an image depend on the images that are in one batch with it, as with batch normalisation in training mode. So every figure depends on the size of the batch and on the order of the data.",
		"Export the model in evaluation mode; --batch shows how far the figures move.",
	},
	{
		FlagChance, "The accuracy without attack cannot be told from guessing. A model that was trained is then fed wrongly: in another range or order of pixels, without its normalisation, or with other classes.",
		"Look for a flag line among the warnings; say what the model takes by --pixels, --mean, --std, --bgr, --layout; compare the order of the classes.",
	},
	{
		FlagCollapsed, "Nearly all images are predicted as one class, which few of them have. A model that was trained does so when it is fed wrongly, or when a layer of it overflows.",
		"Look for a flag line among the warnings; say what the model takes by --pixels, --mean, --std, --bgr, --layout.",
	},
	{
		FlagStill, "The logits are nearly the same for all images, as if the pixels were too small to matter or too large to count.",
		"Look for a flag line among the warnings; say what the model takes by --pixels, --mean, --std.",
	},
	{
		FlagReading, "The same images read in another way give a better accuracy, by more than chance. The figures are then those of images that the model was not made for.",
		"Run again with the flag line, if it is how the model was trained.",
	},
	{
		FlagSaturated, "The logits are so far apart that float32 rounds their softmax to 0 and 1. The gradient of the cross-entropy is zero there, whether or not the model is robust: scaling the logits does this to any model.",
		"Run apgd-dlr and apgd-t, whose losses no scale of the logits changes, and square; where the model ends in a softmax, export it without, for no loss gets past that one.",
	},
	{
		FlagConstantGradient, "Logits of different images have the same gradient though they do not change as it foretells. The true gradient is hidden: a part of the model lets values pass but no gradient, or another gradient stands in for it. (A model that is linear in the pixels has the same gradient everywhere too and is not flagged.)",
		"Compare with square, which needs no gradient; attack a smooth model alike and score its adversarial images on this one with --transfer.",
	},
	{
		FlagLoss, "Twenty steps of gradient ascent should raise the loss above that of the images as they are and of one step. Where they do not, the gradient leads nowhere or the steps are too long.",
		"Run apgd-ce, which chooses its steps, apgd-t and square; --curves shows accuracy against eps and against steps.",
	},
	{
		FlagSquare, "An attack that sees only logits breaks points that attacks by gradients leave. The gradients are masked, so the figures of those attacks are too high.",
		"Look at the other warnings for the reason; run the attacks by gradients again with more steps and restarts (pgd100x10, apgd-t); trust the worst case at most.",
	},
	{
		FlagTransfer, "Adversarial images that were made for another model break more points than the strongest attack on this model itself, by more than chance (McNemar's test, p < 0.01). Its gradients are masked, so the figures of attacks by gradients are too high.",
		"Run apgd-t and square on this model; trust the worst case at most, with the figure of the transfer.",
	},
	{
		FlagNaNGradient, "At some images entries of the gradient are not numbers, as behind a square root at 0. They count as 0, so gradient attacks do not move these pixels.",
		"Keep logarithms, square roots and divisions away from zero in the model; compare with square, which needs no gradient.",
	},
	{
		FlagInvalid, "An attack returned images outside the ball or outside [0,1]. They count as survived, so its figure is too high.",
		"Report it: no attack of this program should do so.",
	},
	{
		FlagEps, "A model that sees less and less of the image under a growing attack ends up guessing. One that does not hides its gradient, unless the largest radius is still small for these images.",
		"Run --curves with a larger --eps; then apgd-dlr, apgd-t and square.",
	},
	{
		FlagSteps, "More steps of the same attack should break at least as many points. Where they break fewer, the gradient leads astray or the steps are too long.",
		"Run with a smaller --step-size, with restarts (pgd20x10), and with apgd-ce, which chooses its steps.",
	},
}

// Explain finds the meaning of a kind of flag and what to run next. Both are "" for a kind that this program does not raise.
func (k FlagKind) Explain() (meaning, next string) {
	for _, e := range explanations {
		if e.kind == k {
			return e.meaning, e.next
		}
	}
	return "", ""
}

// Warnings lists the flags of a model, each once, with the attacks and curves that raised it.
func (m *Model) Warnings() []Warning {
	var list []Warning
	add := func(where string, flag Flag) {
		for i := range list {
			if list[i].Flag == flag {
				list[i].Where = append(list[i].Where, where)
				return
			}
		}
		meaning, next := flag.Kind.Explain()
		list = append(list, Warning{flag, []string{where}, meaning, next})
	}
	for _, f := range m.Doubts {
		add("all figures", f)
	}
	for _, a := range m.Attacks {
		for _, f := range a.Flags {
			add(a.Name, f)
		}
	}
	for _, c := range m.Curves {
		for _, f := range c.Flags {
			add("accuracy against "+c.Over, f)
		}
	}
	return list
}
