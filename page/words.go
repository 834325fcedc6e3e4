package page

import (
	"fmt"
	"strings"

	"rnas/bench/report"
	"rnas/compiler/lower"
	"rnas/compiler/program"
	"rnas/genotype"
	"rnas/internal/dataset"
	"rnas/train/loop"
)

// Row is a fact: what it is about, and what it says.
type Row struct{ Name, Text string }

// rows collects facts.
type rows []Row

func (r *rows) add(name, format string, args ...any) {
	*r = append(*r, Row{name, fmt.Sprintf(format, args...)})
}

// counted is a number with its noun.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// sentence joins the parts that are not empty.
func sentence(parts ...string) string {
	var kept []string
	for _, p := range parts {
		if p != "" {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, ", ")
}

// when is the formatted text if the condition holds, else nothing.
func when(condition bool, format string, args ...any) string {
	if !condition {
		return ""
	}
	return fmt.Sprintf(format, args...)
}

func macroText(m lower.Macro) string {
	return sentence(counted(m.Layers, "cell"), fmt.Sprintf("%d channels in the first", m.Channels),
		fmt.Sprintf("images %d×%d×%d", m.Depth, m.Height, m.Width), fmt.Sprintf("%d classes", m.Classes),
		when(len(m.Mean) > 0, "mean %v", m.Mean), when(len(m.Std) > 0, "standard deviation %v", m.Std))
}

func spaceText(s genotype.Space) string {
	cells := "a normal and a reduction cell"
	if s.Kinds() == 1 {
		cells = "one cell"
	}
	var names []string
	for _, p := range s.Primitives {
		names = append(names, string(p))
	}
	return fmt.Sprintf("%s of %s and %s, each with one of %s", cells, counted(s.Nodes, "node"), counted(s.Edges(), "possible edge"), strings.Join(names, ", ")) +
		when(s.EdgesPerNode > 0, "; %s of a node stay", counted(s.EdgesPerNode, "edge"))
}

func scheduleText(s loop.Schedule) string {
	text := fmt.Sprintf("%g", s.LR)
	switch s.Kind {
	case loop.Cosine:
		text = fmt.Sprintf("%g to %g along half a cosine", s.LR, s.MinLR)
	case loop.OneCycle:
		text = fmt.Sprintf("up to %g in the first %g %% of the steps, then down to %g", s.LR, 100*s.Peak, s.MinLR)
	case loop.Stepwise:
		text = fmt.Sprintf("%g, times %g at the epochs %v", s.LR, s.Gamma, s.Milestones)
	}
	return sentence(text, when(s.WarmupEpochs > 0, "after a linear rise over %s", counted(s.WarmupEpochs, "epoch")))
}

func sgdText(s program.SGD) string {
	return sentence(fmt.Sprintf("momentum %g", s.Momentum), fmt.Sprintf("weight decay %g", s.WeightDecay), when(s.Clip > 0, "norm of the gradient at most %g", s.Clip))
}

func attackText(a program.Attack) string {
	return fmt.Sprintf("%s of %s along the sign of the gradient, within %s of the image", counted(a.Steps, "step"), report.EpsText(a.StepSize), report.EpsText(a.Epsilon))
}

func noiseText(n program.Noise) string {
	switch n.Kind {
	case program.Gaussian:
		return fmt.Sprintf("normal noise of standard deviation %s", report.EpsText(n.Size))
	case program.Sign:
		return fmt.Sprintf("noise of plus or minus %s", report.EpsText(n.Size))
	case program.Uniform:
		return fmt.Sprintf("uniform noise of at most %s", report.EpsText(n.Size))
	}
	return "no noise"
}

func augmentText(a dataset.Augment) string {
	text := sentence(when(a.Crop > 0, "random crops from %s of padding", counted(a.Crop, "pixel")), when(a.Flip, "random flips"),
		when(a.Cutout > 0, "a square of %s cut out", counted(a.Cutout, "pixel")))
	if text == "" {
		return "none"
	}
	return text
}

// sizeText tells the size of a network; "" where its images are too small for it.
func sizeText(m lower.Macro, g genotype.Genotype) (string, error) {
	n := lower.Evaluation{Macro: m, Genotype: g}
	if n.Validate() != nil {
		return "", nil
	}
	params, err := lower.Params(n, false)
	if err != nil {
		return "", err
	}
	macs, err := lower.MACs(n)
	return fmt.Sprintf("%d parameters, %.1f million multiply-adds an image", lower.Count(params), float64(macs)/1e6), err
}

// neighboursText names the nearest published genotypes.
func neighboursText(near []genotype.Neighbour) string {
	var parts []string
	for _, n := range near {
		parts = append(parts, fmt.Sprintf("%s (%d of %d edges differ)", n.Name, n.Differ, n.Edges))
	}
	return strings.Join(parts, ", ")
}
