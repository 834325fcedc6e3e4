package pass

import (
	"testing"

	"rnas/compiler/graphtest"
	"rnas/compiler/ir"
)

func countNodes(g *ir.Graph) (n int) {
	g.Walk(func(*ir.Node) { n++ })
	return n
}

// Passes keep what a graph computes: to rounding where they compute constants, and exactly but for sums in another
// order where they do not. Running a pipeline twice changes no more than running it once.
func TestRandomGraphs(t *testing.T) {
	for _, c := range []struct {
		name      string
		passes    []Pass
		tolerance float64
		shrink    float64 // least reduction of the number of nodes, over all graphs
	}{
		{"exact", []Pass{Identity, CSE, Dead}, 1e-12, 0.1},
		{"training", Training(), 1e-6, 0.2},
		{"inference", Inference(), 1e-5, 0.2},
	} {
		t.Run(c.name, func(t *testing.T) {
			before, after := 0, 0
			for seed := range 90 {
				original, g := graphtest.Random(t, seed), graphtest.Random(t, seed)
				if err := (Runner{Check: true}).Run(g, c.passes); err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
				graphtest.Close(t, original, g, c.tolerance)
				before += countNodes(original)
				after += countNodes(g)
				text := g.String()
				if err := (Runner{Check: true}).Run(g, c.passes); err != nil {
					t.Fatalf("seed %d: second run: %v", seed, err)
				}
				graphtest.Close(t, original, g, c.tolerance)
				if again := g.String(); len(again) > len(text) {
					t.Errorf("seed %d: a second run lengthens the graph from\n%sto\n%s", seed, text, again)
				}
			}
			t.Logf("%d nodes before, %d after", before, after)
			if float64(after) > (1-c.shrink)*float64(before) {
				t.Errorf("expected %g fewer nodes, found %d of %d", c.shrink, after, before)
			}
		})
	}
}

// Equal graphs give equal text.
func TestDeterministic(t *testing.T) {
	for seed := range 10 {
		var first string
		for range 3 {
			g := graphtest.Random(t, seed)
			if err := Run(g, Inference()); err != nil {
				t.Fatal(err)
			}
			if first == "" {
				first = g.String()
			}
			if text := g.String(); text != first {
				t.Fatalf("seed %d: found\n%s\nand\n%s", seed, first, text)
			}
		}
	}
}
