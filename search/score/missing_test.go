package score

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"rnas/internal/fault"
	"rnas/internal/folderlock"
	"rnas/runtime/ort/orttest"
)

// A genotype without one of the scores has no sum of ranks, and the others are ranked without it.
func TestCombineMissing(t *testing.T) {
	nan := math.NaN()
	got := Combine([]float64{3, nan, 1, 2}, []float64{10, 40, 20, 30})
	if !math.IsNaN(got[1]) {
		t.Errorf("found %v, expected no sum for the second", got)
	}
	got[1] = 0
	if want := []float64{3 + 1, 0, 1 + 2, 2 + 3}; !reflect.DeepEqual(got, want) {
		t.Errorf("found %v, expected %v", got, want)
	}
}

// By hand: the ranks of a are 3 1 2, those of b+c, whose ranks sum to 2 5 5, are 1 2.5 2.5; the fourth genotype misses a score of b.
func TestLeast(t *testing.T) {
	nan := math.NaN()
	a, b, c := []float64{30, 10, 20, 1}, []float64{1, 2, 3, nan}, []float64{5, 9, 7, 8}
	got := Least([][]float64{a}, [][]float64{b, c})
	if !math.IsNaN(got[3]) || !reflect.DeepEqual(got[:3], []float64{1, 1, 2}) {
		t.Errorf("found %v", got)
	}
	if got := Least([][]float64{b, c}); !math.IsNaN(got[3]) || !reflect.DeepEqual(got[:3], []float64{2, 5, 5}) {
		t.Errorf("one group: found %v", got)
	}
}

func TestNumber(t *testing.T) {
	text, err := json.Marshal(Numbers([]float64{1.5, math.NaN()}))
	if err != nil || string(text) != "[1.5,null]" {
		t.Fatalf("found %s and %v", text, err)
	}
	var back []Number
	if err := json.Unmarshal(text, &back); err != nil || back[0] != 1.5 || !math.IsNaN(float64(back[1])) {
		t.Errorf("found %v and %v", back, err)
	}
}

// A missing score is counted, and leaves the coefficients of its column to the other genotypes.
func TestCorrelationsMissing(t *testing.T) {
	r := &Result{Columns: []string{"params", "croze"}, Values: [][]float64{{1, 2, 3, 4, 5}, {5, math.NaN(), 6, 7, 8}}}
	all := Correlations(r, []float64{1, 9, 2, 3, 4}, 20, 1)
	if c := all[0]; c.Missing != 0 || c.Spearman.Value == 1 {
		t.Errorf("params: found %+v", c)
	}
	if c := all[1]; c.Missing != 1 || c.Spearman.Value != 1 {
		t.Errorf("croze: found %+v, expected that one is missing and the others agree", c)
	}
}

// Where numbers leave the range of float32 the score is missing, in the log too, and the others stand.
func TestMissing(t *testing.T) {
	orttest.Open(t)
	c := config("croze", "params")
	c.Layers = 60
	path := filepath.Join(t.TempDir(), "log")
	r := mustRun(t, c, list(t)[:1], Options{Log: path})
	if !math.IsNaN(r.Values[0][0]) || r.Values[1][0] == 0 {
		t.Errorf("found %v, expected no croze", r.Values)
	}
	if text, _ := os.ReadFile(path); !strings.Contains(string(text), `"scores":[null,`) {
		t.Errorf("found the log\n%s", text)
	}
	if again := mustRun(t, c, list(t)[:1], Options{Log: path}); !math.IsNaN(again.Values[0][0]) || again.Values[1][0] != r.Values[1][0] {
		t.Errorf("taken up: found %v", again.Values)
	}
}

// Scores over repeats are the means over the seeds that follow one another.
func TestRepeats(t *testing.T) {
	orttest.Open(t)
	c, g := config("input-gradient", "noise-kl"), list(t)[:2]
	want := make([]float64, 2)
	for seed := range uint64(3) {
		draw := c
		draw.Seed += seed
		for i, v := range mustRun(t, draw, g, Options{}).Column("noise-kl") {
			want[i] += v / 3
		}
	}
	c.Repeats = 3
	for i, v := range mustRun(t, c, g, Options{}).Column("noise-kl") {
		if math.Abs(v-want[i]) > 1e-12*math.Abs(want[i]) {
			t.Errorf("genotype %d: found %v, expected %v", i, v, want[i])
		}
	}
}

func TestLockedLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	release, err := folderlock.LockFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	_, _, err = openJournal(path, config("params"), tiny(6), list(t))
	if !fault.IsInput(err) || !strings.Contains(err.Error(), "log: expected a file that no process works on") {
		t.Errorf("found %v", err)
	}
}
