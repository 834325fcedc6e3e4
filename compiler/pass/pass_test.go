package pass

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"rnas/compiler/graphtest"
	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/tensor"
)

// rewrite builds a graph, applies passes with verification and compares the text, indentation aside.
func rewrite(t *testing.T, build func(b op.B), want string, passes ...Pass) {
	t.Helper()
	graphtest.HasText(t, apply(t, build, passes...), want)
}

func apply(t *testing.T, build func(b op.B), passes ...Pass) *ir.Graph {
	t.Helper()
	g := graphtest.Build(t, build)
	if err := (Runner{Check: true}).Run(g, passes); err != nil {
		t.Fatal(err)
	}
	return g
}

func values(shape []int64, v ...float32) *tensor.Tensor { return tensor.Of(shape, v...) }

func TestRunNamesThePass(t *testing.T) {
	cause := errors.New("no")
	g := &ir.Graph{Name: "g"}
	err := Run(g, []Pass{Dead, {Name: "bad", Run: func(*ir.Graph) error { return cause }}})
	if !errors.Is(err, cause) || !strings.Contains(err.Error(), "graph g: pass bad") {
		t.Errorf("found %v", err)
	}
}

func TestRunChecks(t *testing.T) {
	breaks := Pass{Name: "breaks", Run: func(g *ir.Graph) error {
		g.Outputs[0].Shape = ir.Shape{7}
		return nil
	}}
	b := op.NewB("g")
	b.Output("y", b.Relu(b.Input("x", ir.Float32, 2)))
	g, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	if err := (Runner{Check: true}).Run(g, []Pass{breaks}); err == nil || !strings.Contains(err.Error(), "pass breaks") {
		t.Errorf("found %v", err)
	}
}

func TestTrace(t *testing.T) {
	b := op.NewB("g")
	b.Output("y", b.Sign(b.Relu(b.Identity(b.Input("x", ir.Float32, 2)))))
	g, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	var seen []string
	r := Runner{Trace: func(p Pass, g *ir.Graph) { seen = append(seen, p.Name+":"+g.Nodes[len(g.Nodes)-1].Op) }}
	if err := r.Run(g, Training()); err != nil {
		t.Fatal(err)
	}
	want := []string{"fold:Sign", "identity:Sign", "hoist:Sign", "cse:Sign", "dead:Sign"}
	if !slices.Equal(seen, want) {
		t.Errorf("expected %v, found %v", want, seen)
	}
}

// ONNX Runtime writes over the running statistics of a normalisation in training mode: each keeps its own.
func TestPrivateStatistics(t *testing.T) {
	g := apply(t, func(b op.B) {
		x, v := b.Input("x", ir.Float32, 2, 3), b.Input("v", ir.Float32, 3)
		one := b.Fill(x, 1, 3)
		seen := b.Exp(v)
		_, mean, _ := b.BatchNormTrain(x, v, v, b.Exp(v), b.Identity(v), 1e-5)
		_, again, _ := b.BatchNormTrain(b.Neg(x), v, v, b.Exp(v), b.Neg(one), 1e-5)
		b.Output("seen", seen)
		b.Output("mean", mean)
		b.Output("again", again)
	}, Training()...)
	uses := ir.CountUses(g)
	g.Walk(func(n *ir.Node) {
		if n.Op != "BatchNormalization" {
			return
		}
		for _, v := range n.In[3:] {
			if uses[v] != 1 || v.Def == nil {
				t.Errorf("%s is shared or no variable in\n%s", v, g)
			}
		}
	})
}
