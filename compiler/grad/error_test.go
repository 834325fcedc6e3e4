package grad

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"rnas/compiler/ir"
	"rnas/compiler/op"
)

// TestErrors: what has no gradient says so, with node and reason.
func TestErrors(t *testing.T) {
	for _, c := range []struct {
		want  string
		build func(b op.B, v *ir.Value) *ir.Value
	}{
		{"node Loop: operator Loop has no gradient: differentiate inside the body instead", func(b op.B, v *ir.Value) *ir.Value {
			return b.Loop("l", 3, []*ir.Value{v}, func(b op.B, _ *ir.Value, c []*ir.Value) []*ir.Value { return []*ir.Value{b.Exp(c[0])} })[0]
		}},
		{"node Loop: operator Loop has no gradient: differentiate inside the body instead", func(b op.B, v *ir.Value) *ir.Value {
			zero := b.Float(v, 0) // the body reaches v from inside
			return b.Loop("l", 3, []*ir.Value{zero}, func(b op.B, _ *ir.Value, c []*ir.Value) []*ir.Value {
				return []*ir.Value{b.Add(c[0], b.ReduceSum(v, false))}
			})[0]
		}},
		{"node Dropout: Dropout in training mode has a gradient for a constant mode and a ratio from 0 to below 1 only", func(b op.B, v *ir.Value) *ir.Value {
			return b.One("Dropout", nil, v, b.Float(v, 0.5), b.Equal(b.Int(1), b.Int(1)))
		}},
		{"node Det: Det has a gradient for matrices up to 16 x 16, found [17,17]", func(b op.B, v *ir.Value) *ir.Value {
			return b.One("Det", nil, b.Expand(b.ReduceMax(v, false), 17, 17))
		}},
	} {
		b := op.NewB("g")
		v := b.Input("v", ir.Float64, 2, 2)
		expectError(t, b, c.build(b, v), v, c.want)
	}
}

// TestSymbolicErrors: gradients that would need the batch size say so.
func TestSymbolicErrors(t *testing.T) {
	for _, c := range []struct {
		want  string
		build func(b op.B, v *ir.Value) (y, x *ir.Value)
	}{
		{"node Conv: the gradient of a weight needs a static batch", func(b op.B, v *ir.Value) (y, x *ir.Value) {
			w := b.Input("w", ir.Float64, 2, 2, 3, 3)
			return b.Conv(v, w, nil, op.Same(3, 1, 1)), w
		}},
		{"node ReduceMean: the gradient of a mean over a symbolic dimension needs a static batch", func(b op.B, v *ir.Value) (y, x *ir.Value) {
			return b.ReduceMean(v, false), v
		}},
		{"node Gather: the gradient of Gather needs static shapes", func(b op.B, v *ir.Value) (y, x *ir.Value) {
			return b.Gather(v, b.Ints(0), 1), v
		}},
		{"node BatchNormalization: the gradient of BatchNormalization in training mode needs a static batch", func(b op.B, v *ir.Value) (y, x *ir.Value) {
			c := b.Fill(v, 1, 2)
			y, _, _ = b.BatchNormTrain(v, c, c, c, c, 1e-5)
			return y, v
		}},
		{"node ReduceProd: the gradient of a product over a symbolic dimension needs a static batch", func(b op.B, v *ir.Value) (y, x *ir.Value) {
			return b.Reduce("ReduceProd", v, false, 0), v
		}},
		{"node Pad: the gradient of Pad in mode edge needs a static dimension 0", func(b op.B, v *ir.Value) (y, x *ir.Value) {
			return b.One("Pad", ir.Attrs{"mode": "edge"}, v, b.Ints(1, 0, 0, 0, -1, 0, 0, 0)), v
		}},
		{"node GatherND: the gradient of GatherND with batch_dims needs static shapes", func(b op.B, v *ir.Value) (y, x *ir.Value) {
			return b.One("GatherND", ir.Attrs{"batch_dims": int64(1)}, v, b.Input("ids", ir.Int64, ir.N, 1)), v
		}},
		{"node CumProd: CumProd needs a static dimension 0 here", func(b op.B, v *ir.Value) (y, x *ir.Value) {
			return b.One("CumProd", nil, v, b.Int(0)), v
		}},
		{"node Einsum: the gradient of a diagonal needs a static batch", func(b op.B, _ *ir.Value) (y, x *ir.Value) {
			v := b.Input("square", ir.Float64, ir.N, ir.N)
			return b.One("Einsum", ir.Attrs{"equation": "ii->i"}, v), v
		}},
		{"node GlobalAveragePool: the gradient of GlobalAveragePool needs static spatial sizes, found [1,2,N,4]", func(b op.B, _ *ir.Value) (y, x *ir.Value) {
			v := b.Input("wide", ir.Float64, 1, 2, ir.N, 4)
			return b.GlobalAveragePool(v), v
		}},
		{"node AveragePool: the gradient of AveragePool needs static spatial sizes, found [1,2,N,4]", func(b op.B, _ *ir.Value) (y, x *ir.Value) {
			v := b.Input("wide", ir.Float64, 1, 2, ir.N, 4)
			return b.AveragePool(v, op.Same(3, 1, 1)), v
		}},
		{"node Conv: the gradient of Conv needs static spatial sizes, found [1,2,N,4]", func(b op.B, _ *ir.Value) (y, x *ir.Value) {
			v := b.Input("wide", ir.Float64, 1, 2, ir.N, 4)
			return b.Conv(v, b.Fill(v, 1, 2, 2, 3, 3), nil, op.Same(3, 1, 1)), v
		}},
		{"node MaxPool: the gradient of MaxPool needs static spatial sizes, found [1,2,N,4]", func(b op.B, _ *ir.Value) (y, x *ir.Value) {
			v := b.Input("wide", ir.Float64, 1, 2, ir.N, 4)
			return b.MaxPool(v, op.Same(3, 1, 1)), v
		}},
	} {
		b := op.NewB("g")
		y, x := c.build(b, b.Input("v", ir.Float64, ir.N, 2, 4, 4))
		expectError(t, b, y, x, c.want)
	}
}

