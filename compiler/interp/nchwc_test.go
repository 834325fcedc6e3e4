package interp

import (
	"slices"
	"testing"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/tensor"
)

// Two blocks of two channels with two pixels: channel c of pixel p is the number 10c+p.
func TestReorder(t *testing.T) {
	b := op.NewB("g")
	x := b.Input("x", ir.Float32, 1, 4, 1, 2)
	y := b.DomainNode(op.NCHWc, "ReorderInput", ir.Attrs{op.Block: int64(2)}, 1, x)[0]
	b.Output("y", y)
	b.Output("back", b.DomainNode(op.NCHWc, "ReorderOutput", ir.Attrs{op.Block: int64(2), "channels": int64(4)}, 1, y)[0])
	last := b.Transpose(x, 0, 2, 3, 1)
	b.Output("last", b.DomainNode(op.NCHWc, "ReorderInput", ir.Attrs{op.Block: int64(2), "channels_last": int64(1)}, 1, last)[0])
	g, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	in := tensor.Of([]int64{1, 4, 1, 2}, float32(0), 1, 10, 11, 20, 21, 30, 31)
	out, err := RunOrdered(g, in)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range []int{0, 2} {
		if got, want := out[i].Float64s(), []float64{0, 10, 1, 11, 20, 30, 21, 31}; !slices.Equal(got, want) {
			t.Errorf("output %d: expected %v, found %v", i, want, got)
		}
	}
	if got := out[1].Float64s(); !slices.Equal(got, in.Float64s()) {
		t.Errorf("back: expected %v, found %v", in.Float64s(), got)
	}
}

// A dense 1x1 convolution of four channels to four: weight o,i is the number 10o+i, laid out as [o/2,i/2,i%2,o%2].
func TestNCHWcConv(t *testing.T) {
	b := op.NewB("g")
	x, w := b.Input("x", ir.Float32, 1, 4, 1, 1), b.Input("w", ir.Float32, 4, 4, 1, 1)
	sum := b.Input("sum", ir.Float32, 1, 4, 1, 1)
	b.Output("y", b.DomainNode(op.NCHWc, "Conv", ir.Attrs{op.Block: int64(2), "activation": "Relu"}, 1, x, w, nil, sum)[0])
	g, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	out, err := RunOrdered(g,
		tensor.Of([]int64{1, 4, 1, 1}, float32(0), 0, 1, 0), // picks input channel 2
		tensor.Of([]int64{4, 4, 1, 1}, float32(0), 10, 1, 11, 2, 12, 3, 13, 20, 30, 21, 31, 22, 32, 23, 33),
		tensor.Of([]int64{1, 4, 1, 1}, float32(1), -100, 0, 0.5))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := out[0].Float64s(), []float64{3, 0, 22, 32.5}; !slices.Equal(got, want) {
		t.Errorf("expected %v, found %v", want, got)
	}
}
