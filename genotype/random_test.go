package genotype_test

import (
	"fmt"
	"reflect"
	"testing"

	"rnas/genotype"
)

// splitMix is the 64-bit mixer of Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014.
type splitMix uint64

func (s *splitMix) Uint32() uint32 {
	*s += 0x9e3779b97f4a7c15
	z := uint64(*s)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return uint32(z >> 32)
}

// darts is the space of DARTS with so many nodes.
func darts(nodes int) genotype.Space {
	return genotype.Space{Nodes: nodes, Primitives: genotype.DARTSPrimitives}
}

func TestRandomIsValid(t *testing.T) {
	source := splitMix(1)
	for nodes := 1; nodes <= 7; nodes++ {
		for range 100 {
			g := darts(nodes).Random(&source)
			if err := g.Validate(); err != nil {
				t.Fatal(err)
			}
			if !darts(nodes).Contains(g) || darts(nodes+1).Contains(g) {
				t.Fatalf("%s: contained in the space of %d nodes %v, of %d %v", g, nodes, darts(nodes).Contains(g), nodes+1, darts(nodes+1).Contains(g))
			}
			for _, c := range []genotype.Cell{g.Normal, g.Reduce} {
				if c.Nodes() != nodes || len(c.Concat) != nodes {
					t.Fatalf("%d nodes, %d concatenated, expected %d", c.Nodes(), len(c.Concat), nodes)
				}
				for i := 0; i < len(c.Edges); i += 2 {
					a, b := c.Edges[i], c.Edges[i+1]
					if a.From >= b.From || a.Op == genotype.None || b.Op == genotype.None {
						t.Fatalf("edges %v and %v, expected ascending inputs and no none", a, b)
					}
				}
			}
		}
	}
}

func TestRandomIsDeterministic(t *testing.T) {
	a, b, c := splitMix(5), splitMix(5), splitMix(6)
	first := darts(4).Random(&a)
	if again := darts(4).Random(&b); !reflect.DeepEqual(first, again) {
		t.Errorf("one seed, two genotypes:\n%s\n%s", first, again)
	}
	if other := darts(4).Random(&c); reflect.DeepEqual(first, other) {
		t.Errorf("two seeds, one genotype: %s", first)
	}
}

// Every pair of inputs of every node, and every primitive of every edge, must be equally frequent. The bound of each
// chi-square statistic is its mean plus six standard deviations.
func TestRandomIsUniform(t *testing.T) {
	const draws, nodes = 20000, 4
	source := splitMix(2)
	counts := map[string]map[string]int{}
	add := func(variable, value string) {
		if counts[variable] == nil {
			counts[variable] = map[string]int{}
		}
		counts[variable][value]++
	}
	for range draws {
		g := darts(nodes).Random(&source)
		for cell, c := range []genotype.Cell{g.Normal, g.Reduce} {
			for node := range nodes {
				a, b := c.Edges[2*node], c.Edges[2*node+1]
				add(fmt.Sprint("inputs ", cell, node), fmt.Sprint(a.From, b.From))
				add(fmt.Sprint("first op ", cell, node), string(a.Op))
				add(fmt.Sprint("second op ", cell, node), string(b.Op))
			}
		}
	}
	for cell := range 2 {
		for node := range nodes {
			states := genotype.Inputs + node
			checkUniform(t, counts, fmt.Sprint("inputs ", cell, node), states*(states-1)/2, draws)
			checkUniform(t, counts, fmt.Sprint("first op ", cell, node), 7, draws)
			checkUniform(t, counts, fmt.Sprint("second op ", cell, node), 7, draws)
		}
	}
}

func checkUniform(t *testing.T, counts map[string]map[string]int, variable string, values, draws int) {
	t.Helper()
	if len(counts[variable]) != values {
		t.Errorf("%s: %d values occur, expected %d", variable, len(counts[variable]), values)
	}
	expected := float64(draws) / float64(values)
	chiSquare := 0.0
	for _, n := range counts[variable] {
		chiSquare += (float64(n) - expected) * (float64(n) - expected) / expected
	}
	freedom := float64(values - 1)
	// (x-f)^2 <= 36 * 2f, the variance being 2f, for the upper side alone.
	if over := chiSquare - freedom; over > 0 && over*over > 72*freedom {
		t.Errorf("%s: chi-square %.1f with %.0f degrees of freedom: %v", variable, chiSquare, freedom, counts[variable])
	}
}

// words is a source of given words.
type words []uint32

func (w *words) Uint32() uint32 {
	first := (*w)[0]
	*w = (*w)[1:]
	return first
}

