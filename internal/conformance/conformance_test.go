package conformance

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"testing"
)

var (
	update   = flag.Bool("update", false, "rewrite docs/conformance.md")
	onlyOp   = flag.String("op", "", "run only the cases that count for this operator")
	onlyCase = flag.String("case", "", "run only the cases whose collection/name matches this pattern")
)

const root = "../.."

// cases lists the published cases. Without the Python package the test is skipped, except in continuous integration,
// where it fails.
func cases(t *testing.T) []Case {
	t.Helper()
	data, err := Locate(root)
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	list, err := List(data)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestCases(t *testing.T) {
	var results []*Result
	for _, c := range cases(t) {
		if *onlyCase != "" {
			if ok, err := filepath.Match(*onlyCase, c.String()); err != nil || !ok {
				continue
			}
		}
		r, err := run(c)
		if err != nil {
			t.Fatal(err)
		}
		results = append(results, r)
	}
	owners := operators(results)
	list := Failures()
	used := make([]bool, len(list))
	for _, r := range results {
		if *onlyOp != "" && !slices.Contains(owners[r], *onlyOp) {
			continue
		}
		err := r.Forward
		if err == nil {
			err = r.Gradient.Err
		}
		i, listed := expected(list, r.Case)
		switch {
		case listed && r.Listed() && err == nil:
			t.Errorf("%s passes, but is listed as a failure (%s)", r, list[i].Reason)
		case listed:
			used[i] = true
		case r.Forward != nil:
			t.Errorf("%s: %v", r, err)
		case err != nil:
			t.Errorf("%s: gradient: %v", r, err)
		case *onlyOp != "" || *onlyCase != "":
			t.Logf("%s: not listed %v, inputs made constant %d, gradient %+v", r, r.Unlisted, r.Fixed, r.Gradient)
		}
	}
	if *onlyOp != "" || *onlyCase != "" {
		return
	}
	for i, f := range list {
		if !used[i] {
			t.Errorf("failures.txt: no listed case fails that matches %s", f.Pattern)
		}
	}
	var all tally
	for _, r := range results {
		all.add(r)
	}
	t.Logf("cases, listed, passed, fixed, gradients, agree, kink, no rule: %+v", all)
	if *update {
		if err := os.WriteFile(filepath.Join(root, "docs", "conformance.md"), []byte(Report(results)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// run turns a panic into an error that names the case.
func run(c Case) (r *Result, err error) {
	defer func() {
		if p := recover(); p != nil {
			r = &Result{Case: c, Forward: fmt.Errorf("panic: %v\n%s", p, debug.Stack())}
		}
	}()
	return Run(c)
}
