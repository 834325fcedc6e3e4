package cpu

import (
	"fmt"
	"slices"

	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

// phased is a tensor twice as wide and high as its parts, which are values or convolutions. Its pixel (2i+r, 2j+s) is pixel (i, j)
// of part [r][s], or 0 where that is nil. The last row and column may be missing.
type phased [2][2]*nchwc

// later defers the emission of c.
func (b *rewriter) later(c *nchwcConv) *nchwc {
	c.scope = b.Scope()
	return &nchwc{conv: c}
}

// part emits a part.
func (b *rewriter) part(f *nchwc) *ir.Value {
	if f.value == nil {
		f.value = b.emit(f.conv)
	}
	return f.value
}

// interleaved emits p, with its last row and column.
func (b *rewriter) interleaved(p *phased) *ir.Value {
	var parts [2][2]*ir.Value
	var shape ir.Shape
	for r, row := range p {
		for s, f := range row {
			if f != nil {
				parts[r][s] = b.part(f)
				shape = parts[r][s].Shape
			}
		}
	}
	var rows [2]*ir.Value
	for r, row := range parts {
		if row[0] == nil && row[1] == nil {
			rows[r] = b.zeros(shape[0], shape[1], shape[2], 2*shape[3])
			continue
		}
		for s, v := range row {
			if v == nil {
				row[s] = b.zeros(shape...)
			}
		}
		rows[r] = b.woven(3, row[:]...)
	}
	return b.woven(2, rows[:]...)
}

// zeros is a constant, one per shape in the whole graph.
func (b *rewriter) zeros(shape ...int64) *ir.Value {
	key := fmt.Sprint(shape)
	if b.blank[key] == nil {
		b.blank[key] = b.Const("zeros", tensor.Zeros(ir.Float32, shape...))
	}
	return b.blank[key]
}

// lone returns the phases of v if they are not interleaved yet and v has one use, or nil.
func (b *rewriter) lone(v *ir.Value) *phased {
	f := b.known[v]
	if f == nil || f.phases == nil || f.value != nil || b.uses[v] != 1 {
		return nil
	}
	return f.phases
}

// weave adds up, phase by phase, the terms of a sum that are in phases. One convolution absorbs another, and nothing is added
// where one of them is 0. The sum becomes the last of the terms.
func (b *rewriter) weave(terms []*ir.Value) []*ir.Value {
	var rest []*ir.Value
	var both *ir.Value
	sum := &phased{}
	for _, v := range terms {
		p := b.lone(v)
		if p == nil {
			rest = append(rest, v)
			continue
		}
		for r, row := range p {
			for s, f := range row {
				sum[r][s] = b.plus(sum[r][s], f)
			}
		}
		both = &ir.Value{Name: v.Name, Type: v.Type, Shape: v.Shape}
	}
	if both == nil {
		return terms
	}
	b.known[both] = &nchwc{phases: sum}
	return append(rest, both)
}

// plus adds two parts, neither of which has another use. Either may be nil.
func (b *rewriter) plus(f, g *nchwc) *nchwc {
	if f == nil {
		return g
	}
	if g == nil {
		return f
	}
	open := func(f *nchwc) bool { return f.value == nil && f.conv.in[3] == nil }
	if !open(f) {
		f, g = g, f
	}
	if !open(f) {
		return &nchwc{value: b.Add(b.part(f), b.part(g))}
	}
	f.conv.in[3] = b.part(g)
	return f
}

// shift records that v is f moved down and right by one pixel, and reports whether it is. In f, only the first phase is not 0.
func (b *rewriter) shift(f *nchwc, v *ir.Value, pads []int64) bool {
	p := f.phases
	if p == nil || f.value != nil || !slices.Equal(pads, []int64{0, 0, 1, 1, 0, 0, 0, 0}) || *p != (phased{{p[0][0]}}) {
		return false
	}
	first := p[0][0]
	shape := b.part(first).Shape // f may have other users
	if v.Shape[2] != 2*shape[2] || v.Shape[3] != 2*shape[3] {
		return false
	}
	b.record(v, &nchwc{phases: &phased{1: {1: first}}})
	return true
}
