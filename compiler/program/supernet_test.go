package program_test

import (
	"fmt"
	"slices"
	"testing"

	"rnas/compiler/lower"
	"rnas/compiler/program"
	"rnas/genotype"
	"rnas/internal/rng"
	"rnas/internal/tensor"
)

func namedSpace(t testing.TB, name string) genotype.Space {
	t.Helper()
	s, err := genotype.LookupSpace(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A supernet whose softmax is decided gives the logits of the network of that genotype with the same weights, where the scales of
// the latter's cells are 1 and their biases 0. In the form DARTS the genotype has all edges, which EdgesPerNode allows.
func TestSupernetDecided(t *testing.T) {
	bench := lower.Supernet{
		Macro: lower.Macro{Channels: 4, Layers: 3, Classes: 5, Height: 8, Width: 8, Depth: 3}, Space: namedSpace(t, "nas-bench-201"),
	}
	darts := bench
	darts.Space = genotype.Space{Nodes: 3, EdgesPerNode: 4, Primitives: []genotype.Primitive{genotype.SepConv3x3, genotype.SkipConnect, genotype.DilConv5x5}}
	source := rng.New(5, rng.Architecture, 0, 0, 0)
	for range 4 {
		g := bench.Random(&source)
		testDecided(t, bench, g, [][]genotype.Primitive{g.Edges}, func(name string) (cell, k int, in string, part string) {
			if n, _ := fmt.Sscanf(name, "cells.%d.layers.%d.%s", &cell, &k, &part); n < 3 {
				return 0, -1, "", ""
			}
			return cell, k, "edges." + []string{"1<-0", "2<-0", "2<-1", "3<-0", "3<-1", "3<-2"}[k], part
		})
		g = darts.Random(&source)
		var ops [][]genotype.Primitive
		for _, c := range g.Cells() {
			var cell []genotype.Primitive
			for _, e := range c.Cell.Edges {
				cell = append(cell, e.Op)
			}
			ops = append(ops, cell)
		}
		testDecided(t, darts, g, ops, func(name string) (cell, k int, in string, part string) {
			if n, _ := fmt.Sscanf(name, "cells.%d._ops.%d.%s", &cell, &k, &part); n < 3 {
				return 0, -1, "", ""
			}
			return cell, k, fmt.Sprintf("_ops.%d._ops", k), part
		})
	}
}

// testDecided compares both networks. ops are the operations of all edges by kind of cell; place tells, of a parameter of an edge, its
// cell, the number of the edge (-1 for other parameters), the name of the edge in the supernet, and the rest of the name.
func testDecided(t *testing.T, super lower.Supernet, g genotype.Genotype, ops [][]genotype.Primitive, place func(name string) (cell, k int, in, part string)) {
	t.Helper()
	const batch = 3
	want, net := evaluate(t, lower.Evaluation{Macro: super.Macro, Genotype: g}, batch, nil)
	alphas := tensor.Zeros(tensor.Float32, super.AlphaShape()...)
	for row, op := range slices.Concat(ops...) {
		alphas.Float32s()[row*len(super.Primitives)+slices.Index(super.Primitives, op)] = 1e4
	}
	got, _ := evaluate(t, super, batch, func(l *program.Layout, in map[string]*tensor.Tensor) {
		in["alphas"], in["images"] = alphas, net.in["images"]
		copied := 0
		for _, s := range append(net.layout.Params, net.layout.Stats...) {
			name := s.Name
			if cell, k, edge, part := place(name); k >= 0 {
				kind := 0
				if len(ops) > 1 && super.Reduces(cell) {
					kind = 1
				}
				name = fmt.Sprintf("cells.%d.%s.%d.%s", cell, edge, slices.Index(super.Primitives, ops[kind][k]), part)
			}
			slot := l.Slot(name)
			if slot == nil {
				if s.Kind != lower.NormScale && s.Kind != lower.NormBias {
					t.Fatalf("no %s in the supernet", name)
				}
				continue
			}
			from := net.layout.Tensor(s, net.in["params"].Float32s(), net.in["stats"].Float32s())
			copied += copy(l.Tensor(*slot, in["params"].Float32s(), in["stats"].Float32s()).Float32s(), from.Float32s())
		}
		if copied == 0 {
			t.Error("the networks share no parameter")
		}
	})
	if d, scale := maxDiff(t, got, want); d > 1e-9*max(scale, 1) {
		t.Errorf("%s: logits differ by %.2g (largest %.2g)", g, d, scale)
	}
}

// evaluated is what a network was evaluated on.
type evaluated struct {
	layout *program.Layout
	in     map[string]*tensor.Tensor
}

// evaluate gives the logits of a network in the float64 interpreter, on inputs that change may change.
func evaluate(t *testing.T, n lower.Network, batch int, change func(l *program.Layout, in map[string]*tensor.Tensor)) (*tensor.Tensor, evaluated) {
	t.Helper()
	l, err := program.NewLayout(n)
	if err != nil {
		t.Fatal(err)
	}
	p, err := program.Eval(n, l, batch)
	if err != nil {
		t.Fatal(err)
	}
	in := inputs(t, p, l, n.Skeleton().Classes)
	if change != nil {
		change(l, in)
	}
	return runInterpreter(t, p, in)["logits"], evaluated{l, in}
}

// Both steps of a search in the other spaces give the same results on ONNX Runtime as in the float64 interpreter.
func TestSupernetEnginesAgree(t *testing.T) {
	macro := lower.Macro{Channels: 8, Layers: 3, Classes: 5, Height: 16, Width: 16, Depth: 3}
	for name, super := range map[string]lower.Supernet{
		"nas-bench-201":    {Macro: macro, Space: namedSpace(t, "nas-bench-201")},
		"partial channels": {Macro: macro, Space: genotype.Space{Nodes: 2, Primitives: genotype.DARTSPrimitives}, Partial: 4, EdgeNorm: true},
		"edge weights":     {Macro: macro, Space: genotype.Space{Nodes: 2, Primitives: genotype.DARTSPrimitives}, EdgeNorm: true},
	} {
		noisy := program.Level{Reg: program.KL, Perturb: program.NoiseExamples}
		s := program.Search{
			Net: super, Batch: 3, Alpha: noisy, Weight: noisy, SGD: program.SGD{Momentum: 0.9, WeightDecay: 3e-4, Clip: 5},
			Adam: program.Adam{LR: 3e-4, Beta1: 0.5, Beta2: 0.999, Epsilon: 1e-8, WeightDecay: 1e-3},
		}
		for level, compile := range map[string]func(*program.Layout) (*program.Program, error){"weights": s.Weights, "alphas": s.Alphas} {
			t.Run(name+"/"+level, func(t *testing.T) {
				l, err := program.NewLayout(super)
				if err != nil {
					t.Fatal(err)
				}
				p, err := compile(l)
				if err != nil {
					t.Fatal(err)
				}
				in := inputs(t, p, l, macro.Classes)
				want, got := runInterpreter(t, p, in), runSearch(t, p, in)
				for _, v := range p.Graph.Outputs {
					if d, scale := maxDiff(t, got[v.Name], want[v.Name]); d > 2e-5*max(scale, 1) {
						t.Errorf("%s differs by %.2g (largest entry %.2g)", v.Name, d, scale)
					}
				}
			})
		}
	}
}
