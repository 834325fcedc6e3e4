package search

import (
	"math"
	"slices"
	"strings"
	"testing"

	"rnas/compiler/lower"
	"rnas/genotype"
	"rnas/internal/npy"
	"rnas/internal/rng"
	"rnas/internal/tensor"
)

func TestDerive(t *testing.T) {
	prims := []genotype.Primitive{genotype.None, genotype.SkipConnect, genotype.SepConv3x3}
	alphas := []float32{
		// normal cell: edges 0-2, 1-2, 0-3, 1-3, 2-3
		9, 1, 2, // none dominates: the others are weak
		0, 2, 1, // skip, strongest of node 2
		0, 3, 0, // strongest of node 3
		0, 0, 0,
		0, 1, 2,
		// reduction cell: ties throughout
		0, 0, 0,
		0, 0, 0,
		5, 5, 5, // equal to the others after the softmax
		0, 0, 0,
		1, 1, 1,
	}
	g, err := Derive(alphas, lower.Supernet{Space: genotype.Space{Nodes: 2, Primitives: prims}})
	if err != nil {
		t.Fatal(err)
	}
	const want = "Genotype(normal=[('skip_connect', 1), ('sep_conv_3x3', 0), ('skip_connect', 0), ('sep_conv_3x3', 2)], normal_concat=[2, 3], " +
		"reduce=[('skip_connect', 0), ('skip_connect', 1), ('skip_connect', 0), ('skip_connect', 1)], reduce_concat=[2, 3])"
	if g.String() != want {
		t.Errorf("expected %s\nfound %s", want, g)
	}
	if err := g.Validate(); err != nil {
		t.Error(err)
	}
}

func TestDeriveErrors(t *testing.T) {
	for _, c := range []struct {
		length, nodes int
		prims         []genotype.Primitive
		part          string
	}{
		{29, 2, []genotype.Primitive{genotype.None, genotype.SkipConnect, genotype.SepConv3x3}, "expected [2 5 3] values"},
		{10, 2, []genotype.Primitive{genotype.None}, "at least one besides none"},
		{0, 0, []genotype.Primitive{genotype.SkipConnect}, "nodes: "},
		{20, 2, []genotype.Primitive{genotype.SkipConnect, genotype.SkipConnect}, "given twice"},
		{20, 2, []genotype.Primitive{genotype.SkipConnect, "conv_9x9"}, `found "conv_9x9"`},
	} {
		if _, err := Derive(make([]float32, c.length), lower.Supernet{Space: genotype.Space{Nodes: c.nodes, Primitives: c.prims}}); err == nil || !strings.Contains(err.Error(), c.part) {
			t.Errorf("expected %q, found %v", c.part, err)
		}
	}
}

func TestEntropy(t *testing.T) {
	four := lower.Supernet{Space: genotype.Space{Nodes: 1, Primitives: genotype.DARTSPrimitives[:4]}}
	if got := entropy(Weights([]float32{1, 1, 1, 1, 0, 0, 0, 1000}, four)); math.Abs(got-math.Log(4)/2) > 1e-12 {
		t.Errorf("expected %v, found %v", math.Log(4)/2, got)
	}
}

// The rule comes to the target from either side, for terms of any scale, and stays within its bounds.
func TestAdjust(t *testing.T) {
	for _, c := range []struct{ start, ce, r, want float64 }{
		{1, 2, 1e-3, 0.5 * 2 / 1e-3},
		{1e5, 2, 3, 0.5 * 2 / 3},
		{1, 2, 0, maxLambda},
		{1, 2, -1e-9, maxLambda},
		{1, 1e-6, 1e6, minLambda},
		{0, 2, 1, 0.5 * 2},
	} {
		lambda := c.start
		for range 400 {
			next := adjust(lambda, c.ce, c.r, 0.5)
			if lambda >= minLambda && (next > lambda*lambdaStep*(1+1e-12) || next < lambda/lambdaStep*(1-1e-12)) {
				t.Fatalf("%+v: step from %v to %v", c, lambda, next)
			}
			lambda = next
		}
		if math.Abs(lambda-c.want) > 1e-3*c.want {
			t.Errorf("%+v: found %v", c, lambda)
		}
	}
	if adjust(3, 0, 1, 0.5) != 3 {
		t.Error("expected no change without a cross-entropy")
	}
}

// A node keeps as many edges as the space says, or one for each state before it.
func TestDeriveEdgesPerNode(t *testing.T) {
	for k, edges := range map[int]int{1: 3, 3: 8} {
		net := lower.Supernet{Space: genotype.Space{Nodes: 3, Primitives: genotype.DARTSPrimitives, EdgesPerNode: k}}
		alphas := make([]float32, 2*net.Edges()*len(net.Primitives))
		s := rng.New(9, rng.Probe, 0, 0, 0)
		s.FillNormal(alphas, 1)
		g, err := Derive(alphas, net)
		if err != nil || len(g.Reduce.Edges) != edges || !net.Contains(g) {
			t.Errorf("%d edges per node: %s, %v", k, g, err)
		}
	}
}

// The public codes of NAS-Bench-201 and PC-DARTS derive the same genotypes from the same parameters; see testdata/torch/README.md.
func TestDerivePublic(t *testing.T) {
	for file, edgeNorm := range map[string]bool{"supernet_NASBench201_C4_L3": false, "supernet_PC_DARTS_C4_L3": true} {
		arrays, err := npy.ReadNPZ("../testdata/torch/" + file + ".npz")
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]*tensor.Tensor{}
		for _, a := range arrays {
			want[a.Name] = a.Tensor
		}
		space, err := genotype.LookupSpace(map[bool]string{false: "nas-bench-201", true: "darts"}[edgeNorm])
		if err != nil {
			t.Fatal(err)
		}
		net := lower.Supernet{Space: space, EdgeNorm: edgeNorm}
		draws := int(want["alphas"].Shape[0])
		alphas, public := want["alphas"].Float32s(), want["genotypes"].Int64s()
		for i := range draws {
			each, genes := len(alphas)/draws, len(public)/draws
			g, err := Derive(alphas[i*each:(i+1)*each], net)
			if err != nil {
				t.Fatal(err)
			}
			var found []int64
			for _, p := range g.Edges {
				found = append(found, int64(slices.Index(space.Primitives, p)))
			}
			for _, c := range g.Cells() {
				for _, e := range c.Cell.Edges {
					found = append(found, int64(slices.Index(space.Primitives, e.Op)), int64(e.From))
				}
			}
			if !slices.Equal(found, public[i*genes:(i+1)*genes]) || !space.Contains(g) {
				t.Errorf("%s: draw %d: found %v, expected %v", file, i, found, public[i*genes:(i+1)*genes])
			}
		}
	}
}
