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

func space(t testing.TB, spec string) genotype.Space {
	t.Helper()
	s, err := genotype.LookupSpace(spec)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The JSON form of the space of DARTS holds nodes and primitives alone.
func TestSpacesAreValid(t *testing.T) {
	for _, n := range genotype.Spaces() {
		if err := n.Space.Validate(); err != nil || n.About == "" {
			t.Errorf("%s: %v", n.Name, err)
		}
		data, err := json.Marshal(n.Space)
		if err != nil {
			t.Fatal(err)
		}
		if read, err := genotype.ParseSpace(string(data)); err != nil || !reflect.DeepEqual(read, n.Space) {
			t.Errorf("%s: %s reads as %+v, %v", n.Name, data, read, err)
		}
		if n.Name == "darts" && !strings.HasPrefix(string(data), `{"nodes":4,"primitives":["none",`) {
			t.Errorf("%s: %s", n.Name, data)
		}
	}
	if darts, bench := space(t, "darts"), space(t, "nas-bench-201"); darts.Edges() != 14 || darts.Kinds() != 2 || bench.Edges() != 6 || bench.Kinds() != 1 {
		t.Errorf("%d edges of %d cells and %d of %d, expected 14 of 2 and 6 of 1", darts.Edges(), darts.Kinds(), bench.Edges(), bench.Kinds())
	}
}

func TestLookupSpace(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	got := space(t, write("space.json", `{"primitives": ["skip_connect", "sep_conv_3x3"], "nodes": 3, "edges_per_node": 2}`))
	want := genotype.Space{Nodes: 3, Primitives: []genotype.Primitive{genotype.SkipConnect, genotype.SepConv3x3}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("found %+v, expected %+v", got, want)
	}
	bad := write("bad.json", `{"nodes": 4}`)
	for spec, want := range map[string]string{
		"nasbench":         `expected darts, nas-bench-201 or a JSON file, found "nasbench"`,
		bad:                bad + ": primitives: expected at least one besides none",
		dir:                "read " + dir + ": is a directory",
		write("empty", ""): filepath.Join(dir, "empty") + ": expected a JSON object with primitives and nodes, found the end of the text",
		write("large", strings.Repeat(" ", 1<<20+1)): filepath.Join(dir, "large") + ": larger than 1048576 bytes",
	} {
		if _, err := genotype.LookupSpace(spec); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: expected %q, found %v", spec, want, err)
		}
	}
}

func TestParseSpaceErrors(t *testing.T) {
	for text, want := range map[string]string{
		`{"primitives": ["skip_connect"], "nodes": 0}`:                                       "nodes: expected at least 1 and at most 64, found 0",
		`{"primitives": ["skip_connect"], "nodes": 65}`:                                      "nodes: expected at least 1 and at most 64, found 65",
		`{"primitives": ["skip_connect"], "nodes": "4"}`:                                     `key "nodes": expected an integer, found string`,
		`{"primitives": ["conv_9x9"], "nodes": 4}`:                                           `primitives: expected some of none, skip_connect`,
		`{"primitives": ["none"], "nodes": 4}`:                                               "primitives: expected at least one besides none",
		`{"primitives": ["skip_connect", "skip_connect"], "nodes": 4}`:                       "primitives: skip_connect is given twice",
		`{"primitives": ["skip_connect"], "nodes": 4, "node": 1}`:                            `unknown key "node", expected form, nodes, primitives or edges_per_node`,
		`{"primitives": ["skip_connect"], "nodes": 4, "edges_per_node": -1}`:                 "edges_per_node: expected",
		`{"primitives": ["skip_connect"], "nodes": 4} x`:                                     "expected the end of the text",
		`{"primitives": ["skip_connect"], "nodes": 4, "form": "robnet"}`:                     `form: expected none or nb201, found "robnet"`,
		`{"primitives": ["skip_connect"], "nodes": 4, "form": "nb201"}`:                      "nodes: expected 3 in the form nb201, found 4",
		`{"primitives": ["sep_conv_3x3"], "nodes": 3, "form": "nb201"}`:                      `primitives: expected some of none, skip_connect, nor_conv_1x1, nor_conv_3x3, avg_pool_3x3, found "sep_conv_3x3"`,
		`{"primitives": ["skip_connect"], "nodes": 3, "form": "nb201", "edges_per_node": 2}`: "edges_per_node: expected none in the form nb201, found 2",
		`{"primitives": `: "found the end of the text",
		`[]`:              "expected an object, found array",
	} {
		s, err := genotype.ParseSpace(text)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: expected %q, found %v", text, want, err)
		}
		if !reflect.DeepEqual(s, genotype.Space{}) {
			t.Errorf("%s: error with the space %+v", text, s)
		}
	}
}

