package interp

import (
	"slices"
	"strings"
	"testing"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/tensor"
)

func TestEveryOperatorHasAKernel(t *testing.T) {
	var have, want []string
	for key := range kernels {
		have = append(have, key)
	}
	for _, domain := range []string{"", op.NCHWc, op.Microsoft} {
		for _, name := range op.Names(domain) {
			if row := op.Lookup(domain, name); row.Decompose == nil || kernels[domain+":"+name] != nil {
				want = append(want, domain+":"+name)
			}
		}
	}
	slices.Sort(have)
	slices.Sort(want)
	if !slices.Equal(have, want) {
		t.Errorf("kernels %v\nwant %v", have, want)
	}
}

func batchGraph(t *testing.T) *ir.Graph {
	t.Helper()
	b := op.NewB("batch")
	x := b.Input("x", ir.Float32, ir.N, 2)
	y := b.Input("y", ir.Float32, ir.N, 2)
	b.Output("z", b.Add(x, b.Mul(y, y)))
	b.Output("same", b.Flatten(x))
	g, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestSymbolicBatchAndFloatTypes(t *testing.T) {
	x := matrix(3, 2, 1, 2, 3, 4, 5, 6)
	half := tensor.FromFloat64s(tensor.Float16, x.Shape, x.Float64s())
	out, err := Run(batchGraph(t), map[string]*tensor.Tensor{"x": x, "y": half})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "z", out["z"], matrix(3, 2, 2, 6, 12, 20, 30, 42), 0, 0)
	expect(t, "same", out["same"], x, 0, 0)
	if empty, err := Run(batchGraph(t), map[string]*tensor.Tensor{"x": matrix(0, 2), "y": matrix(0, 2)}); err != nil || empty["z"].Len() != 0 {
		t.Errorf("empty batch: %v, %v", empty, err)
	}
}

func TestNoRoundingBetweenNodes(t *testing.T) {
	b := op.NewB("precise")
	x := b.Input("x", ir.Float32)
	big := b.Float(x, 1<<30)
	b.Output("y", b.Sub(b.Add(x, big), big))
	g, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	out, err := RunOrdered(g, tensor.Scalar(float32(0.25)))
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "y", out[0], tensor.Scalar(0.25), 0, 0)
}

func TestBadInputs(t *testing.T) {
	good := matrix(3, 2, 1, 2, 3, 4, 5, 6)
	for _, c := range []struct {
		inputs map[string]*tensor.Tensor
		want   string
	}{
		{map[string]*tensor.Tensor{"x": good}, "input y float32[N,2] is missing"},
		{map[string]*tensor.Tensor{"x": good, "y": matrix(2, 2, 1, 2, 3, 4)}, "symbolic dimension is 3"},
		{map[string]*tensor.Tensor{"x": good, "y": matrix(3, 1, 1, 2, 3)}, "expected float32[N,2], found float32[3,1]"},
		{map[string]*tensor.Tensor{"x": good, "y": floats(1)}, "expected float32[N,2], found float32[1]"},
		{map[string]*tensor.Tensor{"x": good, "y": tensor.Of[int64]([]int64{3, 2}, 1, 2, 3, 4, 5, 6)}, "found int64[3,2]"},
		{map[string]*tensor.Tensor{"x": good, "y": {Shape: []int64{3, 2}, Data: []float64{1}}}, "needs 6 elements, found 1"},
		{map[string]*tensor.Tensor{"x": good, "y": {Shape: []int64{1}, Data: []string{"a"}}}, "type string"},
		{map[string]*tensor.Tensor{"x": good, "y": good, "w": good, "v": good}, "no inputs of the names v, w"},
	} {
		if _, err := Run(batchGraph(t), c.inputs); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %q", err, c.want)
		}
	}
}

func TestErrorsNameTheNode(t *testing.T) {
	divisor := tensor.Vector[int64](1, 0)
	for _, c := range []struct {
		op       string
		attrs    ir.Attrs
		operands []any
		want     string
	}{
		{"Gather", nil, []any{floats(1, 2), tensor.Vector[int64](0, 2)}, "node Gather: Gather(float64[2], int64[2]): index 2 is outside dimension 2"},
		{"GatherElements", nil, []any{floats(1, 2), tensor.Vector[int64](-3)}, "index -3 is outside dimension 2"},
		{"ScatterElements", nil, []any{floats(1, 2), tensor.Vector[int64](5), floats(1)}, "index 5 is outside dimension 2"},
		{"Div", nil, []any{divisor, divisor}, "division by zero at element 1"},
		{"Dropout", nil, []any{floats(1), nil, konst{tensor.Scalar(true)}}, "ratio 0.5 is random"},
		{"Cast", ir.Attrs{"to": int64(tensor.String)}, []any{floats(1)}, "strings are not supported"},
		{"ReduceMax", nil, []any{tensor.Vector[int64]()}, "no value over no elements"},
		{"MaxPool", ir.Attrs{"kernel_shape": []int64{2}, "dilations": []int64{2}, "pads": []int64{1, 1}}, []any{tensor.Of([]int64{1, 1, 1}, 5.0)}, "padding only"},
		{"ConstantOfShape", nil, []any{ints(1<<20, 1<<20)}, "more than"},
	} {
		g, data, err := single(c.op, c.attrs, 1, c.operands...)
		if err != nil {
			t.Errorf("%s: %v", c.op, err)
			continue
		}
		if _, err := RunOrdered(g, data...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.op, err, c.want)
		}
	}
}

func TestUnknownOperator(t *testing.T) {
	g := batchGraph(t)
	g.Nodes[0].Op = "Frobnicate"
	if _, err := Compile(g); err == nil || !strings.Contains(err.Error(), "operator Frobnicate is not known") {
		t.Errorf("got %v", err)
	}
}
