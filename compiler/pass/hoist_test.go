package pass

import (
	"testing"

	"rnas/compiler/graphtest"
	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/tensor"
)

// operatorsByPlace counts the operators inside and outside the loops of g.
func operatorsByPlace(g *ir.Graph, name string) (inside, outside int) {
	inside = graphtest.Count(g, "", name)
	for _, n := range g.Nodes {
		if n.Op == name {
			outside++
		}
	}
	return inside - outside, outside
}

func TestHoist(t *testing.T) {
	build := func(b op.B) {
		x := b.Input("x", ir.Float32, 2, 3)
		y := b.Loop("outer", 3, []*ir.Value{x}, func(b op.B, _ *ir.Value, in []*ir.Value) []*ir.Value {
			return b.Loop("inner", 2, in, func(b op.B, _ *ir.Value, in []*ir.Value) []*ir.Value {
				return []*ir.Value{b.Add(b.Tanh(in[0]), b.Relu(b.Exp(x)))}
			})
		})
		b.Output("y", y[0])
	}
	g := apply(t, build, Hoist)
	for name, want := range map[string][2]int{"Exp": {0, 1}, "Relu": {0, 1}, "Tanh": {1, 0}, "Add": {1, 0}} {
		if in, out := operatorsByPlace(g, name); in != want[0] || out != want[1] {
			t.Errorf("%s: expected %v inside and outside of loops, found %d and %d", name, want, in, out)
		}
	}
	graphtest.Same(t, graphtest.Build(t, build), apply(t, build, Training()...))
}

func TestHoistLeaves(t *testing.T) {
	for name, build := range map[string]func(b op.B, x *ir.Value, trips *ir.Value) *ir.Value{
		"an output of the body": func(b op.B, x, _ *ir.Value) *ir.Value {
			return b.Loop("l", 2, []*ir.Value{x}, func(b op.B, _ *ir.Value, _ []*ir.Value) []*ir.Value {
				return []*ir.Value{b.Exp(x)}
			})[0]
		},
		"a loop that may not run": func(b op.B, x, trips *ir.Value) *ir.Value {
			v := b.Loop("l", 2, []*ir.Value{x}, func(b op.B, _ *ir.Value, in []*ir.Value) []*ir.Value {
				return []*ir.Value{b.Add(in[0], b.Exp(x))}
			})[0]
			v.Def.In[0] = trips
			return v
		},
		"a loop that never runs": func(b op.B, x, _ *ir.Value) *ir.Value {
			return b.Loop("l", 0, []*ir.Value{x}, func(b op.B, _ *ir.Value, in []*ir.Value) []*ir.Value {
				return []*ir.Value{b.Add(in[0], b.Exp(x))}
			})[0]
		},
	} {
		g := apply(t, func(b op.B) {
			b.Output("y", build(b, b.Input("x", ir.Float32, 2), b.Input("trips", ir.Int64)))
		}, Hoist)
		if in, out := operatorsByPlace(g, "Exp"); in != 1 || out != 0 {
			t.Errorf("%s: Exp moved", name)
		}
	}
}

// A random operator draws anew in every iteration.
func TestHoistLeavesRandomOperators(t *testing.T) {
	g := apply(t, func(b op.B) {
		x := b.Const("x", tensor.Zeros(ir.Float32, 2))
		b.Output("y", b.Loop("l", 2, []*ir.Value{x}, func(b op.B, _ *ir.Value, in []*ir.Value) []*ir.Value {
			return []*ir.Value{b.Add(in[0], b.One("RandomNormalLike", nil, x))}
		})[0])
	}, Hoist)
	if in, _ := operatorsByPlace(g, "RandomNormalLike"); in != 1 {
		t.Error("RandomNormalLike moved")
	}
}
