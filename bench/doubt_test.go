package bench

import (
	"slices"
	"strings"
	"testing"

	"rnas/bench/adapt"
	"rnas/bench/report"
	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/compiler/program"
	"rnas/export"
	"rnas/internal/tensor"
	"rnas/runtime/ort"
	"rnas/runtime/ort/orttest"
)

// kinds lists the kinds of flags.
func kinds(flags []report.Flag) (list []report.FlagKind) {
	for _, f := range flags {
		list = append(list, f.Kind)
	}
	return list
}

// A model that sees its batch is flagged; without attacks too.
func TestMates(t *testing.T) {
	d := images(40, classes, 0, 255)
	o := options(t, "clean")
	d.Labels = predictions(t, o, d, save(t, "bare", -1, convnet))
	m := run(t, o, d, save(t, "bare", -1, convnet)).Models[0]
	if len(m.Doubts) != 0 {
		t.Errorf("found %v", m.Doubts)
	}
	path := save(t, "batch", -1, func(b op.B, x *ir.Value) *ir.Value {
		z := convnet(b, x)
		return b.Sub(z, b.Scale(b.ReduceMean(z, true, 0), 0.25))
	})
	m = run(t, o, d, path).Models[0]
	if len(m.Doubts) == 0 || m.Doubts[0].Kind != report.FlagMates || !strings.HasPrefix(m.Doubts[0].Detail, "logits of 40 of 40 images differ") {
		t.Errorf("found %v", m.Doubts)
	}
	if w := m.Warnings(); len(w) == 0 || !slices.Equal(w[0].Where, []string{"all figures"}) {
		t.Errorf("found %+v", w)
	}
}

// A model that takes other pixels than it is given guesses; the flag line that mends it is found. With it, the figures are those of the model
// that it was made of, attacks included.
func TestReadings(t *testing.T) {
	d := images(60, classes, 0, 255)
	o := options(t, "fgsm,pgd2")
	bare := save(t, "bare", -1, convnet)
	d.Labels = predictions(t, o, d, bare)
	want := run(t, o, d, bare).Models[0]
	for _, c := range []struct {
		line  string
		flags adapt.Flags
		wrap  func(b op.B, x *ir.Value) *ir.Value
	}{
		{"--pixels 0..255", adapt.Flags{Pixels: adapt.Byte}, func(b op.B, x *ir.Value) *ir.Value { return b.Scale(x, 1./255) }},
		{"--pixels -1..1", adapt.Flags{Pixels: adapt.Signed}, func(b op.B, x *ir.Value) *ir.Value {
			return b.Scale(b.Add(x, b.Float(x, 1)), 0.5)
		}},
	} {
		path := save(t, "other", -1, func(b op.B, x *ir.Value) *ir.Value { return convnet(b, c.wrap(b, x)) })
		m := run(t, o, d, path).Models[0]
		i := slices.Index(kinds(m.Doubts), report.FlagReading)
		if m.Clean.Correct == 60 || i >= 0 && !strings.HasPrefix(m.Doubts[i].Detail, c.line+" gives 100.0% of 60 images instead of ") || i < 0 && c.flags.Pixels == adapt.Byte {
			t.Errorf("%s: %d right, flags %v", c.line, m.Clean.Correct, m.Doubts)
		}
		with := o
		with.Model = c.flags
		m = run(t, with, d, path).Models[0]
		if m.Clean != want.Clean || m.WorstCase != want.WorstCase || len(m.Adapter) != 1 || len(m.Doubts) != 0 {
			t.Errorf("%s: expected %v and %v, found %v, %v, %v, %v", c.line, want.Clean, want.WorstCase, m.Clean, m.WorstCase, m.Adapter, m.Doubts)
		}
	}
}

// A square root at 0 hides no gradient that reaches the pixels by other ways, and is named.
func TestLostNumbers(t *testing.T) {
	d := images(30, classes, 0, 200)
	o := options(t, "pgd2")
	plain := save(t, "plain", -1, convnet)
	d.Labels = predictions(t, o, d, plain)
	want := run(t, o, d, plain).Models[0]
	root := save(t, "root", -1, func(b op.B, x *ir.Value) *ir.Value {
		over := b.Relu(b.Sub(x, b.Float(x, 1)))
		return b.Add(convnet(b, x), b.Reshape(b.Sqrt(b.ReduceSum(b.Mul(over, over), false, 1, 2, 3)), -1, 1))
	})
	m := run(t, o, d, root).Models[0]
	i := slices.Index(kinds(m.Attacks[0].Flags), report.FlagNaNGradient)
	if i < 0 || m.Attacks[0].Flags[i].Detail != "first at Sqrt/Sqrt (Sqrt), at 30 of 30 images" {
		t.Errorf("found %v", m.Attacks[0].Flags)
	}
	if m.Attacks[0].Robust != want.Attacks[0].Robust {
		t.Errorf("expected %v, found %v", want.Attacks[0].Robust, m.Attacks[0].Robust)
	}
}

// The gradient of Dropout in training mode is the mask that the forward pass drew, scaled: y = x dy/dx in every element.
func TestDropoutGradient(t *testing.T) {
	orttest.Open(t)
	b := op.NewB("dropout")
	x := b.Input("x", ir.Float32, 4, 25)
	b.Output("y", b.One("Dropout", nil, x, b.Const("ratio", tensor.Scalar[float32](0.25)), b.Const("training", tensor.Scalar(true))))
	g, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	if err := (program.Derivative{Loss: program.OutputLoss}).Append(g); err != nil {
		t.Fatal(err)
	}
	bytes, err := export.Marshal(g, export.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := ort.NewSession(bytes, ort.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	values, ones := make([]float32, 100), make([]float32, 100)
	for i := range values {
		values[i], ones[i] = float32(i+1), 1
	}
	out, err := s.RunAlloc([]*tensor.Tensor{tensor.Of([]int64{4, 25}, values...), tensor.Of([]int64{4, 25}, ones...)})
	if err != nil {
		t.Fatal(err)
	}
	dropped := 0
	for i, y := range out[0].Float32s() {
		d := out[2].Float32s()[i]
		if d == 0 {
			dropped++
		}
		if diff := y - values[i]*d; diff > 1e-4*values[i] || -diff > 1e-4*values[i] {
			t.Fatalf("element %d: %v of %v, gradient %v", i, y, values[i], d)
		}
	}
	if dropped == 0 || dropped == 100 {
		t.Errorf("%d of 100 elements dropped", dropped)
	}
}
