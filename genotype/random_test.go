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

func TestRandomIsValid(t *testing.T) {
	source := splitMix(1)
	for nodes := 1; nodes <= 7; nodes++ {
		for range 100 {
			g := genotype.Random(&source, nodes, genotype.DARTSPrimitives)
			if err := g.Validate(); err != nil {
				t.Fatal(err)
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
	first := genotype.Random(&a, 4, genotype.DARTSPrimitives)
	if again := genotype.Random(&b, 4, genotype.DARTSPrimitives); !reflect.DeepEqual(first, again) {
		t.Errorf("one seed, two genotypes:\n%s\n%s", first, again)
	}
	if other := genotype.Random(&c, 4, genotype.DARTSPrimitives); reflect.DeepEqual(first, other) {
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
		g := genotype.Random(&source, nodes, genotype.DARTSPrimitives)
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
	g := genotype.Random(&source, 1, three)
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
		"no nodes":      func() { genotype.Random(new(splitMix), 0, genotype.DARTSPrimitives) },
		"no primitives": func() { genotype.Random(new(splitMix), 4, []genotype.Primitive{genotype.None}) },
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
