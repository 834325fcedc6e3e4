package pass

import (
	"fmt"

	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

// interleaved is the sum of s, spread at 0, and t, spread at 1, in memory: even rows hold pixels of s and zeros, odd rows zeros and
// pixels of t. A nil one is 0.
func (b *blocker) interleaved(s, t *spread) *ir.Value {
	like := s
	if s == nil {
		like = t
	}
	zeros := b.zeros(like.of.Shape...)
	row := func(v *spread) *ir.Value {
		switch {
		case v == nil:
			return b.zeros(like.of.Shape[0], like.of.Shape[1], like.of.Shape[2], 2*like.of.Shape[3])
		case v.at == 0:
			return b.woven(3, v.of, zeros)
		}
		return b.woven(3, zeros, v.of)
	}
	return b.woven(2, row(s), row(t))
}

// zeros is a constant, one for all that need it.
func (b *blocker) zeros(shape ...int64) *ir.Value {
	key := fmt.Sprint(shape)
	if b.blank[key] == nil {
		b.blank[key] = b.Const("zeros", tensor.Zeros(ir.Float32, shape...))
	}
	return b.blank[key]
}

// lone is the spread form of v if it is not in memory yet, complete, and has one user.
func (b *blocker) lone(v *ir.Value) *spread {
	f := b.forms[v]
	if f == nil || f.spread == nil || f.value != nil || b.uses[v] != 1 {
		return nil
	}
	if s := f.spread; v.Shape[2] == 2*s.of.Shape[2] && v.Shape[3] == 2*s.of.Shape[3] {
		return s
	}
	return nil
}

// weave replaces pairs among the terms of a sum, one spread at 0 and one at 1, by the tensor that holds both.
func (b *blocker) weave(terms []*ir.Value) []*ir.Value {
	var rest []*ir.Value
	var waiting [2][]*ir.Value
	for _, v := range terms {
		s := b.lone(v)
		if s == nil {
			rest = append(rest, v)
			continue
		}
		other := &waiting[1-s.at]
		if len(*other) == 0 {
			waiting[s.at] = append(waiting[s.at], v)
			continue
		}
		pair := [2]*spread{s, b.lone((*other)[0])}
		*other = (*other)[1:]
		if s.at == 1 {
			pair[0], pair[1] = pair[1], pair[0]
		}
		both := &ir.Value{Name: v.Name, Type: v.Type, Shape: v.Shape}
		b.forms[both] = &form{value: b.interleaved(pair[0], pair[1])}
		rest = append(rest, both)
	}
	return append(rest, append(waiting[0], waiting[1]...)...)
}
