package main

import (
	"bytes"
	"strings"
	"testing"

	"rnas/bench/report"
)

func TestPrintProfiles(t *testing.T) {
	p := report.Profile{Program: "pgd2", Batch: 4, Runs: 1, Millis: 10, Outside: 1}
	for i := range profileLines + 2 {
		p.Rows = append(p.Rows, report.ProfileRow{Layer: strings.Repeat("l", i), Operator: "Conv", Backward: i == 1, Calls: 2, Millis: 0.25})
	}
	p.Rows = append(p.Rows, report.ProfileRow{Layer: "l", Operator: "Relu", Calls: 1, Millis: 3.5})
	var out bytes.Buffer
	if err := printProfiles(&out, &report.Result{Models: []report.Model{{Path: "m.onnx", Profiles: []report.Profile{p}}}}); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(out.String()) {
		lines = append(lines, strings.Join(strings.Fields(line), " "))
	}
	text := strings.Join(lines, "\n")
	for _, want := range []string{
		"m.onnx, pgd2: 10 ms for a batch of 4",
		"share ms calls pass operator\n52.5% 5.250 42 forward Conv\n35.0% 3.500 1 forward Relu\n2.5% 0.250 2 backward Conv\n10.0% 1.000 outside operators",
		"share ms calls pass layer\n35.0% 3.500 1 forward l\n2.5% 0.250 2 forward (no layer)",
		"and 3 more",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("expected %q in\n%s", want, text)
		}
	}
}
