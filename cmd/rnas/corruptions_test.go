package main

import (
	"bytes"
	"testing"

	"rnas/bench/corruption"
	"rnas/bench/report"
	"rnas/internal/fault"
)

func TestCorruptionSource(t *testing.T) {
	if s, err := corruptionSource("", 5); s != nil || err != nil {
		t.Errorf("expected none, found %+v, %v", s, err)
	}
	if s, err := corruptionSource("cifar10c:folder", 5); err != nil || *s != (corruption.Source{Path: "folder", Limit: 5}) {
		t.Errorf("expected the folder and the limit, found %+v, %v", s, err)
	}
	_, err := corruptionSource("folder", 5)
	want := `--corruptions: expected generated or cifar10c:PATH, found "folder"`
	if !fault.IsInput(err) || err.Error() != want {
		t.Errorf("expected %s, found %v", want, err)
	}
}

func TestPrintCorruptions(t *testing.T) {
	rows := []report.Corruption{{Name: "fog", Severity: 1, Clean: report.NewClean(1, 2)}, {Name: "fog", Severity: 2, Clean: report.NewClean(0, 2)}}
	r := &report.Result{Models: []report.Model{{Path: "b.onnx"}, {Path: "a.onnx", Corruptions: report.NewCorruptions("generated", "made up", 2, rows)}}}
	var out bytes.Buffer
	if err := printCorruptions(&out, r); err != nil {
		t.Fatal(err)
	}
	want := `
a.onnx, common corruptions of 2 images, made up: mean accuracy 25.00, mCE 75.00 (not normalised)
      1     2   mean  corruption
  50.00  0.00  25.00  fog
  50.00  0.00  25.00  mean
`
	if out.String() != want {
		t.Errorf("expected\n%s\nfound\n%s", want, out.String())
	}
}
