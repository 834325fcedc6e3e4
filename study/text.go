package study

import (
	"bytes"
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// notes are sentences about the figures that hold for every form of the tables.
func (s *Summary) notes() []string {
	interval := map[string]string{StudentT: "by Student's t", Bootstrap: "by bootstrap"}[s.Interval]
	notes := []string{fmt.Sprintf("The unit is the cell, one for each of %d seeds. Means with their 95%% interval over cells (%s).", len(s.Seeds), interval)}
	if s.Reference != "" {
		notes = append(notes, fmt.Sprintf("Differences are from %s, paired by seed; p is that of the exact Wilcoxon signed-rank test, adjusted by Holm's method over the arms of a measure.", s.Reference))
	}
	return notes
}

// markdown is the content of summary.md.
func (s *Summary) markdown() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# %s\n\n", s.title())
	for _, n := range s.notes() {
		fmt.Fprintf(&b, "%s\n", n)
	}
	for _, m := range s.Measures {
		fmt.Fprintf(&b, "\n## %s\n\n| %s |\n|---|%s\n", m.Name, strings.Join(heading, " | "), strings.Repeat("--:|", len(heading)-1))
		for _, a := range m.Arms {
			fmt.Fprintf(&b, "| %s |\n", strings.Join(a.fields(), " | "))
		}
	}
	if len(s.Hypotheses) > 0 {
		b.WriteString("\n## Hypotheses\n\nTested as a family of their own.\n\n| " + strings.Join(hypothesisHeading, " | ") + " |\n|---|---|---|--:|--:|--:|--:|--:|\n")
		for _, h := range s.Hypotheses {
			fmt.Fprintf(&b, "| %s |\n", strings.Join(h.Fields(), " | "))
		}
	}
	if len(s.Goals) > 0 {
		b.WriteString("\n## Goals\n\n| measure | at least | arm | mean | met |\n|---|--:|---|--:|---|\n")
		for _, g := range s.Goals {
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", g.Measure, g.Least(), g.By, figure(g.Mean), g.answer())
		}
	}
	for i, f := range s.Failed {
		if i == 0 {
			b.WriteString("\n## Jobs without a result\n\n")
		}
		fmt.Fprintf(&b, "- %s: %s\n", f.Job, f.Why)
	}
	fmt.Fprintf(&b, "\nThe cost of the jobs is in %s.\n", costText)
	return b.Bytes()
}

// latex is the content of summary.tex: one tabular a measure, for the package booktabs.
func (s *Summary) latex() []byte {
	var b bytes.Buffer
	for _, n := range s.notes() {
		fmt.Fprintf(&b, "%% %s\n", n)
	}
	for _, m := range s.Measures {
		fmt.Fprintf(&b, "\n%% %s\n\\begin{tabular}{l%s}\n\\toprule\n", m.Name, strings.Repeat("r", len(heading)-1))
		fmt.Fprintf(&b, "%s\\midrule\n", texRow(heading))
		for _, a := range m.Arms {
			b.WriteString(texRow(a.fields()))
		}
		b.WriteString("\\bottomrule\n\\end{tabular}\n")
	}
	return b.Bytes()
}

// texRow is a row of a tabular.
func texRow(fields []string) string {
	escaped := make([]string, len(fields))
	for i, f := range fields {
		escaped[i] = texEscape.Replace(f)
	}
	return strings.Join(escaped, " & ") + " \\\\\n"
}

var texEscape = strings.NewReplacer(`\`, `\textbackslash{}`, "_", `\_`, "&", `\&`, "%", `\%`, "#", `\#`, "$", `\$`, "{", `\{`, "}", `\}`, "~", `\textasciitilde{}`, "^", `\textasciicircum{}`)

// heading are the columns of the table of a measure.
var heading = []string{"arm", "cells", "mean", "95% interval", "sd", "median", "least", "most", "difference", "95% interval", "p", "p (Holm)"}

// fields are the row of an arm.
func (a ArmMeasure) fields() []string {
	row := []string{a.Arm, strconv.Itoa(a.N), figure(a.Mean), span(a.CI95), figure(a.SD), figure(a.Median), figure(a.Min), figure(a.Max), "", "", "", ""}
	if v := a.Versus; v != nil {
		row[8], row[9] = figure(v.Difference), span(v.CI95)
		if v.Wilcoxon != nil {
			row[10], row[11] = figure(&v.Wilcoxon.P), figure(v.Holm)
		}
	}
	return row
}

// hypothesisHeading are the columns of Tested.Fields.
var hypothesisHeading = []string{"hypothesis", "measure", "above", "pairs", "difference", "95% interval", "p", "p (Holm)"}

// Fields are the row of a hypothesis for people.
func (h Tested) Fields() []string {
	row := []string{h.Name, h.Measure, h.Arm + " above " + h.Above, strconv.Itoa(h.N), figure(h.Difference), span(h.CI95), "", ""}
	if h.Wilcoxon != nil {
		row[6], row[7] = figure(&h.Wilcoxon.P), figure(h.Holm)
	}
	return row
}

func (s *Summary) title() string {
	if s.Name == "" {
		return "Study"
	}
	return s.Name
}

// Least is the figure of the goal for people.
func (r Reached) Least() string { return figure(&r.AtLeast) }

func (r Reached) answer() string {
	if r.Met {
		return "yes"
	}
	return "no"
}

// figure is a number to four digits, or all of its whole part above 1000; "" for none.
func figure(v *float64) string {
	if v == nil {
		return ""
	}
	if *v >= 1000 || *v <= -1000 {
		return strconv.FormatFloat(*v, 'f', 0, 64)
	}
	return strconv.FormatFloat(*v, 'g', 4, 64)
}

func span(v *[2]float64) string {
	if v == nil {
		return ""
	}
	return figure(&v[0]) + " to " + figure(&v[1])
}

// Table is the heading and a row for each arm.
func (m Measure) Table() [][]string {
	rows := [][]string{heading}
	for _, a := range m.Arms {
		rows = append(rows, a.fields())
	}
	return rows
}

// String is the answer in one line.
func (r Reached) String() string {
	return fmt.Sprintf("goal: %s at least %s: %s has %s: %s", r.Measure, r.Least(), cmp.Or(r.By, "no arm"), cmp.Or(figure(r.Mean), "no mean"), map[bool]string{true: "met", false: "missed"}[r.Met])
}

// String is the answer in one line.
func (h Tested) String() string {
	f := h.Fields()
	return fmt.Sprintf("hypothesis %s: %s: %s: difference %s (%s), p %s by Holm's method", f[0], f[1], f[2], cmp.Or(f[4], "none"), f[5], cmp.Or(f[7], "none"))
}
