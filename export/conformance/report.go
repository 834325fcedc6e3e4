package conformance

import (
	"fmt"
	"slices"
	"strings"

	"rnas/compiler/grad"
	"rnas/compiler/op"
)

// tally counts the outcomes of a group of cases.
type tally struct {
	cases, listed, passed, fixed, checked, agreed, kinks, rounded, none int
}

func (t *tally) add(r *Result) {
	t.cases++
	if !r.Listed() {
		return
	}
	t.listed++
	if r.Forward != nil {
		return
	}
	t.passed++
	if r.Fixed > 0 {
		t.fixed++
	}
	switch r.Gradient.Status {
	case Checked:
		t.checked++
		if r.Gradient.Err == nil {
			t.agreed++
		}
		if r.Gradient.Kinks > 0 {
			t.kinks++
		}
	case Rounded:
		t.rounded++
	case NoRule, NotFinite:
		t.none++
	}
}

func (t *tally) row(name string) string {
	return fmt.Sprintf("| %s | %d | %d | %d | %d | %d | %d | %d | %d | %d |\n",
		name, t.cases, t.listed, t.passed, t.fixed, t.checked, t.agreed, t.kinks, t.rounded, t.none)
}

// Report returns the conformance table as Markdown. The same results give the same bytes.
func Report(results []*Result) string {
	owners := operators(results)
	var all tally
	collections, rows, unlisted := map[string]*tally{}, map[string]*tally{}, map[string]int{}
	count := func(m map[string]*tally, key string, r *Result) {
		if m[key] == nil {
			m[key] = &tally{}
		}
		m[key].add(r)
	}
	for _, r := range results {
		all.add(r)
		count(collections, r.Collection, r)
		for _, name := range owners[r] {
			count(rows, name, r)
		}
		for _, name := range r.Unlisted {
			unlisted[name]++
		}
	}
	const columns = "| cases | listed | passed | fixed | gradients | agree | kink | rounded | none |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n"
	var b strings.Builder
	fmt.Fprintf(&b, "# Conformance\n\nThe test cases inside the Python package onnx %s, run by `make conformance`. ", Version)
	fmt.Fprintf(&b, "%d of %d cases use only operators of the table of `compiler/op`; %d of these pass (%.1f %%).\n",
		all.listed, all.cases, all.passed, 100*float64(all.passed)/float64(max(all.listed, 1)))
	b.WriteString(`
- listed: all operators of the model are known. passed: read, inferred, interpreted, and equal to the published outputs
  within 1e-5 (float32; 2e-3 in float16, 1.6e-2 in bfloat16), integers and 8-bit floats exactly.
- fixed: passed after inputs that hold shapes, axes and the like became constants.
- gradients: cases with floating-point inputs and outputs whose gradient was compared, in float64, with finite differences
  in coordinates of each input and in random directions; agree: within 1e-6. kink: the point of the case has no
  derivative in some of these directions; there the gradient lies between the one-sided differences, and the comparison is
  made at a point nearby.
- rounded: the gradient passes straight through a rounding, which finite differences cannot tell. none: an operator on the
  way has no rule, or no output is finite. Cases without floating-point inputs and outputs are in neither column.

## Collections

`)
	b.WriteString("| collection " + columns)
	for _, name := range Collections {
		if t := collections[name]; t != nil {
			b.WriteString(t.row(name))
		}
	}
	b.WriteString(all.row("all"))
	b.WriteString("\n## Operators\n\nA case counts at each operator of its model, or of the model that it expands. Gradient: rule, zero (piecewise constant), or none;\nrewritten: the reader expresses it by other operators.\n\n")
	b.WriteString("| operator | gradient " + strings.Replace(columns, "|---|", "|---|---|", 1))
	for _, name := range sorted(rows) {
		support, _ := grad.Supports(name)
		word := []string{"none", "zero", "rule"}[support]
		switch {
		case slices.Contains(rewritten, name):
			word = "rewritten"
		case op.Lookup("", name) == nil:
			word = "not listed"
		}
		b.WriteString(rows[name].row(name + " | " + word))
	}
	b.WriteString("\n## Expected failures\n\n| case | cases | reason |\n|---|---:|---|\n")
	list := Failures()
	failed := make([]int, len(list))
	for _, r := range results {
		if i, ok := expected(list, r.Case); ok {
			failed[i]++
		}
	}
	for i, f := range list {
		fmt.Fprintf(&b, "| %s | %d | %s |\n", f.Pattern, failed[i], f.Reason)
	}
	b.WriteString("\n## Operators that are not listed\n\n| operator | cases that apply it |\n|---|---:|\n")
	for _, name := range sorted(unlisted) {
		fmt.Fprintf(&b, "| %s | %d |\n", name, unlisted[name])
	}
	return b.String()
}

// operators finds the operators that each case counts for: those of the case that it expands, if it expands one.
func operators(results []*Result) map[*Result][]string {
	own := map[string][]string{}
	for _, r := range results {
		own[r.String()] = r.Operators
	}
	out := map[*Result][]string{}
	for _, r := range results {
		out[r] = r.Operators
		if base := own[r.Collection+"/"+r.Base()]; base != nil {
			out[r] = base
		}
	}
	return out
}

func sorted[T any](m map[string]T) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
