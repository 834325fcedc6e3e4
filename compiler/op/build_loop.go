package op

import (
	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

// Loop repeats body trips times over the carried values and returns their last state. The body gets a builder of its own, the
// number of the iteration (int64 scalar) and the carried values. It may use values of b.
func (b B) Loop(name string, trips int64, carried []*ir.Value, body func(b B, iter *ir.Value, carried []*ir.Value) []*ir.Value) []*ir.Value {
	return b.While(name, trips, carried, func(b B, iter *ir.Value, carried []*ir.Value) ([]*ir.Value, *ir.Value) {
		return body(b, iter, carried), nil
	})
}

// While is a Loop that ends early: after the first iteration for which the second result of body, a bool scalar, is false. A nil
// result is true.
func (b B) While(name string, trips int64, carried []*ir.Value, body func(b B, iter *ir.Value, carried []*ir.Value) ([]*ir.Value, *ir.Value)) []*ir.Value {
	if b.Err() != nil {
		return placeholders(len(carried))
	}
	sub := B{b.Nested(name)}
	iter := sub.Input(b.Free(name+".iteration"), ir.Int64)
	cond := sub.Input(b.Free(name+".condition"), ir.Bool)
	in := make([]*ir.Value, len(carried))
	for i, v := range carried {
		in[i] = sub.Input(b.Free(name+".in."+v.Name), v.Type, v.Shape...)
	}
	out, more := body(sub, iter, in)
	if more == nil {
		more = cond
	}
	if len(out) != len(carried) {
		b.Fail("loop %s: the body returns %d of %d carried values", name, len(out), len(carried))
		return placeholders(len(carried))
	}
	sub.Output(b.Free(name+".continue"), more)
	for i, v := range out {
		sub.Output(b.Free(name+".next."+carried[i].Name), v)
	}
	if b.Err() != nil {
		return placeholders(len(carried))
	}
	args := append([]*ir.Value{b.Const("trips", tensor.Scalar(trips)), b.Const("true", tensor.Scalar(true))}, carried...)
	return b.Node("Loop", ir.Attrs{"body": sub.Graph()}, len(carried), args...)
}

// placeholders stand for n results after an error.
func placeholders(n int) []*ir.Value {
	out := make([]*ir.Value, n)
	for i := range out {
		out[i] = &ir.Value{}
	}
	return out
}
