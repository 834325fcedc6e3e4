package genotype_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"rnas/genotype"
)

const (
	oneNode  = "Genotype(normal=[('none', 0), ('none', 1)], normal_concat=[2], reduce=[('none', 0), ('none', 1)], reduce_concat=[2])"
	oneNodeJ = `{"normal": [["none", 0], ["none", 1]], "normal_concat": [2], "reduce": [["none", 0], ["none", 1]], "reduce_concat": [2]}`
)

func TestParseAcceptsVariants(t *testing.T) {
	want, err := genotype.Parse(oneNode)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		"  " + oneNode + "\n",
		strings.ReplaceAll(oneNode, "'", `"`),
		strings.ReplaceAll(oneNode, " ", ""),
		strings.ReplaceAll(oneNode, " ", "\n\t"),
		strings.ReplaceAll(oneNode, "[2]", "range(2, 3)"),
		strings.ReplaceAll(oneNode, "[2]", "(2,)"),
		strings.ReplaceAll(oneNode, "('none', 0)", "['none', 0]"),
		strings.ReplaceAll(oneNode, ")]", "),]"),
		strings.Replace(oneNode, "[2])", "[2],)", 1),
		"# found at epoch 50\n" + oneNode + " # end",
		"Genotype(reduce_concat=[2], normal_concat=[2], reduce=[('none', 0), ('none', 1)], normal=[('none', 0), ('none', 1)])",
		oneNodeJ,
		"\n" + strings.Replace(oneNodeJ, "{", `{"seed": 3, "accuracy": [0.5, null], `, 1) + "\n",
	} {
		g, err := genotype.Parse(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if !reflect.DeepEqual(g, want) {
			t.Errorf("%s parses as %s", text, g)
		}
	}
	want.Name = "MY_cell2"
	for _, text := range []string{"MY_cell2 = " + oneNode, strings.Replace(oneNodeJ, "{", `{"name": "MY_cell2", `, 1)} {
		if g, err := genotype.Parse(text); err != nil || !reflect.DeepEqual(g, want) {
			t.Errorf("%s parses as %q %s, error %v", text, g.Name, g, err)
		}
	}
}

var parseErrors = []struct{ name, text, want string }{
	{
		"empty", "",
		"offset 0: expected Genotype(...), an assignment of it, or a JSON object, found the end of the text",
	},
	{
		"other call", "x = Cell(1)",
		`offset 4: expected Genotype(...), an assignment of it, or a JSON object, found "Cell"`,
	},
	{
		"not text", "\xff\xfe",
		`offset 0: expected Genotype(...), an assignment of it, or a JSON object, found "�"`,
	},
	{"no bracket", "Genotype", `offset 8: expected "(", found the end of the text`},
	{"cut", oneNode[:40], `offset 40: expected ")", found the end of the text`},
	{
		"no keywords", "Genotype([], [])",
		`offset 9: expected normal, normal_concat, reduce or reduce_concat, found "["`,
	},
	{
		"unknown keyword", "Genotype(normals=[])",
		`offset 9: expected normal, normal_concat, reduce or reduce_concat, found "normals"`,
	},
	{"keyword twice", "Genotype(normal=[], normal=[])", "offset 20: keyword normal given twice"},
	{"missing keyword", "Genotype(normal=[], reduce=[])", "offset 30: missing keyword normal_concat"},
	{"no value", "Genotype(normal)", `offset 15: expected "=", found ")"`},
	{"not a list", "Genotype(normal=None)", `offset 16: expected a list or a tuple, found "None"`},
	{"edge is not a pair", "Genotype(normal=['none'])", `offset 17: expected a list or a tuple, found "'"`},
	{"mixed brackets", "Genotype(normal=[('none', 0]])", `offset 27: expected ")", found "]"`},
	{"bare primitive", "Genotype(normal=[(none, 0)])", `offset 18: expected a quoted primitive, found "none"`},
	{"open string", "Genotype(normal=[('none, 0)])", "offset 18: string has no closing quote"},
	{"float state", "Genotype(normal=[('none', 0.5)])", `offset 27: expected ")", found "."`},
	{"no state", "Genotype(normal=[('none', -)])", `offset 26: expected an integer, found "-"`},
	{
		"huge state", "Genotype(normal=[('none', 99999999999999999999)])",
		"offset 26: integer 99999999999999999999 does not fit 32 bits",
	},
	{
		"huge range", strings.Replace(oneNode, "[2]", "range(2, 2000000000)", 1),
		"offset 77: range(2, 2000000000) has more states than the text has edges",
	},
	{"range of one bound", strings.Replace(oneNode, "[2]", "range(3)", 1), `offset 65: expected ",", found ")"`},
	{
		"trailing text", oneNode + "\n" + oneNode,
		`offset 117: expected the end of the text, found "Genotype"`,
	},
	{
		"invalid genotype", strings.Replace(oneNode, "1)]", "2)]", 1),
		"normal cell: edge 1: input state 2, expected 0 to 1 for node state 2",
	},

	{"json cut", `{"normal": [`, "after 12 bytes: unexpected end of JSON input"},
	{"json syntax", `{"normal": x}`, "after 12 bytes: invalid character 'x' looking for beginning of value"},
	{"json lines", "{}\n{}", "after 4 bytes: invalid character '{' after top-level value"},
	{"json of nothing", "{}", `missing key "normal"`},
	{
		"json without concat", strings.Replace(oneNodeJ, "reduce_concat", "concat", 1),
		`missing key "reduce_concat"`,
	},
	{"json name", `{"name": 3}`, `after 10 bytes: key "name": expected a string, found number`},
	{"json cell", `{"normal": "none"}`, `after 17 bytes: key "normal": expected a list, found string`},
	{
		"json concat", `{"normal_concat": [2.5]}`,
		`after 22 bytes: key "normal_concat": expected an integer, found number 2.5`,
	},
	{
		"json edge", strings.Replace(oneNodeJ, `["none", 1]]`, "[\"none\",\n 1, 2]]", 1),
		`normal cell: edge 1: expected ["primitive", state], found ["none", 1, 2]`,
	},
	{
		"json edge order", strings.Replace(oneNodeJ, `["none", 1]], "reduce_concat"`, `[1, "none"]], "reduce_concat"`, 1),
		`reduce cell: edge 1: expected ["primitive", state], found [1, "none"]`,
	},
	{
		"json concat of an input", strings.Replace(oneNodeJ, "[2]", "[0]", 1),
		"normal cell: concat entry 0: state 0, expected a node state, 2 to 2",
	},
}

