package study

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rnas/search/table"
)

// scipy.stats.percentileofscore(values, x, "mean"), scipy 1.17.1
func TestPercentileAgainstSciPy(t *testing.T) {
	values := []float64{1, 2, 2, 3, 5, 8, 8, 8, 9}
	for x, want := range map[float64]float64{0: 0, 2: 22.22222222222222, 4: 44.44444444444444, 8: 72.22222222222221, 9: 94.44444444444444, 10: 100} {
		if got := percentile(values, x); math.Abs(got-want) > 1e-12 {
			t.Errorf("%v: expected %v, found %v", x, want, got)
		}
	}
}

func TestNearest(t *testing.T) {
	weights := []float64{9, 18, 9, 54, 10, 0}
	for _, c := range []struct {
		w     float64
		least int
		want  []int
	}{
		{9, 0, []int{0, 2}},
		{9, 1, []int{0, 2}},
		{9, 3, []int{0, 2, 4}},
		{9, 4, []int{0, 2, 4, 1, 5}}, // both at a distance of 9
		{54, 1, []int{3}},
		{54, 99, []int{3, 1, 4, 0, 2, 5}},
	} {
		if got := nearest(weights, c.w, c.least); !slices.Equal(got, c.want) {
			t.Errorf("%v, %d: expected %v, found %v", c.w, c.least, c.want, got)
		}
	}
}

// The table has 12 rows of 10 classes. The class of the first two rows has the weights of the cheaper one, 9.
func TestLookupValues(t *testing.T) {
	tab, err := ReadTable("testdata/cells.csv")
	if err != nil {
		t.Fatal(err)
	}
	c, err := newClasses(&Lookup{Columns: []string{"accuracy"}, Class: "class", Weights: ConvWeights}, tab)
	if err != nil {
		t.Fatal(err)
	}
	if want := []float64{9, 18, 0, 54, 6, 0, 9, 9, 10, 9}; !slices.Equal(c.weights, want) {
		t.Errorf("weights: expected %v, found %v", want, c.weights)
	}
	g := mustParse(t, "|nor_conv_3x3~0|+|none~0|none~1|+|none~0|none~1|nor_conv_3x3~2|")
	row, err := tab.Find(g)
	if err != nil {
		t.Fatal(err)
	}
	// 0.3 among 0.1, 0.2, 0.28, 0.29, 0.3, ... and among 0.29, 0.3, 0.31, 0.32.
	want := map[string]float64{"accuracy": 0.3, "percentile_accuracy": 45, "percentile_equal_accuracy": 37.5, "conv_weights": 9}
	got := c.values(row)
	for name, v := range want {
		if got[name] != v {
			t.Errorf("%s: expected %v, found %v", name, v, got[name])
		}
	}
	if len(got) != len(want) {
		t.Errorf("found %v", got)
	}
}

// A row that is not whole has the figures of its class, and its own weights.
func TestRowsOfClasses(t *testing.T) {
	const (
		cheap = "|none~0|+|none~0|none~1|+|none~0|none~1|nor_conv_1x1~2|"
		dear  = "|nor_conv_3x3~0|+|none~0|none~1|+|none~0|none~1|nor_conv_1x1~2|"
		other = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"
	)
	path := filepath.Join(t.TempDir(), "t.csv")
	open := func(text string) (*table.Table, *classes, error) {
		t.Helper()
		if err := os.WriteFile(path, []byte("genotype,class,accuracy,more\n"+text), 0o644); err != nil {
			t.Fatal(err)
		}
		tab, err := ReadTable(path)
		if err != nil {
			t.Fatal(err)
		}
		c, err := newClasses(&Lookup{Columns: []string{"accuracy"}, Class: "class", Weights: ConvWeights}, tab)
		return tab, c, err
	}
	tab, c, err := open(cheap + ",7,7.0\n" + other + ",8,0.25,1\n" + dear + ",7,0.5,1\n")
	if err != nil {
		t.Fatal(err)
	}
	row, err := tab.Find(mustParse(t, cheap))
	if err != nil {
		t.Fatal(err)
	}
	if got := c.values(row); got["accuracy"] != 0.5 || got["conv_weights"] != 1 || got["percentile_accuracy"] != 75 {
		t.Errorf("found %v", got)
	}
	if _, _, err := open(cheap + ",7,7.0\n" + other + ",8,0.25,1\n"); err == nil || !strings.Contains(err.Error(), "t.csv:2: expected 4 fields, or a class that a row of so many has, found 3") {
		t.Errorf("found %v", err)
	}
}

func TestBadTables(t *testing.T) {
	const cell = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"
	for _, c := range []struct{ text, want string }{
		{"genotype,a\nx,1\n", "t.csv:2: genotype: "},
		{"genotype,a\n" + cell + ",1\n" + cell + ",1\n", "t.csv:3: genotype " + cell + ": expected it once, found it on line 2 too"},
		{"a,genotype\n1\n", "t.csv:2: expected 2 fields, found 1"},
	} {
		path := filepath.Join(t.TempDir(), "t.csv")
		if err := os.WriteFile(path, []byte(c.text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadTable(path); err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), path) {
			t.Errorf("%q: expected %q, found %v", c.text, c.want, err)
		}
	}
	tab, err := ReadTable("testdata/cells.csv")
	if err != nil {
		t.Fatal(err)
	}
	tab.Rows[3].Cells[1] = "inf"
	if _, err := numbers(tab, "accuracy"); err == nil || !strings.Contains(err.Error(), `cells.csv:5: column accuracy: expected a finite number, found "inf"`) {
		t.Errorf("found %v", err)
	}
	if _, err := numbers(tab, "speed"); err == nil || !strings.Contains(err.Error(), `found "speed"`) {
		t.Errorf("found %v", err)
	}
}
