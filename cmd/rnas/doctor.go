package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"rnas/runtime/ort"
)

func doctorCommand(f *pflag.FlagSet) action {
	var library string
	addLibrary(f, &library)
	asJSON := addJSON(f)
	return func(_ context.Context, c *console, args []string) error {
		if err := arguments(args, 0, 0, "no arguments"); err != nil {
			return err
		}
		r := ort.Doctor(library)
		if *asJSON {
			if err := printJSON(c.out, r); err != nil {
				return err
			}
		} else if err := printReport(c, r); err != nil {
			return err
		}
		if len(r.Problems) > 0 {
			return silent{fmt.Errorf("%s", r.Problems[0])}
		}
		return nil
	}
}

func printReport(c *console, r ort.Report) error {
	t := newTable(c.out)
	t.row("rnas", versionText())
	t.row("system", r.OS+"/"+r.Arch)
	t.row("cores", fmt.Sprintf("%d, %d logical", r.Cores, r.CPUs))
	if len(r.CPUFeatures) > 0 {
		t.row("vector extensions", strings.Join(r.CPUFeatures, " "))
	}
	if r.MemoryBytes > 0 {
		t.row("memory", fmt.Sprintf("%.1f GiB", float64(r.MemoryBytes)/(1<<30)))
	}
	for _, candidate := range r.Candidates {
		state := "usable"
		if !candidate.Usable() {
			state = candidate.Problem
		}
		t.row("looked in", candidate.Source+": "+candidate.Path+": "+state)
	}
	if r.Library != "" {
		t.row("ONNX Runtime", r.Version+", "+r.Library)
	}
	for _, p := range r.Providers {
		state := "available"
		if !p.Available() {
			state = "not available: " + p.Problem
		}
		t.row("provider "+p.Name, state)
	}
	for _, problem := range r.Problems {
		t.row("problem", problem)
	}
	for _, step := range r.Installation {
		t.row("to do", step)
	}
	return t.flush()
}
