package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
)

// The passes over a model with normalisation of its own: counts after each, the merged normalisation, text on request.
func TestInspectPasses(t *testing.T) {
	dir := t.TempDir()
	model := filepath.Join(dir, "m.onnx")
	succeed(t, "export", "--weights", saved(t, dir), "--out", model, "--keep-bn")
	table, _ := succeed(t, "inspect", model, "--passes")
	for _, want := range []string{"operator            file  fold  identity  hoist  cse  dead  foldbn\n", "\nall ", "\nfoldbn    normalisation by constants becomes part of the weights before it\n          after fold: "} {
		if !strings.Contains(table, want) {
			t.Errorf("expected %q in\n%s", want, table)
		}
	}
	if strings.Contains(table, "# after fold") {
		t.Error("the graphs are printed though nobody asked")
	}
	full, _ := succeed(t, "inspect", model, "--passes=full", "--pipeline", "training")
	if strings.Contains(full, "foldbn") || strings.Count(full, "\n# after ") != 6 || !strings.Contains(full, "\n# after dead\ngraph rnas opset 18\n") {
		t.Errorf("found\n%.2000s", full)
	}
	out, _ := succeed(t, "inspect", model, "--passes", "--json")
	var m struct{ Passes []passStage }
	if err := json.Unmarshal([]byte(out), &m); err != nil {
		t.Fatal(err)
	}
	norms := func(s passStage) int {
		for _, o := range s.Operators {
			if o.Name == "BatchNormalization" {
				return o.Count
			}
		}
		return 0
	}
	if n := len(m.Passes); n != 7 || norms(m.Passes[n-1]) >= norms(m.Passes[0]) || len(m.Passes[n-1].After) == 0 || m.Passes[0].Graph != "" {
		t.Errorf("found %+v", m.Passes)
	}
	for flag, want := range map[string]string{
		"--passes=text": `found "text"`, "--pipeline=bench": `--pipeline: expected inference, training, forward, program, found "bench"`, "--block=1": "--block: expected 0 or at least 2, found 1",
	} {
		if status, _, err := rnas(t, "inspect", model, "--passes", flag); status != statusUsage || !strings.Contains(err, want) {
			t.Errorf("%s: status %d, %s", flag, status, err)
		}
	}
}

// The pipelines that run on the CPU provider: their columns, and operators in NCHWc unless the layout is not asked for.
func TestInspectCPUPasses(t *testing.T) {
	dir := t.TempDir()
	model, gradient := filepath.Join(dir, "m.onnx"), filepath.Join(dir, "g.onnx")
	succeed(t, "export", "--weights", saved(t, dir), "--out", model)
	succeed(t, "grad", model, "--out", gradient)
	neutral := "file fold identity hoist cse dead"
	for _, c := range []struct {
		path, pipeline, block, columns string
		nchwc                          bool
	}{
		{model, "forward", "8", neutral + " foldbn widen", false},
		{model, "forward", "0", neutral + " foldbn", false},
		{model, "program", "4", neutral + " relumask clipmask nchwc sums stack", true},
		{gradient, "program", "4", neutral + " relumask clipmask nchwc sums stack", true},
		{gradient, "program", "0", neutral + " relumask clipmask sums stack", false},
	} {
		out, _ := succeed(t, "inspect", c.path, "--passes=full", "--pipeline", c.pipeline, "--block", c.block)
		header, _, _ := strings.Cut(out[strings.Index(out, "\noperator  ")+1:], "\n")
		if got := strings.Join(strings.Fields(header)[1:], " "); got != c.columns {
			t.Errorf("%s --block %s: expected columns %s, found %s", c.pipeline, c.block, c.columns, got)
		}
		if got := strings.Contains(out, " = com.microsoft.nchwc.Conv("); got != c.nchwc {
			t.Errorf("%s --block %s: convolutions in NCHWc: expected %v, found %v", c.pipeline, c.block, c.nchwc, got)
		}
	}
}
