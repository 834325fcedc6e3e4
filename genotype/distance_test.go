package genotype

import (
	"slices"
	"testing"

	"rnas/internal/rng"
)

func zoo(t *testing.T, name string) Genotype {
	t.Helper()
	e, err := Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	return e.Genotype
}

// renumbered is the cell with two neighbouring nodes in exchanged order; neither reads the other.
func renumbered(t *testing.T, c Cell, node int) Cell {
	t.Helper()
	out := Cell{Concat: c.Concat}
	first, middle := c.Node(node)
	_, end := c.Node(node + 1)
	name := map[int]int{Inputs + node: Inputs + node + 1, Inputs + node + 1: Inputs + node}
	for _, e := range slices.Concat(c.Edges[:first], c.Edges[middle:end], c.Edges[first:middle], c.Edges[end:]) {
		if to, ok := name[e.From]; ok {
			e.From = to
		}
		out.Edges = append(out.Edges, e)
	}
	if err := out.validate(); err != nil {
		t.Fatal(err)
	}
	return out
}

// The order of nodes that do not read each other is no difference; an operation and an input are one each.
func TestDistanceMatchesNodes(t *testing.T) {
	g := zoo(t, "DARTS_V2")
	same := g
	same.Normal = renumbered(t, g.Normal, 0)
	if slices.Equal(same.Normal.Edges, g.Normal.Edges) {
		t.Fatal("the order of edges is the same")
	}
	one, two := same, same
	one.Normal.Edges = slices.Clone(same.Normal.Edges)
	one.Normal.Edges[0].Op = Conv7x1_1x7
	two.Normal.Edges = slices.Clone(one.Normal.Edges)
	two.Reduce.Edges = slices.Clone(g.Reduce.Edges)
	two.Reduce.Edges[2] = Edge{SepConv7x7, 0}
	for want, other := range []Genotype{same, one, two} {
		if differ, edges, ok := Distance(g, other); differ != want || edges != 16 || !ok {
			t.Errorf("expected %d of 16, found %d of %d, %v", want, differ, edges, ok)
		}
	}
}

// Counted by hand; forms and numbers of nodes that do not match.
func TestDistanceByHand(t *testing.T) {
	a, err := Parse("Genotype(normal=[('sep_conv_3x3', 0), ('skip_connect', 1)], normal_concat=[2], reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 0)], reduce_concat=[2])")
	if err != nil {
		t.Fatal(err)
	}
	b, err := Parse("Genotype(normal=[('skip_connect', 1), ('sep_conv_3x3', 1)], normal_concat=[2], reduce=[('max_pool_3x3', 0), ('skip_connect', 0)], reduce_concat=[2])")
	if err != nil {
		t.Fatal(err)
	}
	if differ, edges, ok := Distance(a, b); differ != 2 || edges != 4 || !ok {
		t.Errorf("expected 2 of 4, found %d of %d, %v", differ, edges, ok)
	}
	for _, other := range []string{"NASNet", "ARNAS", "RobNet_free"} {
		if _, _, ok := Distance(zoo(t, "DARTS_V2"), zoo(t, other)); ok {
			t.Errorf("%s: expected nothing to match", other)
		}
	}
	x, y := Genotype{Form: NASBench201, Edges: slices.Repeat([]Primitive{None}, 6)}, Genotype{Form: NASBench201, Edges: slices.Repeat([]Primitive{None}, 6)}
	y.Edges[4] = SkipConnect
	if differ, edges, ok := Distance(x, y); differ != 1 || edges != 6 || !ok {
		t.Errorf("expected 1 of 6, found %d of %d, %v", differ, edges, ok)
	}
}

// A distance is symmetric, 0 to oneself alike, and keeps the triangle inequality, on random genotypes.
func TestDistanceIsAMetric(t *testing.T) {
	s := rng.New(1, rng.Architecture, 0, 0, 0)
	space := Space{Nodes: 3, Primitives: []Primitive{SkipConnect, SepConv3x3}}
	d := func(a, b Genotype) int {
		differ, _, ok := Distance(a, b)
		if !ok {
			t.Fatal("nothing to match")
		}
		return differ
	}
	for range 50 {
		a, b, c := space.Random(&s), space.Random(&s), space.Random(&s)
		if d(a, a) != 0 || d(a, b) != d(b, a) || d(a, c) > d(a, b)+d(b, c) {
			t.Fatalf("%s\n%s\n%s: distances %d %d %d %d", a, b, c, d(a, b), d(b, a), d(b, c), d(a, c))
		}
	}
}

func TestNearest(t *testing.T) {
	near := Nearest(zoo(t, "DARTS_V2"), 3)
	if len(near) != 3 || near[0].Name != "DARTS_V2" || near[0].Differ != 0 || near[0].Edges != 16 || near[1].Differ > near[2].Differ {
		t.Errorf("found %+v", near)
	}
	if near := Nearest(Genotype{Form: NASBench201, Edges: slices.Repeat([]Primitive{None}, 6)}, 3); len(near) != 0 {
		t.Errorf("found %+v", near)
	}
}