func TestSpaceContains(t *testing.T) {
	darts, bench := space(t, "darts"), space(t, "nas-bench-201")
	for _, c := range []struct {
		space genotype.Space
		text  string
		want  bool
	}{
		{darts, mustLookup(t, "DARTS_V2").Genotype.String(), true},
		{darts, mustLookup(t, "NASNet").Genotype.String(), false},                // five nodes
		{darts, mustLookup(t, "ARNAS").Genotype.String(), false},                 // another form
		{genotype.Space{Nodes: 1, Primitives: darts.Primitives}, oneNode, false}, // none on an edge
		{genotype.Space{Nodes: 1, Primitives: darts.Primitives}, strings.ReplaceAll(oneNode, "none", "skip_connect"), true},
		{genotype.Space{Nodes: 1, Primitives: darts.Primitives}, sameInput, false},
		{bench, text201, true},
		{genotype.Space{Form: genotype.NASBench201, Nodes: 3, Primitives: []genotype.Primitive{genotype.SkipConnect}}, text201, false},
		{darts, text201, false},
	} {
		g, err := genotype.Parse(c.text)
		if err != nil {
			t.Fatal(err)
		}
		if c.space.Contains(g) != c.want {
			t.Errorf("%s in %+v: %v, expected %v", g, c.space, !c.want, c.want)
		}
	}
}

const (
	text201   = "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_1x1~1|none~2|"
	sameInput = "Genotype(normal=[('skip_connect', 1), ('skip_connect', 1)], normal_concat=[2], reduce=[('skip_connect', 0), ('skip_connect', 1)], reduce_concat=[2])"
)

func FuzzSpace(f *testing.F) {
	for _, s := range genotype.Spaces() {
		data, err := json.Marshal(s.Space)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(data))
	}
	f.Add(`{"primitives": ["skip_connect", "none"], "nodes": 1, "edges_per_node": 2}`)
	f.Add(`{"primitives": ["skip_connect", "sep_conv_3x3"], "nodes": 3, "edges_per_node": 3}`)
	f.Add(`{"primitives": ["skip_connect"], "nodes": 1, "edges_per_node": 1}`)
	f.Add("{\"a\nb\": 1}")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := genotype.ParseSpace(text)
		if err != nil {
			if message := err.Error(); strings.Contains(message, "\n") || len(message) > 300 {
				t.Errorf("error of %d bytes: %q", len(message), message)
			}
			return
		}
		source := splitMix(1)
		if g := s.Random(&source); !s.Contains(g) || !s.Contains(s.Mutate(&source, g)) {
			t.Errorf("%s: %+v does not contain what it draws, %s", text, s, g)
		}
		checkRoundTrip(t, s.Random(&source))
		data, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := genotype.ParseSpace(string(data)); err != nil || !reflect.DeepEqual(s, again) {
			t.Errorf("%s reads as %+v, written and read again %+v, %v", text, s, again, err)
		}
	})
}

// A node has as many edges as the space says, or one for each state before it; the number stands in text and JSON where it is not
// two, and two that is written out is read.
func TestEdgesPerNode(t *testing.T) {
	for k, edges := range map[int]int{1: 4, 2: 8, 3: 11, 4: 13, 5: 14} {
		source := splitMix(7)
		s := darts(4)
		s.EdgesPerNode = k
		g := s.Random(&source)
		text := g.String()
		if len(g.Normal.Edges) != edges || g.Normal.Nodes() != 4 || !s.Contains(g) || darts(4).Contains(g) != (k == 2) {
			t.Errorf("%d edges per node: %s of %d nodes, expected %d edges", k, g, g.Normal.Nodes(), edges)
		}
		if strings.Contains(text, "edges_per_node") != (k != 2) {
			t.Errorf("%d edges per node: %s", k, text)
		}
		checkRoundTrip(t, g)
		for range 100 {
			g = s.Mutate(&source, g)
		}
		if !s.Contains(g) {
			t.Errorf("%d edges per node: 100 mutations lead to %s", k, g)
		}
		for extension, draw := range drawings {
			var out strings.Builder
			if err := draw(&out, g); err != nil {
				t.Fatal(err)
			}
			labels := 0
			for _, p := range genotype.DARTSPrimitives {
				labels += strings.Count(out.String(), map[string]string{".svg": ">" + string(p) + "<", ".dot": `"` + string(p) + `"`}[extension])
			}
			if labels != 2*edges {
				t.Errorf("%d edges per node: %d labels in the drawing %s, expected %d", k, labels, extension, 2*edges)
			}
		}
	}
	g, err := genotype.Parse(strings.TrimSuffix(oneNode, ")") + ", edges_per_node=2)")
	if err != nil || g.String() != oneNode {
		t.Errorf("found %s, %v", g, err)
	}
	for _, k := range []string{"-1", "3", "99"} {
		_, err := genotype.Parse(strings.TrimSuffix(oneNode, ")") + ", edges_per_node=" + k + ")")
		if (err == nil) != (k == "3") {
			t.Errorf("edges_per_node=%s: %v", k, err)
		}
	}
}
