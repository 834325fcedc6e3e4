package study

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"rnas/internal/fault"
)

const example = `name: Example
seeds: [3, 1]
defaults:
  search: {epochs: 2, alpha-lr: 1e-3, flip: false, mean: [0.5, 0.25], noise: sign}
arms:
  - {name: a, search: {epochs: 5, eps: 8/255}}
  - {name: b, train: {genotype: "zoo:DARTS_V2"}}
statistics: {measures: [x]}
`

func TestParseFile(t *testing.T) {
	f, err := ParseFile([]byte(example))
	if err != nil {
		t.Fatal(err)
	}
	want := Settings{"epochs": {"5", 6}, "alpha-lr": {"1e-3", 4}, "flip": {"false", 4}, "mean": {"0.5,0.25", 4}, "noise": {"sign", 4}, "eps": {"8/255", 6}}
	if got := f.Arms[0].Search; !reflect.DeepEqual(got, want) {
		t.Errorf("expected %v, found %v", want, got)
	}
	if s := f.stages(&f.Arms[1]); !slices.Equal(s, []string{Search, Train}) || f.Arms[1].Search["epochs"].Text != "2" || f.Statistics.Interval != StudentT {
		t.Errorf("found %v, %+v", s, f)
	}
	if !slices.Equal(f.Seeds, Seeds{3, 1}) {
		t.Errorf("seeds: found %v", f.Seeds)
	}
}

// JSON is a form of the same file.
func TestParseFileJSON(t *testing.T) {
	text := `{"name": "Example", "seeds": "0-2", "arms": [{"name": "a", "search": {"epochs": 2, "flip": true}}], "statistics": {"measures": ["x"]}}`
	if !json.Valid([]byte(text)) {
		t.Fatal("not JSON")
	}
	f, err := ParseFile([]byte(text))
	if err != nil || !slices.Equal(f.Seeds, Seeds{0, 1, 2}) || f.Arms[0].Search["epochs"].Text != "2" {
		t.Errorf("found %+v, %v", f, err)
	}
}

func TestBadFiles(t *testing.T) {
	for _, c := range []struct{ old, new, want string }{
		{"name: Example", "nam: Example", `1: unknown field "nam"`},
		{"epochs: 5,", "epochs: {a: 1},", "6: expected a number, a word, true, false or a list of them"},
		{"epochs: 5,", "epochs: 5, epochs: 6,", "6: mapping key"},
		{"seeds: [3, 1]", "seeds: 3-1", "2: seeds: expected numbers and ranges"},
		{"seeds: [3, 1]", "seeds: [3, 3]", "2: seeds: expected distinct seeds, found 3 twice"},
		{"seeds: [3, 1]", "seeds: 0-99999999", "2: seeds: expected at most"},
		{"seeds: [3, 1]", "", " seeds: expected at least one"},
		{"name: b", "name: ../b", " arm 2: name: expected letters"},
		{"name: b", "name: A", " arm A: expected a name of its own"},
		{"{name: b,", "{name: b, bench: {}, ", ""},
		{"statistics:", "lookup: {columns: []}\nstatistics:", " lookup: columns: expected at least one"},
		{"statistics:", "lookup: {columns: [a], nearest: 3}\nstatistics:", " lookup: nearest: expected the column of weights too"},
		{"{measures: [x]}", "{measures: [x, x]}", " statistics: measures: expected distinct names"},
		{"{measures: [x]}", "{measures: [x], interval: z}", ` statistics: interval: expected t or bootstrap, found "z"`},
		{"{measures: [x]}", "{measures: [x], tests: [wilcoxon]}", " statistics: reference: expected the arm to test against"},
		{"{measures: [x]}", "{measures: [x], tests: [t]}", ` statistics: tests: expected wilcoxon, found "t"`},
		{"{measures: [x]}", "{measures: [x], reference: c}", ` statistics: reference: expected the name of an arm, found "c"`},
		{"{measures: [x]}", "{measures: [x], goals: [{measure: y}]}", ` statistics: goals: measure: expected one of x, found "y"`},
		{"{measures: [x]}", "{measures: [x], hypotheses: [{name: H, measure: x, arm: a, above: a}]}", ` statistics: hypothesis H: expected the names of two arms, found "a" above "a"`},
		{"{measures: [x]}", "{measures: [x], hypotheses: [{name: H, measure: y, arm: a, above: b}]}", ` statistics: hypothesis H: measure: expected one of x, found "y"`},
		{"{name: b,", "{name: b, match: {arm: a, within: 2}, ", " arm b: match: within: expected more than 0"},
		{"{name: b,", "{name: b, match: {arm: c, within: 0.1}, ", ` arm b: match: arm: expected one of the arms before it, found "c"`},
	} {
		text := strings.Replace(example, c.old, c.new, 1)
		if text == example {
			t.Fatalf("%s: nothing to replace", c.old)
		}
		_, err := ParseFile([]byte(text))
		if c.want == "" {
			if err != nil {
				t.Errorf("%s: found %v", c.new, err)
			}
			continue
		}
		if err == nil || !strings.HasPrefix(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: expected %q, found %v", c.new, c.want, err)
		}
	}
}

func TestReadFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.yaml")
	if _, err := ReadFile(path); !fault.IsInput(err) {
		t.Errorf("found %v", err)
	}
	if err := os.WriteFile(path, []byte("seeds: 0\narm: []\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadFile(path); !fault.IsInput(err) || err.Error() != path+`:2: unknown field "arm"` {
		t.Errorf("found %v", err)
	}
}

func FuzzParseFile(f *testing.F) {
	f.Add([]byte(example))
	f.Add([]byte(slowStudy))
	f.Add([]byte("seeds: 0-\narms: [{name: a, search: {x: [1, {}]}}]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		parsed, err := ParseFile(data)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("an error of several lines: %q", err)
			}
			return
		}
		for i := range parsed.Arms {
			if len(parsed.stages(&parsed.Arms[i])) == 0 {
				t.Errorf("arm %s has no stage", parsed.Arms[i].Name)
			}
		}
	})
}