func TestParseErrors(t *testing.T) {
	for _, test := range parseErrors {
		t.Run(test.name, func(t *testing.T) {
			g, err := genotype.Parse(test.text)
			checkError(t, err, test.want)
			if !reflect.DeepEqual(g, genotype.Genotype{}) {
				t.Errorf("error with genotype %s, expected an empty one", g)
			}
		})
	}
}

func TestUnmarshalJSONNeedsObject(t *testing.T) {
	var g genotype.Genotype
	checkError(t, json.Unmarshal([]byte("[1]"), &g), "after 1 bytes: value: expected an object, found array")
}

func FuzzParse(f *testing.F) {
	f.Add(bench)
	for _, e := range genotype.Zoo() {
		f.Add(e.Genotype.String())
	}
	f.Add("A = " + strings.ReplaceAll(oneNode, "[2]", "range(2, 3)"))
	f.Add(strings.Replace(oneNodeJ, "{", `{"name": "\ud800", "extra": {}, `, 1))
	f.Fuzz(func(t *testing.T, text string) {
		g, err := genotype.Parse(text)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("error of several lines: %q", err)
			}
			return
		}
		if err := g.Validate(); err != nil {
			t.Fatalf("parsed genotype is invalid: %v", err)
		}
		checkRoundTrip(t, g)
	})
}

// checkRoundTrip checks that both written forms parse to g.
func checkRoundTrip(t *testing.T, g genotype.Genotype) {
	t.Helper()
	data, err := json.Marshal(g)
	if err != nil {
		t.Fatal(err)
	}
	unnamed := g
	unnamed.Name = ""
	for text, want := range map[string]genotype.Genotype{string(data): g, g.String(): unnamed} {
		got, err := genotype.Parse(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if !reflect.DeepEqual(got, want) {
			t.Errorf("%s parses as %q %s", text, got.Name, got)
		}
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, spec := range []string{"zoo:darts_v2", write("a.txt", "DARTS_V2 = "+mustLookup(t, "DARTS_V2").Genotype.String())} {
		g, err := genotype.Load(spec)
		if err != nil || !reflect.DeepEqual(g, mustLookup(t, "DARTS_V2").Genotype) {
			t.Errorf("%s loads as %q %s, error %v", spec, g.Name, g, err)
		}
	}
	missing, bad := filepath.Join(dir, "missing"), write("bad.json", "{}")
	large := write("large", strings.Repeat(" ", 1<<20)+oneNode)
	for spec, want := range map[string]string{
		missing:   "genotype: open " + missing + ": no such file or directory",
		dir:       "genotype: read " + dir + ": is a directory",
		bad:       "genotype " + bad + `: missing key "normal"`,
		large:     "genotype: " + large + ": larger than 1048576 bytes, expected a single genotype",
		"zoo:rcl": `no genotype "rcl" in the zoo; the nearest names are RACL, RNAS_L and RNTK`,
	} {
		_, err := genotype.Load(spec)
		checkError(t, err, want)
	}
}
