package ir

import (
	"errors"
	"strings"
	"testing"

	"rnas/internal/tensor"
)

// like infers every output as the first input.
func like(n *Node) error {
	if len(n.In) == 0 {
		return errors.New("no input")
	}
	for _, v := range n.Out {
		v.Type, v.Shape = n.In[0].Type, n.In[0].Shape
	}
	return nil
}

func TestPrint(t *testing.T) {
	b := NewBuilder("sample", 18, like)
	x := b.Input("x", Float32, N, 3)
	var y *Value
	b.In("cell", func() {
		b.In("edge", func() { y = b.Node("Mul", nil, 1, x, b.Const("two", tensor.Vector[float32](2, 2, 2)))[0] })
	})
	sub := b.Nested("body")
	i := sub.Input("i", Int64)
	sub.Output("again", sub.Node("Add", Attrs{"k": int64(1)}, 1, i, i)[0])
	y = b.DomainNode("own", "Twice", Attrs{"body": sub.Graph(), "axes": []int64{1, 2}, "mode": "fast"}, 1, y, nil)[0]
	b.Output("y", y)
	b.Output("copy", y)
	g, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	want := `graph sample opset 18
  input x float32[N,3]
  const cell/edge/two float32[3] = [2,2,2]
  cell/edge/Mul.out float32[N,3] = Mul(x, cell/edge/two)
  y float32[N,3] = own.Twice(cell/edge/Mul.out, _) axes=[1,2] mode="fast"
    graph body opset 18
      input i int64[]
      again int64[] = Add(i, i) k=1
      output again
  copy float32[N,3] = Identity(y)
  output y
  output copy
`
	if got := g.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestBuilderKeepsTheFirstError(t *testing.T) {
	b := NewBuilder("broken", 18, like)
	x := b.Input("x", Float32, 2)
	b.Input("x", Float32, 2)
	b.Node("Nullary", nil, 1)
	b.Output("y", b.Node("Neg", nil, 1, x)[0])
	_, err := b.Build()
	if err == nil || !strings.HasPrefix(err.Error(), `graph broken: input "x": the name is taken`) {
		t.Errorf("got %v", err)
	}
	if len(b.Graph().Nodes) != 0 || len(b.Graph().Outputs) != 0 {
		t.Error("nodes were added after the error")
	}
}

func TestNamesAreUnique(t *testing.T) {
	b := NewBuilder("names", 18, like)
	x := b.Input("x", Float32, 2)
	first, second := b.Node("Neg", nil, 1, x)[0], b.Node("Neg", nil, 1, x)[0]
	if first.Name != "Neg.out" || second.Name != "Neg_1.out" || b.Free("Neg.out") != "Neg.out_1" {
		t.Errorf("got %q, %q and %q", first.Name, second.Name, b.Free("Neg.out"))
	}
	b.Output("y", second)
	g, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	more := Extend(g, like)
	if v := more.Node("Neg", nil, 1, x)[0]; v.Name == "Neg.out" || v.Name == "Neg_1.out" || v.Name == "y" {
		t.Errorf("an extended graph takes the name %q again", v.Name)
	}
}

func TestVerify(t *testing.T) {
	value := func(name string) *Value { return &Value{Name: name, Type: Float32, Shape: Shape{2}} }
	node := func(out *Value, in ...*Value) *Node {
		n := &Node{Name: "n." + out.Name, Op: "Neg", In: in, Out: []*Value{out}}
		out.Def = n
		return n
	}
	x, y, z := value("x"), value("y"), value("z")
	good := &Graph{Name: "g", Inputs: []*Value{x}, Nodes: []*Node{node(y, x), node(z, y)}, Outputs: []*Value{z}}
	if err := Verify(good); err != nil {
		t.Fatal(err)
	}
	lying := &Value{Name: "c", Type: Float32, Shape: Shape{3}, Const: tensor.Vector[float32](1, 2)}
	stranger := value("stranger")
	for _, c := range []struct {
		name string
		g    *Graph
		want string
	}{
		{"order", &Graph{Name: "g", Inputs: []*Value{x}, Nodes: []*Node{good.Nodes[1], good.Nodes[0]}}, "graph g: node n.z (Neg): value y float32[2] is used before it is defined"},
		{"twice", &Graph{Name: "g", Inputs: []*Value{x, value("x")}}, `graph g: name "x" is used twice`},
		{"constant", &Graph{Name: "g", Nodes: []*Node{node(value("o"), lying)}}, "graph g: node n.o (Neg): constant c float32[3] holds float32[2]"},
		{"output", &Graph{Name: "g", Outputs: []*Value{stranger}}, "graph g: output: value stranger float32[2] is used before it is defined"},
		{"type", &Graph{Name: "g", Inputs: []*Value{{Name: "u"}}}, `graph g: value "u" has no type`},
		{"definition", &Graph{Name: "g", Inputs: []*Value{x}, Nodes: []*Node{{Name: "other", Op: "Neg", In: []*Value{x}, Out: []*Value{y}}}}, "graph g: node other (Neg): output y float32[2] belongs to another node"},
	} {
		if err := Verify(c.g); err == nil || err.Error() != c.want {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
}

func TestReplaceReachesNestedGraphs(t *testing.T) {
	b := NewBuilder("outer", 18, like)
	x, y := b.Input("x", Float32, 2), b.Input("y", Float32, 2)
	sub := b.Nested("inner")
	sub.Output("o", sub.Node("Neg", nil, 1, x)[0])
	b.Output("z", b.Node("If", Attrs{"body": sub.Graph()}, 1, x)[0])
	g := b.Graph()
	g.Replace(map[*Value]*Value{x: y})
	if n := g.Nodes[0]; n.In[0] != y || n.Graphs()[0].Nodes[0].In[0] != y {
		t.Errorf("got\n%s", g)
	}
}

func TestConstantsBelongToTheGraphThatUsesThem(t *testing.T) {
	b := NewBuilder("outer", 18, like)
	x := b.Input("x", Float32, 2)
	own, nested := b.Const("own", tensor.Vector[float32](1, 2)), b.Const("nested", tensor.Vector[float32](3, 4))
	sub := b.Nested("inner")
	sub.Output("o", sub.Node("Add", nil, 1, x, nested)[0])
	b.Output("z", b.Node("If", Attrs{"body": sub.Graph()}, 1, x, own)[0])
	if c := b.Graph().Constants(); len(c) != 1 || c[0] != own {
		t.Errorf("outer constants: %v", c)
	}
	if c := sub.Graph().Constants(); len(c) != 1 || c[0] != nested {
		t.Errorf("nested constants: %v", c)
	}
}
