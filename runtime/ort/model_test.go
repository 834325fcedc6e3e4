package ort_test

import (
	"google.golang.org/protobuf/encoding/protowire"

	"rnas/internal/tensor"
)

// A hand-made ONNX writer, just enough for the models of these tests. Field numbers are those of onnx.proto.

type attr struct {
	name  string
	value any // int64, []int64 or graph
}

type node struct {
	op, name string
	in, out  []string
	attrs    []attr
}

type value struct {
	name  string
	dtype tensor.DType
	shape []int64 // -1 is symbolic
	free  bool    // no shape at all
}

type graph struct {
	nodes   []node
	in, out []value
	weights map[string]*tensor.Tensor
	order   []string // names of weights
}

func (g *graph) weight(name string, t *tensor.Tensor) {
	if g.weights == nil {
		g.weights = map[string]*tensor.Tensor{}
	}
	g.weights[name], g.order = t, append(g.order, name)
}

func field(b []byte, n protowire.Number, body []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, n, protowire.BytesType), body)
}

func number(b []byte, n protowire.Number, v int64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, n, protowire.VarintType), uint64(v))
}

func (g graph) model(opset int64) []byte {
	b := number(nil, 1, 8) // ir_version
	b = field(b, 8, number(field(nil, 1, nil), 2, opset))
	return field(b, 7, g.bytes())
}

func (g graph) bytes() []byte {
	var b []byte
	for _, n := range g.nodes {
		b = field(b, 1, n.bytes())
	}
	b = field(b, 2, []byte("g"))
	for _, name := range g.order {
		b = field(b, 5, tensorBytes(name, g.weights[name]))
	}
	for _, v := range g.in {
		b = field(b, 11, v.bytes())
	}
	for _, v := range g.out {
		b = field(b, 12, v.bytes())
	}
	return b
}

func (n node) bytes() []byte {
	var b []byte
	for _, s := range n.in {
		b = field(b, 1, []byte(s))
	}
	for _, s := range n.out {
		b = field(b, 2, []byte(s))
	}
	b = field(b, 3, []byte(n.name))
	b = field(b, 4, []byte(n.op))
	for _, a := range n.attrs {
		b = field(b, 5, a.bytes())
	}
	return b
}

func (a attr) bytes() []byte {
	b := field(nil, 1, []byte(a.name))
	switch v := a.value.(type) {
	case int64:
		return number(number(b, 3, v), 20, 2)
	case []int64:
		for _, i := range v {
			b = number(b, 8, i)
		}
		return number(b, 20, 7)
	case graph:
		return number(field(b, 6, v.bytes()), 20, 5)
	}
	panic("attribute type")
}

func (v value) bytes() []byte {
	typ := number(nil, 1, int64(v.dtype))
	if !v.free {
		var shape []byte
		for _, d := range v.shape {
			if d < 0 {
				shape = field(shape, 1, field(nil, 2, []byte("n")))
			} else {
				shape = field(shape, 1, number(nil, 1, d))
			}
		}
		typ = field(typ, 2, shape)
	}
	return field(field(nil, 1, []byte(v.name)), 2, field(nil, 1, typ))
}

func tensorBytes(name string, t *tensor.Tensor) []byte {
	var b []byte
	for _, d := range t.Shape {
		b = number(b, 1, d)
	}
	b = number(b, 2, int64(t.DType()))
	b = field(b, 8, []byte(name))
	return field(b, 9, tensor.Bytes(t))
}

func f32(name string, shape ...int64) value {
	return value{name: name, dtype: tensor.Float32, shape: shape}
}

// plusOne is y = x + 1 of a type.
func plusOne(t tensor.DType, shape ...int64) []byte {
	g := graph{
		nodes: []node{{op: "Add", name: "add", in: []string{"x", "one"}, out: []string{"y"}}},
		in:    []value{{name: "x", dtype: t, shape: shape}},
		out:   []value{{name: "y", dtype: t, shape: shape}},
	}
	g.weight("one", tensor.FromFloat64s(t, nil, []float64{1}))
	return g.model(17)
}

// copier is y = Identity(x).
func copier(x value) []byte {
	y := x
	y.name = "y"
	return graph{
		nodes: []node{{op: "Identity", name: "id", in: []string{"x"}, out: []string{"y"}}},
		in:    []value{x},
		out:   []value{y},
	}.model(17)
}

// counter is params' = params + rate*grad, and sum = params' summed: a training step in small.
func counter(n int64) []byte {
	g := graph{
		nodes: []node{
			{op: "Mul", name: "scale", in: []string{"grad", "rate"}, out: []string{"step"}},
			{op: "Add", name: "update", in: []string{"params", "step"}, out: []string{"params_next"}},
			{op: "ReduceSum", name: "total", in: []string{"params_next"}, out: []string{"sum"}, attrs: []attr{{"keepdims", int64(0)}}},
		},
		in:  []value{f32("params", n), f32("grad", n), f32("rate")},
		out: []value{f32("params_next", n), f32("sum")},
	}
	return g.model(17)
}

// gather is y = [10, 20, 30][i]; indexes out of range fail when run.
func gather() []byte {
	g := graph{
		nodes: []node{{op: "Gather", name: "pick", in: []string{"table", "i"}, out: []string{"y"}}},
		in:    []value{{name: "i", dtype: tensor.Int64, shape: []int64{1}}},
		out:   []value{f32("y", 1)},
	}
	g.weight("table", tensor.Vector[float32](10, 20, 30))
	return g.model(17)
}
