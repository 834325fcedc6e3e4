package program_test

import (
	"slices"
	"strings"
	"testing"

	"rnas/compiler/interp"
	"rnas/compiler/lower"
	"rnas/compiler/program"
	"rnas/internal/npy"
	"rnas/internal/tensor"
)

// Supernets of public code: logits, loss, gradient of every architecture parameter and of every weight; see testdata/torch/README.md.
func TestPublicSupernets(t *testing.T) {
	macro := lower.Macro{Channels: 4, Layers: 3, Classes: 10, Height: 16, Width: 16, Depth: 3}
	for file, net := range map[string]lower.Supernet{
		"supernet_NASBench201_C4_L3": {Macro: macro, Space: namedSpace(t, "nas-bench-201")},
		"supernet_PC_DARTS_C4_L3":    {Macro: macro, Space: namedSpace(t, "darts"), Partial: 4, EdgeNorm: true},
	} {
		for _, e := range searchEngines {
			t.Run(file+"/"+e.name, func(t *testing.T) { testPublicSupernet(t, file, net, e) })
		}
	}
}

func testPublicSupernet(t *testing.T, file string, net lower.Supernet, e engine) {
	arrays, err := npy.ReadNPZ("../../testdata/torch/" + file + ".npz")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]*tensor.Tensor{}
	for _, a := range arrays {
		want[a.Name] = a.Tensor
	}
	l, err := program.NewLayout(net)
	if err != nil {
		t.Fatal(err)
	}
	params, stats := l.Init(1)
	for _, s := range l.Params {
		from := want["param."+s.Name]
		if from == nil || !slices.Equal(from.Shape, s.Shape) {
			t.Fatalf("no parameter %s %v in the fixture", s.Name, s.Shape)
		}
		copy(l.Tensor(s, params, stats).Float32s(), from.Float32s())
		delete(want, "param."+s.Name)
	}
	for name := range want {
		if strings.HasPrefix(name, "param.") {
			t.Errorf("%s of the fixture is not in the layout", name)
		}
	}
	alphas := tensor.Of(net.AlphaShape(), want["alphas"].Float32s()[:want["grad_alphas"].Len()]...)
	zeros := func() *tensor.Tensor { return tensor.Zeros(tensor.Float32, net.AlphaShape()...) }
	in := map[string]*tensor.Tensor{
		"images": want["x"], "labels": want["y"], "lr": tensor.Vector[float32](0), "params": tensor.Vector(params...), "stats": tensor.Vector(stats...),
		"momentum": tensor.Zeros(tensor.Float32, l.ParamLen), "alphas": alphas, "adam_m": zeros(), "adam_v": zeros(), "adam_t": tensor.Vector[float32](0),
	}
	// Without momentum, decay and clipping the velocity after one step is the gradient, as is Adam's first moment with beta1 of 0.
	s := program.Search{Net: net, Batch: 4, Adam: program.Adam{LR: 1e-3, Beta2: 0.999, Epsilon: 1e-8}}
	tol := map[string]float64{"interpreter": 1e-6, "onnxruntime": 2e-5}[e.name]
	near := func(what string, got, want *tensor.Tensor) {
		t.Helper()
		if d, scale := maxDiff(t, got, want); d > tol*max(scale, 1e-2) {
			t.Errorf("%s differs by %.2g (largest entry %.2g)", what, d, scale)
		}
	}
	o := &oracle{t: t, net: net, layout: l, graphs: map[string]*interp.Program{}}
	logits := o.logits(point{params: wide(params), stats: wide(stats), alphas: alphas.Float64s()}, want["x"].Float64s())
	near("logits", tensor.FromFloat64s(tensor.Float64, want["logits"].Shape, logits), want["logits"])
	run := func(step *program.Program, err error) map[string]*tensor.Tensor {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		read := map[string]*tensor.Tensor{}
		for _, v := range step.Graph.Inputs {
			read[v.Name] = in[v.Name]
		}
		return e.run(t, step, read)
	}
	out := run(s.Alphas(l))
	near("loss", out["loss"], want["loss"])
	near("gradient of the architecture", out["adam_m.next"], want["grad_alphas"])
	velocity := run(s.Weights(l))["momentum.next"].Float64s()
	for _, slot := range l.Params {
		g := want["grad."+slot.Name]
		near("gradient of "+slot.Name, tensor.FromFloat64s(tensor.Float64, g.Shape, velocity[slot.Offset:slot.Offset+int64(g.Len())]), g)
	}
}
