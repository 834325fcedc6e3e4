package main

import (
	"bytes"
	"testing"

	"rnas/bench/report"
	"rnas/internal/fault"
)

func TestTransferAttack(t *testing.T) {
	if a, err := transferAttack(""); a != nil || err != nil {
		t.Errorf("expected none, found %+v, %v", a, err)
	}
	if a, err := transferAttack("pgd20"); err != nil || a.Name != "pgd20" {
		t.Errorf("expected pgd20, found %+v, %v", a, err)
	}
	for _, name := range []string{"clean", "fgsm,pgd20", "none-such"} {
		if _, err := transferAttack(name); !fault.IsInput(err) {
			t.Errorf("%s: expected an error of the input, found %v", name, err)
		}
	}
}

func TestPrintTransfer(t *testing.T) {
	r := &report.Result{Models: make([]report.Model, 2), Transfer: &report.Transfer{Attack: "fgsm", Models: []string{"a.onnx", "b.onnx"}, Robust: [][]report.Robust{
		{report.NewRobust(1, 4), report.NewRobust(2, 4)}, {report.NewRobust(3, 4), report.NewRobust(0, 4)},
	}}}
	var out bytes.Buffer
	if err := printTransfer(&out, r); err != nil {
		t.Fatal(err)
	}
	want := `
images of fgsm made on the model of the line, scored on that of the column
      1      2  model
  25.00  50.00  1 a.onnx
  75.00   0.00  2 b.onnx
`
	if out.String() != want {
		t.Errorf("expected\n%s\nfound\n%s", want, out.String())
	}
}

func TestProviderList(t *testing.T) {
	if list, err := providerList("cpu,cuda"); err != nil || len(list) != 2 || list[1] != "cuda" {
		t.Errorf("found %q, %v", list, err)
	}
	for text, want := range map[string]string{"cpu,cpu": "--provider cpu,cpu: cpu is there twice", "cpu,": "", "gpu": ""} {
		if _, err := providerList(text); !fault.IsInput(err) || want != "" && err.Error() != want {
			t.Errorf("%s: found %v", text, err)
		}
	}
}
