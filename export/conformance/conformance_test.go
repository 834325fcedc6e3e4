package conformance

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
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

// selected loads the cases that the flags ask for.
func selected(t *testing.T) []*Result {
	t.Helper()
	var all []*Result
	for _, c := range cases(t) {
		r, err := Load(c)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	owners := operators(all)
	return slices.DeleteFunc(all, func(r *Result) bool {
		match, err := filepath.Match(*onlyCase, r.String())
		return *onlyCase != "" && (err != nil || !match) || *onlyOp != "" && !slices.Contains(owners[r], *onlyOp)
	})
}

func TestCases(t *testing.T) {
	results := selected(t)
	list := Failures()
	used := make([]bool, len(list))
	part := *onlyOp != "" || *onlyCase != ""
	var all tally
	for _, r := range results {
		run(r)
		all.add(r)
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
		case part:
			t.Logf("%s: not listed %v, inputs made constant %d, gradient %+v", r, r.Unlisted, r.Fixed, r.Gradient)
		}
	}
	t.Logf("%+v", all)
	if part {
		return
	}
	for i, f := range list {
		if !used[i] {
			t.Errorf("failures.txt: no case fails that matches %s", f.Pattern)
		}
	}
	path, report := filepath.Join(root, "docs", "conformance.md"), Report(results)
	if *update {
		if err := os.WriteFile(path, []byte(report), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if committed, err := os.ReadFile(path); err != nil || string(committed) != report {
		t.Errorf("docs/conformance.md is not what make conformance writes (%v)", err)
	}
}

// TestVersion compares the version of the cases with the one that the Makefile installs.
func TestVersion(t *testing.T) {
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	if want := "ONNX_CASES  := " + Version + "\n"; !strings.Contains(string(makefile), want) {
		t.Errorf("the Makefile does not say %q", want)
	}
}

// run turns a panic into a failure of the case.
func run(r *Result) {
	defer func() {
		if p := recover(); p != nil {
			r.Forward = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	r.Run()
}
