// Package graphtest builds small graphs for tests of rewrites and compares what they compute, in float64.
package graphtest

import (
	"math"
	"slices"
	"strings"
	"testing"

	"rnas/compiler/interp"
	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/rng"
	"rnas/internal/tensor"
)

// Build is the graph that build makes.
func Build(t testing.TB, build func(b op.B)) *ir.Graph {
	t.Helper()
	b := op.NewB("test")
	build(b)
	g, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// HasText compares the text of g but for its first line with want, indentation aside.
func HasText(t testing.TB, g *ir.Graph, want string) {
	t.Helper()
	var lines []string
	for _, line := range strings.Split(strings.TrimSpace(want), "\n") {
		lines = append(lines, strings.TrimSpace(line))
	}
	var got []string
	for _, line := range strings.Split(strings.TrimSpace(g.String()), "\n")[1:] {
		got = append(got, strings.TrimSpace(line))
	}
	if !slices.Equal(got, lines) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(lines, "\n"))
	}
}

// Same runs plain and g on the same random inputs; a symbolic batch is 2. Numbers are float64 in both, so that only the order of
// summation tells their outputs apart.
func Same(t testing.TB, plain, g *ir.Graph) {
	t.Helper()
	var in []*tensor.Tensor
	for i, v := range plain.Inputs {
		shape := v.Shape.Clone()
		for k, d := range shape {
			if d == ir.N {
				shape[k] = 2
			}
		}
		x := tensor.Zeros(v.Type, shape...)
		if s := rng.New(1, rng.Probe, i, 0, 0); v.Type == ir.Float32 {
			s.FillUniform(x.Float32s(), -1, 1)
		}
		if slices.Contains([]string{"images", "stats", "adam_v", "adam_t"}, v.Name) { // may not be negative
			for k, f := range x.Float32s() {
				x.Float32s()[k] = (f + 1.1) / 2
			}
		}
		in = append(in, x)
	}
	want, err := interp.RunOrdered(plain, in...)
	if err != nil {
		t.Fatal(err)
	}
	got, err := interp.RunOrdered(g, in...)
	if err != nil {
		t.Fatal(err)
	}
	for i, w := range want {
		size := 1e-3
		for _, v := range w.Float64s() {
			size = max(size, math.Abs(v))
		}
		for k, v := range w.Float64s() {
			if d := math.Abs(got[i].Float64At(k) - v); !(d <= 1e-8*size) {
				t.Fatalf("output %s, element %d: expected %g, found %g (largest %g)", plain.Outputs[i].Name, k, v, got[i].Float64At(k), size)
			}
		}
	}
}

// Count counts the operators of one name of a domain in g and everything nested in it.
func Count(g *ir.Graph, domain, name string) int {
	k := 0
	g.Walk(func(n *ir.Node) {
		if n.Domain == domain && n.Op == name {
			k++
		}
	})
	return k
}

// Close runs both graphs on the same numbers; tolerance is relative to the largest entry of each output.
func Close(t testing.TB, before, after *ir.Graph, tolerance float64) {
	t.Helper()
	in := map[string]*tensor.Tensor{}
	for i, v := range before.Inputs {
		in[v.Name] = Filled(uint64(100+i), v.Shape...)
	}
	want, err := interp.Run(before, in)
	if err != nil {
		t.Fatal(err)
	}
	got, err := interp.Run(after, in)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range before.Outputs {
		a, b := want[v.Name], got[v.Name]
		if b == nil || !ir.Shape(a.Shape).Equal(b.Shape) {
			t.Fatalf("output %s: shapes differ", v)
		}
		largest := 0.0
		for i := range a.Len() {
			largest = max(largest, math.Abs(a.Float64At(i)))
		}
		for i := range a.Len() {
			if d := math.Abs(a.Float64At(i) - b.Float64At(i)); !(d <= tolerance*largest) {
				t.Fatalf("output %s element %d: expected %g, found %g\nbefore\n%s\nafter\n%s",
					v, i, a.Float64At(i), b.Float64At(i), before, after)
			}
		}
	}
}

// Filled is a tensor of numbers in [0.5, 1.5).
func Filled(seed uint64, shape ...int64) *tensor.Tensor {
	s := rng.New(seed, rng.Init, 0, 0, 0)
	out := tensor.Zeros(ir.Float32, shape...)
	s.FillUniform(out.Float32s(), 0.5, 1.5)
	return out
}
