package genotype_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"rnas/genotype"
)

const bench = "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_1x1~1|none~2|"

func TestParseBench201(t *testing.T) {
	want := []genotype.Primitive{
		genotype.NorConv3x3, genotype.NorConv3x3, genotype.AvgPool3x3, genotype.SkipConnect, genotype.NorConv1x1, genotype.None,
	}
	for _, text := range []string{bench, "best = " + bench, " " + strings.ReplaceAll(bench, "|", " | ") + "\n# end", `{"form": "nb201", "cell": "` + bench + `"}`} {
		g, err := genotype.Parse(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if g.Form != genotype.NASBench201 || !reflect.DeepEqual(g.Edges, want) || g.String() != bench {
			t.Errorf("%q: found %s of form %q", text, g, g.Form)
		}
		checkRoundTrip(t, g)
	}
	if g, err := genotype.Load(bench); err != nil || g.String() != bench {
		t.Errorf("found %s, %v", g, err)
	}
}

func TestFormErrors(t *testing.T) {
	robnet, err := genotype.Lookup("RobNet_large_v1")
	if err != nil {
		t.Fatal(err)
	}
	links := robnet.Genotype.String()
	for _, c := range []struct{ text, want string }{
		{"|", "offset 1: expected an operation, found the end of the text"},
		{strings.Replace(bench, "none", "sep_conv_3x3", 1), `edge 5: unknown operation "sep_conv_3x3", expected one of none, skip_connect, nor_conv_1x1`},
		{strings.Replace(bench, "~1", "~0", 1), "expected input 1 of node 2, found 0"},
		{strings.TrimSuffix(bench, "none~2|"), "expected an operation, found the end of the text"},
		{bench + "+|none~0|", `expected the end of the text, found "+"`},
		{`{"form": "nb201"}`, `cell: offset 0: expected "|", found the end of the text`},
		{`{"form": "nb201", "cell": "` + bench + `x"}`, `cell: offset 87: expected the end of the text, found "x"`},
		{`{"form": "nb301"}`, `unknown form "nb301", expected arnas, robnet or nb201`},
		{`{"form": "robnet"}`, "no cells, expected one for each layer, or one for all"},
		{strings.Replace(links, "'10'", "'12'", 1), `cell 0: edge 8: unknown link "12", expected one of 00, 01, 10, 11`},
		{strings.Replace(links, "'10', ", "", 1), "cell 0: 13 edges, expected 14"},
		{"ARNASGenotype(normal=[])", "expected accurate, accurate_concat, reduce, reduce_concat, robust or robust_concat, found \"normal\""},
		{"Genotype(robust=[])", "expected normal, normal_concat, reduce or reduce_concat, found \"robust\""},
		{`{"form": "arnas", "accurate": [], "accurate_concat": [], "reduce": [], "reduce_concat": []}`, `missing key "robust"`},
	} {
		_, err := genotype.Parse(c.text)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: expected %q, found %v", c.text, c.want, err)
		}
	}
}

// Every form is drawn: each operation or link that is there has a label, and cells that are alike one drawing.
func TestFormDrawings(t *testing.T) {
	for _, c := range []struct {
		name, heading string
		labels        map[string]int
	}{
		{"zoo:ARNAS", "robust cell", nil},
		{bench, "the last node is the output", map[string]int{"nor_conv_3x3": 2, "avg_pool_3x3": 1, "skip_connect": 1, "nor_conv_1x1": 1, "none": 1}},
		{"zoo:RobNet_large_v1", "every cell", nil},
		{"zoo:RobNet_free", "cell 19", nil},
	} {
		g, err := genotype.Load(c.name)
		if err != nil {
			t.Fatal(err)
		}
		for extension, draw := range drawings {
			var out bytes.Buffer
			if err := draw(&out, g); err != nil {
				t.Fatal(err)
			}
			if extension == ".svg" && !strings.Contains(out.String(), c.heading) {
				t.Errorf("%s: no %q in\n%s", c.name, c.heading, out.String())
			}
			for label, want := range c.labels {
				if got := strings.Count(out.String(), map[string]string{".svg": ">" + label + "<", ".dot": `"` + label + `"`}[extension]); got != want {
					t.Errorf("%s%s: %d labels %s, expected %d", c.name, extension, got, label, want)
				}
			}
		}
	}
}

// The JSON form of the DARTS genotypes has no key of the others.
func TestFormKeys(t *testing.T) {
	data, err := json.Marshal(genotype.Zoo()[0].Genotype)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"form", "links", "cell", "robust", "accurate"} {
		if bytes.Contains(data, []byte(`"`+key+`"`)) {
			t.Errorf("found the key %s in %s", key, data)
		}
	}
}
