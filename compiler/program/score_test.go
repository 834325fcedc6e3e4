package program

import (
	"math"
	"testing"

	"rnas/compiler/interp"
	"rnas/compiler/lower"
	"rnas/genotype"
	"rnas/internal/rng"
	"rnas/internal/tensor"
)

// A probe in the interpreter: its gradients are those of finite differences of its own loss, and features have the lengths and the
// order of the layers.
func TestProbeGradients(t *testing.T) {
	g, err := genotype.Parse("|nor_conv_3x3~0|+|none~0|nor_conv_1x1~1|+|skip_connect~0|none~1|avg_pool_3x3~2|")
	if err != nil {
		t.Fatal(err)
	}
	net := lower.Evaluation{Macro: lower.Macro{Channels: 2, Layers: 3, Classes: 3, Height: 4, Width: 4, Depth: 1}, Genotype: g}
	l, err := NewLayout(net)
	if err != nil {
		t.Fatal(err)
	}
	for _, bare := range []bool{false, true} {
		p, layers, err := Probe{Net: net, Batch: 2, Bare: bare, Codes: true, Features: true}.Compile(l)
		if err != nil {
			t.Fatal(err)
		}
		params, stats := l.Init(1)
		in := map[string]*tensor.Tensor{
			"images": tensor.Zeros(tensor.Float64, 2, 1, 4, 4), "labels": tensor.Vector[int64](0, 2), "ce": tensor.Vector(0.5), "sum": tensor.Vector(2.),
			Params: tensor.Zeros(tensor.Float64, l.ParamLen), Stats: tensor.Vector(stats...),
		}
		s := rng.New(2, rng.Probe, 0, 0, 0)
		for i := range in["images"].Data.([]float64) {
			in["images"].Data.([]float64)[i] = s.Float64()
		}
		for i, v := range params {
			in[Params].Data.([]float64)[i] = float64(v)
		}
		run := func() map[string]*tensor.Tensor {
			out, err := interp.Run(p.Graph, in)
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		out := run()
		if n := len(out["features"].Data.([]float64)); int64(n) != layers[len(layers)-1].Offset+layers[len(layers)-1].Len {
			t.Errorf("found %d features of the layers %v", n, layers)
		}
		checkDirection(t, in, out, run, Params)
		checkDirection(t, in, out, run, "images")
		if first, last := layers[0].Weight.Name, layers[len(layers)-1].Weight.Name; first != "stem.0.weight" || last != "classifier.weight" {
			t.Errorf("found the layers %s to %s", first, last)
		}
	}
}

// checkDirection compares the gradient along a random direction with the central difference of 0.5*CE + 2*sum(logits).
func checkDirection(t *testing.T, in, out map[string]*tensor.Tensor, run func() map[string]*tensor.Tensor, name string) {
	t.Helper()
	x, g := in[name].Data.([]float64), out["gradient."+name].Data.([]float64)
	direction := make([]float64, len(x))
	s := rng.New(3, rng.Probe, 0, 0, 0)
	want := 0.0
	for i := range direction {
		direction[i] = s.NormFloat64()
		want += direction[i] * g[i]
	}
	const h = 1e-6
	at := func(step float64) float64 {
		for i, d := range direction {
			x[i] += step * d
		}
		defer func() {
			for i, d := range direction {
				x[i] -= step * d
			}
		}()
		logits := run()["logits"].Data.([]float64)
		sum := 0.0
		for _, v := range logits {
			sum += v
		}
		labels := in["labels"].Int64s()
		return 0.5*(crossEntropyOf(logits[:3], labels[0])+crossEntropyOf(logits[3:], labels[1]))/2 + 2*sum
	}
	if got := (at(h) - at(-h)) / (2 * h); math.Abs(got-want) > 1e-5*math.Abs(want) {
		t.Errorf("gradient of %s: found %v, by differences %v", name, want, got)
	}
}

func crossEntropyOf(logits []float64, label int64) float64 {
	sum := 0.0
	for _, v := range logits {
		sum += math.Exp(v - logits[label])
	}
	return math.Log(sum)
}
