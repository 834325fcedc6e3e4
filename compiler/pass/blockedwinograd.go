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
	if !Winograd(n, b.block) || !b.steady(w) {
		return false
	}
	var rows [4]*ir.Value // of B x
	for r := range rows {
		rows[r] = b.tile(b.blocked(x), 2, r)
	}
	// products[s] are the sums over rows of tiles of column s, for even and odd rows of the result.
	var products [2][4]*ir.Value
	for s := range 4 {
		product := func(r int, bias, sum *ir.Value) *ir.Value {
			in := [4]*ir.Value{b.tile(rows[r], 3, s), b.winogradWeight(w, 4*r+s), bias, sum}
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
	var result [2]*ir.Value
	for i, m := range products {
		result[i] = b.woven(3, b.Add(m[0], b.Add(m[1], m[2])), b.Add(m[3], b.Sub(m[1], m[2])))
	}
	b.set(y, b.cropped(b.woven(2, result[:]...), y.Shape))
	return true
}

// Winograd reports whether the pass Blocked computes n by Winograd's algorithm if its channels fill blocks and its weights stay
// the same.
func Winograd(n *ir.Node, block int64) bool {
	if n.Op != "Conv" || n.Domain != "" || n.In[0].Rank() != 4 || !n.In[0].Shape.Static() {
		return false
	}
	ones := []int64{1, 1}
	return n.Int("group", 1) == 1 && slices.Equal(n.In[1].Shape[2:], []int64{3, 3}) && slices.Equal(n.Ints("strides", ones), ones) &&
		slices.Equal(n.Ints("dilations", ones), ones) && slices.Equal(n.Ints("pads", nil), []int64{1, 1, 1, 1}) &&
		winogradPays(n.In[0].Shape, n.Out[0].Shape, block)
}

// winogradPays weighs the products saved against the transforms of tiles, which take as long as some products per channel and
// pixel: 150 measured on AVX2, with blocks of 8, and 240 on AVX-512; tiny images leave too few tiles for a matrix product.
func winogradPays(x, y ir.Shape, block int64) bool {
	high, wide := (y[2]+1)/2, (y[3]+1)/2
	in, out, tiles, transform := x[1], y[1], high*wide, int64(240)
	if block <= 8 {
		transform = 150
	}
	return tiles >= 12 && 9*in*out*y[2]*y[3] > 4*tiles*(4*in*out+transform*(in+out))
}

// steady reports whether v does not change between the steps of the loop that is being rewritten, or ever.
func (b *blocker) steady(v *ir.Value) bool {
	return v.IsConst() || b.outer != nil && !b.local[v]
}

// tile is row r of B times the tiles of a blocked tensor along an axis, padded by 1: four neighbours that begin at every second one.
func (b *blocker) tile(x *ir.Value, axis, r int) *ir.Value {
	row, c, size := winogradB[r], x.Shape[1], x.Shape[axis]
	kernel, strides, dilations, pads := []int64{1, 1}, []int64{1, 1}, []int64{1, 1}, make([]int64, 4)
	kernel[axis-2], strides[axis-2], dilations[axis-2] = 2, 2, row.step
	pads[axis-2], pads[axis] = 1-row.from, (size+1)/2*2-1+row.step-size-(1-row.from)
	w := b.Const("tile", tensor.Of([]int64{c, 1, kernel[0], kernel[1]}, slices.Repeat([]float32{row.first, row.second}, int(c))...))
	attrs := ir.Attrs{"kernel_shape": kernel, "strides": strides, "dilations": dilations, "pads": pads, "group": c}
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
