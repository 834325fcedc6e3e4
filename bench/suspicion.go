package bench

import (
	"context"

	"rnas/bench/report"
	"rnas/compiler/grad"
)

// probePoints is the number of points on which the gradient, the loss and the repeatability of a model are tested. It does not depend on the
// batch size, so that flags do not either.
const probePoints = 64

// suspicions are the flags of the model itself, which concern every attack on it. all are the points, right those that are classified
// rightly, clean is the outcome of task "clean".
func (s *subject) suspicions(ctx context.Context, clean outcome, all, right []int) ([]report.Flag, error) {
	var flags []report.Flag
	add := func(kind report.FlagKind, format string, values ...any) {
		flags = append(flags, report.NewFlag(kind, format, values...))
	}
	if n := len(clean.flagged); n == len(all) {
		add(report.FlagSoftmax, "the outputs are probabilities, attacks on the cross-entropy expect logits")
	}
	if n := count(clean.values, all, noClass); n > 0 {
		add(report.FlagNaN, "logits of %d of %d images are not numbers", n, len(all))
	}
	probe := all[:min(probePoints, len(all))]
	twice, err := s.do(ctx, task{name: "repeat", open: func(int) (worker, error) { return repeat{s}, nil }}, probe)
	if err != nil {
		return nil, err
	}
	if n := count(twice.values, probe, 1); n > 0 {
		add(report.FlagRandom, "logits of %d of %d images differ between two runs", n, len(probe))
	}
	network, err := s.model.classifier(s.model.batch)
	if err != nil {
		return nil, err
	}
	connected, findings := grad.Path(network.Graph, network.Outputs[0], network.Inputs[0])
	of := map[grad.Kind][]grad.Finding{}
	for _, f := range findings {
		of[f.Kind] = append(of[f.Kind], f)
	}
	if n := len(of[grad.Surrogate]); n > 0 {
		add(report.FlagStraightThrough, "at %d operators that round", n)
	}
	if list := of[grad.Cut]; len(list) > 0 {
		add(report.FlagCutGradient, "values pass but no gradient at %d operators, the first one %s (%s)", len(list), list[0].Node, list[0].Operator)
	}
	probe = right[:min(probePoints, len(right))]
	switch list := of[grad.NoRule]; {
	case len(list) > 0: // attacks with gradients cannot be made
		add(report.FlagNoGradient, "%s (%s) and %d other operators have no gradient", list[0].Node, list[0].Operator, len(list)-1)
		return flags, nil
	case !connected:
		add(report.FlagBlockedGradient, "none reaches the image")
		return flags, nil
	case len(probe) == 0:
		return flags, nil
	}
	slopes, err := s.slopes(ctx, probe)
	if err != nil {
		return nil, err
	}
	rises, err := s.rises(ctx, probe)
	return append(append(flags, slopes...), rises...), err
}

// slopes are the flags of the gradient at the points of probe.
func (s *subject) slopes(ctx context.Context, probe []int) (flags []report.Flag, err error) {
	t := task{name: "gradient", key: probe[0], open: func(int) (worker, error) { return s.gradient(probe[0]) }}
	out, err := s.do(ctx, t, probe)
	if err != nil {
		return nil, err
	}
	n := map[int]int{}
	nan := ""
	for _, p := range probe {
		if out.values[p]&slopeNaN != 0 && nan == "" {
			if nan, err = s.nanOperator(p); err != nil {
				return nil, err
			}
		}
		for bit := 1; bit <= out.values[p]; bit *= 2 {
			if out.values[p]&bit != 0 {
				n[bit]++
			}
		}
	}
	for _, f := range []struct {
		kind   report.FlagKind
		what   string
		n      int
		raised bool
	}{
		{report.FlagZeroGradient, "", n[slopeZero], n[slopeZero] > 0},
		{report.FlagNaNGradient, nan, n[slopeNaN], n[slopeNaN] > 0},
		{report.FlagSaturated, "all probabilities but the largest round to 0 ", n[slopeSaturated], 10*n[slopeSaturated] >= len(probe)},
		{report.FlagConstantGradient, "the same though the logits are not linear in the pixels ", n[slopeSame], n[slopeSame] == len(probe) && 2*n[slopeBent] > len(probe)},
	} {
		if f.raised {
			flags = append(flags, report.NewFlag(f.kind, "%sat %d of %d images", f.what, f.n, len(probe)))
		}
	}
	return flags, nil
}
