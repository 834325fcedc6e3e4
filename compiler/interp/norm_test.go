package interp

import (
	"math"
	"strings"
	"testing"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/tensor"
)

func TestNormAndMatMul(t *testing.T) {
	x := tensor.Of([]int64{2, 2, 1}, 1.0, 10, 3, 30)
	vec := func(v ...float64) konst { return konst{floats(v...)} }
	eps := func(momentum float32, training int64) ir.Attrs {
		return ir.Attrs{"epsilon": float32(0), "momentum": momentum, "training_mode": training}
	}
	a, b := matrix(2, 2, 1, 2, 3, 4), matrix(2, 2, 5, 6, 7, 8)
	all := tensor.Vector(true, true)
	runCases(t, []opCase{
		{op: "BatchNormalization", attrs: eps(0, 0), operands: []any{x, vec(2, 1), vec(0, 5), vec(1, 0), vec(4, 25)}, want: []*tensor.Tensor{tensor.Of([]int64{2, 2, 1}, 0.0, 7, 2, 11)}},
		{
			op: "BatchNormalization", name: "training", attrs: eps(0.75, 1), operands: []any{x, vec(2, 1), vec(0, 5), vec(4, 0), vec(5, 0)},
			want: []*tensor.Tensor{tensor.Of([]int64{2, 2, 1}, -2.0, 4, 2, 6), floats(3.5, 5), floats(4, 25)},
		},
		{op: "MatMul", operands: []any{a, b}, want: []*tensor.Tensor{matrix(2, 2, 19, 22, 43, 50)}},
		{op: "MatMul", name: "vectors", operands: []any{floats(1, 2), floats(3, 4)}, want: []*tensor.Tensor{tensor.Scalar(11.0)}},
		{op: "MatMul", name: "vector left", operands: []any{floats(1, 2), a}, want: []*tensor.Tensor{floats(7, 10)}},
		{op: "MatMul", name: "vector right", operands: []any{a, floats(1, 2)}, want: []*tensor.Tensor{floats(5, 11)}},
		{op: "MatMul", name: "batches", operands: []any{tensor.Of([]int64{2, 1, 1}, 2.0, 3), tensor.Of([]int64{1, 2}, 1.0, 10)}, want: []*tensor.Tensor{tensor.Of([]int64{2, 1, 2}, 2.0, 20, 3, 30)}},
		{op: "MatMul", name: "nothing to sum", operands: []any{matrix(1, 0), matrix(0, 2)}, want: []*tensor.Tensor{matrix(1, 2, 0, 0)}},
		{op: "MatMul", name: "zero times infinity", operands: []any{floats(0, 1), floats(inf, 1)}, want: []*tensor.Tensor{tensor.Scalar(nan)}},
		{
			op: "Gemm", attrs: ir.Attrs{"alpha": float32(2), "beta": float32(0.5), "transA": int64(1), "transB": int64(1)},
			operands: []any{a, b, vec(2, 4)}, want: []*tensor.Tensor{matrix(2, 2, 2*23+1, 2*31+2, 2*34+1, 2*46+2)},
		},
		{op: "Gemm", name: "no bias", operands: []any{a, b}, want: []*tensor.Tensor{matrix(2, 2, 19, 22, 43, 50)}},
		{op: "Dropout", operands: []any{floats(1, 2)}, want: []*tensor.Tensor{floats(1, 2), all}},
		{op: "Dropout", name: "training without loss", operands: []any{floats(1, 2), konst{tensor.Scalar(0.0)}, konst{tensor.Scalar(true)}}, want: []*tensor.Tensor{floats(1, 2), all}},
	})
}

func TestBatchStatisticsArePure(t *testing.T) {
	b := op.NewB("statistics")
	x := b.Input("x", ir.Float32, 4, 1)
	_, mean, variance := b.BatchNormTrain(x, b.Fill(x, 1, 1), b.Fill(x, 0, 1), b.Fill(x, 0, 1), b.Fill(x, 0, 1), 1e-5)
	b.Output("mean", mean)
	b.Output("variance", variance)
	g, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	out, err := RunOrdered(g, matrix(4, 1, 1, 2, 3, 6))
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "mean", out[0], floats(3), 1e-15, 0)
	expect(t, "variance", out[1], floats(3.5), 1e-15, 0)
}

