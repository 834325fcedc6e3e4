package report

import (
	"math"
	"strings"
	"testing"
)

func TestCorruptions(t *testing.T) {
	rows := []Corruption{
		{"fog", 1, NewClean(90, 100)},
		{"fog", 2, NewClean(75, 100)},
		{"frost", 1, NewClean(50, 100)},
		{"frost", 2, NewClean(25, 100)},
	}
	c := NewCorruptions("generated", "made up", 100, rows)
	if math.Abs(c.MeanAccuracy-0.6) > 1e-12 || math.Abs(c.MCE-0.4) > 1e-12 {
		t.Errorf("expected the means 0.6 and 0.4, found %v and %v", c.MeanAccuracy, c.MCE)
	}
	r := &Result{Models: []Model{{Path: "a.onnx", SHA256: "ab", Corruptions: c}, {Path: "b.onnx"}}}
	csv, err := r.CorruptionsCSV()
	if err != nil {
		t.Fatal(err)
	}
	want := `path,sha256,source,points,corruption,severity_1,severity_2,mean
a.onnx,ab,generated,100,fog,0.9,0.75,0.825
a.onnx,ab,generated,100,frost,0.5,0.25,0.375
a.onnx,ab,generated,100,mean,0.7,0.5,0.6
`
	if string(csv) != want {
		t.Errorf("expected\n%s\nfound\n%s", want, csv)
	}
	markdown, err := r.Markdown()
	if err != nil {
		t.Fatal(err)
	}
	table := `
| corruption | 1 | 2 | mean |
|---|--:|--:|--:|
| fog | 90.0 | 75.0 | 82.5 |
| frost | 50.0 | 25.0 | 37.5 |
| mean | 70.0 | 50.0 | 60.0 |
`
	if !strings.Contains(string(markdown), table) || !strings.Contains(string(markdown), "Images: made up. Mean accuracy 60.00") {
		t.Errorf("expected\n%s\nin\n%s", table, markdown)
	}
	if csv, err := (&Result{Models: []Model{{}}}).CorruptionsCSV(); csv != nil || err != nil {
		t.Errorf("expected nothing without corruptions, found %q, %v", csv, err)
	}
}