// Of the 2^32 words, 2^32 mod 3 = 1 must be drawn again for a bound of 3: the word 0, whose product has low word 0.
func TestRandomDrawsSurplusWordsAgain(t *testing.T) {
	three := []genotype.Primitive{genotype.MaxPool3x3, genotype.AvgPool3x3, genotype.SkipConnect}
	source := words{0, 0, 0, 1 << 31, 1<<32 - 1, 0, 0, 1, 1}
	g := genotype.Space{Nodes: 1, Primitives: three}.Random(&source)
	var ops []genotype.Primitive
	for _, e := range append(g.Normal.Edges, g.Reduce.Edges...) {
		ops = append(ops, e.Op)
	}
	want := []genotype.Primitive{genotype.AvgPool3x3, genotype.SkipConnect, genotype.MaxPool3x3, genotype.MaxPool3x3}
	if !reflect.DeepEqual(ops, want) || len(source) != 0 {
		t.Errorf("primitives %v with %d words left, expected %v with none", ops, len(source), want)
	}
}

func TestRandomPanicsWithoutChoice(t *testing.T) {
	for name, call := range map[string]func(){
		"no nodes": func() { darts(0).Random(new(splitMix)) },
		"no primitives": func() {
			genotype.Space{Nodes: 4, Primitives: []genotype.Primitive{genotype.None}}.Random(new(splitMix))
		},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			call()
		})
	}
}

// The draws of a seed are part of what a run is repeated by.
func TestRandomGolden(t *testing.T) {
	source := splitMix(5)
	const want = "Genotype(normal=[('avg_pool_3x3', 0), ('max_pool_3x3', 1), ('dil_conv_5x5', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 1), ('max_pool_3x3', 2), " +
		"('dil_conv_5x5', 1), ('dil_conv_5x5', 4)], normal_concat=[2, 3, 4, 5], reduce=[('avg_pool_3x3', 0), ('sep_conv_3x3', 1), ('avg_pool_3x3', 0), " +
		"('dil_conv_5x5', 2), ('dil_conv_5x5', 0), ('max_pool_3x3', 3), ('avg_pool_3x3', 2), ('avg_pool_3x3', 4)], reduce_concat=[2, 3, 4, 5])"
	if got := darts(4).Random(&source).String(); got != want {
		t.Errorf("found %s, expected %s", got, want)
	}
}

// Every operation of every edge of NAS-Bench-201 is equally frequent, "none" among them.
func TestRandomBench201IsUniform(t *testing.T) {
	const draws = 10000
	source, s := splitMix(3), space(t, "nas-bench-201")
	counts := map[string]map[string]int{}
	for range draws {
		for i, p := range s.Random(&source).Edges {
			edge := fmt.Sprint("edge ", i)
			if counts[edge] == nil {
				counts[edge] = map[string]int{}
			}
			counts[edge][string(p)]++
		}
	}
	for i := range s.Edges() {
		checkUniform(t, counts, fmt.Sprint("edge ", i), 5, draws)
	}
}

// A mutation changes one operation or one input, and nothing of the parent; every edge and both kinds occur.
func TestMutate(t *testing.T) {
	for _, name := range []string{"darts", "nas-bench-201"} {
		source, s := splitMix(4), space(t, name)
		seen := map[string]int{}
		for range 2000 {
			g := s.Random(&source)
			before := g.String()
			child := s.Mutate(&source, g)
			if g.String() != before || !s.Contains(child) {
				t.Fatalf("%s becomes %s, its child is %s", before, g, child)
			}
			var changed []string
			for i := range g.Edges {
				if g.Edges[i] != child.Edges[i] {
					changed = append(changed, fmt.Sprint("edge ", i))
				}
			}
			for c, cell := range g.Cells() {
				for i, e := range cell.Cell.Edges {
					f := child.Cells()[c].Cell.Edges[i]
					if e.Op != f.Op {
						changed = append(changed, fmt.Sprint(cell.Name, i, " operation"))
					}
					if e.From != f.From {
						changed = append(changed, fmt.Sprint(cell.Name, i, " input"))
					}
				}
			}
			if len(changed) != 1 {
				t.Fatalf("%s changes %v, expected one change", name, changed)
			}
			seen[changed[0]]++
		}
		// The two edges of a first node of DARTS cannot read anything else.
		if want := map[string]int{"darts": 2 * (8 + 6), "nas-bench-201": 6}[name]; len(seen) != want {
			t.Errorf("%s: %d kinds of change, expected %d: %v", name, len(seen), want, seen)
		}
	}
}

// Where only inputs can change, or nothing, a mutation says so by its result.
func TestMutateWithoutChoice(t *testing.T) {
	source := splitMix(6)
	for _, nodes := range []int{1, 2} {
		s := genotype.Space{Nodes: nodes, Primitives: []genotype.Primitive{genotype.SkipConnect}}
		g := s.Random(&source)
		if same := s.Mutate(&source, g).String() == g.String(); same != (nodes == 1) {
			t.Errorf("%d nodes: unchanged %v", nodes, same)
		}
	}
}
