package study

import (
	"encoding/csv"
	"flag"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rnas/internal/stats"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const compared = `name: Compared
about: Two arms and a reference.
seeds: 0-4
arms:
  - {name: base, about: the reference, search: {}}
  - {name: good_one, search: {epochs: 3}}
  - {name: same, search: {}}
statistics:
  measures: [accuracy]
  reference: base
  tests: [wilcoxon]
  hypotheses:
    - {name: H1, measure: accuracy, arm: good_one, above: same}
    - {name: H2, measure: accuracy, arm: same, above: base}
  goals: [{measure: accuracy, at_least: 0.4}, {measure: accuracy, arm: same, at_least: 0.5}]
`

// comparedResults are outcomes by hand; the arm same has no result from seed 3.
func comparedResults(t *testing.T) *results {
	t.Helper()
	f, err := ParseFile([]byte(compared))
	if err != nil {
		t.Fatal(err)
	}
	done := map[string]record{}
	for arm, values := range map[string][]float64{
		"base":     {0.31, 0.30, 0.33, 0.29, 0.32},
		"good_one": {0.41, 0.42, 0.40, 0.43, 0.39},
		"same":     {0.32, 0.30, 0.32, math.NaN(), 0.33},
	} {
		for seed, v := range values {
			o := &Outcome{Genotype: "cell", Values: map[string]float64{"accuracy": v, "passes": 7}}
			if v != v {
				o = &Outcome{Failed: "diverged"}
			}
			done[Job{Arm: f.Arm(arm), Seed: uint64(seed), Stage: Search}.Name()] = record{RNAS: "test", Outcome: o}
		}
	}
	return collect(f, done, map[string]string{"data": "d"})
}

// The expected figures are those of numpy and scipy 1.17.1: mean, std(ddof=1), t.interval of the values and of the paired
// differences, wilcoxon(differences, method=PermutationMethod(n_resamples=inf)), and Holm by hand.
func TestSummary(t *testing.T) {
	s := comparedResults(t).summarise()
	arms := s.Measures[0].Arms
	good, same := arms[1], arms[2]
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"mean", *good.Mean, 0.41},
		{"sd", *good.SD, 0.0158113883008},
		{"low", good.CI95[0], 0.390367568385},
		{"high", good.CI95[1], 0.429632431615},
		{"median", *same.Median, 0.32},
		{"difference", *good.Versus.Difference, 0.1},
		{"p", good.Versus.Wilcoxon.P, 0.0625},
		{"p by Holm", *good.Versus.Holm, 0.125},
		{"pairs of the other", float64(same.Versus.N), 4},
		{"differences of the other", float64(same.Versus.Wilcoxon.N), 3},
		{"p of the other", same.Versus.Wilcoxon.P, 1},
		{"p of the other by Holm", *same.Versus.Holm, 1},
	} {
		if math.Abs(c.got-c.want) > 1e-11 {
			t.Errorf("%s: expected %v, found %v", c.name, c.want, c.got)
		}
	}
	h := s.Hypotheses // differences 0.09, 0.12, 0.08, 0.06, and those of the arm same above
	if len(h) != 2 || h[0].Wilcoxon.P != 0.125 || *h[0].Holm != 0.25 || h[0].N != 4 || h[1].Wilcoxon.P != 1 || *h[1].Holm != 1 {
		t.Errorf("hypotheses: found %+v", h)
	}
	if len(s.Goals) != 2 || s.Goals[0].By != "good_one" || !s.Goals[0].Met || s.Goals[1].By != "same" || s.Goals[1].Met {
		t.Errorf("goals: found %+v", s.Goals)
	}
}

func TestBootstrapInterval(t *testing.T) {
	r := comparedResults(t)
	r.file.Statistics.Interval = Bootstrap
	a := r.summarise().Measures[0].Arms[1]
	if want := stats.BootstrapMean([]float64{0.41, 0.42, 0.40, 0.43, 0.39}); math.Abs(a.CI95[0]-want[0])+math.Abs(a.CI95[1]-want[1]) > 1e-11 {
		t.Errorf("expected %v, found %v", want, *a.CI95)
	}
}

func TestTables(t *testing.T) {
	r := comparedResults(t)
	dir := t.TempDir()
	if err := r.write(dir, r.summarise()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"table.csv", "summary.json", "summary.md", "summary.tex"} {
		path := filepath.Join("testdata", name)
		got := content(t, dir, name)
		if *update {
			if err := os.WriteFile(path, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if want := content(t, "testdata", name); string(want) != string(got) {
			t.Errorf("%s differs from what is written; look at the difference after go test ./study -update", path)
		}
	}
	page := string(content(t, dir, "report.html"))
	for _, want := range []string{"Two arms and a reference.", "good_one: 5 cells, mean 0.41 (0.3904 to 0.4296)", "--epochs=3", "<circle"} {
		if !strings.Contains(page, want) {
			t.Errorf("report.html: expected %q in it", want)
		}
	}
	rows, err := csv.NewReader(strings.NewReader(string(content(t, dir, "table.csv")))).ReadAll()
	if err != nil || len(rows) != 1+15 || rows[1+10+3][3] != "diverged" {
		t.Errorf("found %v, %v", rows, err)
	}
}
