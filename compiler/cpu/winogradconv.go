package cpu

import (
	"fmt"
	"math"
	"slices"

	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

// rewriteWinograd computes a dense 3x3 convolution of stride 1 by minimal filtering, F(2x2,3x3) or F(4x4,3x3): 16 products for 4
// pixels and a pair of channels, or 36 for 16, in place of 36 or 144. Against float64 the results err by 3e-7 and 1.4e-6 of the
// largest, those of direct sums by 1.6e-7 (128 channels).
//
// Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, 2015, section 4.1.
func rewriteWinograd(b *rewriter, n *ir.Node) bool {
	x, w, y := n.In[0], n.In[1], n.Out[0]
	f := winogradOf(n, b.block)
	if f == nil || !b.steady(w) {
		return false
	}
	rows := make([]*ir.Value, len(f.b)) // of B x
	for r := range rows {
		rows[r] = b.tile(f, b.nchwc(x), 2, r)
	}
	weights := b.winogradWeights(f, w)
	products := make([][]*ir.Value, f.tile) // by row of the tile and column of B
	for s := range f.b {
		sums := b.winogradSums(f, func(r int, sum *ir.Value) *ir.Value {
			in := [4]*ir.Value{b.tile(f, rows[r], 3, s), weights[r*len(f.b)+s], nil, sum}
			return b.emit(&nchwcConv{in: in, attrs: ir.Attrs{"kernel_shape": []int64{1, 1}}})
		})
		for i, v := range sums {
			products[i] = append(products[i], v)
		}
	}
	result := make([]*ir.Value, f.tile)
	for i, row := range products {
		result[i] = b.woven(3, b.winogradSums(f, func(s int, sum *ir.Value) *ir.Value {
			if sum == nil {
				return row[s]
			}
			return b.Add(row[s], sum)
		})...)
	}
	v := b.woven(2, result...)
	if f.scale != 1 {
		shape := v.Shape
		v = b.Reshape(b.Mul(b.Reshape(v, -1, shape[2]*shape[3]*b.block), b.winogradScales(f, shape)), shape...)
	}
	v = b.cropped(v, y.Shape)
	if bias := n.Input(2); bias != nil { // a convolution takes up sums and a Relu after it
		b.record(y, &nchwc{conv: b.multiple(v, 1, bias, nil)})
		return true
	}
	b.set(y, v)
	return true
}

// winogradSums are the sums of products of a tile along an axis, without the factors scale^i. The product at 0 counts in the first
// sum, the one at infinity in the last, those at 2^k and -2^k times scale in all.
func (b *rewriter) winogradSums(f *winograd, product func(r int, sum *ir.Value) *ir.Value) []*ir.Value {
	pairs := make([][2]*ir.Value, f.tile/2) // sum and difference
	for k := range pairs {
		plus, minus := product(1+2*k, nil), product(2+2*k, nil)
		pairs[k] = [2]*ir.Value{b.Add(plus, minus), b.Sub(plus, minus)}
	}
	sums := make([]*ir.Value, f.tile)
	for i := range sums {
		v := pairs[0][i%2]
		for k, pair := range pairs[1:] {
			if i == 0 {
				v = b.Add(v, pair[0])
			} else {
				v = b.emit(b.multiple(pair[i%2], float32(math.Pow(2, float64((k+1)*i))), nil, v))
			}
		}
		switch i {
		case 0:
			v = product(0, v)
		case len(sums) - 1:
			v = product(len(f.b)-1, v)
		}
		sums[i] = v
	}
	return sums
}

// multiple is a tensor in NCHWc times a factor, plus a bias per channel and another tensor, either of which may be nil.
func (b *rewriter) multiple(x *ir.Value, factor float32, bias, sum *ir.Value) *nchwcConv {
	c := x.Shape[1]
	w := b.Const("factor", tensor.Of([]int64{c, 1, 1, 1}, slices.Repeat([]float32{factor}, int(c))...))
	return &nchwcConv{in: [4]*ir.Value{x, b.weight(w), bias, sum}, attrs: ir.Attrs{"kernel_shape": []int64{1, 1}, "group": c}}
}

// winogradScales are the factors scale^(i+j) of the pixels at i, j of their tiles, for one block of channels of the shape.
func (b *rewriter) winogradScales(f *winograd, shape ir.Shape) *ir.Value {
	scales := make([]float32, 0, shape[2]*shape[3]*b.block)
	for i := range shape[2] {
		for j := range shape[3] {
			scale := float32(math.Pow(f.scale, float64(i%f.tile+j%f.tile)))
			scales = append(scales, slices.Repeat([]float32{scale}, int(b.block))...)
		}
	}
	return b.Const("scales", tensor.Of([]int64{int64(len(scales))}, scales...))
}

// steady reports whether v is the same in all steps of the loop that is being rewritten, or a constant.
func (b *rewriter) steady(v *ir.Value) bool {
	return v.IsConst() || b.outer != nil && !b.local[v]
}

// tile is row r of B times the tiles of a tensor in NCHWc along an axis, padded by 1. Neighbours are m apart at the begin of every
// tile.
func (b *rewriter) tile(f *winograd, x *ir.Value, axis, r int) *ir.Value {
	row, c, size := f.b[r], x.Shape[1], x.Shape[axis]
	from, step := 0, 1
	for row[from] == 0 {
		from++
	}
	for row[len(row)-1] == 0 {
		row = row[:len(row)-1]
	}
	if row[from+1] == 0 { // every second one
		step = 2
	}
	var taps []float32
	for k := from; k < len(row); k += step {
		taps = append(taps, float32(row[k]))
	}
	kernel, strides, dilations, pads := []int64{1, 1}, []int64{1, 1}, []int64{1, 1}, make([]int64, 4)
	kernel[axis-2], strides[axis-2], dilations[axis-2] = int64(len(taps)), f.tile, int64(step)
	last := (size - 1) / f.tile * f.tile
	pads[axis-2], pads[axis] = 1-int64(from), last+int64(len(row))-1-size
	w := b.Const("tile", tensor.Of([]int64{c, 1, kernel[0], kernel[1]}, slices.Repeat(taps, int(c))...))
	attrs := ir.Attrs{"kernel_shape": kernel, "strides": strides, "dilations": dilations, "pads": pads, "group": c}
	return b.emit(&nchwcConv{in: [4]*ir.Value{x, b.weight(w)}, attrs: attrs})
}

// winogradWeights are the elements of G w Gt over their norms, row by row, laid out.
func (b *rewriter) winogradWeights(f *winograd, w *ir.Value) []*ir.Value {
	return b.made(fmt.Sprint("winograd ", f.tile), w, func(b *rewriter) *ir.Value {
		var g, norm []float32
		for r, row := range f.g {
			for s, column := range f.g {
				norm = append(norm, float32(f.norm[r]*f.norm[s]))
				for i := range 3 {
					for j := range 3 {
						g = append(g, float32(row[i]*column[j]))
					}
				}
			}
		}
		out, in, products := w.Shape[0], w.Shape[1], int64(len(norm))
		taps := b.Transpose(b.Reshape(w, out*in, 9), 1, 0)
		all := b.MatMul(b.Const("g", tensor.Of([]int64{products, 9}, g...)), taps)
		all = b.Div(all, b.Const("norm", tensor.Of([]int64{products, 1}, norm...)))
		return b.Split(b.layOut(b.Reshape(all, products*out, in, 1, 1)), 0, slices.Repeat([]int64{out}, int(products))...)[0]
	}).Def.Out
}
