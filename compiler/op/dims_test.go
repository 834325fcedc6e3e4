package op

import (
	"fmt"
	"testing"

	"rnas/compiler/ir"
)

// TestDims computes sizes as exporters do from the shape [N,3,8,8] of an image.
func TestDims(t *testing.T) {
	b := NewB("dims")
	x := b.Input("x", ir.Float32, ir.N, 3, 8, 8)
	free := b.Input("free", ir.Int64, 1)
	shape := b.One("Shape", nil, x)
	at := func(i int64) *ir.Value { return b.Gather(shape, b.Ints(i), 0) }
	scalar := func(i int64) *ir.Value { return b.Gather(shape, b.Int(i), 0) }
	concat := func(in ...*ir.Value) *ir.Value { return b.One("Concat", ir.Attrs{"axis": int64(0)}, in...) }
	batch := at(0)
	for _, c := range []struct {
		name string
		v    *ir.Value
		want string
	}{
		{"shape", shape, "[{1 0} {0 3} {0 8} {0 8}]"},
		{"end of shape", b.One("Shape", ir.Attrs{"start": int64(-2)}, x), "[{0 8} {0 8}]"},
		{"last", at(-1), "[{0 8}]"},
		{"scalar", scalar(0), "[{1 0}]"},
		{"unsqueezed", b.Unsqueeze(scalar(0), 0), "[{1 0}]"},
		{"slice", b.Slice(shape, []int64{1}, []int64{9}, []int64{0}, []int64{2}), "[{0 3} {0 8}]"},
		{"concat", concat(batch, b.Ints(-1)), "[{1 0} {0 -1}]"},
		{"product", b.One("Mul", nil, batch, at(1)), "[{3 0}]"},
		{"product of batches", b.One("Mul", nil, batch, batch), ""},
		{"sum", b.One("Add", nil, batch, b.Ints(2, 3)), "[{1 2} {1 3}]"},
		{"difference", b.One("Sub", nil, b.Ints(5), batch), "[{-1 5}]"},
		{"quotient", b.One("Div", nil, b.One("Mul", nil, batch, b.Ints(6)), b.Ints(2)), "[{3 0}]"},
		{"quotient with rest", b.One("Div", nil, batch, b.Ints(2)), ""},
		{"quotient of equals", b.One("Div", nil, batch, batch), "[{0 1}]"},
		{"quotient by zero", b.One("Div", nil, batch, b.Ints(0)), ""},
		{"rounds towards zero", b.One("Div", nil, b.Ints(-7), at(1)), "[{0 -2}]"},
		{"never equal", b.One("Equal", nil, concat(batch, b.Ints(-1)), b.Ints(-1)), "[{0 0} {0 1}]"},
		{"perhaps equal", b.One("Equal", nil, batch, b.Ints(1)), ""},
		{"choice", b.One("Where", nil, b.One("Equal", nil, concat(batch, b.Ints(-1)), b.Ints(-1)), b.Ints(1), concat(batch, b.Ints(-1))), "[{1 0} {0 1}]"},
		{"product of all", b.One("ReduceProd", ir.Attrs{"keepdims": int64(0)}, shape), "[{192 0}]"},
		{"an input", free, ""},
		{"with an input", concat(batch, free), ""},
	} {
		if b.Err() != nil {
			t.Fatal(b.Err())
		}
		got := ""
		if dims, ok := Dims(c.v); ok {
			got = fmt.Sprint(dims)
		}
		if got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

// A chain of values each of which uses the one before twice takes no exponential time.
func TestDimsAreBounded(t *testing.T) {
	b := NewB("chain")
	v := b.One("Shape", nil, b.Input("x", ir.Float32, ir.N))
	for range 100 {
		v = b.One("Add", nil, v, v)
	}
	if b.Err() != nil {
		t.Fatal(b.Err())
	}
	if dims, ok := Dims(v); ok {
		t.Errorf("got %v", dims)
	}
}

func TestExpandToComputedShapes(t *testing.T) {
	b := NewB("expand")
	x := b.Input("x", ir.Float32, ir.N, 3)
	batch := b.Gather(b.One("Shape", nil, x), b.Ints(0), 0)
	to := b.One("Concat", ir.Attrs{"axis": int64(0)}, batch, b.Ints(1, 4))
	if v := b.One("Expand", nil, b.Input("token", ir.Float32, 1, 1, 4), to); !v.Shape.Equal(ir.Shape{ir.N, 1, 4}) {
		t.Errorf("expanded to %s", v)
	}
	if v := b.One("ConstantOfShape", nil, to); !v.Shape.Equal(ir.Shape{ir.N, 1, 4}) {
		t.Errorf("constant of shape %s", v)
	}
	if b.Err() != nil {
		t.Error(b.Err())
	}
}
