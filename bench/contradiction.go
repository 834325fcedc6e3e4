package bench

import (
	"regexp"
	"slices"
	"strconv"

	"rnas/bench/report"
)

// helped is the robust accuracy by which an attack without gradients may beat the others (AutoAttack, checks.py).
const helped = 0.002

// contradictions flags attacks that others prove weaker than they should be.
func (s *subject) contradictions(attacks []report.Attack, points modelPoints) {
	squareHelps(attacks)
	for i := range attacks {
		for k := range attacks {
			if a, b := &attacks[i], &attacks[k]; fewer(a.Name, b.Name) {
				t := report.Compare(s.job.robust(points.attacks[i]), s.job.robust(points.attacks[k]))
				if t.SecondOnly > t.FirstOnly && t.P < curveLevel {
					b.Flags = append(b.Flags, report.NewFlag(report.FlagSteps, "%s leaves %d points that %s breaks, which leaves %d (p = %.2g)", b.Name, t.SecondOnly, a.Name, t.FirstOnly, t.P))
				}
			}
		}
	}
}

// robust tells for each point whether it was attacked and is predicted rightly.
func (j *job) robust(predictions map[int]int) []bool {
	robust := make([]bool, j.data.Len())
	for p, v := range predictions {
		robust[p] = v == int(j.data.Labels[p])
	}
	return robust
}

var stepsOf = regexp.MustCompile(`^pgd([0-9]+)(.*)$`)

// fewer reports whether a and b are the same attack, a with fewer steps.
func fewer(a, b string) bool {
	m, n := stepsOf.FindStringSubmatch(a), stepsOf.FindStringSubmatch(b)
	if m == nil || n == nil || m[2] != n[2] {
		return false
	}
	k, _ := strconv.Atoi(m[1])
	l, _ := strconv.Atoi(n[1])
	return k < l
}

// square is the name of the attack without gradients, and of that part of other attacks.
const square = "square"

// squareHelps flags square where it leaves fewer points than every attack by gradients, and an attack of several parts where
// that one does.
func squareHelps(attacks []report.Attack) {
	var alone []report.Part
	for i := range attacks {
		a := &attacks[i]
		if flag := squareFlag(a.Parts); flag != nil {
			a.Flags = append(a.Flags, *flag)
		}
		if !slices.ContainsFunc(a.Parts, func(p report.Part) bool { return p.Name == square }) {
			alone = append(alone, report.Part{Name: a.Name, Robust: a.Robust})
		}
	}
	flag := squareFlag(alone)
	for i := range attacks {
		if flag != nil && attacks[i].Name == square {
			attacks[i].Flags = append(attacks[i].Flags, *flag)
		}
	}
}

// squareFlag is nil when square is not among parts, or does not help.
func squareFlag(parts []report.Part) *report.Flag {
	i := slices.IndexFunc(parts, func(p report.Part) bool { return p.Name == square })
	var best *report.Part // of the others
	for k := range parts {
		if k != i && (best == nil || parts[k].RobustAccuracy < best.RobustAccuracy) {
			best = &parts[k]
		}
	}
	if i < 0 || best == nil || parts[i].RobustAccuracy >= best.RobustAccuracy-helped {
		return nil
	}
	flag := report.NewFlag(report.FlagSquare, "it leaves %.1f%%, gradients leave %.1f%% (%s)", 100*parts[i].RobustAccuracy, 100*best.RobustAccuracy, best.Name)
	return &flag
}
