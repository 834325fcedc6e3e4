package main

import (
	"fmt"
	"io"

	"rnas/bench/report"
)

// profileLines is the largest number of layers that are printed. --json and profile.json have all layers.
const profileLines = 20

// printProfiles prints where the time of each program goes.
func printProfiles(w io.Writer, r *report.Result) error {
	for _, m := range r.Models {
		for _, p := range m.Profiles {
			name := p.Program
			if p.Stage != "" {
				name += ", " + p.Stage
			}
			fmt.Fprintf(w, "%s, %s: %.4g ms for a batch of %d\n", m.Label(), name, p.Millis, p.Batch)
			if err := printProfile(w, p); err != nil {
				return err
			}
		}
	}
	return nil
}

// printProfile prints the times of operators, then those of the layers that take the longest.
func printProfile(w io.Writer, p report.Profile) error {
	t := newNumbers(w)
	row := func(r report.ProfileRow, name string) {
		pass := "forward"
		if r.Backward {
			pass = "backward"
		}
		t.row(fmt.Sprintf("%.1f%%", 100*r.Millis/p.Millis), fmt.Sprintf("%.3f", r.Millis), fmt.Sprintf("%g", r.Calls), pass, "  "+name)
	}
	t.row("share", "ms", "calls", "pass", "  operator")
	for _, r := range p.Sum(report.ByOperator) {
		row(r, r.Operator)
	}
	t.row(fmt.Sprintf("%.1f%%", 100*p.Outside/p.Millis), fmt.Sprintf("%.3f", p.Outside), "", "", "  outside operators")
	if err := t.flush(); err != nil {
		return err
	}
	t = newNumbers(w)
	t.row("share", "ms", "calls", "pass", "  layer")
	layers := p.Sum(report.ByLayer)
	for _, r := range layers[:min(profileLines, len(layers))] {
		name := r.Layer
		if name == "" {
			name = "(no layer)"
		}
		row(r, name)
	}
	if more := len(layers) - profileLines; more > 0 {
		t.row("", "", "", "", fmt.Sprintf("  and %d more", more))
	}
	return t.flush()
}
