package bench

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"rnas/bench/attack"
	"rnas/bench/report"
	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/export"
	"rnas/internal/dataset"
	"rnas/internal/rng"
	"rnas/internal/tensor"
	"rnas/runtime/ort/orttest"
)

const (
	classes = 3
	height  = 6
	width   = 5
	elems   = 3 * height * width
	eps     = 8. / 255
)

// images is a data set of uniform random pixels in [lo, hi] of 255 with random labels of classes k.
func images(n, k int, lo, hi uint8) *dataset.Dataset {
	d := &dataset.Dataset{Name: "noise", Shape: [3]int{3, height, width}, Images: make([]uint8, n*elems), Labels: make([]int32, n)}
	for i := range k {
		d.Classes = append(d.Classes, fmt.Sprint("class ", i))
	}
	s := rng.New(5, rng.Synthetic, 0, 0, 0)
	for i := range d.Images {
		d.Images[i] = lo + uint8(s.IntN(int(hi-lo)+1))
	}
	for i := range d.Labels {
		d.Labels[i] = int32(s.IntN(k))
	}
	return d
}

// weights is a constant of small random numbers.
func weights(b op.B, name string, scale float32, shape ...int64) *ir.Value {
	t := tensor.Zeros(tensor.Float32, shape...)
	s := rng.New(7, rng.Init, 0, 0, len(name)+int(shape[0]))
	s.FillNormal(t.Float32s(), scale)
	return b.NamedConst(name, t)
}

// save writes a classifier of images [batch,3,H,W] made by body to a file and returns its path.
func save(t *testing.T, name string, batch int64, body func(b op.B, x *ir.Value) *ir.Value) string {
	t.Helper()
	b := op.NewB(name)
	b.Output("logits", body(b, b.Input("input", ir.Float32, batch, 3, height, width)))
	g, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), name+".onnx")
	if err := export.WriteFile(path, g, export.Options{}); err != nil {
		t.Fatal(err)
	}
	return path
}

// linear computes w x + c for w [k, elems].
func linear(k int64) func(b op.B, x *ir.Value) *ir.Value {
	return func(b op.B, x *ir.Value) *ir.Value {
		return b.Gemm(b.Flatten(x), weights(b, "w", 0.3, k, elems), weights(b, "c", 0.1, k), false, true)
	}
}

// convnet is a small network with a nonlinearity, normalisation and pooling.
func convnet(b op.B, x *ir.Value) *ir.Value {
	x = b.Relu(b.Conv(x, weights(b, "conv1", 0.3, 8, 3, 3, 3), nil, op.Same(3, 1, 1)))
	ones, zeros := b.NamedConst("one", tensor.Vector[float32](1, 2, 1, 2, 1, 2, 1, 2)), weights(b, "shift", 0.1, 8)
	x = b.BatchNorm(x, ones, zeros, zeros, ones, 1e-5)
	x = b.MaxPool(x, op.Same(3, 2, 1))
	x = b.Relu(b.Conv(x, weights(b, "conv2", 0.3, 8, 8, 3, 3), nil, op.Same(3, 1, 1)))
	return b.Gemm(b.Flatten(b.GlobalAveragePool(x)), weights(b, "fc", 1, classes, 8), weights(b, "bias", 0.1, classes), false, true)
}

func options(t *testing.T, attacks string) Options {
	t.Helper()
	orttest.Open(t)
	list, err := attack.Parse(attacks)
	if err != nil {
		t.Fatal(err)
	}
	return Options{Attacks: list, Settings: attack.Settings{Norm: "linf", Epsilon: eps, Seed: 3}, Batch: 8, Version: "test"}
}

func run(t *testing.T, o Options, data *dataset.Dataset, models ...string) *report.Result {
	t.Helper()
	r, err := Run(context.Background(), o, models, data)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
