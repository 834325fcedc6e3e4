package pass

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/tensor"
)

// pipelines are those that programs and models run through, the layout pass of the runtime included.
func pipelines() map[string][]Pass {
	return map[string][]Pass{
		"training": Training(""), "inference": Inference(""), "training on cuda": append(Training("cuda"), Stack),
		"training on cpu": append(Training("cpu"), Blocked(8), Sums, Stack), "inference on cpu": Inference("cpu"),
	}
}

// disorder is the first constraint that a pipeline breaks.
func disorder(passes []Pass) error {
	for i, p := range passes {
		for _, later := range passes[i+1:] {
			for _, need := range p.After {
				if need.Pass == later.Name {
					return fmt.Errorf("%s must stand before %s: %s", later.Name, p.Name, need.Why)
				}
			}
		}
	}
	return nil
}

func TestPipelines(t *testing.T) {
	broken := map[string]bool{}
	rows := map[string]Pass{}
	for name, passes := range pipelines() {
		if err := disorder(passes); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for i, p := range passes {
			rows[p.Name] = p
			if p.Why == "" {
				t.Errorf("%s: pass %s has no reason", name, p.Name)
			}
			for _, need := range p.After {
				k := slices.IndexFunc(passes, func(q Pass) bool { return q.Name == need.Pass })
				if k < 0 {
					continue
				}
				swapped := slices.Clone(passes)
				swapped[i], swapped[k] = swapped[k], swapped[i]
				if err := disorder(swapped); err == nil {
					t.Errorf("%s: %s and %s change places unseen", name, need.Pass, p.Name)
				}
				broken[need.Pass+" "+p.Name] = true
			}
		}
		mask := slices.ContainsFunc(passes, func(p Pass) bool { return p.Name == "relumask" })
		if mask != strings.HasSuffix(name, "cpu") {
			t.Errorf("%s: relumask %v", name, mask)
		}
	}
	for _, name := range []string{"fold", "identity", "hoist", "cse", "dead", "foldbn", "relumask", "clipmask", "blocked", "sums"} {
		for _, need := range rows[name].After {
			if !broken[need.Pass+" "+name] {
				t.Errorf("%s before %s: no pipeline has both", need.Pass, name)
			}
			if !slices.ContainsFunc(witnesses, func(w witness) bool { return w.first == need.Pass && w.then == name }) {
				t.Errorf("%s before %s: no graph shows why", need.Pass, name)
			}
		}
	}
}

// witness is a graph in which two passes leave fewer operators of a kind in the order that a constraint asks for than in
// the other one.
type witness struct {
	first, then string
	operator    string
	build       func(b op.B)
}

