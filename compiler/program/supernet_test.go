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

func namedSpace(t *testing.T, name string) genotype.Space {
	t.Helper()
	s, err := genotype.LookupSpace(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A supernet of NAS-Bench-201 whose softmax is decided gives the logits of the network of that genotype with the same weights,
// where the scales of the latter's cells are 1 and their biases 0.
func TestBench201SupernetDecided(t *testing.T) {
	macro := lower.Macro{Channels: 4, Layers: 3, Classes: 5, Height: 8, Width: 8, Depth: 3}
	super := lower.Supernet{Macro: macro, Space: namedSpace(t, "nas-bench-201")}
	const batch = 3
	source := rng.New(5, rng.Architecture, 0, 0, 0)
	for range 5 {
		g := super.Random(&source)
		net := lower.Evaluation{Macro: macro, Genotype: g}
		want, wantIn := evaluate(t, net, batch, nil)
		alphas := tensor.Zeros(tensor.Float32, super.AlphaShape()...)
		names := map[string]string{} // of a layer of the network, its name in the supernet
		for k, op := range g.Edges {
			p := slices.Index(super.Primitives, op)
			alphas.Float32s()[k*len(super.Primitives)+p] = 1e4
			ends := []string{"1<-0", "2<-0", "2<-1", "3<-0", "3<-1", "3<-2"}[k]
			for cell := range 5 {
				for _, part := range []string{"op.1.weight", "op.2.running_mean", "op.2.running_var"} {
					names[fmt.Sprintf("cells.%d.layers.%d.%s", cell, k, part)] = fmt.Sprintf("cells.%d.edges.%s.%d.%s", cell, ends, p, part)
				}
			}
		}
		got, _ := evaluate(t, super, batch, func(l *program.Layout, in map[string]*tensor.Tensor) {
			in["alphas"], in["images"] = alphas, wantIn.in["images"]
			for _, s := range append(wantIn.layout.Params, wantIn.layout.Stats...) {
				name := s.Name
				if names[name] != "" {
					name = names[name]
				}
				slot := l.Slot(name)
				if slot == nil {
					continue // scales and biases of cells
				}
				from := wantIn.layout.Tensor(s, wantIn.in["params"].Float32s(), wantIn.in["stats"].Float32s())
				copy(l.Tensor(*slot, in["params"].Float32s(), in["stats"].Float32s()).Float32s(), from.Float32s())
			}
		})
		if d, scale := maxDiff(t, got, want); d > 1e-9*max(scale, 1) {
			t.Errorf("%s: logits differ by %.2g (largest %.2g)", g, d, scale)
		}
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
				want, got := runInterpreter(t, p, in), runRuntime(t, p, in)
				for _, v := range p.Graph.Outputs {
					if d, scale := maxDiff(t, got[v.Name], want[v.Name]); d > 2e-5*max(scale, 1) {
						t.Errorf("%s differs by %.2g (largest entry %.2g)", v.Name, d, scale)
					}
				}
			})
		}
	}
}