func TestLoopCapturesAndCarries(t *testing.T) {
	b := op.NewB("newton")
	a := b.Input("a", ir.Float32, 2)
	twice := b.Scale(a, 2) // captured by the body and used by nothing else
	out := b.Loop("steps", 6, []*ir.Value{a, b.Int(0)}, func(b op.B, iter *ir.Value, v []*ir.Value) []*ir.Value {
		half := b.Scale(b.Add(v[0], b.Div(b.Scale(twice, 0.5), v[0])), 0.5)
		return []*ir.Value{half, b.Add(v[1], iter)}
	})
	b.Output("root", out[0])
	b.Output("sum", out[1])
	g, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	got, err := RunOrdered(g, floats(2, 9))
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "root", got[0], floats(math.Sqrt2, 3), 1e-9, 0)
	expect(t, "sum", got[1], tensor.Scalar(int64(15)), 0, 0)
}

// countdown is a loop that doubles its state, gives the old state as a scan output and stops by its condition.
func countdown(t *testing.T, trips int64) []*tensor.Tensor {
	t.Helper()
	b := op.NewB("scan")
	x := b.Input("x", ir.Int64)
	sub := op.B{Builder: b.Nested("body")}
	sub.Input("iteration", ir.Int64)
	sub.Input("condition", ir.Bool)
	state := sub.Input("state", ir.Int64)
	next := sub.Add(state, state)
	sub.Output("go", sub.Less(next, sub.Int(100)))
	sub.Output("next", next)
	sub.Output("seen", sub.Identity(state))
	out := b.Node("Loop", ir.Attrs{"body": sub.Graph()}, 2, b.Const("trips", tensor.Scalar(trips)), b.Const("true", tensor.Scalar(true)), x)
	b.Output("last", out[0])
	b.Output("all", out[1])
	g, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	got, err := RunOrdered(g, tensor.Scalar(int64(5)))
	if err != nil {
		if !strings.Contains(err.Error(), "expected int64[9], found int64[5]") {
			t.Fatal(err)
		}
		return nil
	}
	return got
}

// TestWhile doubles 5 as long as the result is below a limit, and at most so many times.
func TestWhile(t *testing.T) {
	for _, c := range []struct{ trips, limit, want int64 }{{10, 100, 160}, {3, 100, 40}, {10, 1, 10}, {0, 100, 5}} {
		b := op.NewB("while")
		x := b.Input("x", ir.Int64)
		out := b.While("double", c.trips, []*ir.Value{x}, func(b op.B, _ *ir.Value, v []*ir.Value) ([]*ir.Value, *ir.Value) {
			next := b.Add(v[0], v[0])
			return []*ir.Value{next}, b.Less(next, b.Int(c.limit))
		})
		b.Output("last", out[0])
		g, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		got, err := RunOrdered(g, tensor.Scalar(int64(5)))
		if err != nil {
			t.Fatal(err)
		}
		if last := got[0].Int64s()[0]; last != c.want {
			t.Errorf("%+v: found %d", c, last)
		}
	}
}

func TestLoopScanOutputs(t *testing.T) {
	out := countdown(t, 3)
	expect(t, "last", out[0], tensor.Scalar(int64(40)), 0, 0)
	expect(t, "all", out[1], tensor.Vector[int64](5, 10, 20), 0, 0)
	out = countdown(t, 0)
	expect(t, "last", out[0], tensor.Scalar(int64(5)), 0, 0)
	expect(t, "all", out[1], tensor.Vector[int64](), 0, 0)
	if out = countdown(t, 9); out != nil {
		t.Errorf("a scan output shorter than inferred is accepted: %v", out[1])
	}
}
