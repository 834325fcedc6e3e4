package bench

import (
	"slices"

	"rnas/bench/attack"
	"rnas/bench/report"
)

// helped is the robust accuracy by which an attack without gradients may beat those with gradients and raise no flag (AutoAttack,
// checks.py).
const helped = 0.002

// contradictions flags attacks that other attacks prove weaker than they should be. results has one entry for each attack of the job.
func (s *subject) contradictions(results []report.Attack, points modelPoints) {
	attacks := s.job.Attacks[:len(results)]
	squareHelps(attacks, results)
	for i := range attacks {
		for k := range attacks {
			if !attacks[i].FewerSteps(attacks[k]) {
				continue
			}
			a, b := &results[i], &results[k]
			t := report.Compare(s.job.robust(points.attacks[i]), s.job.robust(points.attacks[k]))
			if t.SecondOnly > t.FirstOnly && t.P < curveLevel {
				b.Flags = append(b.Flags, report.NewFlag(report.FlagSteps, "%s leaves %d points that %s breaks, which leaves %d (p = %.2g)", b.Name, t.SecondOnly, a.Name, t.FirstOnly, t.P))
			}
		}
	}
}

// robust tells for each point of the data whether it was attacked and is predicted rightly.
func (j *job) robust(predictions map[int]int) []bool {
	robust := make([]bool, j.data.Len())
	for p, v := range predictions {
		robust[p] = v == int(j.data.Labels[p])
	}
	return robust
}

// share is the points that an attack leaves, or that its parts up to one leave.
type share struct {
	report.Part
	gradients bool // whether the attack or the part takes gradients
}

// squareHelps flags an attack without gradients that leaves fewer points than every attack with gradients, and an attack of several
// parts of which one without gradients does. results has one entry for each attack.
func squareHelps(attacks []attack.Attack, results []report.Attack) {
	free := func(p attack.Part) bool { return !p.Gradients() }
	var alone []share // attacks with gradients in every part or in none
	for i, a := range attacks {
		r := &results[i]
		var parts []share
		for k, p := range r.Parts {
			parts = append(parts, share{p, a.Parts[k].Gradients()})
		}
		if flag := squareFlag(parts); flag != nil {
			r.Flags = append(r.Flags, *flag)
		}
		if len(a.Parts) == 1 || !slices.ContainsFunc(a.Parts, free) {
			alone = append(alone, share{report.Part{Name: a.Name, Robust: r.Robust}, a.Parts[0].Gradients()})
		}
	}
	flag := squareFlag(alone)
	for i, a := range attacks {
		if flag != nil && len(a.Parts) == 1 && free(a.Parts[0]) {
			results[i].Flags = append(results[i].Flags, *flag)
		}
	}
}

// squareFlag is the flag of the first share without gradients; nil when there is none, or when it does not help.
func squareFlag(shares []share) *report.Flag {
	i := slices.IndexFunc(shares, func(s share) bool { return !s.gradients })
	var best *share // of the others
	for k := range shares {
		if k != i && (best == nil || shares[k].RobustAccuracy < best.RobustAccuracy) {
			best = &shares[k]
		}
	}
	if i < 0 || best == nil || shares[i].RobustAccuracy >= best.RobustAccuracy-helped {
		return nil
	}
	flag := report.NewFlag(report.FlagSquare, "it leaves %.1f%%, gradients leave %.1f%% (%s)", 100*shares[i].RobustAccuracy, 100*best.RobustAccuracy, best.Name)
	return &flag
}
