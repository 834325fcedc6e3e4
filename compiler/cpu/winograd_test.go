package cpu

import (
	"math"
	"testing"

	"rnas/compiler/ir"
)

// The matrices give the convolution with three taps.
func TestWinogradMatrices(t *testing.T) {
	w := []float64{0.3, -1.1, 0.7}
	for _, f := range winograds {
		n := int(f.tile) + 2
		x, products := make([]float64, n), make([]float64, n)
		for k := range x {
			x[k] = math.Sin(float64(3*k + 1))
		}
		for r := range products {
			var gw, bx float64
			for k, c := range f.g[r] {
				gw += c * w[k]
			}
			for k, c := range f.b[r] {
				bx += c * x[k]
			}
			products[r] = gw * bx / f.norm[r]
		}
		for i := range n - 2 {
			want := w[0]*x[i] + w[1]*x[i+1] + w[2]*x[i+2]
			var got float64
			for r, p := range products {
				point := math.Pow(2, float64((r-1)/2)) * f.scale * []float64{-1, 1}[r%2]
				switch {
				case r == 0 && i == 0:
					got += p
				case r == n-1 && i == n-3:
					got += p * math.Pow(f.scale, float64(i))
				case r > 0 && r < n-1:
					got += p * math.Pow(point, float64(i))
				}
			}
			if math.Abs(got-want) > 1e-12 {
				t.Errorf("F(%d,3), neighbour %d: found %v, expected %v", f.tile, i, got, want)
			}
		}
	}
}

func TestWinogradTile(t *testing.T) {
	for _, c := range []struct{ in, out, high, wide, block, want int64 }{
		{64, 64, 56, 56, 16, 0},
		{64, 64, 56, 56, 8, 4},
		{32, 32, 56, 56, 8, 0},
		{128, 128, 28, 28, 16, 4},
		{128, 64, 28, 28, 16, 0},
		{512, 512, 7, 7, 16, 2},
		{512, 512, 4, 4, 8, 0},
	} {
		var tile int64
		if f := cheapest(ir.Shape{8, c.in, c.high, c.wide}, ir.Shape{8, c.out, c.high, c.wide}, c.block); f != nil {
			tile = f.tile
		}
		if tile != c.want {
			t.Errorf("%+v: found %d", c, tile)
		}
	}
}
