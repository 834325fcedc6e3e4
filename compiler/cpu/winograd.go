package cpu

import (
	"math"
	"slices"

	"rnas/compiler/ir"
)

// winograd is the algorithm F(m,3) at the points 0, infinity, and 2^k and -2^k times scale for k below m/2. With m+2 neighbours x,
// it computes m neighbours of a convolution with three taps w as A((G w)*(B x)/norm), where * is the product of elements. Rows are
// in the order 0, 1, -1, 2, -2 (times scale), infinity. The columns of A are the powers 0 to m-1 of the points.
type winograd struct {
	tile  int64 // m
	scale float64
	b, g  [][]float64 // [m+2, m+2] and [m+2, 3], which float32 holds exactly, as it does products of two norms
	norm  []float64   // [m+2]
}

// At 3/4 and 3/2 results of F(4,3) err by a quarter of what they do at 1 and 2.
var winograds = []*winograd{newWinograd(2, 1), newWinograd(4, 0.75)}

// newWinograd derives the matrices by interpolation. Row p of B is the product of x-q over the other finite points q, row p of G
// the powers 0 to 2 of p, and norm p that product at p. At infinity, they are the limits of the highest powers.
func newWinograd(tile int64, scale float64) *winograd {
	f := &winograd{tile: tile, scale: scale}
	points := []float64{0}
	for k := range tile / 2 {
		p := scale * math.Pow(2, float64(k))
		points = append(points, p, -p)
	}
	for i, p := range points {
		row, norm := []float64{1}, 1.0
		for j, q := range points {
			if i != j {
				row = timesMonic(row, q)
				norm *= p - q
			}
		}
		f.b = append(f.b, append(row, 0))
		f.g, f.norm = append(f.g, []float64{1, p, p * p}), append(f.norm, norm)
	}
	all := []float64{1}
	for _, q := range points {
		all = timesMonic(all, q)
	}
	f.b = append(f.b, all)
	f.g, f.norm = append(f.g, []float64{0, 0, 1}), append(f.norm, math.Pow(scale, float64(tile-1))) // the last sum is multiplied by it
	return f
}

// timesMonic is the polynomial a, lowest power first, times x-q.
func timesMonic(a []float64, q float64) []float64 {
	out := make([]float64, len(a)+1)
	for i, c := range a {
		out[i] -= q * c
		out[i+1] += c
	}
	return out
}

// Winograd reports whether the pass NCHWc computes n by Winograd's algorithm, provided that its channels fill blocks and its
// weights stay the same.
func Winograd(n *ir.Node, block int64) bool { return winogradOf(n, block) != nil }

// winogradOf returns the algorithm for n, or nil where direct sums are cheaper or n is no 3x3 convolution of stride 1 with equal
// sizes.
func winogradOf(n *ir.Node, block int64) *winograd {
	if n.Op != "Conv" || n.Domain != "" || n.In[0].Rank() != 4 || !n.In[0].Shape.Static() {
		return nil
	}
	ones := []int64{1, 1}
	if n.Int("group", 1) == 1 && slices.Equal(n.In[1].Shape[2:], []int64{3, 3}) && slices.Equal(n.Ints("strides", ones), ones) &&
		slices.Equal(n.Ints("dilations", ones), ones) && slices.Equal(n.Ints("pads", nil), []int64{1, 1, 1, 1}) {
		return cheapest(n.In[0].Shape, n.Out[0].Shape, block)
	}
	return nil
}

// cheapest weighs the products saved against the transforms of tiles, and returns nil if direct sums are cheapest. A transform
// takes as long as some products per channel and pixel: 150 measured on AVX2, with blocks of 8, and 240 on AVX-512, for
// F(2x2,3x3), and a quarter more for F(4x4,3x3). Few tiles are too few for a matrix product.
func cheapest(x, y ir.Shape, block int64) *winograd {
	in, out, transform := x[1], y[1], int64(240)
	if block <= 8 {
		transform = 150
	}
	least, best := 9*in*out*y[2]*y[3], (*winograd)(nil)
	for _, f := range winograds {
		tiles, size := ((y[2]+f.tile-1)/f.tile)*((y[3]+f.tile-1)/f.tile), f.tile+2
		cost := tiles * (size*size*in*out + f.tile*f.tile*transform*(in+out)*(6+f.tile)/8)
		if tiles >= 12 && cost < least {
			least, best = cost, f
		}
	}
	return best
}
