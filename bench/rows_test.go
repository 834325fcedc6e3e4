package bench

import (
	"math"
	"testing"

	"rnas/bench/adapt"
	"rnas/internal/dataset"
	"rnas/internal/rng"
	"rnas/runtime/ort"
	"rnas/runtime/ort/orttest"
)

// TestRows has logits in equal bits whether images come one, seven or all at a time, of a network of matrix products.
func TestRows(t *testing.T) {
	orttest.Open(t)
	const points, side, labels = 28, 32, 10
	d := &dataset.Dataset{
		Name: "noise", Shape: [3]int{3, side, side}, Images: make([]uint8, points*3*side*side), Labels: make([]int32, points),
		Classes: make([]string, labels),
	}
	s := rng.New(5, rng.Synthetic, 0, 0, 0)
	for i := range d.Images {
		d.Images[i] = uint8(s.IntN(256))
	}
	var want []float32
	for _, batch := range []int{points, 7, 1} {
		m, err := openModel("../testdata/models/mixer-n.ts.onnx", d, batch, adapt.Flags{}, ort.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		var got []float32
		images := make([]float32, m.batch*3*side*side)
		for first := 0; first < points; first += batch {
			index := make([]int, batch)
			for i := range index {
				index[i] = first + i
			}
			d.Fill(images, make([]int64, m.batch), index, dataset.Augment{}, 0, 0)
			logits, err := m.logits(images)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, logits[:batch*labels]...)
		}
		if want == nil {
			want = got
		}
		for i := range want {
			if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
				t.Fatalf("batch %d: logit %d is %v, in one batch %v", batch, i, got[i], want[i])
			}
		}
	}
}
