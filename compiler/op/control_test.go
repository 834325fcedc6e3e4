package op

import (
	"slices"
	"strings"
	"testing"

	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

// body is a Loop body over one carried value, with one scan output of the given shape.
func body(carried, next, scan *ir.Value) *ir.Graph {
	return &ir.Graph{
		Inputs:  list(i64(), boo(), carried),
		Outputs: list(boo(), next, scan),
	}
}

func TestLoopInference(t *testing.T) {
	loop := func(g *ir.Graph) ir.Attrs { return ir.Attrs{"body": g} }
	yes := constant(tensor.Scalar(true))
	good := body(f32(n, 3), f32(n, 3), f32(4))
	for _, c := range []inferCase{
		{op: "Loop", in: list(int0(5), yes, f32(n, 3)), attrs: loop(good), want: "float32[N,3] float32[5,4]"},
		{op: "Loop", in: list(i64(), yes, f32(n, 3)), attrs: loop(&ir.Graph{
			Inputs: list(i64(), boo(), f32(n, 3)), Outputs: list(boo(), f32(n, 3)),
		}), want: "float32[N,3]"},
		{op: "Loop", in: list(int0(5), yes), attrs: loop(good), err: "body: expected 2 inputs, found 3"},
		{op: "Loop", in: list(int0(5), yes, f32(n, 3)), attrs: loop(good), err: "body: 3 outputs do not fit 1 carried values and 1 outputs of the node"},
		{
			op: "Loop", in: list(int0(5), yes, f32(n, 4)), attrs: loop(good), outs: 2,
			err: "body: carried value 0 is float32[N,4] outside and v float32[N,3] inside",
		},
		{
			op: "Loop", in: list(int0(5), yes, f32(2)), attrs: loop(body(f32(2), f64(2), f32())), outs: 2,
			err: "body: carried value 0 is float32[2] outside and v float64[2] inside",
		},
		{op: "Loop", in: list(i64(), yes, f32(n, 3)), attrs: loop(good), outs: 2, err: "scan outputs need a constant trip count"},
		{op: "Loop", in: list(int0(-1), yes, f32(n, 3)), attrs: loop(good), outs: 2, err: "scan outputs need a constant trip count"},
		{op: "Loop", in: list(f32(), yes, f32(n, 3)), attrs: loop(good), err: "expected an int64 trip count and a bool condition"},
		{op: "Loop", in: list(int0(5), yes, f32(2)), attrs: loop(&ir.Graph{
			Inputs: list(f32(), boo(), f32(2)), Outputs: list(boo(), f32(2)),
		}), err: "body: expected an int64 iteration number and bool conditions"},
		{op: "Loop", in: list(int0(5), yes, f32(2)), err: "attribute body is missing"},
	} {
		c.run(t)
	}
}

// TestLoopBuilder: the body may use values of the graph around it, and names stay unique across both.
func TestLoopBuilder(t *testing.T) {
	b := NewB("g")
	x := b.Input("x", ir.Float32, n, 3)
	step := b.Scale(x, 2)
	out := b.Loop("repeat", 4, list(x), func(b B, iter *ir.Value, carried []*ir.Value) []*ir.Value {
		if iter.Type != ir.Int64 || iter.Rank() != 0 {
			t.Errorf("iteration number is %s", iter)
		}
		return list(b.Add(carried[0], step))
	})
	b.Output("y", out[0])
	g, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	if err := Verify(g); err != nil {
		t.Fatal(err)
	}
	want := `graph g opset 18
  input x float32[N,3]
  const float float32[] = [2]
  const trips int64[] = [4]
  const true bool[] = [true]
  Mul.out float32[N,3] = Mul(x, float)
  y float32[N,3] = Loop(trips, true, x)
    graph repeat opset 18
      input repeat.iteration int64[]
      input repeat.condition bool[]
      input repeat.in.x float32[N,3]
      repeat.next.x float32[N,3] = Add(repeat.in.x, Mul.out)
      repeat.continue bool[] = Identity(repeat.condition)
      output repeat.continue
      output repeat.next.x
  output y
`
	if g.String() != want {
		t.Errorf("expected\n%s\nfound\n%s", want, g)
	}
}

// TestLoopBuilderTwice: a value may be carried twice, and two loops may have one name.
func TestLoopBuilderTwice(t *testing.T) {
	b := NewB("g")
	x := b.Input("x", ir.Float32, 3)
	swap := func(_ B, _ *ir.Value, carried []*ir.Value) []*ir.Value { return list(carried[1], carried[0]) }
	out := b.Loop("swap", 4, b.Loop("swap", 4, list(x, x), swap), swap)
	b.Output("y", b.Add(out[0], out[1]))
	g, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	if err := Verify(g); err != nil {
		t.Fatal(err)
	}
}

func TestLoopBuilderErrors(t *testing.T) {
	for _, c := range []struct {
		want string
		body func(b B, iter *ir.Value, carried []*ir.Value) []*ir.Value
	}{
		{
			"node Loop: Loop(int64[], bool[], float32[1,3]): body: carried value 0 is float32[1,3] outside and repeat.next.x float32[2,3] inside",
			func(b B, _ *ir.Value, v []*ir.Value) []*ir.Value { return list(b.Concat(0, v[0], v[0])) },
		},
		{
			"loop repeat: the body returns 0 of 1 carried values",
			func(B, *ir.Value, []*ir.Value) []*ir.Value { return nil },
		},
		{
			"node MatMul: MatMul(float32[1,3], float32[1,3]): inner sizes 3 and 1 differ",
			func(b B, _ *ir.Value, v []*ir.Value) []*ir.Value { return list(b.MatMul(v[0], v[0])) },
		},
	} {
		b := NewB("g")
		x := b.Input("x", ir.Float32, 1, 3)
		out := b.Loop("repeat", 4, list(x), c.body)
		if len(out) != 1 || out[0] == nil {
			t.Errorf("expected one placeholder, found %v", out)
		}
		b.Output("y", out[0])
		if _, err := b.Build(); err == nil || !strings.HasPrefix(err.Error(), "graph g: "+c.want) {
			t.Errorf("expected %q, found %v", c.want, err)
		}
	}
}

// Graphs are looked for only in the operators that package ir names.
func TestNests(t *testing.T) {
	for key, row := range registry {
		nests := slices.ContainsFunc(row.Attrs, func(a Attr) bool { return a.Kind == kGraph })
		if nests && row.Domain != "" || nests != ir.Nests(row.Name) {
			t.Errorf("%s: has graphs as attributes: %v", key, nests)
		}
	}
}
