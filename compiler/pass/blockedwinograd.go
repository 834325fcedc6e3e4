package pass

import (
	"fmt"
	"slices"

	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

// The matrices of F(2,3): two neighbours of a convolution with three taps are A((G w)*(B x)) of four neighbours x, where * is
// the product of elements. The last rows have the opposite sign of the paper's, so that sums need one subtraction only.
var (
	winogradG = [4][3]float32{{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}}
	winogradB = [4]winogradRow{{0, 2, 1, -1}, {1, 1, 1, 1}, {1, 1, -1, 1}, {1, 2, -1, 1}}
	// A is 1 1 1 0 and 0 1 -1 1.
)

// winogradRow is the row of B that makes first*x[from] + second*x[from+step].
type winogradRow struct {
	from, step    int64
	first, second float32
}

// blockWinograd computes a dense 3x3 convolution of stride 1 by the minimal filtering algorithm F(2x2,3x3): 16 products for
// four pixels and a pair of channels in place of 36. Its error is about twice that of the sum of products.
// Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, 2015, section 4.1.
func blockWinograd(b *blocker, n *ir.Node) bool {
	x, w, y := n.In[0], n.In[1], n.Out[0]
	if !Winograd(n) || !b.steady(w) {
		return false
	}
	// products[s] are the sums over rows of tiles of column s, for even and odd rows of the result.
	var products [2][4]*ir.Value
	for s := range 4 {
		product := func(r int, bias, sum *ir.Value) *ir.Value {
			in := [4]*ir.Value{b.tile(b.blocked(x), r, s), b.winogradWeight(w, 4*r+s), bias, sum}
			return b.emit(&blockedConv{in: in, attrs: ir.Attrs{"kernel_shape": []int64{1, 1}}})
		}
		var bias *ir.Value
		if s == 1 {
			bias = n.Input(2) // the product that counts once in all four pixels
		}
		m1, m2 := product(1, bias, nil), product(2, nil, nil)
		products[0][s] = product(0, nil, b.Add(m1, m2))
		products[1][s] = product(3, nil, b.Sub(m1, m2))
	}
	var rows [2]*ir.Value
	for i, m := range products {
		rows[i] = b.woven(3, b.Add(m[0], b.Add(m[1], m[2])), b.Add(m[3], b.Sub(m[1], m[2])))
	}
	b.set(y, b.cropped(b.woven(2, rows[:]...), y.Shape))
	return true
}

// Winograd reports whether the pass Blocked computes n by Winograd's algorithm if its channels fill blocks and its weights stay
// the same.
func Winograd(n *ir.Node) bool {
	if n.Op != "Conv" || n.Domain != "" || n.In[0].Rank() != 4 || !n.In[0].Shape.Static() {
		return false
	}
	ones := []int64{1, 1}
	return n.Int("group", 1) == 1 && slices.Equal(n.In[1].Shape[2:], []int64{3, 3}) && slices.Equal(n.Ints("strides", ones), ones) &&
		slices.Equal(n.Ints("dilations", ones), ones) && slices.Equal(n.Ints("pads", nil), []int64{1, 1, 1, 1}) &&
		winogradPays(n.In[0].Shape, n.Out[0].Shape)
}

// winogradPays weighs the products saved against the transforms of tiles, which take as long as some 240 products per channel
// and pixel, as measured on AVX-512; tiny images leave too few tiles for a matrix product.
func winogradPays(x, y ir.Shape) bool {
	high, wide := (y[2]+1)/2, (y[3]+1)/2
	in, out, tiles := x[1], y[1], high*wide
	return tiles >= 12 && 9*in*out*y[2]*y[3] > 4*tiles*(4*in*out+240*(in+out))
}

// steady reports whether v does not change between the steps of the loop that is being rewritten, or ever.
func (b *blocker) steady(v *ir.Value) bool {
	return v.IsConst() || b.outer != nil && !b.local[v]
}

// tile is element (r, s) of B x Bt for every tile of a blocked tensor, padded by 1: tiles of 4x4 pixels begin at every second one.
func (b *blocker) tile(x *ir.Value, r, s int) *ir.Value {
	axes := [2]winogradRow{winogradB[r], winogradB[s]}
	var steps, pads [2]int64
	var after [2]int64
	for i, a := range axes {
		steps[i], pads[i] = a.step, 1-a.from
		after[i] = (x.Shape[2+i]+1)/2*2 - 1 + a.step - x.Shape[2+i] - pads[i]
	}
	rows, columns := axes[0], axes[1]
	kernel := []float32{rows.first * columns.first, rows.first * columns.second, rows.second * columns.first, rows.second * columns.second}
	c := x.Shape[1]
	w := b.Const("tile", tensor.Of([]int64{c, 1, 2, 2}, slices.Repeat(kernel, int(c))...))
	attrs := ir.Attrs{
		"kernel_shape": []int64{2, 2}, "strides": []int64{2, 2}, "dilations": steps[:],
		"pads": append(pads[:], after[:]...), "group": c,
	}
	return b.emit(&blockedConv{in: [4]*ir.Value{x, b.weight(w)}, attrs: attrs})
}

// winogradWeight is element k of the 16 of G w Gt, laid out.
func (b *blocker) winogradWeight(w *ir.Value, k int) *ir.Value {
	out, in := w.Shape[0], w.Shape[1]
	return b.made(fmt.Sprint("winograd ", k), w, func(b *blocker) *ir.Value {
		all := b.made("winograd", w, func(b *blocker) *ir.Value {
			g := make([]float32, 0, 16*9)
			for r := range 4 {
				for s := range 4 {
					for i := range 3 {
						for j := range 3 {
							g = append(g, winogradG[r][i]*winogradG[s][j])
						}
					}
				}
			}
			taps := b.Transpose(b.Reshape(w, out*in, 9), 1, 0)
			return b.layOut(b.Reshape(b.MatMul(b.Const("g", tensor.Of([]int64{16, 9}, g...)), taps), 16*out, in, 1, 1))
		})
		from := int64(k) * out
		return b.Slice(all, []int64{from}, []int64{from + out}, []int64{0}, []int64{1})
	})
}