func expectError(t *testing.T, b op.B, y, x *ir.Value, want string) {
	t.Helper()
	if b.Err() != nil {
		t.Error(b.Err())
		return
	}
	dy := b.ExpandLike(b.Float(y, 1), y)
	g := Gradients(b, []*ir.Value{y}, []*ir.Value{dy}, []*ir.Value{x})
	if len(g) != 1 {
		t.Errorf("expected one result, found %v", g)
	}
	_, err := b.Build()
	if err == nil {
		t.Errorf("expected error %q, found none", want)
		return
	}
	got, where, _ := strings.Cut(strings.TrimPrefix(err.Error(), "graph g: "), " (grad/")
	if got != want || !strings.HasSuffix(where, ")") {
		t.Errorf("expected error %q with a place in this package, found %q", want, err)
	}
}

func TestGradientShapeMismatch(t *testing.T) {
	b := op.NewB("g")
	v := b.Input("v", ir.Float64, 2, 3)
	y := b.Exp(v)
	Gradients(b, []*ir.Value{y}, []*ir.Value{b.Fill(v, 1, 3)}, []*ir.Value{v})
	if b.Err() == nil || !strings.HasPrefix(b.Err().Error(), "gradient of Exp.out float64[2,3] has shape [3]") {
		t.Errorf("found %v", b.Err())
	}
}

// TestCallSite: an error of the builder names the line that made it, past the constructors of package op.
func TestCallSite(t *testing.T) {
	b := op.NewB("g")
	v := b.Input("v", ir.Float64, 2, 3)
	_, _, line, _ := runtime.Caller(0)
	b.MatMul(v, v)
	b.MatMul(v, v)
	want := fmt.Sprintf("graph g: node MatMul: MatMul(float64[2,3], float64[2,3]): inner sizes 3 and 2 differ (grad/error_test.go:%d)", line+1)
	if _, err := b.Build(); err == nil || err.Error() != want {
		t.Errorf("expected %q, found %v", want, err)
	}
}
