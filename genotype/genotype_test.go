package genotype_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"

	"rnas/genotype"
)

func TestValidateErrors(t *testing.T) {
	const known = "none, skip_connect, max_pool_3x3, avg_pool_3x3, sep_conv_3x3, sep_conv_5x5, sep_conv_7x7, " +
		"dil_conv_3x3, dil_conv_5x5, conv_7x1_1x7"
	for _, test := range []struct {
		name  string
		spoil func(g *genotype.Genotype)
		want  string
	}{
		{"valid", func(*genotype.Genotype) {}, ""},
		{"concat may repeat and miss nodes", func(g *genotype.Genotype) { g.Normal.Concat = []int{3, 3} }, ""},
		{"equal inputs of a node", func(g *genotype.Genotype) { g.Normal.Edges[1].From = 0 }, ""},
		{
			"empty cell", func(g *genotype.Genotype) { g.Normal.Edges = nil },
			"normal cell: no edges, expected two per node",
		},
		{
			"odd edges", func(g *genotype.Genotype) { g.Reduce.Edges = g.Reduce.Edges[:3] },
			"reduce cell: 3 edges, expected an even number, two per node",
		},
		{
			"unknown primitive", func(g *genotype.Genotype) { g.Reduce.Edges[2].Op = "conv_9x9" },
			`reduce cell: edge 2: unknown primitive "conv_9x9", expected one of ` + known,
		},
		{
			"no primitive", func(g *genotype.Genotype) { g.Normal.Edges[0].Op = "" },
			`normal cell: edge 0: unknown primitive "", expected one of ` + known,
		},
		{
			"input from its own node", func(g *genotype.Genotype) { g.Normal.Edges[3].From = 3 },
			"normal cell: edge 3: input state 3, expected 0 to 2 for node state 3",
		},
		{
			"negative input", func(g *genotype.Genotype) { g.Reduce.Edges[0].From = -1 },
			"reduce cell: edge 0: input state -1, expected 0 to 1 for node state 2",
		},
		{
			"empty concat", func(g *genotype.Genotype) { g.Normal.Concat = nil },
			"normal cell: empty concat, expected at least one node",
		},
		{
			"concat of an input", func(g *genotype.Genotype) { g.Normal.Concat = []int{2, 1} },
			"normal cell: concat entry 1: state 1, expected a node state, 2 to 3",
		},
		{
			"concat past the end", func(g *genotype.Genotype) { g.Reduce.Concat[0] = 4 },
			"reduce cell: concat entry 0: state 4, expected a node state, 2 to 3",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			g := genotype.Genotype{Normal: smallCell(), Reduce: smallCell()}
			test.spoil(&g)
			checkError(t, g.Validate(), test.want)
		})
	}
}

// smallCell returns a valid cell of two nodes.
func smallCell() genotype.Cell {
	return genotype.Cell{
		Edges: []genotype.Edge{
			{Op: genotype.SepConv3x3, From: 0},
			{Op: genotype.SkipConnect, From: 1},
			{Op: genotype.None, From: 2},
			{Op: genotype.DilConv5x5, From: 1},
		},
		Concat: []int{2, 3},
	}
}

// checkError compares the text of err with want, where the empty text stands for no error.
func checkError(t *testing.T, err error, want string) {
	t.Helper()
	got := ""
	if err != nil {
		got = err.Error()
	}
	if got != want {
		t.Errorf("error\n\t%s\nexpected\n\t%s", got, want)
	}
}

func TestTextAndJSONForms(t *testing.T) {
	g := genotype.Genotype{Name: "small", Normal: smallCell(), Reduce: smallCell()}
	const edges = "[('sep_conv_3x3', 0), ('skip_connect', 1), ('none', 2), ('dil_conv_5x5', 1)]"
	text := "Genotype(normal=" + edges + ", normal_concat=[2, 3], reduce=" + edges + ", reduce_concat=[2, 3])"
	if g.String() != text {
		t.Errorf("text form\n\t%s\nexpected\n\t%s", g, text)
	}
	const pairs = `[["sep_conv_3x3",0],["skip_connect",1],["none",2],["dil_conv_5x5",1]]`
	object := `{"name":"small","normal":` + pairs + `,"normal_concat":[2,3],"reduce":` + pairs + `,"reduce_concat":[2,3]}`
	data, err := json.Marshal(g)
	if err != nil {
		t.Fatal(err)
	}
	if string(data) != object {
		t.Errorf("json form\n\t%s\nexpected\n\t%s", data, object)
	}
}

func TestMarshalJSONRejectsInvalidGenotype(t *testing.T) {
	if data, err := json.Marshal(genotype.Genotype{}); err == nil {
		t.Errorf("an empty genotype marshals to %s, expected an error", data)
	}
}

func TestPrimitiveLists(t *testing.T) {
	all := genotype.Primitives()
	if len(all) != 10 || len(genotype.DARTSPrimitives) != 8 {
		t.Errorf("%d primitives and %d of DARTS, expected 10 and 8", len(all), len(genotype.DARTSPrimitives))
	}
	for _, p := range genotype.DARTSPrimitives {
		if !slices.Contains(all, p) {
			t.Errorf("DARTS primitive %s is not among Primitives", p)
		}
	}
	all[0] = "changed"
	if reflect.DeepEqual(all, genotype.Primitives()) {
		t.Error("a caller of Primitives can change the list of the package")
	}
}
