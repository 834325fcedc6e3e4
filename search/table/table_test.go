package table

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rnas/genotype"
)

const (
	one   = "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|avg_pool_3x3~2|"
	other = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"
)

func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCSV(t *testing.T) {
	tab, err := Read(file(t, "a.csv", "class,arch,acc\n7,"+one+",0.5\n8,"+other+",x\n7,"+one+",0.25\n"), "arch")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(tab.Columns, []string{"class", "acc"}) || len(tab.Rows) != 3 {
		t.Fatalf("found columns %q and %d rows", tab.Columns, len(tab.Rows))
	}
	g, _ := genotype.Parse(one)
	row, err := tab.Find(g)
	if err != nil || row != 0 {
		t.Errorf("found row %d and %v", row, err)
	}
	if v, err := tab.Number(row, 1); err != nil || v != 0.5 {
		t.Errorf("found %v and %v", v, err)
	}
	if rows, err := tab.Distinct(tab.All(), "class"); err != nil || !slices.Equal(rows, []int{0, 1}) {
		t.Errorf("found rows %v and %v", rows, err)
	}
	if _, err := tab.Number(1, 1); err == nil || !strings.HasSuffix(err.Error(), `a.csv:3: column acc: expected a finite number, found "x"`) {
		t.Errorf("found %v", err)
	}
	if _, err := tab.Column("speed"); err == nil || !strings.HasSuffix(err.Error(), `a.csv: expected a column among class, acc, found "speed"`) {
		t.Errorf("found %v", err)
	}
	missing, _ := genotype.Parse(strings.Replace(one, "avg_pool_3x3", "none", 1))
	if _, err := tab.Find(missing); err == nil || !strings.Contains(err.Error(), "there is no row of the genotype |nor_conv_3x3~0|") {
		t.Errorf("found %v", err)
	}
}

// A record whose fields do not match the heading is left out, and told.
func TestRagged(t *testing.T) {
	tab, err := Read(file(t, "a.csv", "genotype,x,y\n"+other+",1,2\n"+one+",1\n"+one+",1,2,3\n"+one+",5,6\n"), GenotypeColumn)
	if err != nil {
		t.Fatal(err)
	}
	if len(tab.Rows) != 2 || tab.Rows[1].Line != 5 {
		t.Errorf("found rows %v", tab.Rows)
	}
	if w := tab.Warning(); !strings.HasSuffix(w, "a.csv: 2 of 4 records left out, which have not as many fields as the heading, the first on line 3") {
		t.Errorf("found %q", w)
	}
	if _, err := Read(file(t, "a.csv", "x,genotype\n1\n"), GenotypeColumn); err == nil || !strings.HasSuffix(err.Error(), "a.csv:2: expected 2 fields, found 1") {
		t.Errorf("a record without a genotype: found %v", err)
	}
}

// A ragged record has the cells of the first row of its class, and a row behind the others.
func TestFill(t *testing.T) {
	third := strings.Replace(one, "nor_conv_3x3", "nor_conv_1x1", 1)
	tab, err := Read(file(t, "a.csv", "genotype,class,y\n"+third+",7\n"+other+",7,2\n"+one+",7,3\n"), GenotypeColumn)
	if err != nil {
		t.Fatal(err)
	}
	if err := tab.Fill("speed"); err == nil || !strings.Contains(err.Error(), `expected a column among class, y, found "speed"`) {
		t.Errorf("found %v", err)
	}
	if err := tab.Fill("y"); err == nil || !strings.HasSuffix(err.Error(), "a.csv:2: expected 3 fields, or a y that a row of so many has, found 2") {
		t.Errorf("found %v", err)
	}
	if err := tab.Fill("class"); err != nil {
		t.Fatal(err)
	}
	g, _ := genotype.Parse(third)
	row, err := tab.Find(g)
	if err != nil || row != 2 || tab.Warning() != "" {
		t.Fatalf("found row %d, %v and %q", row, err, tab.Warning())
	}
	if v, err := tab.Number(row, 1); err != nil || v != 2 {
		t.Errorf("found %v and %v", v, err)
	}
}

