package calibrate

import (
	"context"
	"math"
	"testing"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/dataset"
	"rnas/internal/tensor"
	"rnas/runtime/ort"
	"rnas/runtime/ort/orttest"
)

func TestParseMethod(t *testing.T) {
	for text, want := range map[string]float64{"minmax": 100, "percentile": 99.99, "percentile=99.9": 99.9, "percentile=100": 100} {
		m, err := ParseMethod(text)
		if err != nil || m.Percentile != want {
			t.Errorf("%s: found %v, %v", text, m, err)
		}
		if again, err := ParseMethod(m.String()); err != nil || again != m {
			t.Errorf("%s: %s is read as %v, %v", text, m, again, err)
		}
	}
	for _, text := range []string{"", "max", "minmax=3", "percentile=50", "percentile=101", "percentile=x", "percentile=NaN"} {
		if m, err := ParseMethod(text); err == nil {
			t.Errorf("%s: found %v, expected an error", text, m)
		}
	}
}

// ramp is a data set of one-pixel images 0, 1, ..., 255 and a model that doubles and shifts them.
func ramp(t *testing.T, batch int64) (*ir.Graph, *dataset.Dataset) {
	t.Helper()
	d := &dataset.Dataset{Name: "ramp", Classes: []string{"a"}, Shape: [3]int{1, 1, 1}}
	for i := range 256 {
		d.Images = append(d.Images, uint8(i))
		d.Labels = append(d.Labels, 0)
	}
	b := op.NewB("ramp")
	x := b.Input("x", ir.Float32, batch, 1, 1, 1)
	y := b.Conv(x, b.Const("w", tensor.Of[float32]([]int64{1, 1, 1, 1}, 2)), b.Const("b", tensor.Vector[float32](-0.5)), op.Same(1, 1, 1))
	b.Output("logits", b.Flatten(b.Relu(y)))
	g, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return g, d
}

func TestRanges(t *testing.T) {
	orttest.Open(t)
	for _, c := range []struct {
		batch      int64
		percentile float64
		x, relu    [2]float64
		slack      float64
	}{
		{ir.N, 100, [2]float64{0, 1}, [2]float64{0, 1.5}, 1e-6},
		{7, 100, [2]float64{0, 1}, [2]float64{0, 1.5}, 1e-6}, // 256 is no multiple of 7
		{ir.N, 80, [2]float64{0.1, 0.9}, [2]float64{0, 1.3}, 0.01},
	} {
		g, d := ramp(t, c.batch)
		r, err := Ranges(context.Background(), g, d, Method{c.percentile}, ort.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if len(r) != 2 {
			t.Errorf("ranges %v", r)
		}
		for name, want := range map[string][2]float64{"x": c.x, "Relu.out": c.relu} {
			if math.Abs(r[name].Lo-want[0]) > c.slack || math.Abs(r[name].Hi-want[1]) > c.slack {
				t.Errorf("percentile %v, %s: found %v, expected %v", c.percentile, name, r[name], want)
			}
		}
	}
}

func TestRangesRefuse(t *testing.T) {
	orttest.Open(t)
	g, d := ramp(t, ir.N)
	d.Shape = [3]int{1, 2, 2}
	if _, err := Ranges(context.Background(), g, d, Method{100}, ort.Options{}); err == nil {
		t.Error("images of another size: expected an error")
	}
	g, d = ramp(t, ir.N)
	g.Nodes[0].In[1].Const.Float32s()[0] = float32(math.Inf(1))
	if _, err := Ranges(context.Background(), g, d, Method{100}, ort.Options{}); err == nil {
		t.Error("activations that are not finite: expected an error")
	}
	g, d = ramp(t, ir.N)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Ranges(ctx, g, d, Method{100}, ort.Options{}); err == nil {
		t.Error("cancelled: expected an error")
	}
}
