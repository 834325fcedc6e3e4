package report

import (
	"encoding/json"
	"flag"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files")

func sample() *Result {
	flags := []Flag{
		{FlagZeroGradient, "at 3 of 64 images"},
		{FlagNaN, "logits of 1 of 90 adversarial images are not numbers"},
	}
	return &Result{
		RNAS: "0.1.0", ONNXRuntime: "1.30.0", Provider: "cpu",
		Models: []Model{
			{
				Path: "out/model|a.onnx", SHA256: strings.Repeat("ab", 32), Dataset: "synthetic test", Points: 100,
				Clean: NewClean(90, 100),
				Attacks: []Attack{
					{Name: "fgsm", Norm: "linf", Eps: 8. / 255, Robust: NewRobust(50, 100), Forwards: 90, Backwards: 90, Seconds: 0.25, Flags: []Flag{}},
					{Name: "pgd20", Norm: "linf", Eps: 8. / 255, Robust: NewRobust(0, 100), Forwards: 1800, Backwards: 1800, Seconds: 12.5, Flags: flags},
				},
				WorstCase: NewRobust(0, 100),
				Latency: &Latency{Threads: 2, Runs: []LatencyRuns{
					{Batch: 1, Samples: 200, P50: 1.25, P90: 1.5, P99: 2, ImagesPerSecond: 790.5},
					{Batch: 64, Samples: 200, P50: 40, P90: 41.25, P99: 50, ImagesPerSecond: 1600},
				}},
			},
			{
				Path: "b.onnx", SHA256: strings.Repeat("cd", 32), Dataset: "synthetic test", Points: 100,
				Clean: NewClean(100, 100), Attacks: []Attack{}, WorstCase: NewRobust(100, 100),
			},
		},
	}
}

// TestGolden compares with testdata, which `go test ./bench/report -update` writes.
func TestGolden(t *testing.T) {
	dir := t.TempDir()
	result, galleries := full()
	if err := result.Write(dir, galleries); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"result.json", "result.csv", "result.md"} {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		golden := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(golden, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(want) {
			t.Errorf("%s: expected\n%s\nfound\n%s", name, want, got)
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "result.json"))
	if err != nil {
		t.Fatal(err)
	}
	r := &Result{}
	if err := json.Unmarshal(text, r); err != nil || !reflect.DeepEqual(r, result) {
		t.Errorf("expected %+v, found %+v, %v", result, r, err)
	}
}

func TestErrors(t *testing.T) {
	if err := sample().Write(filepath.Join(t.TempDir(), "none"), nil); err == nil {
		t.Error("expected an error without a folder")
	}
}

// TestWilson checks known intervals and, for all small counts, the equation that defines their ends: p lies z standard
// deviations of Binomial(n, end)/n away from each end inside (0,1).
func TestWilson(t *testing.T) {
	for _, c := range []struct {
		k, n      int
		low, high float64 // to 4 digits: 0 of 10, 10 of 10, and 81 of 263 in Newcombe 1998, table I
	}{{0, 10, 0, 0.2775}, {10, 10, 0.7225, 1}, {81, 263, 0.2553, 0.3662}, {0, 0, 0, 1}} {
		if got := Wilson(c.k, c.n); math.Abs(got[0]-c.low) > 5e-5 || math.Abs(got[1]-c.high) > 5e-5 {
			t.Errorf("%d of %d: expected %v to %v, found %v", c.k, c.n, c.low, c.high, got)
		}
	}
	for n := 1; n < 30; n++ {
		for k := range n + 1 {
			p := float64(k) / float64(n)
			for _, end := range Wilson(k, n) {
				if end <= 0 || end >= 1 {
					continue
				}
				if z := math.Abs(p-end) / math.Sqrt(end*(1-end)/float64(n)); math.Abs(z-1.959963984540054) > 1e-9 {
					t.Errorf("%d of %d: end %v is %v deviations away", k, n, end, z)
				}
			}
		}
	}
}
