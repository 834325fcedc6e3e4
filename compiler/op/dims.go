package op

import (
	"fmt"

	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

// Dim is an integer N*n + K that depends on the symbolic batch size n, which is at least 1.
type Dim struct{ N, K int64 }

// Static reports whether d does not depend on the batch size.
func (d Dim) Static() bool { return d.N == 0 }

// dimsVisits bounds the values that one call of Dims looks at, and dimsEntries the entries of each value.
const (
	dimsVisits  = 256
	dimsEntries = 64
)

// Dims is the content of a scalar or vector of integers or booleans (0 and 1) that is constant, or computed from constants and
// from shapes, as exporters compute sizes at run time. It is not ok for other values.
func Dims(v *ir.Value) (dims []Dim, ok bool) {
	e := &dimsEval{visits: dimsVisits}
	return e.of(v)
}

type dimsEval struct{ visits int }

func (e *dimsEval) of(v *ir.Value) ([]Dim, bool) {
	e.visits--
	if v == nil || v.Rank() > 1 || e.visits < 0 {
		return nil, false
	}
	if v.IsConst() {
		return constDims(v.Const)
	}
	if v.Def == nil || v.Def.Domain != "" || !sizes(v.Type) && v.Type != ir.Bool {
		return nil, false
	}
	n := v.Def
	switch n.Op {
	case "Shape":
		return shapeDims(ShapeRange(n))
	case "Size":
		dims, ok := shapeDims(n.In[0].Shape)
		return product(dims, ok)
	case "ReduceProd":
		dims, ok := e.of(n.In[0])
		return product(dims, ok)
	case "Identity", "Unsqueeze", "Squeeze", "Reshape", "Flatten", "Cast":
		if n.In[0].Type != v.Type && !(sizes(n.In[0].Type) && sizes(v.Type)) {
			return nil, false
		}
		return e.of(n.In[0])
	case "Concat":
		return e.concat(n.In)
	case "Gather":
		return e.gather(n)
	case "Slice":
		return e.slice(n)
	case "Where":
		return e.where(n)
	}
	if f, ok := dimArithmetic[n.Op]; ok && len(n.In) == 2 {
		return e.pairs(n.In[0], n.In[1], f)
	}
	return nil, false
}

// sizes reports whether sizes are computed in type t.
func sizes(t ir.DType) bool { return t == ir.Int64 || t == ir.Int32 }

func constDims(t *tensor.Tensor) ([]Dim, bool) {
	if t.Len() > dimsEntries {
		return nil, false
	}
	switch t.Data.(type) {
	case []int64, []int32, []bool:
	default:
		return nil, false
	}
	out := make([]Dim, t.Len())
	for i := range out {
		switch d := t.Data.(type) {
		case []int64:
			out[i].K = d[i]
		case []int32:
			out[i].K = int64(d[i])
		case []bool:
			if d[i] {
				out[i].K = 1
			}
		}
	}
	return out, true
}

func shapeDims(s ir.Shape) ([]Dim, bool) {
	out := make([]Dim, len(s))
	for i, d := range s {
		out[i] = Dim{K: d}
		if d == ir.N {
			out[i] = Dim{N: 1}
		}
	}
	return out, len(s) <= dimsEntries
}

// product multiplies all entries.
func product(dims []Dim, ok bool) ([]Dim, bool) {
	out := Dim{K: 1}
	for _, d := range dims {
		if !ok {
			break
		}
		out, ok = mulDim(out, d)
	}
	return []Dim{out}, ok
}

func (e *dimsEval) concat(in []*ir.Value) ([]Dim, bool) {
	var out []Dim
	for _, v := range in {
		part, ok := e.of(v)
		if out = append(out, part...); !ok || len(out) > dimsEntries {
			return nil, false
		}
	}
	return out, true
}

func (e *dimsEval) gather(n *ir.Node) ([]Dim, bool) {
	from, ok := e.of(n.In[0])
	index, constant := ConstInts(n.In[1])
	if !ok || !constant || n.In[0].Rank() != 1 || len(index) > dimsEntries {
		return nil, false
	}
	out := make([]Dim, len(index))
	for i, k := range index {
		if k < 0 {
			k += int64(len(from))
		}
		if k < 0 || k >= int64(len(from)) {
			return nil, false
		}
		out[i] = from[k]
	}
	return out, true
}

func (e *dimsEval) slice(n *ir.Node) ([]Dim, bool) {
	from, ok := e.of(n.In[0])
	if !ok || n.In[0].Rank() != 1 {
		return nil, false
	}
	ranges, err := SliceRanges(n)
	if err != nil || int64(len(from)) != n.In[0].Shape[0] {
		return nil, false
	}
	r := ranges[0]
	out := make([]Dim, r.Count)
	for i := range out {
		out[i] = from[r.Start+int64(i)*r.Step]
	}
	return out, true
}

func (e *dimsEval) where(n *ir.Node) ([]Dim, bool) {
	if len(n.In) != 3 {
		return nil, false
	}
	cond, ok := e.of(n.In[0])
	if !ok {
		return nil, false
	}
	x, ok1 := e.of(n.In[1])
	y, ok2 := e.of(n.In[2])
	size := max(len(cond), len(x), len(y))
	if !ok1 || !ok2 || !stretches(size, len(cond), len(x), len(y)) {
		return nil, false
	}
	out := make([]Dim, size)
	for i := range out {
		switch c := cond[i%len(cond)]; {
		case !c.Static():
			return nil, false
		case c.K != 0:
			out[i] = x[i%len(x)]
		default:
			out[i] = y[i%len(y)]
		}
	}
	return out, true
}

// stretches reports whether vectors of the given lengths broadcast to size.
func stretches(size int, lengths ...int) bool {
	for _, l := range lengths {
		if l != size && l != 1 {
			return false
		}
	}
	return true
}

func (e *dimsEval) pairs(a, b *ir.Value, f func(a, b Dim) (Dim, bool)) ([]Dim, bool) {
	x, ok := e.of(a)
	if !ok {
		return nil, false
	}
	y, ok := e.of(b)
	size := max(len(x), len(y))
	if !ok || !stretches(size, len(x), len(y)) {
		return nil, false
	}
	out := make([]Dim, size)
	for i := range out {
		if out[i], ok = f(x[i%len(x)], y[i%len(y)]); !ok {
			return nil, false
		}
	}
	return out, true
}

// dimArithmetic are operators on pairs of integers; ok is false where the result is not a Dim.
var dimArithmetic = map[string]func(a, b Dim) (Dim, bool){
	"Add":   func(a, b Dim) (Dim, bool) { return Dim{a.N + b.N, a.K + b.K}, true },
	"Sub":   func(a, b Dim) (Dim, bool) { return Dim{a.N - b.N, a.K - b.K}, true },
	"Mul":   mulDim,
	"Div":   divDim,
	"Equal": equalDim,
}

func mulDim(a, b Dim) (Dim, bool) {
	if !a.Static() {
		a, b = b, a
	}
	return Dim{a.K * b.N, a.K * b.K}, a.Static()
}

// divDim divides exactly, and any two static numbers towards zero.
func divDim(a, b Dim) (Dim, bool) {
	switch {
	case a == b && a.N >= 0 && a.K >= 0 && a != (Dim{}):
		return Dim{K: 1}, true
	case !b.Static() || b.K == 0:
		return Dim{}, false
	case a.Static() || a.N%b.K == 0 && a.K%b.K == 0:
		return Dim{a.N / b.K, a.K / b.K}, true
	}
	return Dim{}, false
}

// equalDim compares numbers that are equal for every batch size or for none.
func equalDim(a, b Dim) (Dim, bool) {
	d := Dim{a.N - b.N, a.K - b.K}
	switch {
	case d == Dim{}:
		return Dim{K: 1}, true
	case d.N >= 0 && d.K >= 0 || d.N <= 0 && d.K <= 0 || d.Static():
		return Dim{}, true
	}
	return Dim{}, false
}

// shapeInput is the shape that input i holds. The input is constant, or computed with the symbolic batch as a dimension.
func (c *Ctx) shapeInput(i int) (ir.Shape, error) {
	dims, ok := Dims(c.Input(i))
	out := make(ir.Shape, len(dims))
	for k, d := range dims {
		switch {
		case d.Static() && d.K >= 0:
			out[k] = d.K
		case d.Static():
			values, _ := c.ConstInts(i)
			return nil, fmt.Errorf("shape %v has a negative dimension", values)
		case d == Dim{N: 1}:
			out[k] = ir.N
		default:
			ok = false
		}
	}
	if !ok {
		return nil, fmt.Errorf("shape must be constant or computed from shapes")
	}
	return out, nil
}