func TestWhere(t *testing.T) {
	tab, err := Read(file(t, "a.csv", "genotype,class,y\n"+one+",-1,2\n"+other+",4,2.5\n"+one+",7,x\n"), GenotypeColumn)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		text string
		want []int
	}{
		{"class%2==1", []int{0, 2}}, {"class % 2 == 0", []int{1}}, {"class==4", []int{1}}, {"class<5", []int{0, 1}}, {"class<-1e3", nil},
	} {
		condition, err := ParseCondition(c.text)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := tab.Where(tab.All(), condition)
		if !slices.Equal(rows, c.want) || (err != nil) != (c.want == nil) {
			t.Errorf("%s: found %v and %v, expected %v", c.text, rows, err, c.want)
		}
	}
	for text, want := range map[string]string{"y%2==0": `a.csv:3: column y: expected an integer, found "2.5"`, "y==1": `a.csv:4: column y: expected a finite number, found "x"`, "z==1": "expected a column among class, y"} {
		condition, err := ParseCondition(text)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tab.Where(tab.All(), condition); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: found %v", text, err)
		}
	}
	for _, text := range []string{"", "class", "class%0==0", "class=1", "class==x", "class>1", "class%2<1", "class==nan", "class==1 y"} {
		if _, err := ParseCondition(text); err == nil || err.Error() != "expected COLUMN%N==K, COLUMN==V or COLUMN<V, found \""+text+"\"" {
			t.Errorf("%q: found %v", text, err)
		}
	}
}

const darts = `"normal": [["sep_conv_3x3", 1], ["skip_connect", 0]], "normal_concat": [2], "reduce": [["max_pool_3x3", 0], ["max_pool_3x3", 1]], "reduce_concat": [2]`

// The three ways in which a line gives its genotype, and columns that some lines lack.
func TestLines(t *testing.T) {
	text := `Genotype(normal=[('skip_connect', 0), ('sep_conv_3x3', 1)], normal_concat=[2], reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1)], reduce_concat=[2])`
	tab, err := Read(file(t, "a.jsonl", `{"seed": 1, `+darts+`, "acc": 41.5}
{"genotype": "`+text+`", "note": "a \"b\"", "list": [1]}

{"genotype": {`+darts+`}, "acc": 3, "seed": null}
`), GenotypeColumn)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(tab.Columns, []string{"seed", "acc", "note"}) {
		t.Errorf("found columns %q", tab.Columns)
	}
	want := [][]string{{"1", "41.5", ""}, {"", "", `a "b"`}, {"", "3", ""}}
	for i, r := range tab.Rows {
		if !slices.Equal(r.Cells, want[i]) {
			t.Errorf("row %d: found %q, expected %q", i, r.Cells, want[i])
		}
		if Key(r.Genotype) != Key(tab.Rows[0].Genotype) {
			t.Errorf("row %d: found %s, expected the architecture of row 0, %s", i, r.Genotype, tab.Rows[0].Genotype)
		}
	}
	if tab.Rows[2].Line != 4 {
		t.Errorf("found line %d, expected 4", tab.Rows[2].Line)
	}
	if tab.Rows[0].Genotype.String() == tab.Rows[1].Genotype.String() {
		t.Error("a key changed the genotype that it is of")
	}
}

func TestReadErrors(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"a.csv", "", "a.csv: expected a heading, found an empty file"},
		{"a.csv", "x,y\n", `a.csv:1: expected a column genotype, found ["x" "y"]`},
		{"a.csv", "genotype,x,x\n", `a.csv:1: column "x" is given twice`},
		{"a.csv", "genotype,x\n", "a.csv: expected one genotype or more, found none"},
		{"a.csv", "genotype\n|fly~0|\n", "a.csv:2: genotype: "},
		{"a.jsonl", "[1]\n", `a.jsonl:1: expected a JSON object, found "[1]"`},
		{"a.jsonl", `{"genotype": 3}`, "a.jsonl:1: genotype: after 1 bytes: value: expected an object, found number"},
		{"a.jsonl", `{"seed": 3}`, `a.jsonl:1: expected a key genotype or a genotype: missing key "normal"`},
		{"a.jsonl", `{"genotype": "` + one + `"} x`, `a.jsonl:1: expected the end of the line, found " x"`},
		{"a.jsonl", `{"genotype": "` + one + `"`, "a.jsonl:1: EOF"},
	} {
		_, err := Read(file(t, c.name, c.text), GenotypeColumn)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s %q: expected %q, found %v", c.name, c.text, c.want, err)
		}
	}
	if _, err := Read(t.TempDir(), GenotypeColumn); err == nil || !strings.Contains(err.Error(), "expected a file, found a folder") {
		t.Errorf("a folder: found %v", err)
	}
}

func TestDraw(t *testing.T) {
	rows := []int{3, 5, 7, 9}
	all, err := Draw(rows, 4, 1)
	if err != nil {
		t.Fatal(err)
	}
	two, err := Draw(rows, 2, 1)
	if err != nil || !slices.Equal(two, all[:2]) {
		t.Errorf("found %v and %v, expected a prefix of %v", two, err, all)
	}
	slices.Sort(all)
	if !slices.Equal(all, rows) {
		t.Errorf("found %v, expected each of %v once", all, rows)
	}
	if _, err := Draw(rows, 5, 1); err == nil || err.Error() != "expected 1 to 4 rows to draw, found 5" {
		t.Errorf("found %v", err)
	}
}