var witnesses = []witness{
	{"fold", "identity", "Mul", func(b op.B) {
		x := b.Input("x", ir.Float32, 4)
		b.Output("y", b.Mul(b.Relu(x), b.Exp(b.Float(x, 0))))
	}},
	{"identity", "cse", "Exp", func(b op.B) {
		x := b.Input("x", ir.Float32, 4)
		b.Output("y", b.Add(b.Exp(x), b.Exp(b.Identity(x))))
	}},
	{"hoist", "cse", "Exp", func(b op.B) {
		x := b.Input("x", ir.Float32, 4)
		for _, name := range []string{"first", "second"} {
			b.Output(name, b.Loop(name, 2, []*ir.Value{x}, func(b op.B, _ *ir.Value, in []*ir.Value) []*ir.Value {
				return []*ir.Value{b.Add(in[0], b.Exp(x))}
			})[0])
		}
	}},
	{"identity", "dead", "Reshape", func(b op.B) {
		b.Output("y", b.Reshape(b.Reshape(b.Input("x", ir.Float32, 2, 6), 3, 4), 12))
	}},
	{"cse", "dead", "MaxPool", func(b op.B) {
		x := b.Input("x", ir.Float32, 1, 1, 4)
		pool := func(b op.B) []*ir.Value { return b.Node("MaxPool", ir.Attrs{"kernel_shape": []int64{2}}, 2, x) }
		b.Output("y", b.Loop("l", 2, pool(b)[:1], func(b op.B, _ *ir.Value, c []*ir.Value) []*ir.Value {
			return []*ir.Value{b.Add(c[0], b.Cast(pool(b)[1], ir.Float32))}
		})[0])
	}},
	{"fold", "foldbn", "BatchNormalization", func(b op.B) {
		y := convolution(b)
		one := b.Exp(b.Fill(y, 0, 8))
		b.Output("y", b.BatchNorm(y, one, one, one, one, 1e-5))
	}},
	{"identity", "foldbn", "BatchNormalization", func(b op.B) {
		y := b.Identity(convolution(b))
		one := b.Fill(y, 1, 8)
		b.Output("y", b.BatchNorm(y, one, one, one, one, 1e-5))
	}},
	{"dead", "foldbn", "BatchNormalization", func(b op.B) {
		y := convolution(b)
		b.Relu(y)
		one := b.Fill(y, 1, 8)
		b.Output("y", b.BatchNorm(y, one, one, one, one, 1e-5))
	}},
	{"identity", "relumask", "Sign", func(b op.B) {
		b.Output("y", b.Sign(b.Identity(b.Relu(b.Input("x", ir.Float32, 4)))))
	}},
	{"fold", "clipmask", "Where", func(b op.B) {
		x := b.Input("x", ir.Float32, 4)
		b.Output("y", b.Where(b.GreaterOrEqual(x, b.Exp(b.Float(x, 0))), x, b.Float(x, 0)))
	}},
	{"blocked", "sums", "Add", func(b op.B) {
		w, one := b.Input("w", ir.Float32, 8, 8, 1, 1), []int64{1, 1}
		spread := func(at int64) *ir.Value {
			return b.One("ConvTranspose", ir.Attrs{"strides": []int64{2, 2}, "kernel_shape": one, "output_padding": []int64{1 - at, 1 - at}},
				b.Input(fmt.Sprint("x", at), ir.Float32, 1, 8, 32, 64), w)
		}
		b.Output("y", b.Sum(spread(0), b.Input("z", ir.Float32, 1, 8, 64, 128), b.Pad(spread(1), 0, 0, 1, 1, 0, 0, 0, 0)))
	}},
	{"identity", "blocked", "ReorderOutput", func(b op.B) {
		w := b.Input("w", ir.Float32, 8, 8, 1, 1)
		b.Output("y", b.Conv(b.Identity(b.Conv(convolution(b), w, nil, op.Conv2D{Kernel: [2]int64{1, 1}})), w, nil, op.Conv2D{Kernel: [2]int64{1, 1}}))
	}},
}

// convolution is one with constant weights and 8 channels.
func convolution(b op.B) *ir.Value {
	x := b.Input("x", ir.Float32, 2, 8, 4, 4)
	return b.Conv(x, b.Const("weight", tensor.Zeros(ir.Float32, 8, 8, 1, 1)), nil, op.Conv2D{Kernel: [2]int64{1, 1}})
}

// Every constraint has a graph that comes out worse when it is violated.
func TestOrderMatters(t *testing.T) {
	passes := map[string]Pass{}
	for _, list := range pipelines() {
		for _, p := range list {
			passes[p.Name] = p
		}
	}
	for _, w := range witnesses {
		left := func(list ...Pass) (n int) {
			apply(t, w.build, list...).Walk(func(m *ir.Node) {
				if m.Op == w.operator {
					n++
				}
			})
			return n
		}
		first, then := passes[w.first], passes[w.then]
		if kept, violated := left(first, then), left(then, first); kept >= violated {
			t.Errorf("%s before %s: %d operators %s are left, %d in the other order", w.first, w.then, kept, w.operator, violated)
		}
	}
}
