package study

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Intervals of means and tests against the reference, by their names in a study file.
const (
	StudentT  = "t"
	Bootstrap = "bootstrap"
	Wilcoxon  = "wilcoxon" // exact signed-rank test of cells paired by seed, p-values adjusted by Holm's method over the arms
)

// armName is what may be the name of a folder everywhere.
var armName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$`)

// validate checks what can be known without the stages, after the defaults have been put into the arms.
func (f *File) validate() error {
	if len(f.Seeds) == 0 {
		return fmt.Errorf("seeds: expected at least one, found none")
	}
	if len(f.Arms) == 0 {
		return fmt.Errorf("arms: expected at least one, found none")
	}
	for i := range f.Arms {
		a := &f.Arms[i]
		if !armName.MatchString(a.Name) {
			return fmt.Errorf("arm %d: name: expected letters, digits and ._+- (at most 64, a letter or digit first), found %q", i+1, a.Name)
		}
		same := func(b Arm) bool { return strings.EqualFold(a.Name, b.Name) } // one folder on some file systems
		if slices.ContainsFunc(f.Arms[:i], same) {
			return fmt.Errorf("arm %s: expected a name of its own, found another arm of that name", a.Name)
		}
		if err := f.validStages(a, f.Arms[:i]); err != nil {
			return fmt.Errorf("arm %s: %w", a.Name, err)
		}
	}
	if err := f.Lookup.validate(); err != nil {
		return fmt.Errorf("lookup: %w", err)
	}
	if err := f.validStatistics(); err != nil {
		return fmt.Errorf("statistics: %w", err)
	}
	return nil
}

// validStages checks that every stage of an arm has what it works on; before are the arms before it.
func (f *File) validStages(a *Arm, before []Arm) error {
	stages := f.stages(a)
	switch {
	case len(stages) == 0:
		return fmt.Errorf("expected settings of search, train or bench, found none")
	case a.Bench != nil && a.Train == nil:
		return fmt.Errorf("bench: expected the stage train before it, found none")
	case f.Lookup != nil && a.Search == nil:
		return fmt.Errorf("lookup: expected the stage search before it, found none")
	case a.Match == nil:
		return nil
	}
	m := a.Match
	i := slices.IndexFunc(before, func(b Arm) bool { return b.Name == m.Arm })
	switch {
	case a.Search == nil || a.Train == nil:
		return fmt.Errorf("match: expected the stages search and train, found %s", strings.Join(stages, ", "))
	case i < 0:
		return fmt.Errorf("match: arm: expected one of the arms before it, found %q", m.Arm)
	case before[i].Search == nil:
		return fmt.Errorf("match: expected an arm with the stage search, found %s", m.Arm)
	case !(m.Within > 0 && m.Within < 1):
		return fmt.Errorf("match: within: expected more than 0 and less than 1, found %v", m.Within)
	}
	return nil
}

func (l *Lookup) validate() error {
	switch {
	case l == nil:
		return nil
	case len(l.Columns) == 0:
		return fmt.Errorf("columns: expected at least one, found none")
	case l.Nearest < 0:
		return fmt.Errorf("nearest: expected at least 0, found %d", l.Nearest)
	case l.Nearest > 0 && l.Weights == "":
		return fmt.Errorf("nearest: expected the column of weights too, found none")
	}
	return nil
}

func (f *File) validStatistics() error {
	s := &f.Statistics
	if s.Interval == "" {
		s.Interval = StudentT
	}
	if s.Interval != StudentT && s.Interval != Bootstrap {
		return fmt.Errorf("interval: expected %s or %s, found %q", StudentT, Bootstrap, s.Interval)
	}
	for i, m := range s.Measures {
		if slices.Contains(s.Measures[:i], m) {
			return fmt.Errorf("measures: expected distinct names, found %s twice", m)
		}
	}
	for _, t := range s.Tests {
		if t != Wilcoxon {
			return fmt.Errorf("tests: expected %s, found %q", Wilcoxon, t)
		}
	}
	if len(s.Tests) > 0 && s.Reference == "" {
		return fmt.Errorf("reference: expected the arm to test against, found none")
	}
	if s.Reference != "" && f.Arm(s.Reference) == nil {
		return fmt.Errorf("reference: expected the name of an arm, found %q", s.Reference)
	}
	for _, h := range s.Hypotheses {
		switch {
		case !slices.Contains(s.Measures, h.Measure):
			return fmt.Errorf("hypothesis %s: measure: expected one of %s, found %q", h.Name, strings.Join(s.Measures, ", "), h.Measure)
		case f.Arm(h.Arm) == nil || f.Arm(h.Above) == nil || h.Arm == h.Above:
			return fmt.Errorf("hypothesis %s: expected the names of two arms, found %q above %q", h.Name, h.Arm, h.Above)
		}
	}
	for _, g := range s.Goals {
		if !slices.Contains(s.Measures, g.Measure) {
			return fmt.Errorf("goals: measure: expected one of %s, found %q", strings.Join(s.Measures, ", "), g.Measure)
		}
		if g.Arm != "" && f.Arm(g.Arm) == nil {
			return fmt.Errorf("goals: arm: expected the name of an arm, found %q", g.Arm)
		}
	}
	return nil
}
