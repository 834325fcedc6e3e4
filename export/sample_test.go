package export

import (
	"errors"
	"testing"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/tensor"
)

// inferAny is op.Infer that also knows the operators of the test domain: their outputs are like their first input.
func inferAny(n *ir.Node) error {
	if n.Domain != "com.microsoft" {
		return op.Infer(n)
	}
	if len(n.In) == 0 || n.In[0] == nil {
		return errors.New("no first input")
	}
	for _, v := range n.Out {
		if v != nil {
			v.Type, v.Shape = n.In[0].Type, n.In[0].Shape
		}
	}
	return nil
}

// ramp is a tensor 0, 1, 2, ... of n elements.
func ramp(t ir.DType, shape ...int64) *tensor.Tensor {
	n, err := tensor.Numel(shape)
	if err != nil {
		panic(err)
	}
	values := make([]float64, n)
	for i := range values {
		values[i] = float64(i)
	}
	return tensor.FromFloat64s(t, shape, values)
}

func build(t testing.TB, b *ir.Builder) *ir.Graph {
	t.Helper()
	g, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// classifier is a small network with a symbolic batch.
func classifier(t testing.TB) *ir.Graph {
	b := ir.NewBuilder("classifier", 18, op.Infer)
	x := b.Input("image", ir.Float32, ir.N, 3, 8, 8)
	w := b.NamedConst("stem.0.weight", ramp(ir.Float32, 4, 3, 3, 3))
	y := b.Node("Conv", ir.Attrs{"pads": []int64{1, 1, 1, 1}, "strides": []int64{2, 2}}, 1, x, w)[0]
	y = b.Node("Relu", nil, 1, y)[0]
	y = b.Node("ReduceMean", ir.Attrs{"keepdims": int64(0)}, 1, y, b.Const("axes", tensor.Vector[int64](2, 3)))[0]
	fc, bias := b.NamedConst("classifier.weight", ramp(ir.Float32, 10, 4)), b.NamedConst("classifier.bias", ramp(ir.Float32, 10))
	y = b.Node("Gemm", ir.Attrs{"transB": int64(1)}, 1, y, fc, bias)[0]
	b.Output("logits", y)
	b.Graph().Meta = map[string]string{"genotype": "none", "classes": "a,b", "empty": ""}
	return build(t, b)
}

// loop has a Loop whose body holds its own constant, one that is used outside as well, and a value from outside.
func loop(t testing.TB) *ir.Graph {
	b := ir.NewBuilder("loop", 18, op.Infer)
	x := b.Input("x", ir.Float32, 2, 3)
	both := b.Const("both", ramp(ir.Float32, 3))
	step := b.Node("Mul", nil, 1, x, both)[0]
	body := b.Nested("body")
	body.Input("i", ir.Int64)
	cond := body.Input("cond", ir.Bool)
	carried := body.Input("carried", ir.Float32, 2, 3)
	next := body.Node("Add", nil, 1, carried, step)[0]
	next = body.Node("Mul", nil, 1, next, body.Const("inner", ramp(ir.Float32, 2, 3)))[0]
	next = body.Node("Sub", nil, 1, next, both)[0]
	body.Output("cond_out", cond)
	body.Output("carried_out", next)
	body.Output("scan", next)
	sub := body.Graph()
	out := b.Node("Loop", ir.Attrs{"body": sub}, 2,
		b.Const("trips", tensor.Scalar[int64](3)), b.Const("go", tensor.Scalar(true)), x)
	b.Output("last", out[0])
	b.Output("all", out[1])
	return build(t, b)
}

// attributes has every kind of attribute, optional inputs and outputs that are absent, and a constant of every type.
func attributes(t testing.TB) *ir.Graph {
	b := ir.NewBuilder("attributes", 18, inferAny)
	x := b.Input("x", ir.Float32, 2)
	types := []ir.DType{
		tensor.Float32, tensor.Float64, tensor.Float16, tensor.BFloat16, tensor.Int64, tensor.Int32, tensor.Int16,
		tensor.Int8, tensor.Uint64, tensor.Uint32, tensor.Uint16, tensor.Uint8, tensor.Bool,
	}
	in := []*ir.Value{x, nil}
	for _, dt := range types {
		in = append(in, b.Const(dt.String(), ramp(dt, 2, 1)), b.Const(dt.String(), ramp(dt, 3, 0)))
	}
	in = append(in,
		b.Const("string", tensor.Vector("", "ein Wort", "ü")),
		b.Const("scalar", tensor.Scalar[float32](0.25)),
		b.Const("long", ramp(ir.Float32, 2000)))
	sub := b.Nested("empty")
	sub.Output("same", sub.Node("Relu", nil, 1, x)[0])
	out := b.DomainNode("com.microsoft", "Everything", ir.Attrs{
		"float": float32(-0.5), "int": int64(-3), "string": "text \x00 ü",
		"floats": []float32{0, -1.5}, "ints": []int64{-1, 0, 1 << 40}, "strings": []string{"", "b"},
		"zero_int": int64(0), "zero_float": float32(0), "no_string": "", "no_ints": []int64{}, "no_floats": []float32{},
		"no_strings": []string{}, "tensor": ramp(tensor.Float16, 2, 2), "graph": sub.Graph(),
	}, 3, in...)
	b.Output("y", out[2])
	g := build(t, b)
	g.Nodes[0].Out[1] = nil
	return g
}

var samples = []struct {
	name string
	make func(testing.TB) *ir.Graph
}{
	{"classifier", classifier},
	{"loop", loop},
	{"attributes", attributes},
}
