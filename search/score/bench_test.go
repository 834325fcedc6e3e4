package score

import (
	"context"
	"testing"

	"rnas/genotype"
	"rnas/internal/dataset"
	"rnas/internal/rng"
	"rnas/runtime/ort"
	"rnas/runtime/ort/orttest"
)

// BenchmarkCell scores a cell of NAS-Bench-201 at the default size on images of 16x16 pixels.
func BenchmarkCell(b *testing.B) {
	orttest.Open(b)
	d := &dataset.Dataset{Name: "noise", Classes: make([]string, 10), Shape: [3]int{3, 16, 16}, Images: make([]uint8, 64*768), Labels: make([]int32, 64)}
	s := rng.New(1, rng.Synthetic, 0, 0, 0)
	for i := range d.Images {
		d.Images[i] = uint8(s.Uint32())
	}
	g := []genotype.Genotype{parsed(b, "|nor_conv_3x3~0|+|nor_conv_1x1~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_1x1~1|nor_conv_3x3~2|")}
	for _, c := range []struct {
		name   string
		scores []string
	}{
		{"initial", []string{"combined", "snip", "grad-norm", "swap", "noise-kl", "fgsm-kl"}},
		{"bare", []string{"synflow", "croze"}},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				_, err := Run(context.Background(), Default(c.scores...), &dataset.Splits{Train: d, Test: d}, g, Options{Jobs: 1, Runtime: ort.Options{Threads: 1}})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
