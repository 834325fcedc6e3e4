package interp

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/tensor"
)

// konst marks an operand that becomes a constant of the graph; other operands become inputs.
type konst struct{ *tensor.Tensor }

var (
	nan = math.NaN()
	inf = math.Inf(1)
)

func floats(v ...float64) *tensor.Tensor { return tensor.Vector(v...) }

func matrix(rows, columns int64, v ...float64) *tensor.Tensor {
	return tensor.Of([]int64{rows, columns}, v...)
}

func ints(v ...int64) konst { return konst{tensor.Vector(v...)} }

// single makes a graph of one node from operands that are tensors, constants or nil.
func single(name string, attrs ir.Attrs, outputs int, operands ...any) (*ir.Graph, []*tensor.Tensor, error) {
	b := op.NewB("single")
	var in []*ir.Value
	var data []*tensor.Tensor
	for i, x := range operands {
		switch x := x.(type) {
		case *tensor.Tensor:
			in = append(in, b.Input(fmt.Sprint("x", i), x.DType(), x.Shape...))
			data = append(data, x)
		case konst:
			in = append(in, b.Const("k", x.Tensor))
		default:
			in = append(in, nil)
		}
	}
	for i, v := range b.Node(name, attrs, outputs, in...) {
		b.Output(fmt.Sprint("y", i), v)
	}
	g, err := b.Build()
	return g, data, err
}

// apply runs one operator.
func apply(t *testing.T, name string, attrs ir.Attrs, outputs int, operands ...any) []*tensor.Tensor {
	t.Helper()
	g, data, err := single(name, attrs, outputs, operands...)
	if err != nil {
		t.Fatal(err)
	}
	out, err := RunOrdered(g, data...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// opCase is one operator applied to operands, with the results expected.
type opCase struct {
	name     string
	op       string
	attrs    ir.Attrs
	operands []any
	want     []*tensor.Tensor
}

func runCases(t *testing.T, cases []opCase) {
	t.Helper()
	for _, c := range cases {
		name := c.op
		if c.name != "" {
			name += "/" + c.name
		}
		t.Run(name, func(t *testing.T) {
			out := apply(t, c.op, c.attrs, len(c.want), c.operands...)
			for i, want := range c.want {
				expect(t, fmt.Sprint("output ", i), out[i], want, 1e-12, 1e-12)
			}
			if op.Lookup("", c.op).Decompose != nil {
				decomposed(t, c)
			}
		})
	}
}

// decomposed runs the decomposition of the operator of a case, which must do what its kernel does.
func decomposed(t *testing.T, c opCase) {
	t.Helper()
	g, data, err := single(c.op, c.attrs, len(c.want), c.operands...)
	if err != nil {
		t.Fatal(err)
	}
	body, args, err := op.Body(g.Nodes[0])
	if err != nil {
		t.Fatal(err)
	}
	in := make([]*tensor.Tensor, len(args))
	for i, v := range args {
		in[i] = data[slices.Index(g.Inputs, v)]
	}
	out, err := RunOrdered(body, in...)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range c.want {
		expect(t, fmt.Sprint("decomposition, output ", i), out[i], want, 1e-12, 1e-12)
	}
}

// expect compares shape, type and elements; NaN equals NaN.
func expect(t *testing.T, what string, got, want *tensor.Tensor, rtol, atol float64) {
	t.Helper()
	if got.DType() != want.DType() || !slices.Equal(got.Shape, want.Shape) {
		t.Errorf("%s: got %s%v, want %s%v", what, got.DType(), got.Shape, want.DType(), want.Shape)
		return
	}
	for i := range got.Len() {
		g, w := got.Float64At(i), want.Float64At(i)
		if !(g == w || math.IsNaN(g) && math.IsNaN(w) || math.Abs(g-w) <= atol+rtol*math.Abs(w)) {
			t.Errorf("%s: element %d is %v, want %v", what, i, g, w)
			return
		}
	}
}
