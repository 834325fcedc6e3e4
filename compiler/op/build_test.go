package op

import (
	"math"
	"testing"

	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

// TestConstructors: each typed constructor gives the shape that its comment promises.
func TestConstructors(t *testing.T) {
	b := NewB("g")
	x := b.Input("x", ir.Float32, n, 4, 8, 8)
	m := b.Input("m", ir.Float64, 2, 3)
	labels := b.Input("labels", ir.Int64, n)
	ch := b.Fill(x, 1, 4)
	y, mean, variance := b.BatchNormTrain(x, ch, ch, ch, ch, 1e-5)
	values, indices := b.TopK(m, 2, 1)
	parts := b.Split(m, 1, 1, 2)
	for _, c := range []struct {
		name string
		v    *ir.Value
		want string
	}{
		{"Conv", b.Conv(x, b.Fill(x, 1, 6, 4, 3, 3), nil, Same(3, 2, 1)), "float32[N,6,4,4]"},
		{"dilated Conv", b.Conv(x, b.Fill(x, 1, 4, 1, 5, 5), ch, Conv2D{Kernel: [2]int64{5, 5}, Dilation: 2, Pads: [4]int64{4, 4, 4, 4}, Group: 4}), "float32[N,4,8,8]"},
		{"MaxPool", b.MaxPool(x, Same(3, 1, 1)), "float32[N,4,8,8]"},
		{"AveragePool", b.AveragePool(x, Conv2D{Kernel: [2]int64{2, 2}, Stride: 2}), "float32[N,4,4,4]"},
		{"GlobalAveragePool", b.GlobalAveragePool(x), "float32[N,4,1,1]"},
		{"Flatten", b.Flatten(x), "float32[N,256]"},
		{"BatchNorm", b.BatchNorm(x, ch, ch, ch, ch, 1e-5), "float32[N,4,8,8]"},
		{"BatchNormTrain", y, "float32[N,4,8,8]"},
		{"BatchNormTrain mean", mean, "float32[4]"},
		{"BatchNormTrain variance", variance, "float32[4]"},
		{"Gemm", b.Gemm(m, m, nil, true, false), "float64[3,3]"},
		{"Gemm with bias", b.Gemm(m, m, b.Fill(m, 0, 2), false, true), "float64[2,2]"},
		{"OneHot", b.OneHot(labels, 10, m), "float64[N,10]"},
		{"TopK values", values, "float64[2,2]"},
		{"TopK indices", indices, "int64[2,2]"},
		{"Split", parts[1], "float64[2,2]"},
		{"Slice", b.Slice(m, []int64{-1}, []int64{-4}, []int64{1}, []int64{-1}), "float64[2,3]"},
		{"Pad", b.Pad(m, 0, 1, 0, 2), "float64[2,6]"},
		{"ReduceSum", b.ReduceSum(x, true, 2, 3), "float32[N,4,1,1]"},
		{"ReduceMean over all", b.ReduceMean(m, false), "float64[]"},
		{"ReduceMax", b.ReduceMax(m, false, -1), "float64[2]"},
		{"ExpandLike symbolic", b.ExpandLike(b.Float(x, 0), x), "float32[N,4,8,8]"},
		{"ExpandLike static", b.ExpandLike(b.Float(m, 0), m), "float64[2,3]"},
		{"ReshapeLike", b.ReshapeLike(b.Flatten(x), x), "float32[N,4,8,8]"},
		{"Gather", b.Gather(m, labels, 1), "float64[2,N]"},
		{"Cast", b.Cast(m, ir.Float32), "float32[2,3]"},
		{"Unsqueeze", b.Unsqueeze(m, 0), "float64[1,2,3]"},
		{"Squeeze", b.Squeeze(b.Unsqueeze(m, 0), 0), "float64[2,3]"},
		{"Transpose", b.Transpose(m, 1, 0), "float64[3,2]"},
		{"Clip", b.Clip(m, 0, math.Inf(1)), "float64[2,3]"},
		{"Sum", b.Sum(m, m, m), "float64[2,3]"},
	} {
		if got := c.v.Type.String() + c.v.Shape.String(); got != c.want {
			t.Errorf("%s: expected %s, found %s", c.name, c.want, got)
		}
	}
	if _, err := b.Build(); err != nil {
		t.Error(err)
	}
}

// TestConstructorsWithoutEffect: where the result is plainly the input, no node is made.
func TestConstructorsWithoutEffect(t *testing.T) {
	b := NewB("g")
	x := b.Input("x", ir.Float32, n, 2, 3)
	m := b.Input("m", ir.Float32, 2, 3)
	for name, c := range map[string][2]*ir.Value{
		"Cast to the same type":        {b.Cast(x, ir.Float32), x},
		"Reshape to the same shape":    {b.Reshape(m, 2, 3), m},
		"ReshapeLike the same":         {b.ReshapeLike(x, x), x},
		"ExpandLike the same symbolic": {b.ExpandLike(x, x), x},
		"Sum of one":                   {b.Sum(m), m},
	} {
		if c[0] != c[1] {
			t.Errorf("%s is not its input", name)
		}
	}
	if k := len(b.Graph().Nodes); k != 0 {
		t.Errorf("expected no nodes, found %d", k)
	}
}

func TestClipLeavesOutInfiniteBounds(t *testing.T) {
	b := NewB("g")
	x := b.Input("x", ir.Float64, 2)
	node := b.Clip(x, math.Inf(-1), 3).Def
	if node.In[1] != nil || node.In[2].Const.Float64At(0) != 3 {
		t.Errorf("found bounds %v and %v", node.In[1], node.In[2])
	}
}

// TestConstantsHaveTheTypeOfLike: constants of float64 graphs are exact.
func TestConstantsHaveTheTypeOfLike(t *testing.T) {
	b := NewB("g")
	x := b.Input("x", ir.Float64, 2)
	if v := b.Float(x, 1.0/3); !tensor.Equal(v.Const, tensor.Scalar(1.0/3)) {
		t.Errorf("found %s %v", v, v.Const.Data)
	}
	if v := b.Fill(x, 0.1, 2); !tensor.Equal(v.Const, tensor.Vector(0.1, 0.1)) {
		t.Errorf("found %s %v", v, v.Const.Data)
	}
}

// TestStickyError: the first error stays, later calls give placeholders, and Build names the graph.
func TestStickyError(t *testing.T) {
	b := NewB("g")
	x := b.Input("x", ir.Float32, 2, 3)
	bad := b.MatMul(x, x)
	first := b.Err()
	nodes := len(b.Graph().Nodes)
	after := b.Softmax(b.Add(bad, b.Float(bad, 1)), 7)
	b.Output("y", after)
	if b.Err() != first || len(b.Graph().Nodes) != nodes || after == nil {
		t.Errorf("after the first error: %v, %d nodes, value %v", b.Err(), len(b.Graph().Nodes), after)
	}
	if g, err := b.Build(); g != nil || err == nil || err.Error() != "graph g: "+first.Error() {
		t.Errorf("found %v, %v", g, err)
	}
}

func TestFillRejectsSymbolicShapes(t *testing.T) {
	b := NewB("g")
	b.Fill(b.Input("x", ir.Float32, n), 0, n)
	if b.Err() == nil {
		t.Error("expected an error")
	}
}
